package attacktest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestOrigin tests that the provider takes its own URLs from its configuration and
// not from a request.
func TestOrigin(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "H-04 plain http", Test: plainHTTP},
		{Name: "H-04 a form from a page over plain http", Test: formOverHTTP},
		{Name: "H-05 forwarded headers", Test: forwardedHeaders},
		{Name: "H-06 foreign Host", Test: foreignHost},
		{Name: "H-06 a form for a foreign Host", Test: foreignForm},
	})
}

// plainHTTP sends requests like a proxy that terminates TLS. The answers are the
// same, and the cookie is sent over https only.
func plainHTTP(t *testing.T, s *fixture.Server) {
	if _, err := oauthkit.New("http://as.test/o", s.Store, oauthkit.Config{}); err == nil {
		t.Error("got no error for an http issuer, want one")
	}
	handler := fixture.NewHandler(t, s.Provider, oauthhttp.Config{LoginURL: "/login"})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "http://as.test/o/authorize?"+s.Web.AuthorizeRequest().Encode(), nil))
	cookies := recorder.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || !strings.HasPrefix(cookies[0].Name, "__Host-") {
		t.Errorf("got cookies %v, want one that is Secure, HttpOnly and bound to the host", cookies)
	}
	if location := recorder.Header().Get("Location"); recorder.Code != 303 || !strings.HasPrefix(location, "/login?next=%2Fo%2Fconsent") {
		t.Errorf("got %d with Location %q, want 303 to a path", recorder.Code, location)
	}
}

// formOverHTTP submits forms from a page loaded over plain http, which an attacker on
// the network may have changed. If a browser sends no Sec-Fetch-Site, only the scheme
// of its origin differs.
func formOverHTTP(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	consent := alice.Open(s.Web.AuthorizeRequest()).Consent()
	register := alice.Get("/o/applications/register/").OK()
	for _, page := range []*fixture.Answer{consent, register} {
		path, form := page.Form()
		form.Set("decision", "allow")
		request := fixture.NewRequest(http.MethodPost, path, form)
		request.Header.Set("Origin", "http://as.test")
		alice.Do(request).ErrorPage(403)
	}
	document := fixture.NewPost("/o/api/applications", "application/json", registration(""))
	document.Header.Set("Origin", "http://as.test")
	alice.Do(document).ErrorJSON(403, "access_denied")
	alice.Decide(consent, "allow").Code()
}

// forwarded holds headers that an untrusted proxy could send.
var forwarded = http.Header{
	"X-Forwarded-Host": {"evil.test"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Prefix": {"/evil"}, "X-Forwarded-Port": {"666"},
	"X-Forwarded-For": {"127.0.0.1"}, "X-Real-Ip": {"127.0.0.1"}, "X-Original-Url": {"/evil"}, "X-Rewrite-Url": {"/evil"},
	"X-Forwarded-Uri": {"/evil"}, "X-Http-Method-Override": {"DELETE"}, "Forwarded": {"for=127.0.0.1;host=evil.test;proto=http"},
}

func forwardedHeaders(t *testing.T, s *fixture.Server) {
	asEvil(t, s, func(request *http.Request, _ *fixture.Browser) {
		for name, values := range forwarded {
			request.Header[name] = values
		}
	})
}

func foreignHost(t *testing.T, s *fixture.Server) {
	asEvil(t, s, func(request *http.Request, browser *fixture.Browser) {
		request.Host = "evil.test"
		for _, cookie := range browser.Cookies() {
			request.AddCookie(cookie) // as if the cookie were for that host
		}
	})
}

// asEvil changes every request of a sign-in and expects every answer to use the
// issuer alone.
func asEvil(t *testing.T, s *fixture.Server, change func(*http.Request, *fixture.Browser)) {
	t.Helper()
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	get := func(path string, form url.Values) *fixture.Answer {
		request := fixture.NewRequest(http.MethodGet, path, form)
		change(request, alice)
		answer := alice.Do(request)
		text := fmt.Sprint(answer.Header, answer.Body)
		if strings.Contains(text, "evil.test") || strings.Contains(text, "/evil") || strings.Contains(text, "%2Fevil") {
			t.Errorf("%s: got %d with %s, want no host of the request in it", path, answer.Status, text)
		}
		return answer
	}
	for _, path := range []string{
		"/o/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/o", "/o/.well-known/oauth-authorization-server", "/o/.well-known/jwks.json",
	} {
		document := get(path, nil).OK().Body
		if strings.Contains(path, "jwks") {
			continue
		}
		if !strings.Contains(document, `"issuer":"`+fixture.Issuer+`"`) || strings.Count(document, "https://") != strings.Count(document, `"`+fixture.Issuer) {
			t.Errorf("%s: got %s, want only URLs of %s", path, document, fixture.Issuer)
		}
	}
	code := get("/o/authorize", s.Web.AuthorizeRequest()).Code() // Code expects the configured iss
	request := s.Web.Request("/o/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier},
	})
	change(request, s.Browser(""))
	tokens := s.Do(request).Tokens()
	if iss := claimsOf(t, tokens.ID)["iss"]; iss != fixture.Issuer {
		t.Errorf("got iss %v in the ID token, want %s", iss, fixture.Issuer)
	}
	get("/o/authorize", s.Web.AuthorizeRequest("prompt=login")).Login()
	get("/o/authorize", s.Web.AuthorizeRequest("redirect_uri=https://evil.example/cb")).ErrorPage(400)
}

// foreignForm submits the consent form like a browser that was given another name for
// this address and so sees one site.
func foreignForm(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	path, form := page.Form()
	form.Set("decision", "allow")
	rebound := fixture.NewRequest(http.MethodPost, path, form)
	rebound.Host = "evil.test"
	rebound.Header.Set("Origin", "https://evil.test")
	s.Do(rebound).ErrorPage(403) // the cookie is not for that host
	alice.Decide(page, "allow").Code()
}
