package attacktest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestSignOut tests which requests end a session, and what is invalid afterwards.
func TestSignOut(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-07 cookies from before the sign-out", Test: cookiesAfterSignOut},
		{Name: "B-08 another user decides after the sign-out", Test: decideAfterSignOut},
		{Name: "B-08 another user decides after the sign-out, in a host without session ids", Test: func(t *testing.T, s *fixture.Server) {
			s.Users.OmitSessionIDs()
			decideAfterSignOut(t, s)
		}},
		{Name: "L-01 sign-out by a link or an image", Test: signOutByLink},
		{Name: "sign-out by another site", Test: signOutFromElsewhere},
		{Name: "L-02 redirect by other parameters", Test: signOutRedirects},
		{Name: "effects of a sign-out", Test: signOutEnds},
		{Name: "sign-out fails in the host", ConfigureHandler: failToSignOut, Test: signOutFails},
	})
}

const signOutPath = "/o/logout"

// signOut presses the button on the page.
func signOut(browser *fixture.Browser) *fixture.Answer {
	return submit(browser, signOutPath, url.Values{})
}

func checkSignedIn(t *testing.T, s *fixture.Server, browser *fixture.Browser) {
	t.Helper()
	if page := browser.Get(signOutPath).OK(); tokenOf(page) == "" {
		t.Errorf("%s: got %s, want the page for a user who is still signed in", page, page.Body)
	}
	if events := fixture.EventsOf[oauthkit.SignedOut](s.Events); len(events) > 0 {
		t.Errorf("got events %v, want no sign-out", events)
	}
}

// cookiesAfterSignOut expects that no cookie from before the sign-out, left in the
// browser or copied from it, continues a pending request.
func cookiesAfterSignOut(t *testing.T, s *fixture.Server) {
	alice, thief := s.Browser("alice"), s.Browser("")
	begun := alice.Authorize(s.Web.AuthorizeRequest())
	page := alice.Follow(begun).Consent()
	copied := alice.Cookies()
	if got := signOut(alice); got.Status != http.StatusSeeOther {
		t.Fatalf("%s: got %d, want 303", got, got.Status)
	}
	if left := alice.Cookies(); len(left) > 0 {
		t.Errorf("got cookies %v after the sign-out, want none", left)
	}
	for _, cookie := range copied {
		thief.SetCookie(cookie)
	}
	thief.Follow(begun).ErrorPage(404)
	thief.Decide(page, "allow").ErrorPage(404)
	thief.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	alice.SignIn("alice")
	alice.Follow(alice.Authorize(s.Web.AuthorizeRequest())).Consent()
	for _, cookie := range alice.Cookies() {
		for _, former := range copied {
			if cookie.Value == former.Value {
				t.Errorf("got %s with the value from before the sign-out, want a new one", cookie.Name)
			}
		}
	}
}

// decideAfterSignOut submits the consent form of a user who signed out. Its request
// was deleted.
func decideAfterSignOut(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	begun := alice.Authorize(s.Web.AuthorizeRequest())
	page := alice.Follow(begun).Consent()
	signOut(alice)
	for _, user := range []string{"", "bob", "alice"} {
		if user != "" {
			alice.SignIn(user)
		}
		alice.Follow(begun).ErrorPage(404)
		alice.Decide(page, "allow").ErrorPage(404)
		alice.Decide(page, "deny").ErrorPage(404)
	}
	if granted := fixture.EventsOf[oauthkit.AuthorizationGranted](s.Events); len(granted) > 0 {
		t.Errorf("got %v, want nothing granted", granted)
	}
}

// signOutByLink sends the requests that another site's page can make a browser send.
func signOutByLink(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	token := tokenOf(alice.Get(signOutPath))
	for _, query := range []string{"", "?done", "?confirm=yes&allow=true", "?token=" + token} {
		for _, destination := range []string{"image", "iframe", "document"} {
			request := fixture.NewRequest(http.MethodGet, signOutPath+query, nil)
			request.Header.Set("Sec-Fetch-Site", "cross-site")
			request.Header.Set("Sec-Fetch-Dest", destination)
			if page := alice.Do(request).OK(); strings.Contains(page.Body, "You are signed out") {
				t.Errorf("%s: got the page after a sign-out, want the question", page)
			}
		}
	}
	alice.Do(fixture.NewRequest(http.MethodHead, signOutPath, nil)).ErrorPage(405)
	checkSignedIn(t, s, alice)
}

// signOutFromElsewhere submits forms that are not the one shown to alice.
func signOutFromElsewhere(t *testing.T, s *fixture.Server) {
	alice, mallory := s.Browser("alice"), s.Browser("mallory")
	token := url.Values{"token": {tokenOf(alice.Get(signOutPath))}}
	for _, header := range []map[string]string{
		{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
	} {
		request := fixture.NewRequest(http.MethodPost, signOutPath, token)
		for name, value := range header {
			request.Header.Set(name, value)
		}
		alice.Do(request).ErrorPage(403)
	}
	client := owned(t, s, "alice")
	for _, value := range []string{
		"", "nonsense", tokenOf(mallory.Get(signOutPath)), tokenOf(alice.Open(s.Web.AuthorizeRequest()).Consent()), tokenOf(alice.Get("/o/applications/" + client.ID + "/delete/")),
	} {
		alice.Post(signOutPath, url.Values{"token": {value}}).ErrorPage(403)
	}
	checkSignedIn(t, s, alice)
	alice.Post(signOutPath, token)
	if events := fixture.EventsOf[oauthkit.SignedOut](s.Events); len(events) != 1 {
		t.Errorf("got events %v, want alice signed out", events)
	}
}

// signOutRedirects requests redirects with parameters that other providers have for it,
// and with an address but without its application.
func signOutRedirects(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	hostile := url.Values{
		"redirect_uri": {"https://evil.test"}, "next": {"//evil.test"}, "return_to": {"https://evil.test"}, "returnTo": {"https://evil.test"},
		"post_logout_redirect_uri": {"https://rp.test/out"},
	}
	page := alice.Get(signOutPath + "?" + hostile.Encode()).OK()
	action, fields := page.Form()
	answer := alice.Post(action+"?"+hostile.Encode(), fields)
	after := alice.Get(answer.Location() + "?" + hostile.Encode()).OK()
	if action != signOutPath || answer.Location() != signOutPath {
		t.Errorf("got a form to %q and Location %q, want %s", action, answer.Location(), signOutPath)
	}
	if strings.Contains(page.Body+after.Body, "evil") || strings.Contains(after.Body, "rp.test") {
		t.Errorf("got addresses from the request on the pages, want none:\n%s\n%s", page.Body, after.Body)
	}
}

// signOutEnds expects that only the session of this browser ends. Other browsers and
// alice's consent are not affected.
func signOutEnds(t *testing.T, s *fixture.Server) {
	alice, phone := s.Browser("alice"), s.Browser("alice")
	tokens, others := alice.Tokens(s.Web), phone.Tokens(s.Web)
	stale := tokenOf(alice.Get(signOutPath))
	signOut(alice)
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	alice.Authorize(s.Web.AuthorizeRequest()).Login()
	alice.Get("/o/authorized_tokens/").Login()
	phone.Authorize(s.Web.AuthorizeRequest()).Code()
	s.RS.Introspect(others.Access).Active()
	s.Web.Refresh(others.Refresh).Tokens()
	s.RS.Introspect(tokens.Access).Inactive()
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	alice.SignIn("alice")
	alice.Post(signOutPath, url.Values{"token": {stale}}).ErrorPage(403) // the form of the previous session
	if got, want := fixture.EventsOf[oauthkit.SignedOut](s.Events), (oauthkit.SignedOut{Subject: "alice"}); len(got) != 1 || got[0] != want {
		t.Errorf("got events %v, want %v once", got, want)
	}
}

func failToSignOut(config *oauthhttp.Config) {
	config.SignOut = func(http.ResponseWriter, *http.Request) error { return errors.New("the session store is down") }
}

// signOutFails expects an error instead of the page after a sign-out, and a user who is
// still signed in to the host. Once the host was asked, the session with the applications
// has ended, so that a pending request cannot be decided.
func signOutFails(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	s.Users.Fail(errors.New("the session store is down"))
	alice.Get(signOutPath).Unavailable()
	alice.Post(signOutPath, url.Values{"token": {"x"}}).Unavailable()
	s.Users.Fail(nil)
	signOut(alice).Unavailable()
	checkSignedIn(t, s, alice)
	alice.Decide(page, "allow").ErrorPage(404)
}
