package attacktest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestConsentUser tests that only a user who is signed in, and still is, can consent.
func TestConsentUser(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-07 session fixation", Test: fixedCookie},
		{Name: "B-15 return address of the login page", Test: returnFromLogin},
		{Name: "B-16 half signed in", Test: halfSignedIn},
		{Name: "B-17 deactivated user with a session", Test: deactivatedInSession},
		{Name: "B-22 consent before sign-in", Test: consentBeforeSignIn},
		{Name: "B-23 application disconnected by the user", Test: removedApplication},
	})
}

// fixedCookie sets mallory's cookie in alice's browser. Other sites cannot do so,
// because its name begins with __Host-. The cookie signs no user in: the host has its
// own session, and a form belongs to the session that saw it.
func fixedCookie(t *testing.T, s *fixture.Server) {
	mallory, alice := s.Browser("mallory"), s.Browser("alice")
	begun := mallory.Authorize(s.Web.AuthorizeRequest())
	for _, cookie := range mallory.Cookies() {
		if strings.HasPrefix(cookie.Name, "__Host-oauthkit-") {
			alice.SetCookie(cookie)
		}
	}
	shown := alice.Follow(alice.Follow(begun)).Consent() // in her own interaction
	mallory.Decide(shown, "allow").ErrorPage(403)        // not even with alice's form
	alice.SignIn("alice")
	alice.Decide(shown, "allow").ErrorPage(403) // a form from before the sign-in is not valid
	code := mallory.Decide(mallory.Follow(begun).Consent(), "allow").Code()
	if claims := claimsOf(t, s.Web.Redeem(code).Tokens().ID); claims["sub"] != "mallory" {
		t.Errorf("got claims %v, want only those of mallory", claims)
	}
	name := (&http.Response{Header: begun.Header}).Cookies()[0].Name
	for _, value := range []string{"", "known", "obr_", "obr_" + strings.Repeat("a", 42)} {
		bob := s.Browser("bob")
		bob.SetCookie(&http.Cookie{Name: name, Value: value})
		bob.Authorize(s.Web.AuthorizeRequest())
		for _, cookie := range bob.Cookies() {
			if cookie.Name == name && cookie.Value == value {
				t.Errorf("got the cookie value %q, want one that the provider generated", value)
			}
		}
	}
}

// returnFromLogin expects the login page to receive a path with an opaque value,
// for any request. The tests of oauthhttp.ReturnPath show how a login page reads
// it safely.
func returnFromLogin(t *testing.T, s *fixture.Server) {
	for _, override := range []string{
		"next=//evil.test", `next=/\evil.test`, "next=https://evil.test", "next=/%2f%2fevil.test", "next=javascript:1", "next=/\tevil.test",
		"return_to=https://evil.test", "state=https://evil.test", "login_hint=//evil.test", "+nonce2=evil.test",
	} {
		request := fixture.NewRequest(http.MethodGet, "/o/authorize", s.Web.AuthorizeRequest(override))
		request.Header.Set("Referer", "https://evil.test/")
		request.Header.Set("X-Forwarded-Host", "evil.test")
		request.Header.Set("X-Forwarded-Prefix", "//evil.test")
		request.Header.Set("Forwarded", "host=evil.test")
		request.Host = "evil.test"
		login := s.Browser("").Do(request).Login()
		location, err := url.Parse(login.Location())
		if err != nil {
			t.Fatalf("reading %q: %v", login.Location(), err)
		}
		next := location.Query().Get("next")
		sealed, found := strings.CutPrefix(next, "/o/consent?request=")
		text, err := base64.RawURLEncoding.DecodeString(sealed)
		if !found || err != nil || strings.Contains(login.Location()+string(text), "evil") {
			t.Errorf("%s: got %q, want a return path with an opaque value", override, login.Location())
		}
	}
}

// halfSignedIn tests a session that the host has not completed, for example one
// that waits for a second factor. For such a session oauthhttp.Config.CurrentUser
// returns no user.
func halfSignedIn(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	page := alice.Open(s.SPA.AuthorizeRequest()).Consent()
	alice.SignOut()
	alice.SetCookie(&http.Cookie{Name: "session", Value: "the-password-was-right-and-the-second-factor-is-missing"})
	login := alice.Authorize(s.Web.AuthorizeRequest()).Login() // although consent is remembered
	alice.ReturnFromLogin(login).Login()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	alice.Decide(page, "allow").Login()
	alice.Decide(page, "deny").Login()
	alice.SignIn("alice")
	alice.ReturnFromLogin(login).Code()
}

// deactivatedInSession tests a host that does not end the sessions of an
// inactive user.
func deactivatedInSession(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	page := alice.Open(s.SPA.AuthorizeRequest()).Consent()
	s.UpdateApplication("webp", func(app *oauthkit.AbstractApplication) { app.SkipAuthorization = true })
	before := len(fixture.EventsOf[oauthkit.AuthorizationGranted](s.Events))
	s.Users.Deactivate("alice")
	alice.Authorize(s.Web.AuthorizeRequest()).Refused("access_denied") // consent is remembered
	alice.Authorize(s.WebPost.AuthorizeRequest()).Refused("access_denied")
	alice.Decide(page, "allow").Refused("access_denied")
	alice.Approve(s.CLI.AuthorizeRequest()).Refused("access_denied")
	if granted := fixture.EventsOf[oauthkit.AuthorizationGranted](s.Events); len(granted) != before {
		t.Errorf("got %+v, want nothing granted after the deactivation", granted[before:])
	}
	s.RS.Introspect(tokens.Access).Inactive()
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
}

// consentBeforeSignIn expects the page only for the user who is to decide.
func consentBeforeSignIn(_ *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest()).Login()
	browser.ReturnFromLogin(login).Login()
	decide := func(name, value string) *fixture.Answer {
		return browser.Post("/o/consent", url.Values{name: {value}, "decision": {"allow"}})
	}
	decide("request", sealOf(login)).ErrorPage(404) // nothing has been saved yet
	browser.SignIn("alice")
	decide("request", sealOf(login)).ErrorPage(404)
	page := browser.ReturnFromLogin(login).Consent()
	browser.SignOut()
	decide("interaction", interactionOf(page)).Login()
	browser.SignIn("alice")
	decide("interaction", interactionOf(page)).ErrorPage(403) // without the page's token
	browser.Decide(browser.ReturnFromLogin(login).Consent(), "allow").Code()
}

func removedApplication(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("webp", func(app *oauthkit.AbstractApplication) { app.SkipAuthorization = true })
	alice, bob := s.Browser("alice"), s.Browser("bob")
	laptop, phone, trusted := alice.Tokens(s.Web), s.Browser("alice").Tokens(s.Web), alice.Tokens(s.WebPost)
	others := []fixture.Tokens{alice.Tokens(s.SPA), bob.Tokens(s.Web)}
	unused := alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, id := range []string{"web", "webp"} {
		if err := s.Provider.RevokeConsent(t.Context(), id, "alice"); err != nil {
			t.Fatalf("revoking consent for %s: %v", id, err)
		}
	}
	for _, tokens := range []fixture.Tokens{laptop, phone, trusted} {
		s.RS.Introspect(tokens.Access).Inactive()
	}
	s.Web.Refresh(laptop.Refresh).ErrorJSON(400, "invalid_grant")
	s.WebPost.Refresh(trusted.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(unused).ErrorJSON(400, "invalid_grant")
	for _, tokens := range others {
		s.RS.Introspect(tokens.Access).Active()
	}
	alice.Open(s.Web.AuthorizeRequest()).Consent()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	bob.Authorize(s.Web.AuthorizeRequest()).Code()
}
