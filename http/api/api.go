// Package oauthapi protects an API with the access tokens of a provider.
//
// [RequireScopes] is middleware for a handler: it lets requests with a valid access
// token through and refuses all others with the challenge of RFC 6750 §3. [API] has
// further rules, and the protected resource metadata by which clients find the
// provider (RFC 9728).
//
// An API in the provider's own program passes the [*oauthkit.Provider] as the source
// of tokens. An API in another program passes an [Introspector]. This package
// contains no endpoint and no page of the provider: those are in the package
// oauthhttp above it.
package oauthapi

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// TokenSource validates access tokens. [*oauthkit.Provider] is the source for an API
// in the provider's own program, [*Introspector] for an API in another one.
//
// A source with a method KeyBindings() [oauthkit.KeyBindings] also accepts tokens that
// are bound to keys. For any other source, the scheme is always Bearer. A source with a
// method Now() [time.Time] is the clock of API.MaxAge; otherwise that is the system's.
type TokenSource interface {
	// Authenticate returns the access token that a request presents, with its
	// Authorization. It must refuse a token that is bound to a key without the proof
	// of the key, as [oauthkit.KeyBindings.Verify] does. The error must be an
	// [*oauthkit.Error]: [oauthkit.InvalidToken] if the token is not valid,
	// [oauthkit.TemporarilyUnavailable] if the source cannot tell. Each call must
	// return a new value, since callers may change it.
	Authenticate(ctx context.Context, presented oauthkit.PresentedToken) (*oauthkit.AccessToken, error)
}

// API protects an API of the host with access tokens.
//
// Its methods Require... and SignedInOr return middleware. They read the token from
// the Authorization header only, since the body belongs to the API. The
// challenge to a request without a token names the scopes that it needs, so that a
// client can ask for them at once (RFC 6750 §3). If scripts of other origins call the
// API, put [API.CORS] around the middleware.
//
// An API with only Tokens set has no name, and refuses every token that is restricted
// to some API. Several APIs without a name differ only in their scopes.
type API struct {
	// Tokens validates access tokens. It is required, except for the metadata: if it
	// is nil, every request is answered with 500.
	Tokens TokenSource
	// Resource is the name of the API, an absolute URI that [oauthkit.Config] lists
	// in Resources (RFC 8707). Only tokens for this name are accepted. If Resource is
	// empty, only tokens that name no API are accepted.
	Resource string
	// ACRValues are authentication context classes in order of preference. The user of
	// the request must have signed in with one of them. Otherwise the response is 401
	// with the challenge of RFC 9470 §3, after which a client asks the user to sign in
	// accordingly. If it is empty, any sign-in is accepted.
	ACRValues []string
	// MaxAge is the maximum age of the user's sign-in, in whole seconds, with the same
	// challenge. If it is zero, any age is accepted. A token without a user, or with an
	// unknown sign-in, meets neither ACRValues nor MaxAge.
	MaxAge time.Duration
	// AuthorizationServers are the issuers of accepted tokens, for [API.Metadata]. If
	// it is empty, challenges do not link to the metadata.
	AuthorizationServers []string
	// Scopes are the scopes that the API uses. Only the metadata lists them.
	Scopes []string
	// Name, and Documentation, a URL, tell developers about the API. Only the
	// metadata lists them.
	Name          string
	Documentation string
	// Logger receives failures, and refusals at level debug. If it is nil, the
	// provider's logger is used if Tokens is a provider, and nothing is logged
	// otherwise.
	Logger *slog.Logger
}

// RequireScopes lets a request through if its access token is valid and has all of
// the scopes. It is [API.RequireScopes] of an API without a name.
func RequireScopes(tokens TokenSource, scopes ...string) func(http.Handler) http.Handler {
	return API{Tokens: tokens}.RequireScopes(scopes...)
}

// RequireScopes lets a request through if its access token is valid and has all of
// the scopes. Without scopes, every valid access token is accepted.
func (a API) RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	required := []oauthkit.Scopes{slices.Clone(scopes)}
	return a.require(func(string) []oauthkit.Scopes { return required })
}

// RequireAnyScope lets a request through if its access token is valid and has at
// least one of the scopes. Without scopes, every request is refused. The challenge
// names the first scope.
func (a API) RequireAnyScope(scopes ...string) func(http.Handler) http.Handler {
	var required []oauthkit.Scopes
	for _, scope := range scopes {
		required = append(required, oauthkit.Scopes{scope})
	}
	return a.require(func(string) []oauthkit.Scopes { return required })
}

// RequireReadWrite lets a request through if its access token is valid and has the
// scope read for a safe method (RFC 9110 §9.2.1), or the scope write for any other
// method. Neither scope includes the other.
func (a API) RequireReadWrite(read, write string) func(http.Handler) http.Handler {
	toRead, toWrite := []oauthkit.Scopes{{read}}, []oauthkit.Scopes{{write}}
	return a.require(func(method string) []oauthkit.Scopes {
		if wire.IsSafe(method) {
			return toRead
		}
		return toWrite
	})
}

// RequireByMethod lets a request through if its access token is valid and has all
// scopes of one alternative for the request's method, such as
//
//	{"GET": {{"read"}, {"admin"}}, "POST": {{"read", "write"}, {"admin"}}}
//
// HEAD uses the alternatives of GET unless it has its own. Methods that are not
// listed are refused. The challenge names the first alternative.
func (a API) RequireByMethod(alternatives map[string][]oauthkit.Scopes) func(http.Handler) http.Handler {
	alternatives = maps.Clone(alternatives)
	return a.require(func(method string) []oauthkit.Scopes {
		if _, listed := alternatives[method]; !listed && method == http.MethodHead {
			method = http.MethodGet
		}
		return alternatives[method]
	})
}

// require returns the middleware. The token must have one of the alternatives for the
// method.
func (a API) require(alternatives func(method string) []oauthkit.Scopes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var contexts struct { // of the authentication and of the API's handler, in one allocation
				before request.Detached
				after  callerContext
			}
			required := alternatives(r.Method)
			token, err := a.authenticate(w, r, &contexts.before, required)
			if err != nil {
				a.refuse(w, r, err, required)
				return
			}
			contexts.after = callerContext{r.Context(), caller{token: token, subject: token.Authorization.Subject}}
			next.ServeHTTP(w, r.WithContext(&contexts.after))
		})
	}
}

// authenticate returns the access token of r if it is for this API and has one of the
// required sets of scopes.
func (a API) authenticate(
	w http.ResponseWriter, r *http.Request, detached *request.Detached, required []oauthkit.Scopes,
) (token *oauthkit.AccessToken, err error) {
	defer request.RecoverTo(&err)
	if a.Tokens == nil {
		return nil, errNoTokens
	}
	presented, err := wire.ReadToken(w, r, nil, a.keyBindings())
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.authenticationContext(r, detached)
	defer cancel()
	token, err = a.Tokens.Authenticate(ctx, presented)
	switch {
	case err != nil:
		return nil, wire.RefusedToken(err)
	case !a.accepts(token):
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not for this API")
	case !slices.ContainsFunc(required, token.Scopes.ContainsAll):
		return nil, wire.InsufficientScope()
	default:
		return token, a.checkSignIn(token.Authorization.ACR, token.Authorization.AuthTime)
	}
}

// keyBindings returns the key bindings of the source, or none.
func (a API) keyBindings() oauthkit.KeyBindings {
	if source, ok := a.Tokens.(interface{ KeyBindings() oauthkit.KeyBindings }); ok {
		return source.KeyBindings()
	}
	return nil
}

// errNoTokens is the error of every request if Tokens is nil.
var errNoTokens = errors.New("API.Tokens is nil")

// authenticationContext returns the context of the authentication. The API's handler
// does not get it. A provider looks for the token whether or not the client waits,
// but no longer than its Timeout. Any other source gets the context of r.
func (a API) authenticationContext(r *http.Request, detached *request.Detached) (context.Context, context.CancelFunc) {
	limited, ok := a.Tokens.(interface{ Timeout() time.Duration })
	if !ok {
		return r.Context(), func() {}
	}
	detached.Request = r.Context()
	return request.WithTimeout(detached, r.Context(), limited.Timeout())
}

// accepts reports whether the token is for this API (RFC 8707 §2.2, RFC 9700 §2.3).
func (a API) accepts(token *oauthkit.AccessToken) bool {
	if a.Resource == "" {
		return len(token.Resources) == 0
	}
	return slices.Contains(token.Resources, a.Resource)
}

func (a API) refuse(w http.ResponseWriter, r *http.Request, err error, required []oauthkit.Scopes) {
	var scopes oauthkit.Scopes
	if len(required) > 0 {
		scopes = required[0]
	}
	w.Header().Set("Cache-Control", "no-store")
	r = request.WithInfo(r)
	if provider, ok := a.Tokens.(*oauthkit.Provider); ok {
		request.RecordFailure(provider, r, "", err)
	}
	request.Log(a.logger(), r, err)
	wire.WriteChallenge(w, r, err, wire.Challenge{Scopes: scopes, MetadataURL: a.MetadataURL(), ACRValues: a.ACRValues, MaxAge: a.MaxAge, Bindings: a.keyBindings()})
}

func (a API) logger() *slog.Logger {
	if a.Logger != nil {
		return a.Logger
	}
	if provider, ok := a.Tokens.(*oauthkit.Provider); ok {
		return provider.Logger()
	}
	return slog.New(slog.DiscardHandler)
}

// isHTTPS reports whether browsers call the API over https, judged by its name and by
// the issuer of a provider in the same program.
func (a API) isHTTPS() bool {
	provider, ok := a.Tokens.(*oauthkit.Provider)
	return strings.HasPrefix(a.Resource, "https://") || ok && strings.HasPrefix(provider.Issuer(), "https://")
}
