package oauthhttp

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// tokenKey is the key of the access token in a request's context.
type tokenKey struct{}

// TokenFromContext returns the access token that [RequireScopes] has accepted, and whether there is one. Its Authorization
// says which user and which application it is for; a token that an application has for itself has no Subject.
func TokenFromContext(ctx context.Context) (*oauthkit.AccessToken, bool) {
	token, ok := ctx.Value(tokenKey{}).(*oauthkit.AccessToken)
	return token, ok
}

// RequireScopes protects a part of the host's API: a request is let through if it bears a valid access token with all of the
// scopes, and is answered with the challenge of RFC 6750 §3 otherwise. Without scopes any valid access token will do. The
// token must be in the Authorization header; the body of the request is the API's own.
func RequireScopes(provider *oauthkit.Provider, scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := authenticateBearer(provider, r, nil, scopes)
			if err != nil {
				w.Header().Set("Cache-Control", "no-store")
				logError(provider.Logger(), r, err)
				writeChallenge(w, r, err, scopes)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, token)))
		})
	}
}

// authenticateBearer returns the access token of a request, which must have every one of the scopes. Form is where it may be
// beside the header (RFC 6750 §2.2); nil where it may not. It is never read from the query (RFC 9700 §4.3.2).
func authenticateBearer(provider *oauthkit.Provider, r *http.Request, form url.Values, scopes oauthkit.Scopes) (*oauthkit.AccessToken, error) {
	bearer, err := readBearer(r.Header, form)
	if err != nil {
		return nil, err
	}
	token, err := provider.Authenticate(r.Context(), bearer)
	if err != nil {
		return nil, err
	}
	if !token.Scopes.ContainsAll(scopes) {
		return nil, oauthkit.Errorf(oauthkit.InsufficientScope, "the access token does not have the scope that is needed")
	}
	return token, nil
}

// readBearer finds the one access token (RFC 6750 §2).
func readBearer(header http.Header, form url.Values) (string, error) {
	values := header.Values("Authorization")
	inBody := form.Has("access_token")
	switch {
	case len(values) > 1 || len(values) == 1 && inBody:
		return "", oauthkit.Errorf(oauthkit.InvalidRequest, "the access token is sent in more than one place")
	case inBody:
		return form.Get("access_token"), nil
	case len(values) == 0:
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", errNoToken
	case !isToken68(token):
		return "", oauthkit.Errorf(oauthkit.InvalidRequest, "the access token is malformed")
	default:
		return token, nil
	}
}

const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// isToken68 reports whether text is a b64token (RFC 6750 §2.1).
func isToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, token68) == ""
}
