package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// Config is what a host decides. The zero value can do nothing, and every field's zero value is its strictest or the one
// named.
type Config struct {
	// Grants are what the token endpoint can do. Nil: nothing. Use grants.Standard.
	Grants []Grant
	// Extensions add endpoints and more, such as OpenID Connect with oidc.New.
	Extensions []Extension
	// Scopes are what applications may be allowed to ask for, such as [StaticScopes]. Extensions add theirs. Nil: none.
	Scopes ScopeBackend

	// AuthorizeParameters names further parameters of authorization requests, which functions of the host
	// read in AuthorizeRequest.Form, such as SkipConsent. Parameters that are neither listed here nor known
	// to the library or an extension are dropped. Nil: none.
	AuthorizeParameters []string

	// Resources are the APIs that an application may name in order to get a token that is good for them only (RFC 8707), as
	// absolute URIs without fragment. Nil: none, and a request that names one is refused.
	Resources []string

	// ApprovalPrompt says whether consent that is remembered spares the user the consent page, where the request does not say
	// it with approval_prompt. Zero: ApprovalAuto.
	ApprovalPrompt ApprovalPrompt
	// SkipConsent says that an application is trusted so much that its user is not asked, beside the applications that say so
	// themselves; the same limits hold as for [AbstractApplication.SkipAuthorization]. What an owner changes takes back the trust of the
	// row, but not what the function says: let it say yes only where UserID is empty. Nil: no other is.
	SkipConsent func(ctx context.Context, request *AuthorizeRequest, user *User) (bool, error)

	// AccessTokens makes access tokens. What it makes must be impossible to guess and different each time, as that of
	// go-oauth2's generates.NewAccessGenerate is, but that of its JWT generator is not. Nil: 256 random bits.
	AccessTokens oauth2.AccessGenerate
	// AccessTokenLifetime is how long an access token is valid, in whole seconds, unless the application is a
	// [LifetimeSetter]. Zero: 10 minutes.
	AccessTokenLifetime time.Duration
	// ChooseAccessTokenLifetime, if it is not nil, says it for each token instead, in whole seconds. What is less than one ends the
	// request with [ServerError], an error with [TemporarilyUnavailable].
	ChooseAccessTokenLifetime func(ctx context.Context, request LifetimeRequest) (time.Duration, error)
	// RefreshTokenIdleLifetime is how long a refresh token waits to be used. Zero: 30 days.
	RefreshTokenIdleLifetime time.Duration
	// RefreshTokenLifetime is how long an Authorization can be refreshed at all. Zero: 90 days.
	RefreshTokenLifetime time.Duration
	// ConsentLifetime is how long consent is remembered since the user was last asked for all of it. Zero: until it is revoked.
	ConsentLifetime time.Duration

	// Secret encrypts what the database must hold but may not reveal, such as signing keys, and what travels
	// through browsers. At least 32 bytes that are hard to guess; the same for every instance. If empty,
	// signing keys are stored in clear, and the key for what travels is kept in the store.
	Secret string
	// UserIsActive reports whether a user may still use what was issued for him. It is asked at every token request,
	// introspection and API request. Nil: every user is active.
	UserIsActive func(ctx context.Context, subject string) (bool, error)
	// Observe receives every event; see [Observers] for more than one, and the packages below http/observe for logs, traces and
	// metrics. It is called by the goroutine in which the event happens, mostly one that answers a request, so it must be quick.
	// A panic in it is logged and changes no answer. Nil: none.
	Observe func(ctx context.Context, event Event)
	// Timeout is how long one request may take from when its body was read: waiting for its
	// turn, for a connection of the store, for its statements, and for hooks that heed their
	// context. A request that takes longer is answered with 503 and Retry-After. If Timeout is
	// zero, it is 5 seconds. It should be shorter than the time that http.Server.WriteTimeout
	// leaves, or the answer cannot be sent.
	Timeout time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger receives failures, and at the debug level the reasons of refusals. Nil: nothing is logged.
	Logger *slog.Logger
	// AllowInsecureIssuer permits an http issuer that is not on the loopback interface, for networks that are protected
	// otherwise. Everything sent over http can be read and changed on the way.
	AllowInsecureIssuer bool
}

// minSecret is the number of bytes that Config.Secret must have.
const minSecret = 32

// maxLifetime is far from where sums of lifetimes overflow.
const maxLifetime = 100 * 365 * 24 * time.Hour

// withDefaults fills in what is zero and refuses what cannot be.
func withDefaults(config Config) (Config, error) {
	for _, lifetime := range []struct {
		name     string
		value    *time.Duration
		fallback time.Duration
	}{
		{"AccessTokenLifetime", &config.AccessTokenLifetime, 10 * time.Minute},
		{"RefreshTokenIdleLifetime", &config.RefreshTokenIdleLifetime, 30 * 24 * time.Hour},
		{"RefreshTokenLifetime", &config.RefreshTokenLifetime, 90 * 24 * time.Hour},
		{"ConsentLifetime", &config.ConsentLifetime, 0},
		{"Timeout", &config.Timeout, 5 * time.Second},
	} {
		if *lifetime.value == 0 {
			*lifetime.value = lifetime.fallback
		}
		if *lifetime.value < 0 || *lifetime.value > maxLifetime {
			return config, fmt.Errorf("oauthkit: Config.%s is negative or longer than 100 years", lifetime.name)
		}
	}
	if config.AccessTokenLifetime%time.Second != 0 {
		return config, errors.New("oauthkit: Config.AccessTokenLifetime is not a number of whole seconds, in which expires_in counts")
	}
	for _, resource := range config.Resources {
		if !isResource(resource) {
			return config, fmt.Errorf("oauthkit: Config.Resources: %q is not an absolute URI without fragment (RFC 8707 §2)", resource)
		}
	}
	if config.ApprovalPrompt != ApprovalAuto && config.ApprovalPrompt != ApprovalForce {
		return config, fmt.Errorf("oauthkit: Config.ApprovalPrompt: %q is not known", config.ApprovalPrompt)
	}
	if config.Secret != "" && len(config.Secret) < minSecret {
		return config, fmt.Errorf("oauthkit: Config.Secret must have at least %d bytes", minSecret)
	}
	if config.Scopes == nil {
		config.Scopes = StaticScopes{}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	now := config.Now
	config.Now = func() time.Time { return now().UTC().Truncate(time.Microsecond) }
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	return config, nil
}
