package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

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
