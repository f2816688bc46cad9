package wire

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

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

// ReadToken returns the access token of a request (RFC 6750 §2), from the Authorization
// header or from form. If form is nil, only the header is read. The query is never read
// (RFC 9700 §4.3.2). A scheme other than Bearer and those of bindings is no token. w is
// for [oauthkit.KeyBinding], and nothing is written to it.
func ReadToken(w http.ResponseWriter, r *http.Request, form url.Values, bindings oauthkit.KeyBindings) (oauthkit.PresentedToken, error) {
	values := r.Header.Values("Authorization")
	inBody := form.Has("access_token")
	presented := oauthkit.PresentedToken{Request: r, ResponseHeader: w.Header()}
	switch {
	case len(values) > 1 || len(values) == 1 && inBody:
		return presented, oauthkit.Errorf(oauthkit.InvalidRequest, "the access token is sent in more than one place")
	case inBody:
		presented.Scheme, presented.Value = bearer, form.Get("access_token")
		return presented, nil
	case len(values) == 0:
		return presented, errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	scheme, isToken := bindings.Scheme(scheme)
	switch {
	case !isToken:
		return presented, errNoToken
	case !IsToken68(token):
		return presented, oauthkit.Errorf(oauthkit.InvalidRequest, "the access token is malformed")
	}
	presented.Scheme, presented.Value = scheme, token
	return presented, nil
}

// bearer is the authentication scheme of RFC 6750, which every API accepts.
const bearer = "Bearer"

const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

// IsToken68 reports whether text has the syntax of a bearer token (RFC 6750 §2.1).
func IsToken68(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && strings.Trim(body, token68) == ""
}

// Challenge is the argument of [WriteChallenge].
type Challenge struct {
	// Scopes are the required scopes.
	Scopes oauthkit.Scopes
	// MetadataURL is a parameter of each challenge (RFC 9728 §5.1), unless it is empty.
	MetadataURL string
	// ACRValues and MaxAge are the required sign-in (RFC 9470 §3). If zero, any will do.
	ACRValues []string
	MaxAge    time.Duration
	// Bindings have the accepted schemes besides Bearer, with their parameters.
	Bindings oauthkit.KeyBindings
}

// WriteChallenge answers a program that calls a protected resource (RFC 6750 §3). There
// is one challenge for each accepted scheme. The scheme of the request has the error
// (RFC 9449 §7.2).
func WriteChallenge(w http.ResponseWriter, r *http.Request, err error, challenge Challenge) {
	if hasChallenge(err) {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		used, isToken := challenge.Bindings.Scheme(scheme)
		if !isToken {
			used = bearer
		}
		w.Header().Set("WWW-Authenticate", challenge.text(bearer, "", err, used == bearer))
		for _, binding := range challenge.Bindings {
			if scheme := binding.TokenType; scheme != "" && scheme != bearer {
				w.Header().Add("WWW-Authenticate", challenge.text(scheme, binding.ChallengeParameters, err, used == scheme))
			}
		}
	}
	if IsNoToken(err) {
		w.WriteHeader(Status(err))
		return
	}
	WriteError(w, err)
}

// hasChallenge reports whether the client may succeed with another token, scope or proof.
func hasChallenge(err error) bool {
	switch oauthkit.CodeOf(err) {
	case oauthkit.InvalidRequest, oauthkit.InvalidToken, oauthkit.InsufficientScope, oauthkit.InsufficientUserAuthentication:
		return true
	default:
		return isRefusedToken(err)
	}
}

// text returns the challenge for one scheme.
func (c Challenge) text(scheme, parameters string, err error, used bool) string {
	code := quotable(string(oauthkit.CodeOf(err)))
	var text string
	switch {
	case IsNoToken(err) && len(c.Scopes) > 0: // RFC 6750 §3: so that the first token already has them
		text = fmt.Sprintf(`realm="oauth", scope="%s"`, c.Scopes)
	case !used || IsNoToken(err):
		text = `realm="oauth"`
	case code == string(oauthkit.InsufficientUserAuthentication):
		text = fmt.Sprintf(`error="%s", error_description="%s"`, code, Description(err)) + c.authentication()
	case code != string(oauthkit.InsufficientScope):
		text = fmt.Sprintf(`error="%s", error_description="%s"`, code, Description(err))
	case len(c.Scopes) > 0:
		text = fmt.Sprintf(`error="%s", scope="%s"`, code, c.Scopes)
	default:
		text = fmt.Sprintf(`error="%s"`, code)
	}
	if parameters != "" {
		text += ", " + parameters
	}
	if c.MetadataURL != "" {
		text += fmt.Sprintf(`, resource_metadata="%s"`, c.MetadataURL)
	}
	return scheme + " " + text
}

// authentication returns the parameters of RFC 9470 §3, with the scopes that the token
// needs as well.
func (c Challenge) authentication() (text string) {
	if len(c.ACRValues) > 0 {
		text += fmt.Sprintf(`, acr_values="%s"`, quotable(strings.Join(c.ACRValues, " ")))
	}
	if c.MaxAge > 0 {
		text += fmt.Sprintf(`, max_age="%d"`, int64(c.MaxAge/time.Second))
	}
	if len(c.Scopes) > 0 {
		text += fmt.Sprintf(`, scope="%s"`, c.Scopes)
	}
	return text
}

// quotable replaces the characters that would end a quoted string or a header (RFC 6750
// §3): a key binding may put parts of a proof into its error.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, text)
}

// RefusedToken returns the error of the authentication of a token with the status 401
// (RFC 9449 §7.1), unless the token could not be checked. The codes of a key binding are
// its own.
func RefusedToken(err error) error {
	var refusal *oauthkit.Error
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.Code {
	case oauthkit.InvalidToken, oauthkit.ServerError, oauthkit.TemporarilyUnavailable:
		return err
	default:
		return WithStatus(http.StatusUnauthorized, refusal)
	}
}

func isRefusedToken(err error) bool {
	var own *statusError
	return errors.As(err, &own) && own.status == http.StatusUnauthorized
}
