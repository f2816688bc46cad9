package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestIntrospectionByToken authenticates at the introspection endpoint by an access token
// (RFC 7662 §2.1). Only a token that an application got for itself, with the scope
// introspection, is accepted.
func TestIntrospectionByToken(t *testing.T) {
	cases := []fixture.Case{
		{Name: "I-01 tokens of applications that may introspect", Test: introspectByToken},
		{Name: "I-01 other tokens", Test: introspectByOtherToken},
		{Name: "I-01 two proofs", Test: introspectByTwoProofs},
		{Name: "I-01 the scope is for no user", Test: introspectionForUser},
		{Name: "I-03 tokens of other applications", Test: othersByToken},
	}
	for i := range cases {
		cases[i].Configure = func(config *oauthkit.Config, _ storetest.Store) { config.Resources = []string{"https://api.test"} }
	}
	fixture.Run(t, cases)
}

// introspector registers an application that may introspect, with these grant types.
func introspector(t *testing.T, s *fixture.Server, change func(app *oauthkit.AbstractApplication)) *fixture.Client {
	t.Helper()
	app := &oauthkit.AbstractApplication{
		ClientID: "gateway", Name: "Gateway", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://gateway.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials, oauth2.AuthorizationCode, oauth2.Refreshing},
		Scopes:     oauthkit.Scopes{oauthkit.IntrospectionScope, "api:read", "openid"},
	}
	if change != nil {
		change(app)
	}
	client, err := s.Register(app)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// byToken introspects a token with an access token.
func byToken(s *fixture.Server, access, token string, parameters ...string) *fixture.Answer {
	form := url.Values{"token": {token}}
	for _, parameter := range parameters {
		name, value, _ := strings.Cut(parameter, "=")
		form.Add(name, value)
	}
	request := fixture.NewRequest(http.MethodPost, "/o/introspect", form)
	request.Header.Set("Authorization", "Bearer "+access)
	return s.Do(request)
}

func introspectByToken(t *testing.T, s *fixture.Server) {
	gateway, tokens := introspector(t, s, nil), s.Browser("alice").Tokens(s.Web)
	own := gateway.ClientCredentials("scope=introspection api:read").Tokens()
	byToken(s, own.Access, tokens.Access).Active()
	byToken(s, own.Access, tokens.Access, "client_id=gateway").Active()
	byToken(s, own.Access, own.Access).Active()
	byToken(s, own.Access, "nonsense").Inactive()
	byToken(s, own.Access, tokens.Access, "client_id=web").ErrorJSON(400, "invalid_request")
	byToken(s, own.Access, "").ErrorJSON(400, "invalid_request")
	// The scope says nothing elsewhere.
	for _, path := range []string{"/o/token", "/o/revoke_token"} {
		request := fixture.NewRequest(http.MethodPost, path, url.Values{"token": {tokens.Access}, "grant_type": {"client_credentials"}})
		request.Header.Set("Authorization", "Bearer "+own.Access)
		s.Do(request).Unauthorized()
	}
	s.Clock.Advance(10 * time.Minute)
	challenged(t, byToken(s, own.Access, tokens.Refresh), 401, invalidToken)
}

func introspectByOtherToken(t *testing.T, s *fixture.Server) {
	gateway, tokens := introspector(t, s, nil), s.Browser("alice").Tokens(s.Web)
	for _, scope := range []string{"", "api:read"} { // a default is never introspection
		access := gateway.ClientCredentials("scope=" + scope).Tokens().Access
		challenged(t, byToken(s, access, tokens.Access), 403, insufficientScope+`, scope="introspection"`)
		challenged(t, byToken(s, access, access), 403, insufficientScope)
	}
	user := s.Browser("alice").Tokens(gateway)
	restricted := gateway.ClientCredentials("scope=introspection", "resource=https://api.test").Tokens()
	revoked := gateway.ClientCredentials("scope=introspection").Tokens()
	gateway.Revoke(revoked.Access).OK()
	for name, access := range map[string]string{
		"of a user": user.Access, "refresh token": user.Refresh, "of another API": restricted.Access, "revoked": revoked.Access,
		"secret": gateway.Secret, "made up": "oat_nonsense",
	} {
		t.Run(name, func(t *testing.T) { challenged(t, byToken(s, access, tokens.Access), 401, invalidToken) })
	}
	request := fixture.NewRequest(http.MethodPost, "/o/introspect", url.Values{"token": {tokens.Access}, "access_token": {revoked.Access}})
	s.Do(request).Unauthorized() // not in the body
}

func introspectByTwoProofs(t *testing.T, s *fixture.Server) {
	gateway, tokens := introspector(t, s, nil), s.Browser("alice").Tokens(s.Web)
	own := gateway.ClientCredentials("scope=introspection").Tokens()
	for _, proof := range []string{"client_secret=" + gateway.Secret, "client_assertion=x", "client_assertion_type=x"} {
		byToken(s, own.Access, tokens.Access, proof).ErrorJSON(400, "invalid_request")
	}
	for _, header := range [][]string{{"Bearer " + own.Access, "Basic eA=="}, {"Basic eA==", "Bearer " + own.Access}, {"Bearer " + own.Access, "Bearer " + own.Access}} {
		request := fixture.NewRequest(http.MethodPost, "/o/introspect", url.Values{"token": {tokens.Access}})
		request.Header["Authorization"] = header
		s.Do(request).ErrorJSON(400, "invalid_request")
	}
}

// introspectionForUser tests that a user cannot be asked for the scope, and that it is in
// no list.
func introspectionForUser(t *testing.T, s *fixture.Server) {
	gateway := introspector(t, s, nil)
	alice := s.Browser("alice")
	alice.Authorize(gateway.AuthorizeRequest("scope=openid introspection")).Refused("invalid_scope")
	tokens := alice.Tokens(gateway)
	gateway.Refresh(tokens.Refresh, "scope=introspection").ErrorJSON(400, "invalid_scope")
	s.Service.ClientCredentials("scope=introspection").ErrorJSON(400, "invalid_scope")
	metadata := s.Do(fixture.NewRequest(http.MethodGet, "/.well-known/oauth-authorization-server/o", nil)).OK().Members()
	for _, scope := range metadata["scopes_supported"].([]any) {
		if scope == oauthkit.IntrospectionScope {
			t.Errorf("got the scopes %v, want a list without introspection", metadata["scopes_supported"])
		}
	}
}

// othersByToken changes an application after it got its token.
func othersByToken(t *testing.T, s *fixture.Server) {
	gateway, tokens := introspector(t, s, nil), s.Browser("alice").Tokens(s.Web)
	own := gateway.ClientCredentials("scope=introspection").Tokens()
	byToken(s, own.Access, tokens.Refresh).Inactive() // refresh tokens are not for APIs
	s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "gateway", Name: "Gateway", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	})
	challenged(t, byToken(s, own.Access, tokens.Access), 403, insufficientScope)
	challenged(t, byToken(s, own.Access, own.Access), 403, insufficientScope)
	s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "gateway", Name: "Gateway", ClientType: oauthkit.Public, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
	})
	challenged(t, byToken(s, own.Access, tokens.Access), 403, insufficientScope)
	s.AddUnchecked(&oauthkit.AbstractApplication{
		ClientID: "gateway", Name: "Gateway", ClientType: oauthkit.Confidential, Disabled: true, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
	})
	challenged(t, byToken(s, own.Access, tokens.Access), 401, invalidToken)
}
