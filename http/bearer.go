package oauthhttp

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// TokenSource knows access tokens. [*oauthkit.Provider] is the one for an API in the provider's own program, [*Introspector]
// the one for an API in another.
type TokenSource interface {
	// Authenticate returns the access token behind a bearer token, with its Authorization. It must return an [*oauthkit.Error]: with
	// [oauthkit.InvalidToken] for a token that is not valid now, and with [oauthkit.TemporarilyUnavailable] where it cannot
	// tell. It must not return the same value twice, since whoever gets it may change it.
	Authenticate(ctx context.Context, bearer string) (*oauthkit.AccessToken, error)
}

// authenticateBearer returns the access token of a request, which must have every one of the scopes. Form is where it may be
// beside the header (RFC 6750 §2.2); nil where it may not. It is never read from the query (RFC 9700 §4.3.2).
func authenticateBearer(ctx context.Context, tokens TokenSource, header http.Header, form url.Values, scopes oauthkit.Scopes) (*oauthkit.AccessToken, error) {
	bearer, err := readBearer(header, form)
	if err != nil {
		return nil, err
	}
	token, err := tokens.Authenticate(ctx, bearer)
	if err != nil {
		return nil, err
	}
	if !token.Scopes.ContainsAll(scopes) {
		return nil, errScopeMissing()
	}
	return token, nil
}

func errScopeMissing() error {
	return oauthkit.Errorf(oauthkit.InsufficientScope, "the access token does not have the scope that is needed")
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
