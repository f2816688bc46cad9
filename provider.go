// Package oauthkit is an OAuth 2.0 authorization server and OpenID Connect provider that a Go program embeds.
//
// Read application.go (who asks), token.go (what was granted, and what a store promises) and provider.go (what the provider
// does); then follow one request from http/handler.go. A provider answers requests through package
// github.com/oauthkit/oauthkit/http; this package reads none and writes none.
package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
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
	// [LifetimeChooser]. Zero: 10 minutes.
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

// User is who is signed in to the host.
type User struct {
	// Subject is the user's identifier: unique, never given to anyone else, at most 255 bytes (OpenID Connect Core §2).
	Subject string
	// Name is shown on the consent page; empty: the Subject is.
	Name string
	// AuthTime is when the user last proved who he is, as precise as it is known: in whole seconds, somebody who has just
	// signed in may be asked to do so again. Zero: unknown, and requests that need to know are refused.
	AuthTime time.Time
	// ACR and AMR say how (OpenID Connect Core §2). Empty: unknown.
	ACR string
	AMR []string
	// SessionID names the host's session; empty: unknown.
	SessionID string
}

// Provider is an authorization server. It is safe for concurrent use, and any number of them can share a database.
type Provider struct {
	issuer      string
	prefix      string
	store       Store
	config      Config
	grants      map[oauth2.GrantType]Grant
	grantTypes  []oauth2.GrantType
	authorizers map[string]Authorizer
	finders     []CredentialFinder
	scopes      map[string]string
	parameters  map[string]bool // of authorization requests, by name

	sharedSecret atomic.Pointer[string]

	endpoints         []Endpoint
	authorizeChecks   []func(context.Context, *AuthorizeRequest) error
	tokenDecorators   []func(context.Context, *Issued) error
	metadata          []metadataMembers
	metadataDocuments []MetadataDocument
}

// New makes a provider. The issuer is its name (RFC 8414 §2): an https URL without query, fragment or trailing slash, whose
// path is the prefix of every endpoint. The error says what is wrong and where.
func New(issuer string, store Store, config Config) (*Provider, error) {
	prefix, err := issuerPath(issuer, config.AllowInsecureIssuer)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, errors.New("oauthkit: the store is nil")
	}
	config, err = withDefaults(config)
	if err != nil {
		return nil, err
	}
	provider := &Provider{
		issuer:      issuer,
		prefix:      prefix,
		store:       store,
		config:      config,
		grants:      map[oauth2.GrantType]Grant{},
		authorizers: map[string]Authorizer{},
		scopes:      map[string]string{},
		parameters:  map[string]bool{},
	}
	for _, name := range append(authorizeParameters(), config.AuthorizeParameters...) {
		provider.parameters[name] = true
	}
	if err := validScopes(config.Scopes); err != nil {
		return nil, err
	}
	if err := provider.addGrants(config.Grants); err != nil {
		return nil, err
	}
	if err := provider.extend(); err != nil {
		return nil, fmt.Errorf("oauthkit: %w", err)
	}
	return provider, nil
}

func (p *Provider) addGrants(grants []Grant) error {
	for _, grant := range grants {
		if grant == nil {
			return errors.New("oauthkit: Config.Grants holds nil")
		}
		grantType := grant.GrantType()
		if _, exists := p.grants[grantType]; exists || grantType == "" {
			return fmt.Errorf("oauthkit: Config.Grants holds grant type %q twice or without a name", string(grantType))
		}
		p.grants[grantType] = grant
		p.grantTypes = append(p.grantTypes, grantType)
		if authorizer, ok := grant.(Authorizer); ok {
			if _, exists := p.authorizers[authorizer.ResponseType()]; exists {
				return fmt.Errorf("oauthkit: Config.Grants holds response type %q twice", authorizer.ResponseType())
			}
			p.authorizers[authorizer.ResponseType()] = authorizer
		}
		if finder, ok := grant.(CredentialFinder); ok {
			p.finders = append(p.finders, finder)
		}
	}
	return nil
}

// Issuer returns the issuer, byte for byte as it was given to New.
func (p *Provider) Issuer() string { return p.issuer }

// Prefix returns the path of the issuer, below which every endpoint is; empty for an issuer without a path.
func (p *Provider) Prefix() string { return p.prefix }

// Store returns the store that the provider was made with.
func (p *Provider) Store() Store { return p.store }

// Now returns the time, to the microsecond that every store keeps.
func (p *Provider) Now() time.Time { return p.config.Now() }

// Timeout returns how long one request may take: Config.Timeout, or its default.
func (p *Provider) Timeout() time.Duration { return p.config.Timeout }

// HasStaticScopes reports whether the scopes are [StaticScopes], so that to list them asks nothing
// that could fail or keep a request waiting.
func (p *Provider) HasStaticScopes() bool {
	_, static := p.config.Scopes.(StaticScopes)
	return static
}

// Logger returns Config.Logger, or one that discards.
func (p *Provider) Logger() *slog.Logger { return p.config.Logger }

// GrantTypes returns the grant types in the order of Config.Grants.
func (p *Provider) GrantTypes() []oauth2.GrantType { return slices.Clone(p.grantTypes) }

// ResponseTypes returns the response types, sorted.
func (p *Provider) ResponseTypes() []string {
	types := make([]string, 0, len(p.authorizers))
	for responseType := range p.authorizers {
		types = append(types, responseType)
	}
	slices.Sort(types)
	return types
}

// Endpoints returns the endpoints that extensions added.
func (p *Provider) Endpoints() []Endpoint { return slices.Clone(p.endpoints) }

// MetadataDocuments returns the names below .well-known that extensions added for the metadata.
func (p *Provider) MetadataDocuments() []MetadataDocument { return slices.Clone(p.metadataDocuments) }

// DecorateMetadata adds the members of extensions to the metadata, for the groups that are
// served.
func (p *Provider) DecorateMetadata(metadata map[string]any, serves func(Group) bool) {
	for _, members := range p.metadata {
		if serves(members.group) {
			members.add(metadata)
		}
	}
}

// Record sends an event to Config.Observe. A panic there is logged and goes no further: it must not
// change the answer to a request whose effects are stored.
func (p *Provider) Record(ctx context.Context, event Event) {
	if p.config.Observe == nil {
		return
	}
	defer p.recoverObserver(ctx, event)
	p.config.Observe(ctx, event)
}

// recoverObserver is deferred around Config.Observe.
func (p *Provider) recoverObserver(ctx context.Context, event Event) {
	if value := recover(); value != nil {
		p.Logger().ErrorContext(ctx, "Config.Observe panicked", "event", EventName(event),
			"trace_id", RequestInfoFrom(ctx).TraceID, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
	}
}

// Application returns a usable application. It returns ErrNotFound for an id that nobody has or could have, and for an
// application that is not usable.
func (p *Provider) Application(ctx context.Context, clientID string) (Application, error) {
	if !isClientID(clientID) {
		return nil, ErrNotFound
	}
	app, err := storedApplication(ctx, p.store, clientID)
	if err == nil && !IsUsable(app) {
		return nil, ErrNotFound
	}
	return app, err
}

// isClientID reports whether somebody could have the id. A store is asked for no other.
func isClientID(clientID string) bool {
	return clientID != "" && len(clientID) <= 255 && validText(clientID)
}

// storedApplication returns an application, usable or not.
func storedApplication(ctx context.Context, store ApplicationStore, clientID string) (Application, error) {
	app, err := store.Application(ctx, clientID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, ErrNotFound
	case err != nil:
		return nil, Unavailable(err)
	default:
		return app, nil
	}
}

// issuesRefreshTokens reports whether the application can use what it would get.
func (p *Provider) issuesRefreshTokens(app Application) bool {
	_, known := p.grants[oauth2.Refreshing]
	return known && app.AllowsGrant(oauth2.Refreshing)
}

// userIsActive asks the host. An application that acts for itself has no user who could be inactive.
func (p *Provider) userIsActive(ctx context.Context, subject string) (bool, error) {
	if subject == "" || p.config.UserIsActive == nil {
		return true, nil
	}
	active, err := p.config.UserIsActive(ctx, subject)
	if err != nil {
		return false, Unavailable(fmt.Errorf("asking whether the user is active: %w", err))
	}
	return active, nil
}

// issuerPath checks the issuer (RFC 8414 §2) and returns its path.
func issuerPath(issuer string, allowInsecure bool) (string, error) {
	uri, err := url.Parse(issuer)
	switch {
	case err != nil:
		return "", fmt.Errorf("oauthkit: the issuer is not a URL: %w", err)
	case uri.Opaque != "" || uri.User != nil || redirect.CheckOrigin("https://"+uri.Host) != nil || uri.EscapedPath() != uri.Path:
		return "", fmt.Errorf("oauthkit: the issuer %q must look like https://example.com/o", issuer)
	case strings.ContainsAny(issuer, "?#") || uri.Path != "" && (uri.Path == "/" || path.Clean(uri.Path) != uri.Path):
		return "", fmt.Errorf("oauthkit: the issuer %q must have no query, no fragment, no trailing slash and no dot segments", issuer)
	case uri.Scheme == "https", uri.Scheme == "http" && (allowInsecure || redirect.IsLoopback(uri.Hostname())):
		return uri.Path, nil
	default:
		return "", fmt.Errorf("oauthkit: the issuer %q must be https; http is for localhost only", issuer)
	}
}

// Ready returns nil if the store answers now and can be written to, for the readiness probe of
// a load balancer. It waits for at most [Provider.Timeout]. A store that is no [Readier] is
// asked for an access token that does not exist, which shows only that it can be read.
//
// Ready says nothing about the settings: [Provider.Check] does, once, at the start.
func (p *Provider) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.Timeout)
	defer cancel()
	if err := p.storeReady(ctx); err != nil {
		return fmt.Errorf("oauthkit: Ready: %w", err)
	}
	return nil
}

func (p *Provider) storeReady(ctx context.Context) error {
	if store, ok := p.store.(Readier); ok {
		return store.Ready(ctx)
	}
	_, err := p.store.AccessToken(ctx, secret.Hash(secret.NewID()))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
