package attacktest

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestErrorPage tests that pages show neither text chosen by an attacker nor
// internal errors.
func TestErrorPage(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-19 script in error pages", Test: script},
		{Name: "B-20 details in error pages", Test: errorDetails},
	})
}

// script puts script into every parameter that could reach a page. ErrorPage
// looks for it.
func script(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, payload := range []string{`<script>alert(1)</script>`, `"onmouseover="alert(1)`, `'><img src=x onerror=alert(1)>`, `javascript:alert("1")`} {
		for _, name := range []string{
			"client_id", "redirect_uri", "scope", "state", "nonce", "response_type", "response_mode", "code_challenge", "prompt", "max_age", "login_hint",
			"id_token_hint", "ui_locales", "user_code", "error", "error_description", "error_hint", "error_uri", "request", "request_uri", "x" + payload,
		} {
			alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody", name+"="+payload)).ErrorPage(400)
			if answer := alice.Open(s.Web.AuthorizeRequest(name + "=" + payload)); strings.Contains(answer.Body, payload) {
				t.Errorf("%s: got a page with %s, want it escaped", answer, payload)
			}
		}
		alice.Get("/o/consent?interaction=" + url.QueryEscape(payload)).ErrorPage(404)
		alice.Get("/o/" + url.PathEscape(payload) + "?error=" + url.QueryEscape(payload)).ErrorPage(404)
		alice.Post("/o/consent", url.Values{"interaction": {payload}, "decision": {payload}}).ErrorPage(404)

		named := s.AddUnchecked(&oauthkit.AbstractApplication{
			ClientID: "named", Name: payload, ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://named.test/cb"},
			GrantTypes: oauthkit.GrantTypes{"authorization_code"}, Scopes: oauthkit.Scopes{"openid", "api:read"},
		})
		page := alice.Open(named.AuthorizeRequest()).Consent()
		if strings.Contains(page.Body, payload) || !strings.Contains(html.UnescapeString(page.Body), payload) {
			t.Errorf("got a consent page without the escaped name %s, want it", payload)
		}
	}
	chosenDetail(t, s, alice)
	for _, path := range []string{"/o/nonsense", "/o/consent", "/o/authorize"} {
		answer := alice.Get(path + "?error=call&error_description=call+0900+now&error_hint=call&message=call")
		if strings.Contains(answer.Body, "call") {
			t.Errorf("%s: got a page with text from the query, want none", answer)
		}
	}
}

// chosenDetail sends a user to the error page of an application that another user
// registered, with text in every parameter.
func chosenDetail(t *testing.T, s *fixture.Server, alice *fixture.Browser) {
	users := s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "users", UserID: "mallory", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://users.test/cb"},
		GrantTypes: oauthkit.GrantTypes{"authorization_code"}, Scopes: oauthkit.Scopes{"api:read"},
	})
	const words = "call_0900_now"
	for _, name := range []string{
		"scope", "state", "nonce", "response_type", "response_mode", "code_challenge", "code_challenge_method", "prompt", "approval_prompt", "max_age",
		"login_hint", "id_token_hint", "ui_locales", "display", "acr_values", "claims", "resource", "request", "request_uri", words,
	} {
		if answer := alice.Open(users.AuthorizeRequest(name + "=" + words)); strings.Contains(answer.Body, words) && answer.Status == 400 {
			t.Errorf("%s: got an error page with text from the query, want none", name)
		}
	}
	alice.Authorize(users.AuthorizeRequest("scope=" + words)).ErrorPage(400) // this error is shown on a page, too
}

// errorDetails makes the store fail. The page must show only a reference under which
// the log has the cause.
func errorDetails(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	code := alice.Approve(s.SPA.AuthorizeRequest()).Code()
	s.Store.Fail(0)
	answers := []*fixture.Answer{
		alice.Authorize(s.Web.AuthorizeRequest()), alice.Decide(page, "allow"), alice.Decide(page, "deny"),
		alice.Get("/o/applications/"), alice.Get("/o/applications/web/"), alice.Get("/o/authorized_tokens/"), alice.Get("/o/authorized_tokens/web/delete/"),
		s.SPA.Redeem(code), s.RS.Introspect("oat_x"), s.Web.Revoke("oat_x"), alice.Get("/o/api/applications"), alice.Get("/o/api/authorized_tokens"),
	}
	s.Store.Heal()
	for _, answer := range answers {
		answer.Unavailable()
		for _, detail := range []string{"fixture", "store", "SQL", "goroutine", "rp.test", "Interaction", ".go", "alice"} {
			if strings.Contains(answer.Body, detail) {
				t.Errorf("%s: got %s, want none of %s", answer, answer.Body, detail)
			}
		}
	}
	for _, page := range answers[:7] {
		reference := regexp.MustCompile(`<code>([\w-]{22})</code>`).FindStringSubmatch(page.Body)
		if reference == nil || !strings.Contains(s.Log.String(), reference[1]) || !strings.Contains(s.Log.String(), fixture.ErrFault.Error()) {
			t.Errorf("%s: got reference %q, want one that the log has with the cause", page, reference)
		}
	}
	refused := alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=https://evil.test/cb"))
	if refused.ErrorPage(400); strings.Contains(refused.Body, "rp.test") {
		t.Errorf("got %s, want none of the registered values", refused.Body)
	}
}
