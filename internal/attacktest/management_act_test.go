package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestManagementAct tests the effect of an act on the management pages, and that
// there is none if the store failed.
func TestManagementAct(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-09 tokens of a deleted application", Test: deletedApplication},
		{Name: "store failure", Test: managementOutage},
	})
}

func deletedApplication(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	client := owned(t, s, "alice")
	tokens := bob.Tokens(client)
	code := bob.Approve(client.AuthorizeRequest()).Code()
	s.Bearer("/api/read", tokens.Access).OK()
	if got := submit(alice, "/o/applications/"+client.ID+"/delete/", url.Values{}); got.Status != http.StatusSeeOther {
		t.Errorf("%s: got %d, want 303", got, got.Status)
	}
	if got := s.Bearer("/api/read", tokens.Access); got.Status != http.StatusUnauthorized {
		t.Errorf("%s: got %d with a token of a deleted application, want 401", got, got.Status)
	}
	client.Refresh(tokens.Refresh).Unauthorized()
	client.Redeem(code).Unauthorized()
	if ids := signInsOf(s, bob); len(ids) > 0 {
		t.Errorf("got sign-ins %v with a deleted application, want none", ids)
	}
}

// managementOutage makes every store call fail, and then each one alone. The answer
// must be 503, never 404. A secret that has taken effect is shown despite later
// failures.
func managementOutage(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	alice.Tokens(client)
	signIn := signInsOf(s, alice)[0]
	lists := []managedRoute{{http.MethodGet, "/o/applications/", "", ""}, {http.MethodGet, "/o/api/applications", "", ""}, {http.MethodGet, "/o/authorized_tokens/", "", ""}, {http.MethodGet, "/o/api/authorized_tokens", "", ""}}
	for _, route := range append(routesOf(client.ID, signIn), lists...) {
		s.Store.Fail(0)
		alice.Do(route.request("x")).Unavailable()
		s.Store.Heal()
	}
	token := tokenOf(alice.Get("/o/applications/" + client.ID + "/secret/"))
	secret := managedRoute{http.MethodPost, "/o/applications/" + client.ID + "/secret/", "application/x-www-form-urlencoded", "token=TOKEN"}
	for call := 1; ; call++ {
		s.Store.ClearCalls()
		s.Store.Fail(call)
		answer := alice.Do(secret.request(token))
		rotated, made := slices.Contains(s.Store.Calls(), "UpdateApplication"), len(s.Store.Calls())
		s.Store.Heal()
		switch {
		case made < call:
			return
		case answer.Status == http.StatusServiceUnavailable && (!rotated || s.Store.Calls()[made-1] == "UpdateApplication"):
		case answer.Status != http.StatusOK || !strings.Contains(answer.Body, "ocs_"):
			t.Errorf("call %d failed: got %d, want 503, or the new secret if it took effect", call, answer.Status)
		}
	}
}

// TestUnredeemed tests credentials that a user, or an application they approved,
// requests and never uses.
func TestUnredeemed(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "Q-07 codes that are never redeemed", Test: unredeemed},
	})
}

// unredeemed requests codes that are never redeemed. They do not count as sign-ins,
// and are deleted an hour after the last code expired.
func unredeemed(t *testing.T, s *fixture.Server) {
	bob, client := s.Browser("bob"), s.Web
	tokens := bob.Tokens(client)
	s.Clock.Advance(time.Second)
	for range 20 {
		bob.Authorize(client.AuthorizeRequest()).Code()
	}
	if ids := signInsOf(s, bob); len(ids) != 1 {
		t.Errorf("got sign-ins %v, want only the one with tokens", ids)
	}
	s.Clock.Advance(time.Minute + time.Hour)
	removed, err := s.Store.Cleanup(t.Context(), oauthkit.CleanupLimits{Now: s.Clock.Now()})
	if err != nil || removed["authorizations"] != 20 || removed["authorization_codes"] < 20 {
		t.Errorf("got %v (%v) removed, want the 20 codes with their authorizations", removed, err)
	}
	if ids := signInsOf(s, bob); len(ids) != 1 {
		t.Errorf("got sign-ins %v afterwards, want only the one with tokens", ids)
	}
	client.Refresh(tokens.Refresh).OK()
}

// TestEnded tests applications that receive tokens while they are disabled
// or deleted.
func TestEnded(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-15 tokens issued while an application is disabled", Test: issuedWhileDisabled},
		{Name: "M-16 requests that read an application before it was disabled", Test: readBefore},
	})
}

// issuedWhileDisabled requests tokens in every way while the application is disabled.
// No token may be valid, then or after the application is enabled again.
func issuedWhileDisabled(t *testing.T, s *fixture.Server) {
	bob := s.Browser("bob")
	client := owned(t, s, "alice")
	first := bob.Tokens(client)
	var answers [8]*fixture.Answer
	fixture.Race(len(answers)+1, func(i int) {
		if i == len(answers) {
			disable(t, s, client.ID, true)
			return
		}
		if i%2 == 0 {
			answers[i] = bob.Authorize(client.AuthorizeRequest())
		} else {
			answers[i] = client.Refresh(first.Refresh)
		}
	})
	tokens := []fixture.Tokens{first}
	var codes []string
	for i, answer := range answers {
		switch location, err := url.Parse(answer.Location()); {
		case i%2 == 1 && answer.Status == http.StatusOK:
			tokens = append(tokens, answer.Tokens())
		case i%2 == 0 && err == nil && location.Query().Get("code") != "":
			codes = append(codes, location.Query().Get("code"))
		}
	}
	for _, each := range tokens {
		s.RS.Introspect(each.Access).Inactive()
	}
	disable(t, s, client.ID, false)
	for _, each := range tokens {
		s.RS.Introspect(each.Access).Inactive()
		client.Refresh(each.Refresh).ErrorJSON(http.StatusBadRequest, "invalid_grant")
	}
	for _, code := range codes {
		client.Redeem(code).ErrorJSON(http.StatusBadRequest, "invalid_grant")
	}
	bob.Tokens(client)
}

// readBefore answers requests that read the application before it was disabled, like
// requests in flight.
func readBefore(t *testing.T, s *fixture.Server) {
	bob := s.Browser("bob")
	bob.Tokens(s.Web)
	known := func(client *fixture.Client) *fixture.Client {
		app, err := s.Store.Application(t.Context(), client.ID)
		if err != nil {
			t.Fatal(err)
		}
		disable(t, s, client.ID, true)
		return s.AddUnchecked(oauthkit.Abstract(app))
	}
	known(s.Service).ClientCredentials().Unauthorized()
	if got := bob.Authorize(known(s.Web).AuthorizeRequest()).Location(); !strings.HasPrefix(got, "/login?") || strings.Contains(got, "code=") {
		t.Errorf("got a redirect to %s, want the login page, as after the end of a session", got)
	}
}

func disable(t *testing.T, s *fixture.Server, clientID string, disabled bool) {
	t.Helper()
	app, err := s.Store.Application(t.Context(), clientID)
	if err != nil {
		t.Fatal(err)
	}
	oauthkit.Abstract(app).Disabled = disabled
	if err := s.Store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
		t.Error(err)
	}
}
