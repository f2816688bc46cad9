package attacktest

import (
	"net/http"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestConsentForm tests that only the user who saw the consent page can submit its
// form, and that the form decides only whether to allow or deny.
func TestConsentForm(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-01 forged consent form", Test: forgedConsent},
		{Name: "B-02 form from another origin", Test: foreignConsent},
		{Name: "B-03 hidden fields changed", Test: changedConsent},
		{Name: "B-05 two tabs", Test: twoTabs},
		{Name: "B-06 interaction of another browser", Test: foreignInteraction},
		{Name: "B-08 another user decides", Test: otherUserDecides},
		{Name: "B-08 another user decides, in a host without session ids", Test: func(t *testing.T, s *fixture.Server) {
			s.Users.OmitSessionIDs()
			otherUserDecides(t, s)
		}},
		{Name: "B-09 decided twice", Test: decidedTwice},
		{Name: "B-09 decided 50 times at once", Test: decidedAtOnce},
		{Name: "B-11 deny", Test: deny},
	})
}

func forgedConsent(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	for _, token := range []string{
		"token", "token=", "token=nonsense",
		"token=" + tokenOf(bob.Open(s.Web.AuthorizeRequest()).Consent()),
		// A token of the same user and browser for another request.
		"token=" + tokenOf(alice.Open(s.Web.AuthorizeRequest()).Consent()),
	} {
		alice.Decide(page, "allow", token).ErrorPage(403)
		alice.Decide(page, "deny", token).ErrorPage(403)
	}
	alice.Get("/o/consent?decision=allow&token=" + tokenOf(page) + "&interaction=" + interactionOf(page)).Consent()
	alice.SignIn("alice")
	alice.Decide(page, "allow").ErrorPage(403) // a form from a session that has ended
	if events := fixture.EventsOf[oauthkit.ConsentGranted](s.Events); len(events) > 0 {
		t.Errorf("got %v, want no consent", events)
	}
	page = alice.Get("/o/consent?interaction=" + interactionOf(page)).Consent()
	alice.Decide(page, "allow").Code()
	alice.Decide(page, "allow").ErrorPage(409)
}

func tokenOf(page *fixture.Answer) string {
	_, fields := page.Form()
	return fields.Get("token")
}

func interactionOf(page *fixture.Answer) string {
	_, fields := page.Form()
	return fields.Get("interaction")
}

// foreignConsent submits the complete form with its token and cookies, as if both had
// leaked. Its origin is checked separately.
func foreignConsent(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	action, fields := page.Form()
	fields.Set("decision", "allow")
	for _, header := range []map[string]string{
		{"Origin": "https://evil.test"},
		{"Origin": "https://as.test.evil.test"},
		{"Origin": "https://as.test:8443"},
		{"Origin": "null"},
		{"Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Site": "same-site"},
		{"Sec-Fetch-Site": "same-site", "Origin": "https://blog.as.test"},
		{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
		{"Sec-Fetch-Site": "cross-site", "Origin": "null"},
	} {
		request := fixture.NewRequest(http.MethodPost, action, fields)
		for name, value := range header {
			request.Header.Set(name, value)
		}
		alice.Do(request).ErrorPage(403)
	}
	alice.Decide(page, "allow", "token=nonsense").ErrorPage(403) // the right origin alone is not enough
	alice.Decide(page, "allow").Code()
}

// changedConsent shows that the saved request decides and that other fields of the
// form are ignored.
func changedConsent(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	alice.Decide(page, "allow", "+interaction="+interactionOf(page)).ErrorPage(400)
	alice.Decide(page, "allow", "+decision=deny").ErrorPage(400)
	alice.Decide(page, "allow", "interaction=nonsense").ErrorPage(404)
	alice.Decide(page, "allow", "interaction").ErrorPage(404)
	alice.Decide(page, "nonsense").ErrorPage(400)
	code := alice.Decide(page, "allow",
		"scope=openid api:read api:write email", "client_id=evil", "redirect_uri=https://evil.test/cb", "response_type=token",
		"code_challenge="+fixture.Challenge("another-verifier-that-only-the-attacker-knows"), "nonce=n2", "state=abc",
		// Code compares redirect URI and state.
		"response_mode=fragment", "user=bob", "sub=bob", "subject=bob", "prompt=none").Code()
	s.Evil.Redeem(code, "redirect_uri=https://rp.test/cb").ErrorJSON(400, "invalid_grant")
	tokens := s.Web.Redeem(code).Tokens()
	if tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want the scopes shown", tokens.Scope)
	}
	if claims := claimsOf(t, tokens.ID); claims["nonce"] != "n1" || claims["sub"] != "alice" || claims["aud"] != "web" {
		t.Errorf("got claims %v, want the nonce, user and application of the request", claims)
	}
}

func twoTabs(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	first, second := alice.Open(s.Web.AuthorizeRequest()).Consent(), alice.Open(s.Evil.AuthorizeRequest()).Consent()
	alice.Decide(first, "allow", "interaction="+interactionOf(second)).ErrorPage(403)
	alice.Decide(second, "allow", "interaction="+interactionOf(first)).ErrorPage(403)
	code := alice.Decide(first, "allow").Code() // Code compares the redirect URI
	s.Evil.Redeem(code, "redirect_uri="+s.Web.RedirectURI).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(code).Tokens()
	alice.Decide(second, "deny").Refused("access_denied")
}

func foreignInteraction(t *testing.T, s *fixture.Server) {
	mallory, alice := s.Browser("mallory"), s.Browser("alice")
	begun := mallory.Authorize(s.Web.AuthorizeRequest())
	page := mallory.Follow(begun).Consent()
	alice.Follow(begun).ErrorPage(403) // alice without the provider's cookie
	alice.Decide(page, "allow").ErrorPage(403)
	alice.Decide(page, "deny").ErrorPage(403)
	alice.Open(s.SPA.AuthorizeRequest()).Consent() // and with one
	alice.Follow(begun).ErrorPage(403)
	alice.Decide(page, "allow").ErrorPage(403)
	alice.Decide(page, "allow", "token="+tokenOf(alice.Open(s.Web.AuthorizeRequest()).Consent())).ErrorPage(403)

	anonymous := s.Browser("")
	login := anonymous.Authorize(s.Web.AuthorizeRequest()).Login()
	alice.ReturnFromLogin(login).ErrorPage(403) // mallory sent alice the link that the login page returns to
	anonymous.ReturnFromLogin(login).Login()

	code := mallory.Decide(page, "allow").Code()
	if claims := claimsOf(t, s.Web.Redeem(code).Tokens().ID); claims["sub"] != "mallory" {
		t.Errorf("got claims %v, want only those of mallory", claims)
	}
}

func otherUserDecides(t *testing.T, s *fixture.Server) {
	browser := s.Browser("alice")
	page := browser.Open(s.Web.AuthorizeRequest()).Consent()
	browser.SignOut()
	browser.Decide(page, "allow").Login()
	browser.SignIn("bob")
	browser.Decide(page, "allow").ErrorPage(403)
	browser.Decide(page, "deny").ErrorPage(403)
	// An interaction of bob's session.
	page = browser.Follow(browser.Get("/o/consent?interaction=" + interactionOf(page))).Consent()
	code := browser.Decide(page, "allow").Code()
	if claims := claimsOf(t, s.Web.Redeem(code).Tokens().ID); claims["sub"] != "bob" {
		t.Errorf("got claims %v, want those of bob, who decided", claims)
	}
	s.Browser("alice").Open(s.Web.AuthorizeRequest()).Consent() // alice has approved nothing
}

func decidedTwice(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	code := alice.Decide(page, "allow").Code()
	alice.Decide(page, "allow").ErrorPage(409)
	alice.Decide(page, "deny").ErrorPage(409)
	alice.Get("/o/consent?interaction=" + interactionOf(page)).ErrorPage(409)
	s.Web.Redeem(code).Tokens()

	denied := alice.Open(s.SPA.AuthorizeRequest()).Consent()
	alice.Decide(denied, "deny").Refused("access_denied")
	alice.Decide(denied, "allow").ErrorPage(409)
}

func decidedAtOnce(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	answers := make([]*fixture.Answer, 50)
	fixture.Race(len(answers), func(i int) { answers[i] = alice.Decide(page, "allow") })
	statuses := map[int]int{}
	for _, answer := range answers {
		statuses[answer.Status]++
		if answer.Status == http.StatusSeeOther {
			s.Web.Redeem(answer.Code()).Tokens()
		}
	}
	if statuses[http.StatusSeeOther] != 1 || statuses[http.StatusConflict] != len(answers)-1 {
		t.Errorf("got answers by status %v, want one 303 and %d times 409", statuses, len(answers)-1)
	}
	if granted := fixture.EventsOf[oauthkit.AuthorizationGranted](s.Events); len(granted) != 1 {
		t.Errorf("got %d authorizations granted, want 1", len(granted))
	}
}

func deny(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	// Refused expects nothing saved.
	alice.Decide(alice.Open(s.Web.AuthorizeRequest()).Consent(), "deny").Refused("access_denied")
	// A denial is not remembered.
	alice.Open(s.Web.AuthorizeRequest()).Consent()
	denied := fixture.EventsOf[oauthkit.ConsentDenied](s.Events)
	if len(denied) != 1 || denied[0].ClientID != "web" || denied[0].Subject != "alice" {
		t.Errorf("got %+v, want one denial of web by alice", denied)
	}
}
