package attacktest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestIntrospection tests which caller learns what about a token (RFC 7662).
func TestIntrospection(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "I-01 authentication", Test: introspectionAuthentication},
		{Name: "I-02 invalid tokens", Test: invalidTokens},
		{Name: "I-03 tokens of other applications", Test: tokensOfOthers},
		{Name: "I-04 active token", Test: activeToken},
		{Name: "I-05 hints", Test: tokenHints},
		{Name: "I-06 methods", Test: introspectionMethods},
		{Name: "I-07 fresh on every instance", Test: freshIntrospection},
		{Name: "I-17 other credentials", Test: introspectOther},
		{Name: "I-18 user deactivated", Test: deactivatedIntrospected},
	})
}

func introspectionAuthentication(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	reading := s.Service.ClientCredentials("scope=api:read").Tokens()
	s.Do(fixture.NewRequest(http.MethodPost, "/o/introspect", url.Values{"token": {tokens.Access}})).Unauthorized()
	s.SPA.Introspect(tokens.Access).Unauthorized()
	s.SPA.Introspect(tokens.Access, "client_id=rs").Unauthorized()
	s.SPA.Introspect(s.Browser("alice").Tokens(s.SPA).Access).Unauthorized() // not even for its own token
	challenged(t, byToken(s, reading.Access, tokens.Access), 403, insufficientScope)
	challenged(t, byToken(s, tokens.Access, tokens.Access), 401, invalidToken)
	for _, authorization := range []string{"Basic", "Basic %%%", "Basic cnM=", "Basic cnM6"} {
		request := fixture.NewRequest(http.MethodPost, "/o/introspect", url.Values{"token": {tokens.Access}})
		request.Header.Set("Authorization", authorization)
		s.Do(request).Unauthorized()
	}
	wrong := *s.RS
	wrong.Secret = s.Web.Secret
	wrong.Introspect(tokens.Access).Unauthorized()
	s.RS.Introspect(tokens.Access).Active()
}

func invalidTokens(_ *testing.T, s *fixture.Server) {
	expired := s.Browser("alice").Tokens(s.Web)
	s.Clock.Advance(10 * time.Minute)
	revoked := s.Browser("alice").Tokens(s.Web)
	s.Web.Revoke(revoked.Refresh).OK()
	for _, value := range []string{
		expired.Access, revoked.Access, revoked.Refresh, secret.New(secret.AccessToken), secret.New(secret.RefreshToken), "a", "\n", " ", "é",
		strings.Repeat("a", 5000), "oat_", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL290aGVyLnRlc3QiLCJzdWIiOiJhbGljZSJ9.",
	} {
		s.RS.Introspect(value).Inactive()
		s.Web.Introspect(value).Inactive()
	}
	s.Web.Introspect(expired.Refresh).Active()
}

// tokensOfOthers tests who may introspect: the application that a token was issued
// to, and for access tokens an application with the scope introspection.
func tokensOfOthers(_ *testing.T, s *fixture.Server) {
	tokens, machine := s.Browser("alice").Tokens(s.Web), s.Service.ClientCredentials("scope=api:read").Tokens()
	for _, client := range []*fixture.Client{s.Evil, s.WebPost, s.Service} {
		client.Introspect(tokens.Access).Inactive()
		client.Introspect(tokens.Refresh).Inactive()
	}
	s.Web.Introspect(machine.Access).Inactive()
	s.RS.Introspect(tokens.Refresh).Inactive() // refresh tokens are not for APIs
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Introspect(tokens.Access).Active()
	s.Web.Introspect(tokens.Refresh).Active()
	s.Service.Introspect(machine.Access).Active()
}

func activeToken(t *testing.T, s *fixture.Server) {
	now := float64(s.Clock.Now().Unix())
	tokens, machine := s.Browser("alice").Tokens(s.Web), s.Service.ClientCredentials("scope=api:read").Tokens()
	for _, test := range []struct {
		name      string
		got, want map[string]any
	}{
		{"access token", s.RS.Introspect(tokens.Access).Active(), map[string]any{
			"active": true, "client_id": "web", "sub": "alice", "scope": "openid api:read", "iat": now, "exp": now + 600,
			"iss": fixture.Issuer, "token_type": "Bearer", "auth_time": now,
		}},
		{"refresh token", s.Web.Introspect(tokens.Refresh).Active(), map[string]any{
			"active": true, "client_id": "web", "sub": "alice", "scope": "openid api:read", "iat": now, "exp": now + 30*24*3600,
			"iss": fixture.Issuer, "auth_time": now,
		}},
		{"token without a user", s.RS.Introspect(machine.Access).Active(), map[string]any{
			"active": true, "client_id": "svc", "scope": "api:read", "iat": now, "exp": now + 600, "iss": fixture.Issuer, "token_type": "Bearer",
		}},
		{"token without scopes", s.RS.Introspect(s.Service.ClientCredentials().Tokens().Access).Active(), map[string]any{
			"active": true, "client_id": "svc", "iat": now, "exp": now + 600, "iss": fixture.Issuer, "token_type": "Bearer",
		}},
	} {
		if !maps.Equal(test.got, test.want) {
			t.Errorf("%s: got %v, want exactly %v", test.name, test.got, test.want)
		}
	}
}

func tokenHints(_ *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for _, hint := range []string{"access_token", "refresh_token", "x", "", "id_token", "pkce'--"} {
		s.RS.Introspect(tokens.Access, "token_type_hint="+hint).Active()
		s.Web.Introspect(tokens.Refresh, "token_type_hint="+hint).Active()
	}
	for _, broken := range []string{"token_type_hint=" + strings.Repeat("a", 10<<10), "token_type_hint=\x00", "+token_type_hint=a", "+token_type_hint=a\xff"} {
		s.RS.Introspect(tokens.Access, "token_type_hint=access_token", broken).ErrorJSON(400, "invalid_request")
		s.Web.Revoke(tokens.Access, "token_type_hint=access_token", broken).ErrorJSON(400, "invalid_request")
	}
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Revoke(tokens.Refresh, "token_type_hint=access_token").OK()
	s.RS.Introspect(tokens.Access).Inactive()
}

func introspectionMethods(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for _, path := range []string{"/o/introspect", "/o/revoke_token", "/o/token"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			request := fixture.NewRequest(method, path, url.Values{"token": {tokens.Access}})
			request.SetBasicAuth("web", s.Web.Secret)
			if answer := s.Do(request); answer.Status != 405 || !slices.Equal(answer.Header["Allow"], []string{"POST"}) {
				t.Errorf("%s %s: got %d with Allow %q, want 405 and POST", method, path, answer.Status, answer.Header["Allow"])
			}
		}
	}
	for _, path := range []string{"/o/introspect", "/o/revoke_token"} {
		s.Web.Send(path+"?token="+tokens.Access, url.Values{}).ErrorJSON(400, "invalid_request")
		s.Web.Send(path, url.Values{}).ErrorJSON(400, "invalid_request")
		s.Web.Send(path, url.Values{"token": {""}}).ErrorJSON(400, "invalid_request")
		s.Web.Send(path, url.Values{"token": {tokens.Access, tokens.Access}}).ErrorJSON(400, "invalid_request")
	}
	s.RS.Introspect(tokens.Access).Active()
}

// freshIntrospection asks one instance immediately after the other has changed
// the token.
func freshIntrospection(_ *testing.T, s *fixture.Server) {
	other := s.SecondInstance()
	alice := s.Browser("alice")
	for range 100 {
		tokens := alice.Tokens(s.Web, "scope=api:read")
		other.RS.Introspect(tokens.Access).Active() // which must not be cached
		s.Web.Revoke(tokens.Access).OK()
		other.RS.Introspect(tokens.Access).Inactive()
	}
}

func introspectOther(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	asked := alice.Authorize(s.Web.AuthorizeRequest())
	page := alice.Follow(asked).Consent()
	location, err := url.Parse(asked.Location())
	if err != nil {
		t.Fatal(err)
	}
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	values := []string{tokens.ID, code, s.Web.Secret, s.RS.Secret, secret.Hash(tokens.Access), fixture.Verifier, "web", "alice", location.Query().Get("interaction")}
	for _, cookie := range alice.Cookies() {
		values = append(values, cookie.Value)
	}
	for _, value := range values {
		s.RS.Introspect(value).Inactive()
		s.Web.Introspect(value).Inactive()
		s.Web.Revoke(value).OK() // and has no effect
	}
	s.Web.Redeem(code).Tokens()
	s.RS.Introspect(tokens.Access).Active()
	alice.Decide(page, "allow").Code()
}

func deactivatedIntrospected(_ *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice").Tokens(s.Web), s.Browser("bob").Tokens(s.Web)
	s.Users.Deactivate("alice")
	s.RS.Introspect(alice.Access).Inactive()
	s.Web.Introspect(alice.Access).Inactive()
	s.Web.Introspect(alice.Refresh).Inactive()
	s.RS.Introspect(bob.Access).Active()
}
