package oidc

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/redirect"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is OpenID Connect Session Management 1.0. Its section numbers refer to it. An
// application asks a frame of this provider whether the session of the browser is still
// the one of its last authorization response. The frame computes session_state again,
// from a cookie that changes with the session.

// checkSessionPath is the path of the page for frames, below the issuer.
const checkSessionPath = "check_session"

//go:embed check_session.js
var checkSessionScript string

// sessionManagement holds the parts that depend only on the issuer.
type sessionManagement struct {
	cookieName string
	page       []byte
	policy     string // Content-Security-Policy
}

// manageSessions adds session management to the provider.
func (e *Extension) manageSessions(registry *oauthkit.Registry) error {
	issuer, err := url.Parse(e.provider.Issuer())
	if err != nil || issuer.Scheme != "https" && !redirect.IsLoopback(issuer.Hostname()) {
		return errors.New("oidc: Config.SessionManagement needs an https issuer, since its cookie is Secure")
	}
	e.sessions = newSessionManagement(e.provider.Issuer())
	registry.DecorateAuthorize(addSessionState)
	registry.DecorateRefusal(e.sessions.addToRefusal)
	registry.SessionCookie(e.sessions.cookie)
	registry.Endpoint(oauthkit.Endpoint{
		Path:     checkSessionPath,
		Methods:  []string{http.MethodGet},
		Group:    group,
		InMemory: true,
		Metadata: "check_session_iframe",
		Anyone:   e.sessions.serve,
	})
	return nil
}

func newSessionManagement(issuer string) *sessionManagement {
	name := "oauthkit-state-" + secret.Hash(issuer)[:8]
	if strings.HasPrefix(issuer, "https:") {
		name = "__Host-" + name
	}
	sum := sha256.Sum256([]byte(checkSessionScript))
	return &sessionManagement{
		cookieName: name,
		page: fmt.Appendf(nil, "<!doctype html>\n<html lang=\"en\" data-cookie=\"%s\">\n<meta charset=\"utf-8\">\n<title>check_session</title>\n<script>%s</script>\n</html>\n",
			html.EscapeString(name), checkSessionScript),
		policy: "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	}
}

// cookie returns the cookie with the state of the browser. The page reads it in a frame
// of another site, so it must be sent there and be visible to scripts. If sessionID is
// empty, the cookie is deleted.
func (s *sessionManagement) cookie(sessionID string) *http.Cookie {
	cookie := &http.Cookie{ //nolint:gosec // scripts must read it, and it is no credential
		Name: s.cookieName, Value: browserState(sessionID), Path: "/", Secure: true, SameSite: http.SameSiteNoneMode,
	}
	if sessionID == "" {
		cookie.Value, cookie.MaxAge = "", -1
	}
	return cookie
}

// browserState returns the state of the browser: a hash, because applications know the
// sid, and must not learn from the cookie which one it is.
func browserState(sessionID string) string {
	return secret.Hash("oauthkit browser state\x00" + sessionID)
}

// addSessionState adds session_state to the response to an OpenID Connect request (§2).
// An app on the user's device has no origin, and cannot use it.
func addSessionState(_ context.Context, request *oauthkit.AuthorizeRequest, answer *oauthkit.AuthorizeAnswer) error {
	sessionID, origin := answer.Approval.Authorization.SessionID, redirect.Origin(request.RedirectURI())
	if sessionID == "" || origin == "" || !request.Scopes.Contains(scopeOpenID) {
		return nil
	}
	answer.Parameters.Set("session_state", sessionState(request.Application.GetID(), origin, browserState(sessionID), secret.NewID()))
	return nil
}

// addToRefusal adds session_state to an error (§2), so that the application can watch for
// the next session. It is that of the cookie, which stays as it is: a frame of another
// site in which the host's cookie is missing must not change the session of the browser.
func (s *sessionManagement) addToRefusal(r *http.Request, request *oauthkit.AuthorizeRequest, parameters url.Values) {
	origin := redirect.Origin(request.RedirectURI())
	if origin == "" || !request.Scopes.Contains(scopeOpenID) {
		return
	}
	state := ""
	if cookie, err := r.Cookie(s.cookieName); err == nil {
		state = cookie.Value
	}
	parameters.Set("session_state", sessionState(request.Application.GetID(), origin, state, secret.NewID()))
}

// sessionState returns the session_state (§3.2) for a state of the browser, which is
// empty without a session. check_session.js computes the same.
func sessionState(clientID, origin, browserState, salt string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{clientID, origin, browserState, salt}, " ")))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + "." + salt
}

// checkSessionMaxAge is how long browsers may cache the page, in seconds.
const checkSessionMaxAge = 300

// serve serves the page for frames, the only one that other sites may show (§3.2). It
// contains nothing about the user.
func (s *sessionManagement) serve(w http.ResponseWriter, _ *http.Request) error {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", s.policy)
	header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", checkSessionMaxAge))
	header.Del("X-Frame-Options")
	_, _ = w.Write(s.page)
	return nil
}
