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
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

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
	tokenDecorators   []func(context.Context, *TokenResponse) error
	metadata          []func(map[string]any)
	metadataDocuments []string
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
func (p *Provider) MetadataDocuments() []string { return slices.Clone(p.metadataDocuments) }

// DecorateMetadata lets the extensions add to the metadata.
func (p *Provider) DecorateMetadata(metadata map[string]any) {
	for _, add := range p.metadata {
		add(metadata)
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
