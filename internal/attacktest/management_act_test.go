package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
)

// TestManagementAct is about what an act on the pages has done when it is answered, and what it has not when the store failed.
func TestManagementAct(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-09 tokens of a deleted application", Test: deletedApplication},
		{Name: "a store that fails", Test: managementOutage},
	})
}

func deletedApplication(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	client := owned(t, s, "alice")
	tokens := bob.Tokens(client)
	code := bob.Approve(client.AZ()).Code()
	s.Bearer("/api/read", tokens.Access).OK()
	if got := submit(alice, "/o/applications/"+client.ID+"/delete/", url.Values{}); got.Status != http.StatusSeeOther {
		t.Errorf("%s: got %d, want 303", got, got.Status)
	}
	if got := s.Bearer("/api/read", tokens.Access); got.Status != http.StatusUnauthorized {
		t.Errorf("%s: got %d with a token of a deleted application, want 401", got, got.Status)
	}
	client.RF(tokens.Refresh).Unauthorized()
	client.TK(code).Unauthorized()
	if ids := signInsOf(s, bob); len(ids) > 0 {
		t.Errorf("got sign-ins %v with a deleted application, want none", ids)
	}
}

// managementOutage makes every call of the store fail, and then each one alone. An answer is 503, and never that there is no such
// thing; a secret that is in force is shown, whatever fails after it.
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
		s.Store.Forget()
		s.Store.Fail(call)
		answer := alice.Do(secret.request(token))
		rotated, made := slices.Contains(s.Store.Calls(), "UpdateApplication"), len(s.Store.Calls())
		s.Store.Heal()
		switch {
		case made < call:
			return
		case answer.Status == http.StatusServiceUnavailable && (!rotated || s.Store.Calls()[made-1] == "UpdateApplication"):
		case answer.Status != http.StatusOK || !strings.Contains(answer.Body, "ocs_"):
			t.Errorf("call %d failed: got %d, want 503, or the secret that is in force", call, answer.Status)
		}
	}
}

// TestUnredeemed is about what a user, or an application that the user has approved, can make without ever using it.
func TestUnredeemed(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "Q-07 codes that are never redeemed", Test: unredeemed},
	})
}

// unredeemed makes codes that are never redeemed: they are no sign-ins, and all of them is gone an hour after the last code ended.
func unredeemed(t *testing.T, s *fixture.Server) {
	bob, client := s.Browser("bob"), s.Web
	tokens := bob.Tokens(client)
	s.Clock.Advance(time.Second)
	for range 20 {
		bob.Authorize(client.AZ()).Code()
	}
	if ids := signInsOf(s, bob); len(ids) != 1 {
		t.Errorf("got sign-ins %v, want the one that has tokens", ids)
	}
	s.Clock.Advance(time.Minute + time.Hour)
	removed, err := s.Store.Cleanup(t.Context(), oauthkit.CleanupLimits{Now: s.Clock.Now()})
	if err != nil || removed["authorizations"] != 20 || removed["authorization_codes"] < 20 {
		t.Errorf("got %v (%v) removed, want the 20 codes with what they were for", removed, err)
	}
	if ids := signInsOf(s, bob); len(ids) != 1 {
		t.Errorf("got sign-ins %v afterwards, want the one that has tokens", ids)
	}
	client.RF(tokens.Refresh).OK()
}
