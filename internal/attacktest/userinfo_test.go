package attacktest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/storetest"
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
		{Name: "U-07 claims of ID tokens by scope", Test: idTokenClaimsByScope},
		{Name: "U-11 token for another API", Configure: withUserInfoResource, Test: tokenForAnotherAPI},
		{Name: "K-10 reserved claims of the host", Configure: withReservedClaims, Test: reservedClaims},
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

// idTokenClaimsByScope uses an application with claims in its ID tokens. A refresh for
// fewer scopes has fewer claims.
func idTokenClaimsByScope(t *testing.T, s *fixture.Server) {
	yes := true
	client := s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "claimer", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://claimer.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
		Scopes:     oauthkit.Scopes{"openid", "profile", "email"}, IDTokenClaims: &yes,
	})
	alice := s.Browser("alice")
	about := func(token string) string {
		claims := claimsOf(t, token)
		maps.DeleteFunc(claims, func(name string, _ any) bool { return !slices.Contains(oidc.StandardClaims(), name) })
		document, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		return string(document)
	}
	for scope, want := range map[string]string{
		"openid":         `{}`,
		"openid email":   `{"email":"alice@users.test","email_verified":true}`,
		"openid profile": `{"name":"Alice Example"}`,
	} {
		if got := about(alice.Tokens(client, "scope="+scope).ID); got != want {
			t.Errorf("%s: got %s, want %s", scope, got, want)
		}
	}
	if got := about(alice.Tokens(s.Web, "scope=openid profile email").ID); got != `{}` {
		t.Errorf("got %s for an application that did not choose them, want none", got)
	}
	all := alice.Tokens(client, "scope=openid profile email")
	if got, want := about(client.Refresh(all.Refresh, "scope=openid profile").Tokens().ID), `{"name":"Alice Example"}`; got != want {
		t.Errorf("got %s after a refresh for fewer scopes, want %s", got, want)
	}
}

// withUserInfoResource lets clients request tokens that name user info.
func withUserInfoResource(config *oauthkit.Config, _ storetest.Store) {
	config.Resources = append(config.Resources, fixture.Issuer+"/userinfo")
}

// tokenForAnotherAPI calls user info like an API that received the token of a client.
func tokenForAnotherAPI(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web, "scope=openid email", "resource=https://api.test")
	challenged(t, s.Bearer("/o/userinfo", tokens.Access), 401, invalidToken)
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	challenged(t, s.Bearer("/o/userinfo", tokens.Access), 401, invalidToken)

	self := "resource=" + fixture.Issuer + "/userinfo"
	both := alice.Tokens(s.Web, "scope=openid email", "resource=https://api.test", "+"+self)
	if got := userClaims(t, s, both.Access)["email"]; got != "alice@users.test" {
		t.Errorf("got email %v for a token that names user info, want alice's", got)
	}
	api := s.Web.Refresh(both.Refresh, "resource=https://api.test").Tokens()
	challenged(t, s.Bearer("/o/userinfo", api.Access), 401, invalidToken)
	if got := userClaims(t, s, s.Web.Refresh(api.Refresh, self).Tokens().Access)["sub"]; got != "alice" {
		t.Errorf("got sub %v for a token that only names user info, want alice", got)
	}
}

// hostileClaims are claims of the protocol with the values of an attacker, as a host
// would return that copies a user's attributes.
func hostileClaims() map[string]any {
	claims := map[string]any{"name": "Alice Example"}
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash",
		"scope", "client_id", "cnf", "act", "may_act", "sid", "events",
	} {
		claims[name] = "mallory"
	}
	return claims
}

func withReservedClaims(config *oauthkit.Config, store storetest.Store) {
	config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{
		Keys: store, IDTokenUserClaims: true,
		Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
			return oidc.Claims{Extra: hostileClaims()}, nil
		},
		IDTokenClaims: func(context.Context, *oauthkit.Issued) (map[string]any, error) { return hostileClaims(), nil },
	})}
}

func reservedClaims(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web, "scope=openid profile", "nonce=n1")
	for range 2 {
		for name, claims := range map[string]map[string]any{"ID token": claimsOf(t, tokens.ID), "user info": userClaims(t, s, tokens.Access)} {
			if claims["sub"] != "alice" || claims["name"] != "Alice Example" {
				t.Errorf("%s: got %v, want the claims of alice", name, claims)
			}
			for claim, value := range claims {
				if value == "mallory" {
					t.Errorf("%s: got %s of the host, want it dropped", name, claim)
				}
			}
		}
		tokens = s.Web.Refresh(tokens.Refresh).Tokens()
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
