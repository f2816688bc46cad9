package oauthkit

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"
)

// Scopes is a set of scopes (RFC 6749 §3.3) in the order of the
// request, without duplicates.
type Scopes []string

// The limits of ParseScopes.
const (
	maxScopes      = 100
	maxScopesBytes = 4096
)

// ParseScopes parses a scope parameter: scopes separated by one space. A repeated
// scope is kept once. The error is an [*Error] with [InvalidScope].
func ParseScopes(text string) (Scopes, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxScopesBytes {
		return nil, Errorf(InvalidScope, "scope is longer than %d bytes", maxScopesBytes)
	}
	var scopes Scopes
	for word := range strings.SplitSeq(text, " ") {
		if !isScope(word) {
			return nil, Errorf(InvalidScope, "scope is not a list of words with one space between")
		}
		if !slices.Contains(scopes, word) {
			scopes = append(scopes, word)
		}
		if len(scopes) > maxScopes {
			return nil, Errorf(InvalidScope, "scope holds more than %d words", maxScopes)
		}
	}
	return scopes, nil
}

// OfflineAccessScope is the scope by which an application asks for access while the user
// is away (OpenID Connect Core §11). It exists if Config.Grants has the refresh token
// grant, and with package oidc. It tells users of the access and does not decide about
// it: applications that may use the grant get a refresh token without it too.
const OfflineAccessScope = "offline_access"

// isScope reports whether word is a scope-token: visible ASCII without quotation
// marks and backslashes.
func isScope(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return notVisible(r) || r == '"' || r == '\\'
	})
}

// String returns the scopes separated by one space, as in a scope parameter.
func (s Scopes) String() string { return strings.Join(s, " ") }

// Contains reports whether scope is in s.
func (s Scopes) Contains(scope string) bool { return slices.Contains(s, scope) }

// ContainsAll reports whether every scope of others is in s.
func (s Scopes) ContainsAll(others Scopes) bool {
	return containsAll(s, others)
}

func containsAll(words, others []string) bool {
	return !slices.ContainsFunc(others, func(word string) bool { return !slices.Contains(words, word) })
}

// Union returns the scopes of both, those of s first.
func (s Scopes) Union(others Scopes) Scopes {
	union := slices.Clone(s)
	for _, scope := range others {
		if !slices.Contains(union, scope) {
			union = append(union, scope)
		}
	}
	return union
}

// Value implements [driver.Valuer].
func (s Scopes) Value() (driver.Value, error) { return s.String(), nil }

// Scan implements [database/sql.Scanner].
func (s *Scopes) Scan(column any) error {
	words, err := scanWords(column)
	*s = words
	return err
}

// GormDataType tells GORM the column's type.
func (Scopes) GormDataType() string { return "text" }

// ScopeBackend knows which scopes exist. [StaticScopes] is a fixed set; a host can
// implement one with tables of its own. Scopes of extensions exist in any case. An
// error is answered with [TemporarilyUnavailable].
type ScopeBackend interface {
	// All returns every scope with its description, which the consent page shows
	// after "This application will be able to". Other scopes do not exist.
	All(ctx context.Context) (map[string]string, error)
	// Available returns the scopes that app may get in answer to request.
	// AllowsScope of app is called as well.
	Available(ctx context.Context, app Application, request ScopeRequest) (Scopes, error)
	// Default returns the scopes for a request that names none. Scopes that are not
	// available are dropped.
	Default(ctx context.Context, app Application, request ScopeRequest) (Scopes, error)
}

// ScopeRequest is the request that scopes are for.
type ScopeRequest struct {
	// GrantType is the grant type of the token request, or the one that the
	// authorization request starts.
	GrantType oauth2.GrantType
	// Form holds the parameters of the request. It must not be changed.
	Form url.Values
}

// StaticScopes is a [ScopeBackend] of fixed scopes, by name, with their
// descriptions. All are available to every application. There are no default scopes;
// see [StaticScopes.WithDefault] and [StaticScopes.WithClientCredentialsDefault].
type StaticScopes map[string]string

// All implements [ScopeBackend].
func (s StaticScopes) All(context.Context) (map[string]string, error) { return s, nil }

// Available implements [ScopeBackend].
func (s StaticScopes) Available(context.Context, Application, ScopeRequest) (Scopes, error) {
	return slices.Collect(maps.Keys(s)), nil // not sorted: it is called with every request
}

// Default implements [ScopeBackend].
func (s StaticScopes) Default(context.Context, Application, ScopeRequest) (Scopes, error) {
	return nil, nil
}

// WithDefault returns a backend with the same scopes and with default scopes.
func (s StaticScopes) WithDefault(scopes ...string) ScopeBackend {
	return defaultScopes{StaticScopes: s, scopes: scopes}
}

type defaultScopes struct {
	StaticScopes
	scopes Scopes
}

// Default implements [ScopeBackend].
func (d defaultScopes) Default(context.Context, Application, ScopeRequest) (Scopes, error) {
	return d.scopes, nil
}

// WithClientCredentialsDefault returns a backend with the same scopes. A request of
// grant type client_credentials that names no scope gets all of them that the
// application may have (RFC 6749 §3.3). Other requests get none: users are asked only
// for the scopes that an application names.
func (s StaticScopes) WithClientCredentialsDefault() ScopeBackend {
	return clientCredentialsDefault{s}
}

type clientCredentialsDefault struct{ StaticScopes }

// Default implements [ScopeBackend]. The caller drops scopes that app may not have.
func (d clientCredentialsDefault) Default(_ context.Context, _ Application, request ScopeRequest) (Scopes, error) {
	if request.GrantType != oauth2.ClientCredentials {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(d.StaticScopes)), nil
}

// static is also promoted to the types that embed StaticScopes.
func (s StaticScopes) static() StaticScopes { return s }

// checkScopes returns an error for invalid scopes, if the scopes are static.
func checkScopes(backend ScopeBackend) error {
	fixed, ok := backend.(interface{ static() StaticScopes })
	if !ok {
		return nil
	}
	for name := range fixed.static() {
		if !isScope(name) {
			return fmt.Errorf("oauthkit: Config.Scopes: %q is not a scope (RFC 6749 §3.3)", name)
		}
		if name == IntrospectionScope {
			return fmt.Errorf("oauthkit: Config.Scopes: %q is reserved for applications that introspect", name)
		}
	}
	return nil
}

// HasStaticScopes reports whether Config.Scopes is a [StaticScopes], with or without
// default scopes, so that listing the scopes cannot fail or block.
func (p *Provider) HasStaticScopes() bool {
	_, static := p.config.Scopes.(interface{ static() StaticScopes })
	return static
}

// ScopeTexts returns every scope with its description, which may be empty.
func (p *Provider) ScopeTexts(ctx context.Context) (map[string]string, error) {
	listed, err := p.config.Scopes.All(ctx)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("calling Config.Scopes.All: %w", err))
	}
	texts := maps.Clone(p.scopes)
	for name, text := range listed {
		if text != "" || texts[name] == "" {
			texts[name] = text
		}
	}
	return texts, nil
}

// grantedScopes returns the requested scopes, or the defaults if there are none. All
// of them exist, are available, and are allowed to the application. The error is an
// [*Error], with [InvalidScope] if the request is invalid.
func (p *Provider) grantedScopes(ctx context.Context, app Application, request ScopeRequest) (Scopes, error) {
	requested, err := ParseScopes(request.Form.Get("scope"))
	if err != nil {
		return nil, err
	}
	check, err := p.scopeChecker(ctx, app, request)
	if err != nil {
		return nil, err
	}
	if len(requested) == 0 {
		return p.defaultScopes(ctx, app, request, check)
	}
	for _, scope := range requested {
		if err := check(scope); err != nil {
			return nil, err
		}
	}
	return requested, nil
}

// scopeChecker returns a function that checks one scope.
func (p *Provider) scopeChecker(ctx context.Context, app Application, request ScopeRequest) (func(scope string) error, error) {
	listed, err := p.config.Scopes.All(ctx)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("calling Config.Scopes.All: %w", err))
	}
	available, err := p.config.Scopes.Available(ctx, app, request)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("calling Config.Scopes.Available: %w", err))
	}
	introspects := request.GrantType == oauth2.ClientCredentials && app.AllowsScope(IntrospectionScope)
	return func(scope string) error {
		_, exists := listed[scope]
		_, added := p.scopes[scope]
		switch {
		case scope == IntrospectionScope && introspects:
			return nil
		case !exists && !added, scope == IntrospectionScope:
			// A page can show the description, so it does not repeat the scope.
			return Errorf(InvalidScope, "one of the scopes that are asked for does not exist").WithCause(fmt.Errorf("there is no scope %q", scope))
		case !app.AllowsScope(scope), !added && !available.Contains(scope):
			return Errorf(InvalidScope, "the application may not ask for scope %s", scope)
		default:
			return nil
		}
	}, nil
}

// defaultScopes returns the default scopes that are available, so that a mistake in
// them grants nothing.
func (p *Provider) defaultScopes(ctx context.Context, app Application, request ScopeRequest, check func(string) error) (Scopes, error) {
	scopes, err := p.config.Scopes.Default(ctx, app, request)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("calling Config.Scopes.Default: %w", err))
	}
	return slices.DeleteFunc(Scopes{}.Union(scopes), func(scope string) bool {
		return scope == IntrospectionScope || check(scope) != nil
	}), nil
}

// URIs and GrantTypes, like Scopes and ResponseTypes, are the types of columns that hold
// a list.

// URIs is a list of URIs. It is stored in one text column, separated by spaces, as
// Django OAuth Toolkit does.
type URIs []string

// String returns the URIs separated by one space.
func (u URIs) String() string { return strings.Join(u, " ") }

// Value implements [driver.Valuer].
func (u URIs) Value() (driver.Value, error) { return u.String(), nil }

// Scan implements [database/sql.Scanner]. Any white space separates, as in rows that
// were written elsewhere.
func (u *URIs) Scan(column any) error {
	words, err := scanWords(column)
	*u = words
	return err
}

// GormDataType tells GORM the column's type.
func (URIs) GormDataType() string { return "text" }

// GrantTypes is a list of grant types. It is stored in one text column,
// separated by spaces.
type GrantTypes []oauth2.GrantType

// Value implements [driver.Valuer].
func (g GrantTypes) Value() (driver.Value, error) {
	words := make([]string, len(g))
	for i, grant := range g {
		words[i] = string(grant)
	}
	return strings.Join(words, " "), nil
}

// Scan implements [database/sql.Scanner].
func (g *GrantTypes) Scan(column any) error {
	words, err := scanWords(column)
	*g = nil
	for _, word := range words {
		*g = append(*g, oauth2.GrantType(word))
	}
	return err
}

// GormDataType tells GORM the column's type.
func (GrantTypes) GormDataType() string { return "text" }

func scanWords(column any) ([]string, error) {
	switch text := column.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.Fields(text), nil
	case []byte:
		return strings.Fields(string(text)), nil
	default:
		return nil, fmt.Errorf("oauthkit: cannot scan %T into a list of words", column)
	}
}
