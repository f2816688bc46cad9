// Package oauthkit is an OAuth 2.0 authorization server and OpenID Connect provider
// that a Go program embeds.
//
// A program needs a store for its data, a provider that decides, and a handler that
// serves HTTP. This one serves everything below http://localhost:8080/o:
//
//	func main() {
//		store, err := sqlite.Open[*oauthkit.AbstractApplication]("oauth.db")
//		if err != nil {
//			log.Fatal(err)
//		}
//		provider, err := oauthkit.New("http://localhost:8080/o", store, oauthkit.Config{
//			Grants: grants.Standard(store),
//			Scopes: oauthkit.StaticScopes{"read": "read your messages"},
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
//			CurrentUser: currentUser, // func(*http.Request) (*oauthkit.User, error)
//			LoginURL:    "/login",
//		})
//		if err != nil {
//			log.Fatal(err)
//		}
//		http.Handle("/o/", handler)
//		http.Handle("/api/", oauthapi.RequireScopes(provider, "read")(api))
//		log.Fatal(http.ListenAndServe("localhost:8080", nil))
//	}
//
// # Names to know
//
//   - [Config] configures a [Provider], which [New] returns. All rules are in the
//     Provider.
//   - [Application] is a client. Embed [AbstractApplication] in a struct with
//     fields of your own.
//   - [Authorization] is a permission that a user gave an application. Every code
//     and token belongs to one, and revoking it revokes them all.
//   - [Store] is the database. Packages below store implement it.
//   - [Event] is an entry of the audit log.
//
// [Applications] and [Authorizations] are the services behind the pages on which
// users manage their applications and revoke access. A [Grant] adds a grant type, a
// [ClientAuthenticator] a client authentication method, an [Extension] endpoints. Package
// github.com/oauthkit/oauthkit/http reads the requests and writes the responses. This
// package reads of a request only the client's credentials, and writes no response.
// Package grants has the grant types, package oidc adds OpenID Connect.
package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/fetch"
	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// Config configures a [Provider]. The zero value is valid but issues no tokens. Each
// field documents its default.
type Config struct {
	// Grants are the grant types of the token endpoint, such as grants.Standard. If
	// nil, no token can be issued.
	Grants []Grant
	// ClientAuthenticators are the client authentication methods of all endpoints that
	// applications call, in the order in which the metadata lists them. If nil, they are
	// [ClientSecretBasic], [ClientSecretPost] and [ClientNone].
	ClientAuthenticators []ClientAuthenticator
	// Extensions add endpoints, scopes and checks. For example,
	// oidc.New adds OpenID Connect.
	Extensions []Extension
	// ResponseTypes are the response types that applications may request, such as "code"
	// and "code id_token". Each word needs a [Responder], from a grant or an extension.
	// An application must also be allowed the type. If nil, it is "code" if a grant has
	// it, and none otherwise.
	ResponseTypes []ResponseType
	// PKCE is the policy of confidential applications without one of their own. If
	// empty, it is [PKCERequired].
	PKCE PKCEPolicy
	// Scopes are the scopes that applications may request, such as [StaticScopes].
	// Extensions add scopes of their own. If nil, there are no others.
	Scopes ScopeBackend

	// AuthorizeParameters names further parameters of authorization requests for
	// functions of the host, such as SkipConsent, which find them in
	// ConsentRequest.Form. A parameter is dropped unless it is listed here or known to
	// the library or an extension.
	AuthorizeParameters []string

	// Resources are the APIs that an application may name to get a token for them
	// alone (RFC 8707), as absolute URIs without fragment. If nil, a request that
	// names one is refused.
	Resources []string

	// ApprovalPrompt tells whether remembered consent is enough to skip the consent page,
	// for requests without the parameter approval_prompt. If empty, it is [ApprovalAuto].
	ApprovalPrompt ApprovalPrompt
	// SkipConsent reports whether the user is not asked for consent, in addition to
	// applications that are [Trusted] themselves. The limits of
	// [AbstractApplication.SkipAuthorization] hold here too. If an owner changes an
	// application, the application loses its own trust, but the answer of this
	// function still applies: return true only for applications without a UserID. If
	// nil, no further application is trusted.
	SkipConsent func(ctx context.Context, request *ConsentRequest, user *User) (bool, error)

	// AccessTokens generates access tokens. They must be impossible to guess and
	// different each time. go-oauth2's generates.NewAccessGenerate meets both conditions;
	// its JWT generator does not. If nil, an access token is 256 random bits.
	AccessTokens oauth2.AccessGenerate
	// AccessTokenLifetime is how long an access token is valid, in whole seconds. An
	// application that is a [LifetimeChooser] overrides it. If zero, it is 10 minutes.
	AccessTokenLifetime time.Duration
	// ChooseAccessTokenLifetime returns the lifetime of each token instead, in whole
	// seconds. A lifetime below one second is answered with [ServerError], an error
	// with [TemporarilyUnavailable]. If nil, AccessTokenLifetime is used.
	ChooseAccessTokenLifetime func(ctx context.Context, request LifetimeRequest) (time.Duration, error)
	// RefreshTokenIdleLifetime is how long an unused refresh token is valid. If
	// zero, it is 30 days.
	RefreshTokenIdleLifetime time.Duration
	// RefreshTokenLifetime is how long an Authorization can be
	// refreshed. If zero, it is 90 days.
	RefreshTokenLifetime time.Duration
	// ConsentLifetime is how long consent is remembered after the user was last
	// asked for all of it. If zero, it is remembered until it is revoked.
	ConsentLifetime time.Duration
	// SessionLifetime is how long an application that wants to be told of logouts (see
	// [LogoutClient]) stays a member of the session in which it was approved, even if all
	// its tokens have expired. It should be the lifetime of the host's sessions. If zero,
	// it is 30 days.
	SessionLifetime time.Duration
	// Logout says which Authorizations end with their session. If empty, it is
	// [LogoutKeepsOffline].
	Logout LogoutPolicy

	// Fetch says to which addresses the provider sends requests of its own.
	Fetch FetchConfig

	// Secret encrypts data that the database must store but not reveal, such as signing
	// keys, and data that travels through browsers. It must have at least 32 bytes that
	// are hard to guess, and be the same for every instance. If empty, signing keys are
	// stored in clear, and the key for data in browsers is kept in the store.
	Secret string
	// AcceptSecrets open what other instances seal with them or sealed before, so that
	// Secret can be replaced: the next Secret before the change, the former one after it.
	// Each has at least 32 bytes. They need a Secret and never seal. If nil, only Secret
	// opens.
	AcceptSecrets []string
	// UserIsActive reports whether a user may still use the tokens that were issued
	// for them. It is called for every token request, introspection and API request.
	// If nil, every user is active.
	UserIsActive func(ctx context.Context, subject string) (bool, error)
	// Observe is called with every event. Use [Observers] to combine several
	// functions, and the packages below http/observe for logs, traces and metrics.
	// Observe runs on the goroutine that recorded the event, usually one that serves
	// a request, so it must return quickly. A panic in it is logged and does not
	// change the response. If nil, events are dropped.
	Observe func(ctx context.Context, event Event)
	// Timeout is how long one request may take after its body was read. It covers waiting
	// for a turn and for a connection of the store, statements, and hooks that respect
	// their context. A request that takes longer is answered with 503 and Retry-After. It
	// should be shorter than the time that http.Server.WriteTimeout leaves, or the
	// response cannot be sent. If zero, it is 5 seconds.
	Timeout time.Duration
	// Now returns the current time. If nil, time.Now is used.
	Now func() time.Time
	// Logger receives failures and, at the debug level, the reasons of refusals. If
	// nil, nothing is logged.
	Logger *slog.Logger
	// AllowInsecureIssuer permits an http issuer outside the loopback interface, for
	// networks that are protected in another way. Everything sent over http can be
	// read and changed on the way.
	AllowInsecureIssuer bool
}

// minSecret is the minimum length of Config.Secret in bytes.
const minSecret = 32

// maxLifetime limits lifetimes so that sums of them cannot overflow.
const maxLifetime = 100 * 365 * 24 * time.Hour

// withDefaults replaces zero fields by their defaults and rejects invalid ones.
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
		{"SessionLifetime", &config.SessionLifetime, 30 * 24 * time.Hour},
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
		return config, errors.New("oauthkit: Config.AccessTokenLifetime must be a whole number of seconds, as expires_in is")
	}
	for _, resource := range config.Resources {
		if !isResource(resource) {
			return config, fmt.Errorf("oauthkit: Config.Resources: %q is not an absolute URI without fragment (RFC 8707 §2)", resource)
		}
	}
	if config.ApprovalPrompt != ApprovalAuto && config.ApprovalPrompt != ApprovalForce {
		return config, fmt.Errorf("oauthkit: Config.ApprovalPrompt: unknown value %q", config.ApprovalPrompt)
	}
	if !config.Logout.isKnown() {
		return config, fmt.Errorf("oauthkit: Config.Logout: unknown value %q", config.Logout)
	}
	if config.PKCE != "" && !config.PKCE.isKnown() {
		return config, fmt.Errorf("oauthkit: Config.PKCE: unknown value %q", config.PKCE)
	}
	if config.Secret != "" && len(config.Secret) < minSecret {
		return config, fmt.Errorf("oauthkit: Config.Secret must have at least %d bytes", minSecret)
	}
	if err := checkAcceptSecrets(config); err != nil {
		return config, err
	}
	authenticators, err := checkAuthenticators(config.ClientAuthenticators)
	if err != nil {
		return config, err
	}
	config.ClientAuthenticators = authenticators
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

// checkAcceptSecrets returns an error if AcceptSecrets cannot be what is meant.
func checkAcceptSecrets(config Config) error {
	for i, accepted := range config.AcceptSecrets {
		switch {
		case config.Secret == "":
			return errors.New("oauthkit: Config.AcceptSecrets needs Config.Secret")
		case len(accepted) < minSecret:
			return fmt.Errorf("oauthkit: Config.AcceptSecrets: each must have at least %d bytes", minSecret)
		case secret.Equal(accepted, config.Secret) || slices.Contains(config.AcceptSecrets[:i], accepted):
			return errors.New("oauthkit: Config.AcceptSecrets has Config.Secret, or one secret twice")
		}
	}
	return nil
}

// Provider is an authorization server. It is safe for concurrent use, and any number
// of Providers can share a database.
type Provider struct {
	issuer     string
	prefix     string
	store      Store
	config     Config
	grants     map[oauth2.GrantType]Grant
	grantTypes []oauth2.GrantType
	finders    []CredentialFinder
	scopes     map[string]string
	parameters map[string]bool // known parameters of authorization requests

	responders    map[ResponseType]Responder   // by their word
	responseTypes map[ResponseType][]Responder // allowed types, with their responders in order

	sharedSecret atomic.Pointer[string]

	fetcher *fetch.Client

	receivers     []*receiver
	receiverNames []string // nil if there is no receiver

	endpoints          []Endpoint
	authorizeResolvers []func(context.Context, *AuthorizeSource) error
	authorizeChecks    []func(context.Context, *AuthorizeRequest) error
	tokenDecorators    []func(context.Context, *Issued) error

	authorizeDecorators []func(context.Context, *AuthorizeRequest, *AuthorizeAnswer) error
	refusalDecorators   []func(*http.Request, *AuthorizeRequest, url.Values)
	signOutChecks       []func(context.Context, *SignOutRequest) error
	sessionCookies      []func(sessionID string) *http.Cookie

	keyBindings       KeyBindings
	metadata          []metadataMembers
	metadataDocuments []MetadataDocument
}

// New returns a Provider. The issuer is its identifier (RFC 8414 §2): an https URL
// without query, fragment or trailing slash, whose path is the prefix of every endpoint.
func New(issuer string, store Store, config Config) (*Provider, error) {
	prefix, err := issuerPath(issuer, config.AllowInsecureIssuer)
	if err != nil {
		return nil, err
	}
	if store == nil {
		return nil, errors.New("oauthkit: New: store is nil")
	}
	config, err = withDefaults(config)
	if err != nil {
		return nil, err
	}
	provider := &Provider{
		issuer:        issuer,
		prefix:        prefix,
		store:         store,
		config:        config,
		grants:        map[oauth2.GrantType]Grant{},
		scopes:        map[string]string{},
		parameters:    map[string]bool{},
		responders:    map[ResponseType]Responder{},
		responseTypes: map[ResponseType][]Responder{},
		fetcher:       config.Fetch.client(),
	}
	for _, name := range append(authorizeParameters(), config.AuthorizeParameters...) {
		provider.parameters[name] = true
	}
	if err := checkScopes(config.Scopes); err != nil {
		return nil, err
	}
	if err := provider.addGrants(config.Grants); err != nil {
		return nil, err
	}
	if err := provider.extend(); err != nil {
		return nil, fmt.Errorf("oauthkit: %w", err)
	}
	if err := provider.addResponseTypes(); err != nil {
		return nil, fmt.Errorf("oauthkit: Config.ResponseTypes: %w", err)
	}
	return provider, nil
}

func (p *Provider) addGrants(grants []Grant) error {
	for _, grant := range grants {
		if grant == nil {
			return errors.New("oauthkit: Config.Grants contains nil")
		}
		grantType := grant.GrantType()
		if _, exists := p.grants[grantType]; exists || grantType == "" {
			return fmt.Errorf("oauthkit: Config.Grants: grant type %q is empty or listed twice", string(grantType))
		}
		p.grants[grantType] = grant
		p.grantTypes = append(p.grantTypes, grantType)
		if grantType == oauth2.Refreshing {
			p.scopes[OfflineAccessScope] = "keep its access while you are away"
		}
		if responder, ok := grant.(Responder); ok {
			if err := p.addResponder(responder); err != nil {
				return fmt.Errorf("oauthkit: Config.Grants: %w", err)
			}
		}
		if finder, ok := grant.(CredentialFinder); ok {
			p.finders = append(p.finders, finder)
		}
	}
	return nil
}

// issuerPath checks the issuer (RFC 8414 §2) and returns its path.
func issuerPath(issuer string, allowInsecure bool) (string, error) {
	uri, err := url.Parse(issuer)
	switch {
	case err != nil:
		return "", fmt.Errorf("oauthkit: issuer is not a URL: %w", err)
	case uri.Opaque != "" || uri.User != nil || redirect.CheckOrigin("https://"+uri.Host) != nil || uri.EscapedPath() != uri.Path:
		return "", fmt.Errorf("oauthkit: issuer %q must look like https://example.com/o", issuer)
	case strings.ContainsAny(issuer, "?#") || uri.Path != "" && (uri.Path == "/" || path.Clean(uri.Path) != uri.Path):
		return "", fmt.Errorf("oauthkit: issuer %q must have no query, no fragment, no trailing slash and no dot segments", issuer)
	case uri.Scheme == "https", uri.Scheme == "http" && (allowInsecure || redirect.IsLoopback(uri.Hostname())):
		return uri.Path, nil
	default:
		return "", fmt.Errorf("oauthkit: issuer %q must be https; http is for localhost only", issuer)
	}
}

// Issuer returns the issuer exactly as it was passed to New.
func (p *Provider) Issuer() string { return p.issuer }

// Prefix returns the path of the issuer, which is the prefix of every endpoint. It
// is empty if the issuer has no path.
func (p *Provider) Prefix() string { return p.prefix }

// Store returns the store that was passed to New.
func (p *Provider) Store() Store { return p.store }

// Now returns the current time, truncated to the microsecond that every store keeps.
func (p *Provider) Now() time.Time { return p.config.Now() }

// Timeout returns how long one request may take: Config.Timeout or its default.
func (p *Provider) Timeout() time.Duration { return p.config.Timeout }

// Logger returns Config.Logger, or a logger that discards everything.
func (p *Provider) Logger() *slog.Logger { return p.config.Logger }

// GrantTypes returns the grant types in the order of Config.Grants.
func (p *Provider) GrantTypes() []oauth2.GrantType { return slices.Clone(p.grantTypes) }

// ResponseTypes returns the response types that applications may request, sorted.
func (p *Provider) ResponseTypes() []ResponseType {
	return slices.Sorted(maps.Keys(p.responseTypes))
}

// Ready returns nil if the store answers and can be written to. Call it from the
// readiness probe of a load balancer. It waits for at most [Provider.Timeout]. If
// the store is not a [Readier], Ready only looks up an access token that does not
// exist, which shows that the store can be read.
//
// Ready does not check the configuration. [Provider.Check] does, once, at the start.
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

// Application returns a usable application. It returns ErrNotFound if the client_id
// is unknown or malformed, or if the application is not usable.
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

// isClientID reports whether clientID is well-formed. A store is never asked for others.
func isClientID(clientID string) bool {
	return clientID != "" && len(clientID) <= 255 && isText(clientID)
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

// issuesRefreshTokens reports whether the application can use a refresh token.
func (p *Provider) issuesRefreshTokens(app Application) bool {
	_, exists := p.grants[oauth2.Refreshing]
	return exists && app.AllowsGrant(oauth2.Refreshing)
}

// User is the user who is signed in to the host.
type User struct {
	// Subject identifies the user: unique, never assigned to another user, at most
	// 255 bytes (OpenID Connect Core §2).
	Subject string
	// Name is shown on the consent page. If empty, the Subject is shown.
	Name string
	// AuthTime is when the user last signed in, as precisely as it is known. If it
	// is rounded to whole seconds, a user who has just signed in may be asked to do
	// so again. If zero, it is unknown, and requests that depend on it are refused.
	AuthTime time.Time
	// SelectedAt is when the user last chose this account on a page of the host that
	// lists the accounts of the browser, as for prompt=select_account. Set it only for a
	// form that the user sent from that page: a link must not be able to choose. If zero,
	// only a sign-in counts as the choice.
	SelectedAt time.Time
	// ACR and AMR describe how the user signed in (OpenID Connect Core §2). If
	// empty, that is unknown.
	ACR string
	AMR []string
	// SessionID identifies the sign-in of this user in this browser. It must be hard to
	// guess, be new for each sign-in, and stay the same when the user signs in again in
	// the same session. [Provider.EndSession] ends what was approved in it. Only a hash
	// of it is stored and sent. If empty, package http uses its own cookie instead, which
	// browsers forget when they are closed.
	SessionID string
}

// userIsActive calls Config.UserIsActive. An empty subject, which means that the
// application acts for itself, is always active.
func (p *Provider) userIsActive(ctx context.Context, subject string) (bool, error) {
	if subject == "" || p.config.UserIsActive == nil {
		return true, nil
	}
	active, err := p.config.UserIsActive(ctx, subject)
	if err != nil {
		return false, Unavailable(fmt.Errorf("calling Config.UserIsActive: %w", err))
	}
	return active, nil
}

// isText reports whether a parameter can be stored and compared: UTF-8 without NUL.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.Contains(text, "\x00")
}
