package attacktest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

func corsPages(t *testing.T, s *fixture.Server) {
	for _, origin := range []string{spaOrigin, fixture.Origin, "https://evil.test", "null"} {
		for _, path := range []string{"/o/authorize?" + s.SPA.AuthorizeRequest().Encode(), "/o/consent", "/o/oauthkit.css", "/o/applications", "/o/authorized_tokens", "/o/nothing", "/o/"} {
			readable(t, from(s, origin, fixture.NewRequest(http.MethodGet, path, nil)), "")
			readable(t, from(s, origin, fixture.NewRequest(http.MethodPost, path, nil)), "")
			readable(t, preflight(s, origin, path, "POST", "content-type"), "")
		}
	}
}

var publicDocuments = []string{
	"/o/.well-known/openid-configuration", "/.well-known/openid-configuration/o", "/o/.well-known/oauth-authorization-server",
	"/.well-known/oauth-authorization-server/o", "/o/.well-known/jwks.json",
}

func corsPublic(t *testing.T, s *fixture.Server) {
	for _, path := range publicDocuments {
		for _, origin := range []string{spaOrigin, "https://evil.test", "null"} {
			answer := from(s, origin, fixture.NewRequest(http.MethodGet, path, nil)).OK()
			readable(t, answer, "*")
		}
		// A cached answer must work for scripts too.
		readable(t, s.Do(fixture.NewRequest(http.MethodGet, path, nil)).OK(), "*")
		if got := preflight(s, "https://any.test", path, "GET", ""); got.Status != http.StatusNoContent {
			t.Errorf("%s: got %d, want 204", got, got.Status)
		}
	}
}

// preflight sends the request by which a browser asks what a script may send.
func preflight(s *fixture.Server, origin, path, method, headers string) *fixture.Answer {
	request := fixture.NewRequest(http.MethodOptions, path, nil)
	request.Header.Set("Access-Control-Request-Method", method)
	if headers != "" {
		request.Header.Set("Access-Control-Request-Headers", headers)
	}
	return from(s, origin, request)
}

func corsPreflight(t *testing.T, s *fixture.Server) {
	s.Store.Fail(0) // no application is known yet, so the store must not be asked
	for path, methods := range map[string]string{"/o/token": "POST", "/o/revoke_token": "POST", "/o/userinfo": "GET, POST", "/o/.well-known/jwks.json": "GET"} {
		first := ""
		for _, headers := range []string{"", "authorization", "authorization, content-type", "x-evil", strings.Repeat("x,", 50<<10), strings.Repeat("x-a,", 10<<10)} {
			for _, origin := range []string{spaOrigin, "https://evil.test", "null"} {
				answer := preflight(s, origin, path, "POST", headers)
				readable(t, answer, "*")
				answer.Header.Del("Date")
				shown := fmt.Sprint(answer.Status, answer.Header, answer.Body)
				if first == "" {
					first = shown
				}
				if shown != first {
					t.Errorf("%s: got %s, want the same for every origin: %s", path, shown, first)
				}
				if got := answer.Header.Get("Access-Control-Allow-Methods"); answer.Status != http.StatusNoContent || got != methods {
					t.Errorf("%s: got %d and methods %q, want 204 and %q", path, answer.Status, got, methods)
				}
				if got := answer.Header.Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type" {
					t.Errorf("%s: got headers %q, want the fixed list", path, got)
				}
			}
		}
	}
	plain := fixture.NewRequest(http.MethodOptions, "/o/token", nil) // an OPTIONS request that is not a preflight
	if answer := s.Do(plain); answer.Status != http.StatusMethodNotAllowed {
		t.Errorf("got %d, want 405", answer.Status)
	}
}

func corsServers(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("rs", func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://api.test"} })
	token := s.Browser("alice").Tokens(s.Web).Access
	answer := from(s, "https://api.test", s.RS.Request("/o/introspect", url.Values{"token": {token}})).OK()
	readable(t, answer, "")
	readable(t, from(s, "https://api.test", s.RS.Request("/o/introspect", nil)), "")
	refused := preflight(s, "https://api.test", "/o/introspect", "POST", "authorization")
	readable(t, refused, "")
	if refused.Status != http.StatusMethodNotAllowed {
		t.Errorf("got %d, want 405", refused.Status)
	}
}
