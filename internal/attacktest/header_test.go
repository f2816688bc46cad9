package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestHeaders tests the headers for browsers and caches.
func TestHeaders(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "H-01 caches store no credentials", Test: nothingKept},
		{Name: "H-02 headers of pages", Test: pageHeaders},
		{Name: "H-02 a form may redirect to its application", Test: formTargets},
		{Name: "H-03 line breaks", Test: lineBreaks},
	})
}

func nothingKept(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	approved := alice.Approve(s.Web.AuthorizeRequest())
	tokens := s.Web.Redeem(approved.Code())
	access := tokens.Tokens().Access
	for name, answer := range map[string]*fixture.Answer{
		"tokens": tokens, "a refused token request": s.Web.Redeem("nonsense"), "a refused client": s.SPA.Refresh("x", "client_id=web"),
		"active": s.RS.Introspect(access), "inactive": s.RS.Introspect("x"), "a refused introspection": s.SPA.Introspect(access),
		"revoked": s.Web.Revoke("x"), "a refused revocation": s.Web.Revoke(""), "user info": s.Bearer("/o/userinfo", access),
		"a refused user info": call(s, "/o/userinfo", "Bearer x"), "a refused API request": call(s, "/api/read"),
		"the code": approved, "the way to the login page": s.Browser("").Authorize(s.Web.AuthorizeRequest()), "a refusal": alice.Authorize(s.Web.AuthorizeRequest("scope=x")),
		"the consent page": s.Browser("bob").Open(s.Web.AuthorizeRequest()).Consent(), "an error page": alice.Get("/o/authorize"),
	} {
		if got := answer.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
			t.Errorf("%s: got Cache-Control %q, want no-store", name, got)
		}
		if got := answer.Header.Get("ETag") + answer.Header.Get("Last-Modified") + answer.Header.Get("Expires"); got != "" {
			t.Errorf("%s: got %q, want no validator", name, got)
		}
	}
	for name, answer := range map[string]*fixture.Answer{"tokens": tokens, "a refusal": s.Web.Redeem("nonsense")} {
		if got := answer.Header.Get("Pragma"); got != "no-cache" { // RFC 6749 §5.1
			t.Errorf("%s: got Pragma %q, want no-cache", name, got)
		}
	}
}

// pages returns one page of each kind by its name.
func pages(s *fixture.Server) map[string]*fixture.Answer {
	alice := s.Browser("alice")
	asked := alice.Authorize(s.Web.AuthorizeRequest())
	consent := alice.Follow(asked).Consent()
	decided := alice.Open(s.Web.AuthorizeRequest()).Consent()
	alice.Decide(decided, "deny")
	typeless := fixture.NewRequest(http.MethodPost, "/o/authorize", s.Web.AuthorizeRequest())
	typeless.Header.Set("Content-Type", "text/plain")
	all := map[string]*fixture.Answer{
		"consent":         consent,
		"400":             alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=https://evil.test/cb")),
		"403":             alice.Decide(consent, "allow", "token=x"),
		"404":             alice.Get("/o/nothing"),
		"404 interaction": alice.Get("/o/consent?interaction=x"),
		"405":             alice.Do(fixture.NewRequest(http.MethodPut, "/o/authorize", nil)),
		"409":             alice.Decide(decided, "allow"),
		"415":             alice.Do(typeless),
		"foreign browser": s.Browser("alice").Follow(asked),
	}
	s.Store.Fail(0)
	all["503"] = alice.Authorize(s.Web.AuthorizeRequest())
	s.Store.Heal()
	return all
}

func pageHeaders(t *testing.T, s *fixture.Server) {
	for name, page := range pages(s) {
		for header, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		} {
			if got := page.Header.Values(header); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: got %s %q, want %q", name, header, got, want)
			}
		}
		action := "form-action 'none'"
		if name == "consent" {
			action = "form-action 'self' https: http:"
		}
		want := []string{"default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", action}
		if got := strings.Split(page.Header.Get("Content-Security-Policy"), "; "); !slices.Equal(got, want) {
			t.Errorf("%s: got Content-Security-Policy %q, want %q", name, got, want)
		}
		for _, inline := range []string{"<script", "<style", "style=", "onclick=", "onload=", "javascript:"} {
			if strings.Contains(page.Body, inline) {
				t.Errorf("%s: got %s in the page, want none: its policy blocks it", name, inline)
			}
		}
	}
}

// formTargets tests a design decision: the policy names schemes only, because
// browsers also apply it to the redirects of the application's own pages.
func formTargets(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for uri, want := range map[string]string{
		"http://127.0.0.1:51004/cb": "form-action 'self' https: http:",
		"http://[::1]:9/cb":         "form-action 'self' https: http:",
		"com.example.cli:/cb":       "form-action 'self' https: http: com.example.cli:",
	} {
		policy := strings.Split(alice.Open(s.CLI.AuthorizeRequest("redirect_uri="+uri)).Consent().Header.Get("Content-Security-Policy"), "; ")
		if !slices.Contains(policy, want) {
			t.Errorf("%s: got %q, want %s", uri, policy, want)
		}
	}
}

func lineBreaks(t *testing.T, s *fixture.Server) {
	const split = "x\r\nSet-Cookie: evil=1\r\n\r\n<script>"
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	answers := []*fixture.Answer{
		alice.Authorize(s.Web.AuthorizeRequest("state=" + split)), alice.Authorize(s.Web.AuthorizeRequest("scope=" + split)), alice.Authorize(s.Web.AuthorizeRequest("prompt=" + split)),
		alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=https://rp.test/cb" + split)), alice.Authorize(s.Web.AuthorizeRequest("client_id=" + split)),
		alice.Get("/o/consent?" + url.Values{"interaction": {split}}.Encode()), alice.Get("/o/%0d%0aSet-Cookie:%20evil=1"),
		s.Web.Redeem(split), s.Web.ClientCredentials("grant_type=" + split), s.Web.Refresh("x", "scope="+split), s.RS.Introspect(split), s.Web.Revoke(split),
		s.Browser("").Authorize(s.Web.AuthorizeRequest("state=" + split)),
	}
	answers[0].Code()
	answers[1].Refused("invalid_scope")
	answers[3].ErrorPage(400)
	for _, answer := range answers {
		if cookies := answer.Header["Set-Cookie"]; strings.Contains(strings.Join(cookies, ""), "evil=") || strings.Contains(answer.Body, "<script>") {
			t.Errorf("%s: got cookies %q and body %q, want none from the request", answer, cookies, answer.Body)
		}
	}
}
