package attacktest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestRevocation tests the revocation of tokens (RFC 7009).
func TestRevocation(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "I-08 revoking either token", Test: revokeEither},
		{Name: "I-09 application disconnected by the user", Test: removedByUser},
		{Name: "I-10 revoking a token of another application", Test: revokeForeign},
		{Name: "I-11 public application", Test: revokePublic},
		{Name: "I-12 unknown token", Test: revokeUnknown},
		{Name: "I-13 store failure", Test: revokeUnavailable},
		{Name: "I-14 no authentication", Test: revokeUnauthenticated},
		{Name: "I-15 revoking many times", Test: revokeManyTimes},
		{Name: "I-16 access tokens that look like JWTs", Configure: withJWTs, Test: revokeJWT},
	})
}

func revokeEither(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	other := alice.Tokens(s.Web)
	for _, credential := range []func(fixture.Tokens) string{
		func(tokens fixture.Tokens) string { return tokens.Access },
		func(tokens fixture.Tokens) string { return tokens.Refresh },
	} {
		first := alice.Tokens(s.Web)
		second := s.Web.Refresh(first.Refresh).Tokens()
		answer := s.Web.Revoke(credential(second))
		answer.OK()
		if answer.Body != "" {
			t.Errorf("got body %q, want none", answer.Body)
		}
		ended(s, s.Web, first, second)
	}
	s.Web.Refresh(other.Refresh).Tokens()            // another sign-in has another Authorization
	alice.Authorize(s.Web.AuthorizeRequest()).Code() // the consent is still remembered
	for _, event := range fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events) {
		if event.Reason != oauthkit.RevokedByApplication || event.ClientID != "web" || event.Subject != "alice" {
			t.Errorf("got events %+v, want alice's Authorization revoked by web", event)
		}
	}
}

// removedByUser makes the calls of the page of connected applications.
func removedByUser(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	first, code, others := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code(), alice.Tokens(s.WebPost)
	for range 2 { // the second call has no effect
		if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
			t.Fatal(err)
		}
	}
	ended(s, s.Web, first)
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(others.Access).Active()
	alice.Open(s.Web.AuthorizeRequest()).Consent()
}

func revokeForeign(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for _, client := range []*fixture.Client{s.Evil, s.SPA, s.RS} {
		for _, token := range []string{tokens.Access, tokens.Refresh} {
			answer := client.Revoke(token)
			answer.OK()
			if answer.Body != "" {
				t.Errorf("got body %q, want none", answer.Body)
			}
		}
	}
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Refresh(tokens.Refresh).Tokens()
	misused := fixture.EventsOf[oauthkit.CredentialMisused](s.Events)
	if len(misused) != 6 || misused[0].ClientID != "evil" || misused[0].OwnerID != "web" || misused[0].Credential != "access_token" {
		t.Errorf("got events %+v, want one for each attempt", misused)
	}
	if revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events); len(revoked) != 0 {
		t.Errorf("got events %+v, want no revocation", revoked)
	}
}

func revokePublic(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, client := range []*fixture.Client{s.SPA, s.CLI} {
		tokens := alice.Tokens(client)
		client.Revoke(tokens.Refresh).OK()
		s.RS.Introspect(tokens.Access).Inactive()
		client.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	}
	tokens := alice.Tokens(s.SPA)
	s.CLI.Revoke(tokens.Refresh).OK() // a token of another application
	s.SPA.Revoke(tokens.Refresh, "client_id=web").Unauthorized()
	s.SPA.Refresh(tokens.Refresh).Tokens()
}

func revokeUnknown(_ *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for _, unknown := range []string{"a", secret.New(secret.AccessToken), secret.New(secret.RefreshToken), "é", " " + tokens.Access, tokens.Access + "a"} {
		s.Web.Revoke(unknown).OK()
	}
	for _, override := range []string{"token", "token=", "+token=" + tokens.Access, "token=\x00", "token=\xff"} {
		s.Web.Revoke(tokens.Access, override).ErrorJSON(400, "invalid_request")
	}
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Revoke(tokens.Access).OK()
	s.Web.Revoke(tokens.Access).OK()
}

func revokeUnavailable(_ *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.Store.Fail(0)
	s.Web.Revoke(tokens.Access).Unavailable()
	s.Web.Revoke(tokens.Refresh).Unavailable()
	s.Web.Revoke(secret.New(secret.AccessToken)).Unavailable() // whether it exists is unknown
	s.Store.Heal()
	s.RS.Introspect(tokens.Access).Active()
	s.Store.FailAfter("RevokeAuthorization")
	s.Web.Revoke(tokens.Access).Unavailable()
	s.Store.Heal()
	ended(s, s.Web, tokens)
	s.Web.Revoke(tokens.Access).OK()
}

func revokeUnauthenticated(_ *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.Do(fixture.NewRequest(http.MethodPost, "/o/revoke_token", url.Values{"token": {tokens.Access}})).Unauthorized()
	s.SPA.Revoke(tokens.Access, "client_id=web").Unauthorized()
	s.SPA.Revoke(tokens.Access, "client_id=web", "client_secret=").Unauthorized()
	s.SPA.Revoke(tokens.Access, "client_id=nobody").Unauthorized()
	wrong := *s.Web
	wrong.Secret = s.Evil.Secret
	wrong.Revoke(tokens.Access).Unauthorized()
	s.RS.Introspect(tokens.Access).Active()
}

func revokeManyTimes(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	clients := [2]*fixture.Client{s.Web, s.SecondInstance().Web}
	fixture.Race(100, func(i int) {
		clients[i%2].Revoke([]string{tokens.Refresh, tokens.Access}[i/2%2]).OK()
	})
	if events := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events); len(events) != 1 {
		t.Errorf("got %d revocation events, want one", len(events))
	}
	ended(s, s.Web, tokens)
}

// jwts generates access tokens that look like JWTs, as a generator of go-oauth2 can.
type jwts struct{}

// Token implements [oauth2.AccessGenerate].
func (jwts) Token(context.Context, *oauth2.GenerateBasic, bool) (access, refresh string, err error) {
	return "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9." + secret.New("") + "." + secret.New(""), "", nil
}

func withJWTs(config *oauthkit.Config, _ storetest.Store) { config.AccessTokens = jwts{} }

// revokeJWT shows that the format of a token makes no difference.
func revokeJWT(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.RS.Introspect(tokens.Access).Active()
	s.Bearer("/api/read", tokens.Access).OK()
	s.Web.Revoke(tokens.Access).OK()
	ended(s, s.Web, tokens)
	s.RS.Introspect(tokens.ID).Inactive() // an ID token is not an access token
	if calls := s.Store.Calls(); !slices.Contains(calls, "RevokeAuthorization") {
		t.Errorf("got store calls %v, want a revocation", calls)
	}
}
