package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestCORS tests which answers scripts of other origins can read. A browser lets them
// read an answer with Access-Control-Allow-Origin, and sends cookies only if
// credentials are allowed, which they never are.
func TestCORS(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "X-01 pages", Test: corsPages},
		{Name: "X-02 an application's own origin", Test: corsOwnOrigin},
		{Name: "X-02 errors are readable too", Test: corsErrors},
		{Name: "X-02 the application is named in the header", Test: corsNamedInHeader},
		{Name: "X-03 origins that are not registered", Test: corsUnregistered},
		{Name: "X-03 an origin of another application", Test: corsOtherApplication},
		{Name: "X-04 opaque origins", Test: corsOpaque},
		{Name: "X-05 public documents", Test: corsPublic},
		{Name: "X-06 no credentials anywhere", Test: corsCredentials},
		{Name: "X-07 preflight", Test: corsPreflight},
		{Name: "X-08 endpoints for servers", Test: corsServers},
	})
}

const spaOrigin = "https://spa.test"

// unregistered lists origins that resemble a registered one.
var unregistered = []string{
	"https://evil.test", "https://spa.test.evil.test", "https://evilspa.test", "http://spa.test", "https://spa.test:444", "https://SPA.test",
	"https://spa.test:443", "https://spa.test/", "https://spa.test.", "https://spa.test, https://evil.test", "https://spa.test https://evil.test",
	"https://spa%2Etest", "https://user@spa.test", "*", "spa.test", "//spa.test",
}

// opaque lists what browsers send for an untrusted or missing origin.
var opaque = []string{"null", "file://", "file:///", "data:", "about:blank", "NULL"}

// from sends a request like a script of an origin.
func from(s *fixture.Server, origin string, request *http.Request) *fixture.Answer {
	request.Header.Set("Origin", origin)
	return s.Do(request)
}

// readable expects the answer to be readable for one origin, for all if it is "*", or
// for none if it is empty.
func readable(t *testing.T, answer *fixture.Answer, origin string) {
	t.Helper()
	var want []string
	if origin != "" {
		want = []string{origin}
	}
	if got := answer.Header.Values("Access-Control-Allow-Origin"); !slices.Equal(got, want) {
		t.Errorf("%s: got %d with Access-Control-Allow-Origin %q, want %q", answer, answer.Status, got, want)
	}
	if got := answer.Header.Values("Access-Control-Allow-Credentials"); got != nil {
		t.Errorf("%s: got Access-Control-Allow-Credentials %q, want none", answer, got)
	}
	if origin == "" && answer.Header.Get("Access-Control-Expose-Headers") != "" {
		t.Errorf("%s: got exposed headers on an answer without access, want none", answer)
	}
}

// varies expects caches to separate the answers for different origins.
func varies(t *testing.T, answer *fixture.Answer) {
	t.Helper()
	if !slices.Contains(answer.Header.Values("Vary"), "Origin") {
		t.Errorf("%s: got Vary %q, want Origin", answer, answer.Header.Values("Vary"))
	}
}

// refreshing returns a refresh request of the application.
func refreshing(client *fixture.Client, token string) *http.Request {
	return client.Request("/o/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func corsOwnOrigin(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.SPA)
	answer := from(s, spaOrigin, refreshing(s.SPA, tokens.Refresh))
	refreshed := answer.Tokens()
	readable(t, answer, spaOrigin)
	varies(t, answer)
	info := fixture.NewRequest(http.MethodGet, "/o/userinfo", nil)
	info.Header.Set("Authorization", "Bearer "+refreshed.Access)
	answer = from(s, spaOrigin, info).OK()
	readable(t, answer, "*")
	answer = from(s, spaOrigin, s.SPA.Request("/o/revoke_token", url.Values{"token": {refreshed.Access}})).OK()
	readable(t, answer, spaOrigin)
	varies(t, answer)
	without := s.SPA.Revoke(refreshed.Access).OK() // not sent by a script, but a cache must know
	readable(t, without, "")
	varies(t, without)
}

// corsErrors tests the errors that a script reacts to. Without access to them it
// could not tell them from a network error.
func corsErrors(t *testing.T, s *fixture.Server) {
	for name, request := range map[string]*http.Request{
		"invalid_grant":          refreshing(s.SPA, "ort_nothing"),
		"unsupported_grant_type": s.SPA.Request("/o/token", url.Values{"grant_type": {"password"}}),
		"invalid_request":        s.SPA.Request("/o/token", url.Values{}),
		"invalid_client":         s.SPA.Request("/o/token", url.Values{"grant_type": {"refresh_token"}, "client_secret": {"x"}}),
	} {
		answer := from(s, spaOrigin, request)
		if answer.Members()["error"] != name {
			t.Errorf("%s: got %d %s, want another answer", name, answer.Status, answer.Body)
		}
		readable(t, answer, spaOrigin)
		varies(t, answer)
	}
	info := from(s, spaOrigin, fixture.NewRequest(http.MethodGet, "/o/userinfo", nil))
	challenged(t, info, 401, "Bearer")
	readable(t, info, "*")
	if exposed := info.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "WWW-Authenticate") {
		t.Errorf("got Access-Control-Expose-Headers %q, want WWW-Authenticate in it", exposed)
	}
	unknown := fixture.NewRequest(http.MethodPost, "/o/token", url.Values{"client_id": {"nobody"}, "grant_type": {"refresh_token"}})
	readable(t, from(s, spaOrigin, unknown), "")
	s.Store.Fail(0)
	answer := from(s, spaOrigin, refreshing(s.SPA, "ort_nothing"))
	answer.Unavailable()
	readable(t, answer, "") // the application, and so its origins, is not known
}

func corsNamedInHeader(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://rp.test"} })
	readable(t, from(s, "https://rp.test", refreshing(s.Web, "ort_nothing")), "https://rp.test")
	for _, origin := range []string{spaOrigin, "https://rp.test"} { // the application is ambiguous
		two := s.Web.Request("/o/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}})
		readable(t, from(s, origin, two), "")
	}
}

func corsUnregistered(t *testing.T, s *fixture.Server) {
	token := s.Browser("alice").Tokens(s.SPA).Refresh
	for _, origin := range unregistered {
		readable(t, from(s, origin, refreshing(s.SPA, "ort_nothing")), "")
		readable(t, from(s, origin, s.SPA.Request("/o/revoke_token", url.Values{"token": {"ort_nothing"}})), "")
	}
	repeated := refreshing(s.SPA, "ort_nothing")
	repeated.Header["Origin"] = []string{spaOrigin, "https://evil.test"}
	readable(t, s.Do(repeated), "")
	named := refreshing(s.SPA, "ort_nothing") // the query is ignored
	named.URL.RawQuery = "client_id=spa&origin=https://evil.test"
	readable(t, from(s, "https://evil.test", named), "")
	readable(t, from(s, spaOrigin, refreshing(s.SPA, token)), spaOrigin)
}

func corsOtherApplication(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("evil", func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://evil.test"} })
	readable(t, from(s, "https://evil.test", refreshing(s.Evil, "ort_nothing")), "https://evil.test")
	readable(t, from(s, "https://evil.test", refreshing(s.SPA, "ort_nothing")), "")
	readable(t, from(s, spaOrigin, refreshing(s.Evil, "ort_nothing")), "")
	readable(t, from(s, spaOrigin, refreshing(s.Web, "ort_nothing")), "") // web has no origins
	s.UpdateApplication("spa", func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = nil })
	readable(t, from(s, spaOrigin, refreshing(s.SPA, "ort_nothing")), "")
}

// corsOpaque uses an application with unregistrable origins in its row.
func corsOpaque(t *testing.T, s *fixture.Server) {
	planted := s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "planted", ClientType: oauthkit.Public, AllowedOrigins: slices.Concat(opaque, []string{"*", "", "https://"}),
	})
	const extension = "chrome-extension://abcdefghijklmnop" // only a host's own rules can register it
	readable(t, from(s, extension, refreshing(s.SPA, "ort_nothing")), "")
	for _, origin := range opaque {
		readable(t, from(s, origin, refreshing(s.SPA, "ort_nothing")), "")
		readable(t, from(s, origin, refreshing(planted, "ort_nothing")), "")
	}
	for _, wild := range []string{"*", "", "https://"} {
		readable(t, from(s, wild, refreshing(planted, "ort_nothing")), "")
	}
}

// corsCredentials sends requests to every endpoint from every origin.
func corsCredentials(t *testing.T, s *fixture.Server) {
	paths := slices.Concat(publicDocuments, []string{
		"/o/authorize", "/o/consent", "/o/token", "/o/introspect", "/o/revoke_token", "/o/userinfo", "/o/applications", "/o/authorized_tokens", "/o/nothing",
	})
	for _, origin := range slices.Concat(unregistered, opaque, []string{spaOrigin, fixture.Origin}) {
		for _, path := range paths {
			for _, answer := range []*fixture.Answer{
				from(s, origin, fixture.NewRequest(http.MethodGet, path, nil)),
				from(s, origin, s.SPA.Request(path, nil)),
				preflight(s, origin, path, "POST", "authorization"),
			} {
				if got := answer.Header.Values("Access-Control-Allow-Credentials"); got != nil {
					t.Errorf("%s from %s: got Access-Control-Allow-Credentials %q, want none", answer, origin, got)
				}
				if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "" && got != "*" && got != spaOrigin {
					t.Errorf("%s from %s: got Access-Control-Allow-Origin %q, want no echo", answer, origin, got)
				}
			}
		}
	}
}
