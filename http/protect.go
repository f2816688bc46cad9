package oauthhttp

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
)

// API is a part of the host's program that is called with access tokens. Its methods make the middleware that lets through
// who may come in, and answers everybody else with the challenge of RFC 6750 §3. The token must be in the Authorization
// header: the body of a request is the API's own. CORS is the host's: put it around this middleware, since a preflight request
// bears no token.
//
// The zero value but for Tokens is an API that has no name. It refuses every token that is restricted to an API, so what was issued
// for one with a name opens no other. Several APIs without a name are told apart by their scopes alone.
type API struct {
	// Tokens finds access tokens. It must be set, except for the metadata: without it, every
	// request is answered with 500.
	Tokens TokenSource
	// Resource is the API's name, an absolute URI as in [oauthkit.Config] Resources (RFC 8707). Only tokens that are for it by
	// name are accepted then, and a token that names no API is refused as one for another is. Empty: only tokens that name no
	// API are accepted.
	Resource string
	// AuthorizationServers are the issuers whose tokens are accepted, for [API.Metadata]. None: challenges name no metadata.
	AuthorizationServers []string
	// Scopes are those that the API uses, for the metadata. None: it does not say.
	Scopes []string
	// Name and Documentation, a URL, are for the developers who read the metadata. Empty: it does not say.
	Name          string
	Documentation string
	// Logger is told of failures, and at level debug of refusals. Nil: that of Tokens if it is a provider, otherwise none.
	Logger *slog.Logger
}

// RequireScopes protects a part of the host's API, which has no name, with an access token that has all of the scopes. It is
// the short form of [API.RequireScopes].
func RequireScopes(tokens TokenSource, scopes ...string) func(http.Handler) http.Handler {
	return API{Tokens: tokens}.RequireScopes(scopes...)
}

// RequireScopes lets through a request with a valid access token that has all of the scopes. Without scopes any valid access
// token will do.
func (a API) RequireScopes(scopes ...string) func(http.Handler) http.Handler {
	needed := []oauthkit.Scopes{slices.Clone(scopes)}
	return a.require(func(string) []oauthkit.Scopes { return needed })
}

// RequireAnyScope lets through a request with a valid access token that has one of the scopes, or more. Without scopes nobody
// is let through. The challenge names the first.
func (a API) RequireAnyScope(scopes ...string) func(http.Handler) http.Handler {
	var needed []oauthkit.Scopes
	for _, scope := range scopes {
		needed = append(needed, oauthkit.Scopes{scope})
	}
	return a.require(func(string) []oauthkit.Scopes { return needed })
}

// RequireReadWrite lets through a request with a valid access token that has the scope read if the method is safe (RFC 9110
// §9.2.1), and the scope write for every other method. Neither scope stands for the other.
func (a API) RequireReadWrite(read, write string) func(http.Handler) http.Handler {
	toRead, toWrite := []oauthkit.Scopes{{read}}, []oauthkit.Scopes{{write}}
	return a.require(func(method string) []oauthkit.Scopes {
		if isSafe(method) {
			return toRead
		}
		return toWrite
	})
}

// RequireByMethod lets through a request with a valid access token that has all scopes of one of the alternatives for its
// method, such as
//
//	{"GET": {{"read"}, {"admin"}}, "POST": {{"read", "write"}, {"admin"}}}
//
// HEAD is as GET where it is not named. A method that is not named is refused. The challenge names the first alternative.
func (a API) RequireByMethod(alternatives map[string][]oauthkit.Scopes) func(http.Handler) http.Handler {
	alternatives = maps.Clone(alternatives)
	return a.require(func(method string) []oauthkit.Scopes {
		if _, named := alternatives[method]; !named && method == http.MethodHead {
			method = http.MethodGet
		}
		return alternatives[method]
	})
}

// require makes the middleware. Alternatives are the sets of scopes for a method, one of which the token must have.
func (a API) require(alternatives func(method string) []oauthkit.Scopes) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var contexts struct { // of the authentication and of the API's handler, allocated together
				before detached
				after  callerContext
			}
			needed := alternatives(r.Method)
			token, err := a.authenticate(r, &contexts.before, needed)
			if err != nil {
				a.refuse(w, r, err, needed)
				return
			}
			contexts.after = callerContext{r.Context(), caller{token: token, subject: token.Authorization.Subject}}
			next.ServeHTTP(w, r.WithContext(&contexts.after))
		})
	}
}

// authenticate returns the access token of a request, if it is for this API and has one of the sets of scopes.
func (a API) authenticate(r *http.Request, before *detached, needed []oauthkit.Scopes) (token *oauthkit.AccessToken, err error) {
	defer recoverTo(&err)
	if a.Tokens == nil {
		return nil, errNoTokens
	}
	ctx, end := a.begin(r, before)
	defer end()
	token, err = authenticateBearer(ctx, a.Tokens, r.Header, nil, nil)
	switch {
	case err != nil:
		return nil, err
	case !a.isFor(token):
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the access token is not for this API")
	case !slices.ContainsFunc(needed, token.Scopes.ContainsAll):
		return nil, errScopeMissing()
	default:
		return token, nil
	}
}

// errNoTokens is the error of every request if the host set no Tokens.
var errNoTokens = errors.New("API.Tokens is nil")

// begin returns the context of the authentication, which the API's handler does not get. Tokens of
// the provider are looked for whether or not the client waits, but not for longer than its Timeout.
// Any other source of tokens is given the request's own context.
func (a API) begin(r *http.Request, before *detached) (ctx context.Context, end context.CancelFunc) {
	limited, ok := a.Tokens.(interface{ Timeout() time.Duration })
	if !ok {
		return r.Context(), func() {}
	}
	before.request = r.Context()
	return before.within(limited.Timeout())
}

// isFor reports whether the token may be used here (RFC 8707 §2.2, RFC 9700 §2.3). What is restricted to another API never is.
func (a API) isFor(token *oauthkit.AccessToken) bool {
	if a.Resource == "" {
		return len(token.Resources) == 0
	}
	return slices.Contains(token.Resources, a.Resource)
}

func (a API) refuse(w http.ResponseWriter, r *http.Request, err error, needed []oauthkit.Scopes) {
	var scopes oauthkit.Scopes
	if len(needed) > 0 {
		scopes = needed[0]
	}
	w.Header().Set("Cache-Control", "no-store")
	r = withRequestInfo(r)
	if provider, ok := a.Tokens.(*oauthkit.Provider); ok {
		recordFailure(provider, r, "", err)
	}
	logError(a.logger(), r, err)
	writeChallenge(w, r, err, scopes, a.MetadataURL())
}

// secure reports whether browsers call the API over https: as far as is known, by its own name or by that of the provider beside it.
func (a API) secure() bool {
	provider, ok := a.Tokens.(*oauthkit.Provider)
	return strings.HasPrefix(a.Resource, "https://") || ok && strings.HasPrefix(provider.Issuer(), "https://")
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

// SignedInOr lets through a request of somebody who is signed in to the host, and every request that [API.RequireScopes] does.
// A request with an access token is judged by that alone; for every other one [UserFromContext] returns who is signed in.
// CurrentUser is that of [Config]; since browsers send cookies with the requests of other sites too, those are refused unless the
// method is safe.
func (a API) SignedInOr(currentUser func(*http.Request) (*oauthkit.User, error), scopes ...string) func(http.Handler) http.Handler {
	byToken, crossOrigin := a.RequireScopes(scopes...), http.NewCrossOriginProtection()
	return func(next http.Handler) http.Handler {
		withToken := byToken(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := readBearer(r.Header, nil); !errors.Is(err, errNoToken) {
				withToken.ServeHTTP(w, r)
				return
			}
			user, err := a.signedIn(currentUser, r)
			if err == nil && user != nil && checkSameOrigin(crossOrigin, r, a.secure()) != nil {
				err = oauthkit.Errorf(oauthkit.AccessDenied, "the request comes from another site").
					WithReason(oauthkit.ReasonCrossSite)
			}
			switch {
			case err != nil:
				a.refuse(w, r, err, nil)
			case user == nil:
				withToken.ServeHTTP(w, r) // which answers with the challenge
			default:
				next.ServeHTTP(w, r.WithContext(&callerContext{r.Context(), caller{user: user, subject: user.Subject}}))
			}
		})
	}
}

// signedIn asks who is signed in, under the context of an authentication.
func (a API) signedIn(currentUser func(*http.Request) (*oauthkit.User, error), r *http.Request) (user *oauthkit.User, err error) {
	defer recoverTo(&err)
	if a.Tokens == nil {
		return nil, errNoTokens
	}
	ctx, end := a.begin(r, &detached{})
	defer end()
	return askCurrentUser(currentUser, r.WithContext(ctx))
}

// isSafe reports whether a method only reads (RFC 9110 §9.2.1).
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions || method == http.MethodTrace
}
