package attacktest

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRecycled tests ids that are assigned again, and disabled applications.
func TestRecycled(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "V-06 the client_id of a deleted application", Test: recycledApplication},
		{Name: "V-06 the subject of a removed user", Test: recycledUser},
		{Name: "V-07 every request of a disabled application", Test: disabledEverywhere},
	})
}

// left holds everything that a user got for an application.
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

// checkDead expects all of it to be invalid for a confidential application.
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

// recycledApplication deletes an application and creates another one with its
// client_id, which an operator may choose.
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
	before.Refresh(alice.tokens.Refresh).Unauthorized() // the old secret
	alice.checkDead(s, again)
	// The page showed the old application.
	alice.browser.Decide(alice.page, "allow").ErrorPage(403)
	alice.browser.Open(again.AuthorizeRequest("prompt=none")).Refused("consent_required")
	if ids := signInsOf(s, alice.browser); len(ids) > 0 {
		t.Errorf("got sign-ins %v, want none", ids)
	}
	s.RS.Introspect(alice.browser.Tokens(again).Access).Active()
	alice.checkDead(s, again) // a new approval must not revive the old tokens
}

// recycledUser removes a user, like a host that assigns a subject again although it
// must not.
func recycledUser(t *testing.T, s *fixture.Server) {
	alice := leave(s, "alice", s.Web)
	if revoked, err := oauthkit.NewAuthorizations(s.Provider, s.Store).RevokeUser(t.Context(), "alice"); revoked != 2 || err != nil {
		t.Fatalf("got %d, %v, want both sign-ins revoked", revoked, err)
	}
	alice.browser.SignOut()
	again := s.Browser("alice")
	alice.checkDead(s, s.Web)
	again.Decide(alice.page, "allow").ErrorPage(403)
	again.Open(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	// A hint does not sign a user in.
	again.Open(s.Web.AuthorizeRequest("prompt=none", "id_token_hint="+alice.tokens.ID)).Refused("consent_required")
	s.RS.Introspect(again.Tokens(s.Web).Access).Active()
	alice.checkDead(s, s.Web)
}

// disabledEverywhere disables an application. There is no tenant to disable: a
// provider that does not run answers nothing.
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
