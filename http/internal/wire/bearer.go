package wire

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// errNoToken is the error of a request without an access token. The challenge then
// has no error code, since the client may not have known that a token is needed (RFC
// 6750 §3.1).
var errNoToken = WithStatus(http.StatusUnauthorized, oauthkit.Errorf(oauthkit.InvalidToken, "an access token is needed"))

// IsNoToken reports whether err says that a request has no access token.
func IsNoToken(err error) bool { return errors.Is(err, errNoToken) }

// InsufficientScope returns the error of an access token without the required scopes.
func InsufficientScope() error {
	return oauthkit.Errorf(oauthkit.InsufficientScope, "the access token does not have the scope that is needed")
}

// ReadBearer returns the access token of a request (RFC 6750 §2), from the
// Authorization header or from form. If form is nil, only the header is read. The
// query is never read (RFC 9700 §4.3.2).
func ReadBearer(header http.Header, form url.Values) (string, error) {
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
	case !IsToken68(token):
		return "", oauthkit.Errorf(oauthkit.InvalidRequest, "the access token is malformed")
	default:
		return token, nil
	}
}

const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// IsToken68 reports whether text has the syntax of a bearer token (RFC 6750 §2.1).
func IsToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, token68) == ""
}

// WriteChallenge answers a program that calls a protected resource (RFC 6750 §3).
// Scopes are the required ones. If metadataURL is not empty, the challenge contains
// it (RFC 9728 §5.1).
func WriteChallenge(w http.ResponseWriter, r *http.Request, err error, scopes oauthkit.Scopes, metadataURL string) {
	noToken, challenge := IsNoToken(err), ""
	switch code := oauthkit.CodeOf(err); {
	case noToken:
		challenge = `Bearer realm="oauth"`
	case code == oauthkit.InvalidRequest, code == oauthkit.InvalidToken:
		challenge = fmt.Sprintf(`Bearer error="%s", error_description="%s"`, code, Description(err))
	case code == oauthkit.InsufficientScope && len(scopes) > 0:
		challenge = fmt.Sprintf(`Bearer error="%s", scope="%s"`, code, scopes)
	case code == oauthkit.InsufficientScope:
		challenge = fmt.Sprintf(`Bearer error="%s"`, code)
	}
	if challenge != "" && metadataURL != "" {
		challenge += fmt.Sprintf(`, resource_metadata="%s"`, metadataURL)
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	if noToken {
		w.WriteHeader(Status(err))
		return
	}
	WriteError(w, r, err)
}
