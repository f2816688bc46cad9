package attacktest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestLoginPage tests the part of a pending authorization request that the host's login
// page can show before anyone has signed in.
func TestLoginPage(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "B-37 opened in another browser", Test: foreignLogin},
		{Name: "B-37 changed by an attacker", Test: changedLogin},
		{Name: "B-37 expired or decided", Test: finishedLogin},
		{Name: "B-38 search for applications", Test: applicationSearch},
		{Name: "B-38 failed store", Test: failedLogin},
		{Name: "B-39 parameters in log and events", Test: quietLogin},
	})
}

// pendingAt opens the login page with the path next and returns the pending request.
func pendingAt(t *testing.T, s *fixture.Server, browser *fixture.Browser, next string) *oauthhttp.PendingRequest[oauthkit.Application] {
	t.Helper()
	pending, err := tryPendingAt(s, browser, next)
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
	return pending
}

func tryPendingAt(s *fixture.Server, browser *fixture.Browser, next string) (*oauthhttp.PendingRequest[oauthkit.Application], error) {
	request := fixture.NewRequest(http.MethodGet, "/login", url.Values{"next": {next}})
	for _, cookie := range browser.Cookies() {
		request.AddCookie(cookie)
	}
	return oauthhttp.PendingLogin[oauthkit.Application](s.Handler, request)
}

// expectNothing expects the login page to show no request. It may not even read an
// application if reads is false.
func expectNothing(t *testing.T, s *fixture.Server, browser *fixture.Browser, name, next string, reads bool) {
	t.Helper()
	s.Store.ClearCalls()
	if pending := pendingAt(t, s, browser, next); pending != nil {
		t.Errorf("%s: got a request of %s, want nothing", name, pending.Application.GetID())
	}
	for _, call := range s.Store.Calls() {
		if call == "Application" && !reads {
			t.Errorf("%s: got a search for the application, want none", name)
		}
	}
}

func nextOf(login *fixture.Answer) string { return "/o/consent?request=" + sealOf(login) }

func foreignLogin(t *testing.T, s *fixture.Server) {
	mallory, victim, alice := s.Browser(""), s.Browser(""), s.Browser("alice")
	next := nextOf(mallory.Authorize(s.Web.AuthorizeRequest("login_hint=mallory")).Login())
	if pending := pendingAt(t, s, mallory, next); pending == nil || pending.Application.GetID() != "web" || pending.LoginHint != "mallory" {
		t.Errorf("got %+v in the browser of the request, want web and the hint", pending)
	}
	expectNothing(t, s, victim, "without a cookie", next, false)
	victim.Authorize(s.SPA.AuthorizeRequest()).Login()
	expectNothing(t, s, victim, "with a cookie", next, false)

	stored := "/o/consent?interaction=" + interactionOf(alice.Open(s.Web.AuthorizeRequest()).Consent())
	alice.SignOut()
	if pending := pendingAt(t, s, alice, stored); pending == nil || pending.Application.GetID() != "web" {
		t.Errorf("got %+v in the browser of the interaction, want web", pending)
	}
	expectNothing(t, s, victim, "an interaction", stored, false)
}

func changedLogin(t *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	next := nextOf(browser.Authorize(s.Web.AuthorizeRequest("login_hint=alice")).Login())
	if pendingAt(t, s, browser, next) == nil {
		t.Error("got nothing unchanged, want the request")
	}
	for i := len("/o/consent?request="); i < len(next); i += 7 {
		other := "A"
		if next[i] == 'A' {
			other = "B"
		}
		changed := next[:i] + other + next[i+1:]
		expectNothing(t, s, browser, fmt.Sprintf("byte %d", i), changed, false)
	}
	for name, changed := range map[string]string{
		"shorter":            next[:len(next)-1],
		"longer":             next + "A",
		"line break":         next + "\n",
		"another parameter":  strings.Replace(next, "request=", "interaction=", 1),
		"repeated":           "/o/consent?request=A&" + strings.TrimPrefix(next, "/o/consent?"),
		"beside a client_id": "/o/consent?client_id=web",
		"endpoint":           strings.Replace(next, "/o/consent", "/o/authorize", 1),
		"application":        "/o/authorize?" + s.Web.AuthorizeRequest().Encode(),
		"plain text":         "/o/consent?request=web",
		"interaction":        "/o/consent?interaction=oin_" + strings.Repeat("A", 43),
		"another host":       "https://evil.test" + next,
	} {
		expectNothing(t, s, browser, name, changed, false)
	}
}

func finishedLogin(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	stored := "/o/consent?interaction=" + interactionOf(page)
	alice.Decide(page, "allow").Code()
	expectNothing(t, s, alice, "decided", stored, false)

	browser := s.Browser("")
	next := nextOf(browser.Authorize(s.Web.AuthorizeRequest()).Login())
	s.Clock.Advance(30*time.Minute - time.Microsecond)
	if pendingAt(t, s, browser, next) == nil {
		t.Error("got nothing before the expiry, want the request")
	}
	s.Clock.Advance(time.Microsecond)
	expectNothing(t, s, browser, "expired", next, false)
}

// applicationSearch expects the login page to say nothing about an application that the
// authorization endpoint would not send its user to.
func applicationSearch(t *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	for _, id := range []string{"web", "evil", "unknown"} {
		for _, path := range []string{"/o/consent?client_id=", "/o/authorize?client_id=", "/o/applications/", "/o/consent?request="} {
			expectNothing(t, s, browser, path+id, path+id, false)
		}
	}
	for client, change := range map[*fixture.Client]func(app *oauthkit.AbstractApplication){
		s.Web:     func(app *oauthkit.AbstractApplication) { app.Scopes = oauthkit.Scopes{"api:read"} },
		s.WebPost: func(app *oauthkit.AbstractApplication) { app.RedirectURIs = oauthkit.URIs{"https://rp.test/other"} },
		s.SPA:     func(app *oauthkit.AbstractApplication) { app.Disabled = true },
		s.Evil:    nil, // deleted
	} {
		next := nextOf(browser.Authorize(client.AuthorizeRequest()).Login())
		if pending := pendingAt(t, s, browser, next); pending == nil || pending.Application.GetID() != client.ID {
			t.Errorf("%s: got %+v, want its request", client.ID, pending)
		}
		if change != nil {
			s.UpdateApplication(client.ID, change)
		} else {
			s.RemoveApplication(client.ID)
		}
		expectNothing(t, s, browser, client.ID+" changed", next, true)
	}
}

// failedLogin expects a failure of the store to be an error and not "no request".
func failedLogin(t *testing.T, s *fixture.Server) {
	browser, alice := s.Browser(""), s.Browser("alice")
	next := nextOf(browser.Authorize(s.Web.AuthorizeRequest()).Login())
	stored := "/o/consent?interaction=" + interactionOf(alice.Open(s.Web.AuthorizeRequest()).Consent())
	for _, waiting := range []struct {
		browser *fixture.Browser
		next    string
		calls   int
	}{{browser, next, 1}, {alice, stored, 2}} {
		for call := 1; call <= waiting.calls; call++ {
			s.Store.Fail(call)
			pending, err := tryPendingAt(s, waiting.browser, waiting.next)
			if pending != nil || oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
				t.Errorf("got %+v, %v, want an error that the store is not available", pending, err)
			}
		}
		s.Store.Heal()
		if pendingAt(t, s, waiting.browser, waiting.next) == nil {
			t.Error("got nothing after the failure, want the request")
		}
	}
}

// quietLogin expects the parameters for the login page in no log and in no event.
func quietLogin(t *testing.T, s *fixture.Server) {
	const hint, class = "somebody-at-home", "urn-of-a-class"
	said := []string{"login_hint=" + hint, "acr_values=" + class}
	browser := s.Browser("")
	next := nextOf(browser.Authorize(s.Web.AuthorizeRequest(said...)).Login())
	if pending := pendingAt(t, s, browser, next); pending == nil || pending.LoginHint != hint {
		t.Errorf("got %+v, want the hint", pending)
	}
	s.Browser("alice").Approve(s.Web.AuthorizeRequest(said...)).Code()
	browser.Authorize(s.Web.AuthorizeRequest(append(said, "prompt=none")...)).Refused("login_required")
	browser.Authorize(s.Web.AuthorizeRequest("login_hint=" + strings.Repeat(hint, 100))).Refused("invalid_request")
	browser.Authorize(s.Web.AuthorizeRequest("acr_values=" + strings.Repeat(class, 100))).Refused("invalid_request")
	s.Store.Fail(0)
	if _, err := tryPendingAt(s, browser, next); err == nil || strings.Contains(err.Error(), hint) {
		t.Errorf("got %v, want an error without the hint", err)
	}
	browser.Authorize(s.Web.AuthorizeRequest(said...)).Unavailable()
	s.Store.Heal()
	s.RemoveApplication("web")
	expectNothing(t, s, browser, "removed", next, true)
	recorded := s.Log.String() + fmt.Sprintf("%+v", s.Events.All())
	if !strings.Contains(recorded, "login_hint is longer than") {
		t.Errorf("got log and events without the refusal, want it: otherwise the test checks nothing:\n%s", recorded)
	}
	for _, value := range []string{hint, class} {
		if strings.Contains(recorded, value) {
			t.Errorf("got %s in the log or an event, want it absent", value)
		}
	}
}
