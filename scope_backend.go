package oauthkit

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/go-oauth2/oauth2/v4"
)

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
