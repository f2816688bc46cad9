package attacktest

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRecycled is about ids that are given out a second time, and about who is switched off.
func TestRecycled(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "V-06 the client_id of an application that was removed", Test: recycledApplication},
		{Name: "V-06 the subject of a user who was removed", Test: recycledUser},
		{Name: "V-07 everything of an application that is disabled", Test: disabledEverywhere},
	})
}

// left is what somebody has from an application.
type left struct {
	tokens  fixture.Tokens
	code    string
	page    *fixture.Answer
	browser *fixture.Browser
}

func leave(s *fixture.Server, user string, client *fixture.Client) left {
	browser := s.Browser(user)
	return left{browser.Tokens(client), browser.Approve(client.AuthorizeRequest()).Code(), browser.Open(client.AuthorizeRequest("prompt=consent")).Consent(), browser}
}

// checkDead wants nothing of it to be good any more, for an application that can authenticate.
func (l left) checkDead(s *fixture.Server, client *fixture.Client) {
	client.Redeem(l.code).ErrorJSON(400, "invalid_grant")
	client.Refresh(l.tokens.Refresh).ErrorJSON(400, "invalid_grant")
	for _, token := range []string{l.tokens.Access, l.tokens.Refresh} {
		s.RS.Introspect(token).Inactive()
		client.Introspect(token).Inactive()
	}
	s.Bearer("/api/read", l.tokens.Access).ErrorJSON(401, "invalid_token")
	s.Bearer("/o/userinfo", l.tokens.Access).ErrorJSON(401, "invalid_token")
}

// recycledApplication removes an application and makes another one with its client_id, as an operator can who chooses it.
func recycledApplication(t *testing.T, s *fixture.Server) {
	alice := leave(s, "alice", s.Web)
	before := s.Web
	s.RemoveApplication("web")
	again, err := s.Register(&oauthkit.AbstractApplication{
		ClientID: "web", Name: "Another", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{"authorization_code", "refresh_token"},
		Scopes: oauthkit.Scopes{"openid", "api:read"}, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	before.Refresh(alice.tokens.Refresh).Unauthorized() // the secret of before
	alice.checkDead(s, again)
	alice.browser.Decide(alice.page, "allow").ErrorPage(403) // what she was shown was the application of before
	alice.browser.Open(again.AuthorizeRequest("prompt=none")).Refused("consent_required")
	if ids := signInsOf(s, alice.browser); len(ids) > 0 {
		t.Errorf("got the sign-ins %v, want none", ids)
	}
	s.RS.Introspect(alice.browser.Tokens(again).Access).Active()
	alice.checkDead(s, again) // a new approval wakes nothing up
}

// recycledUser removes a user, as a host does that gives subjects out again although it must not.
func recycledUser(t *testing.T, s *fixture.Server) {
	alice := leave(s, "alice", s.Web)
	if revoked, err := oauthkit.NewAuthorizations(s.Provider, s.Store).RevokeUser(t.Context(), "alice"); revoked != 2 || err != nil {
		t.Fatalf("got %d, %v, want both sign-ins ended", revoked, err)
	}
	alice.browser.SignOut()
	again := s.Browser("alice")
	alice.checkDead(s, s.Web)
	again.Decide(alice.page, "allow").ErrorPage(403)
	again.Open(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	again.Open(s.Web.AuthorizeRequest("prompt=none", "id_token_hint="+alice.tokens.ID)).Refused("consent_required") // a hint is no sign-in
	s.RS.Introspect(again.Tokens(s.Web).Access).Active()
	alice.checkDead(s, s.Web)
}

// disabledEverywhere switches an application off. It is what there is instead of a tenant: a provider that is not run answers nothing.
func disabledEverywhere(t *testing.T, s *fixture.Server) {
	alice := leave(s, "alice", s.Web)
	elsewhere := alice.browser.Tokens(s.SPA)
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	for _, answer := range []*fixture.Answer{s.Web.Redeem(alice.code), s.Web.Refresh(alice.tokens.Refresh), s.Web.ClientCredentials(), s.Web.Introspect(alice.tokens.Access), s.Web.Revoke(alice.tokens.Refresh)} {
		answer.Unauthorized()
	}
	for _, token := range []string{alice.tokens.Access, alice.tokens.Refresh} {
		s.RS.Introspect(token).Inactive()
	}
	s.Bearer("/api/read", alice.tokens.Access).ErrorJSON(401, "invalid_token")
	s.Bearer("/o/userinfo", alice.tokens.Access).ErrorJSON(401, "invalid_token")
	alice.browser.Open(s.Web.AuthorizeRequest()).ErrorPage(400)
	alice.browser.Open(s.Web.AuthorizeRequest("prompt=none")).ErrorPage(400)
	alice.browser.Decide(alice.page, "allow").ErrorPage(400)
	s.RS.Introspect(elsewhere.Access).Active()
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = false })
	alice.checkDead(s, s.Web)
	s.RS.Introspect(alice.browser.Tokens(s.Web).Access).Active()
}
