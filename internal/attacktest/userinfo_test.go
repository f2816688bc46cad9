package attacktest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestUserInfo tests which claims the userinfo endpoint returns.
func TestUserInfo(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "U-02 a user's token without openid", Test: func(t *testing.T, s *fixture.Server) {
			token := s.Browser("alice").Tokens(s.Web, "scope=api:read").Access
			challenged(t, s.Bearer("/o/userinfo", token), 403, insufficientScope)
		}},
		{Name: "U-06 token without a user", Test: machineToken},
		{Name: "U-07 claims by scope", Test: claimsByScope},
	})
}

func machineToken(t *testing.T, s *fixture.Server) {
	challenged(t, s.Bearer("/o/userinfo", s.Service.ClientCredentials("scope=api:read").Tokens().Access), 403, insufficientScope)
	planted := s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "machine", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
		Scopes: oauthkit.Scopes{"openid", "email"},
	})
	tokens := planted.ClientCredentials("scope=openid email").Tokens()
	challenged(t, s.Bearer("/o/userinfo", tokens.Access), 403, insufficientScope)
	if tokens.ID != "" {
		t.Error("got an ID token without a user, want none")
	}
}

func claimsByScope(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for scope, want := range map[string]map[string]any{
		"openid":               {"sub": "alice"},
		"openid email":         {"sub": "alice", "email": "alice@users.test", "email_verified": true},
		"openid profile":       {"sub": "alice", "name": "Alice Example"},
		"openid profile email": {"sub": "alice", "name": "Alice Example", "email": "alice@users.test", "email_verified": true},
	} {
		tokens := alice.Tokens(s.Web, "scope="+scope)
		got := userClaims(t, s, tokens.Access)
		if !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", scope, got, want)
		}
		if sub := claimsOf(t, tokens.ID)["sub"]; sub != got["sub"] {
			t.Errorf("%s: got sub %v, want that of the ID token, %v", scope, got["sub"], sub)
		}
	}
	all := alice.Tokens(s.Web, "scope=openid profile email")
	narrowed := userClaims(t, s, s.Web.Refresh(all.Refresh, "scope=openid").Tokens().Access)
	if names := slices.Sorted(maps.Keys(narrowed)); !slices.Equal(names, []string{"sub"}) {
		t.Errorf("got %v for a token with fewer scopes than were approved, want only sub", names)
	}
}

func userClaims(t *testing.T, s *fixture.Server, token string) map[string]any {
	t.Helper()
	answer := s.Bearer("/o/userinfo", token)
	answer.OK()
	var claims map[string]any
	if err := json.Unmarshal([]byte(answer.Body), &claims); err != nil {
		t.Errorf("got %q, want JSON: %v", answer.Body, err)
	}
	return claims
}
