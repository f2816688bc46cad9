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

// Scopes is a set of scopes (RFC 6749 §3.3) in the order in which they were asked for, without repetition.
type Scopes []string

// The most that ParseScopes accepts.
const (
	maxScopes      = 100
	maxScopesBytes = 4096
)

// ParseScopes reads a scope parameter: scopes with one space between each. A repeated scope is kept once. The error is an
// [*Error] with [InvalidScope].
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

// isScope reports whether word is a scope-token: visible ASCII without the quotation mark and the backslash.
func isScope(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return notVisible(r) || r == '"' || r == '\\'
	})
}

// String returns the scopes with one space between each, as in a scope parameter.
func (s Scopes) String() string { return strings.Join(s, " ") }

// Contains reports whether scope is one of them.
func (s Scopes) Contains(scope string) bool { return slices.Contains(s, scope) }

// ContainsAll reports whether every one of others is one of them.
func (s Scopes) ContainsAll(others Scopes) bool {
	return !slices.ContainsFunc(others, func(scope string) bool { return !slices.Contains(s, scope) })
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

// ScopeBackend says which scopes there are. [StaticScopes] is one that never changes; a host can have one in tables of its own.
// Scopes that extensions add are there in any case. An error of a method is answered with [TemporarilyUnavailable].
type ScopeBackend interface {
	// All returns every scope with what it means, in words that the consent page can show after "This application will be
	// able to". A scope that is not among them does not exist.
	All(ctx context.Context) (map[string]string, error)
	// Available returns the scopes that app may be given in answer to request. Its own AllowsScope is asked as well.
	Available(ctx context.Context, app Application, request ScopeRequest) (Scopes, error)
	// Default returns the scopes that are given where request names none. What is not available is left out.
	Default(ctx context.Context, app Application, request ScopeRequest) (Scopes, error)
}

// ScopeRequest is what scopes are asked with.
type ScopeRequest struct {
	// GrantType is that of the token request, or of what the authorization request begins.
	GrantType oauth2.GrantType
	// Form holds the parameters of the request. They must not be changed.
	Form url.Values
}

// StaticScopes is a [ScopeBackend] of fixed scopes, each with what it means in words. All are available to every application,
// and none is given where none is asked for; see [StaticScopes.WithDefault].
type StaticScopes map[string]string

// All implements [ScopeBackend].
func (s StaticScopes) All(context.Context) (map[string]string, error) { return s, nil }

// Available implements [ScopeBackend].
func (s StaticScopes) Available(context.Context, Application, ScopeRequest) (Scopes, error) {
	return slices.Collect(maps.Keys(s)), nil // asked with every request, in an order that nobody needs
}

// Default implements [ScopeBackend].
func (s StaticScopes) Default(context.Context, Application, ScopeRequest) (Scopes, error) {
	return nil, nil
}

// WithDefault returns a backend with the same scopes that gives these where a request names none.
func (s StaticScopes) WithDefault(scopes ...string) ScopeBackend {
	return defaultScopes{StaticScopes: s, scopes: scopes}
}

// static is also the method of a backend with defaults, which embeds this one.
func (s StaticScopes) static() StaticScopes { return s }

// validScopes refuses what can be no scope, where the scopes are known beforehand.
func validScopes(backend ScopeBackend) error {
	known, ok := backend.(interface{ static() StaticScopes })
	if !ok {
		return nil
	}
	for name := range known.static() {
		if !isScope(name) {
			return fmt.Errorf("oauthkit: Config.Scopes: %q is not a scope (RFC 6749 §3.3)", name)
		}
		if name == IntrospectionScope {
			return fmt.Errorf("oauthkit: Config.Scopes: %q lets an application introspect; no token can have it", name)
		}
	}
	return nil
}

type defaultScopes struct {
	StaticScopes
	scopes Scopes
}

// Default implements [ScopeBackend].
func (d defaultScopes) Default(context.Context, Application, ScopeRequest) (Scopes, error) {
	return d.scopes, nil
}

// ScopeTexts returns every scope that there is, with what it means in words; the text is empty where nobody said.
func (p *Provider) ScopeTexts(ctx context.Context) (map[string]string, error) {
	own, err := p.config.Scopes.All(ctx)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("asking for the scopes: %w", err))
	}
	texts := maps.Clone(p.scopes)
	for name, text := range own {
		if text != "" || texts[name] == "" {
			texts[name] = text
		}
	}
	return texts, nil
}

// grantedScopes returns what a request asks for, or the defaults where it asks for nothing. Every one of them exists, is
// available, and is allowed to the application. The error is an [*Error], with [InvalidScope] where the request is wrong.
func (p *Provider) grantedScopes(ctx context.Context, app Application, request ScopeRequest) (Scopes, error) {
	asked, err := ParseScopes(request.Form.Get("scope"))
	if err != nil {
		return nil, err
	}
	may, err := p.availableScopes(ctx, app, request)
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return p.defaultScopes(ctx, app, request, may)
	}
	for _, scope := range asked {
		if err := may(scope); err != nil {
			return nil, err
		}
	}
	return asked, nil
}

// availableScopes returns the check of one scope.
func (p *Provider) availableScopes(ctx context.Context, app Application, request ScopeRequest) (func(scope string) error, error) {
	own, err := p.config.Scopes.All(ctx)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("asking for the scopes: %w", err))
	}
	available, err := p.config.Scopes.Available(ctx, app, request)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("asking for the available scopes: %w", err))
	}
	return func(scope string) error {
		_, known := own[scope]
		_, added := p.scopes[scope]
		switch {
		case !known && !added, scope == IntrospectionScope:
			// A page can show the description, so what somebody else has chosen is not in it.
			return Errorf(InvalidScope, "one of the scopes that are asked for does not exist").WithCause(fmt.Errorf("there is no scope %q", scope))
		case !app.AllowsScope(scope), !added && !available.Contains(scope):
			return Errorf(InvalidScope, "the application may not ask for scope %s", scope)
		default:
			return nil
		}
	}, nil
}

// defaultScopes are never more than what is available, so that a mistake in them gives nothing away.
func (p *Provider) defaultScopes(ctx context.Context, app Application, request ScopeRequest, may func(string) error) (Scopes, error) {
	scopes, err := p.config.Scopes.Default(ctx, app, request)
	if err != nil {
		return nil, Unavailable(fmt.Errorf("asking for the default scopes: %w", err))
	}
	return slices.DeleteFunc(Scopes{}.Union(scopes), func(scope string) bool { return may(scope) != nil }), nil
}

// This file holds the types of columns: lists that are stored as Django OAuth Toolkit stores them, in one text column with
// spaces between.

// URIs is a list of URIs in one text column, separated by spaces.
type URIs []string

// String returns the URIs with one space between each.
func (u URIs) String() string { return strings.Join(u, " ") }

// ContainsAll reports whether every one of others is one of them.
func (u URIs) ContainsAll(others URIs) bool { return Scopes(u).ContainsAll(Scopes(others)) }

// Value implements [driver.Valuer].
func (u URIs) Value() (driver.Value, error) { return u.String(), nil }

// Scan implements [database/sql.Scanner]. Any white space separates, as in rows that were written elsewhere.
func (u *URIs) Scan(column any) error {
	words, err := scanWords(column)
	*u = words
	return err
}

// GormDataType tells GORM the column's type.
func (URIs) GormDataType() string { return "text" }

// GrantTypes is a list of grant types in one text column, separated by spaces.
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
		return nil, fmt.Errorf("oauthkit: a list of words is stored as text, not as %T", column)
	}
}
