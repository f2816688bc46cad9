package attacktest

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestIssuer tests two providers in one program, with issuers at two paths of one
// host and at the same path of two hosts. They share applications, users, signing
// keys and Config.Secret, and have separate tables in one database.
func TestIssuer(t *testing.T) {
	for name, beside := range map[string]func(issuerTest) func(*testing.T, *fixture.Server){
		"path and path": func(test issuerTest) func(*testing.T, *fixture.Server) {
			return func(t *testing.T, s *fixture.Server) { test(t, s, s.OtherProvider("https://as.test/b")) }
		},
		"path and path, the other way": func(test issuerTest) func(*testing.T, *fixture.Server) {
			return func(t *testing.T, s *fixture.Server) { test(t, s.OtherProvider("https://as.test/b"), s) }
		},
		"host and host": func(test issuerTest) func(*testing.T, *fixture.Server) {
			return func(t *testing.T, s *fixture.Server) { test(t, s, s.OtherProvider("https://other.test/o")) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			fixture.Run(t, []fixture.Case{
				{Name: "C-22 code of another issuer", Test: beside(codeOfIssuer)},
				{Name: "V-01 credentials of another issuer", Test: beside(credentialsOfIssuer)},
				{Name: "V-01 pages and forms of another issuer", Test: beside(pagesOfIssuer)},
				{Name: "V-01 cookies of another issuer", Test: beside(cookiesOfIssuer)},
				{Name: "V-02 revocation at one issuer does not affect the other", Test: beside(endedByIssuer)},
			})
		})
	}
}

// issuerTest uses what one issuer issued at the other.
type issuerTest func(t *testing.T, one, other *fixture.Server)

func codeOfIssuer(_ *testing.T, one, other *fixture.Server) {
	code := one.Browser("alice").Approve(one.Web.AuthorizeRequest()).Code()
	other.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	one.Web.Redeem(code).Tokens() // the owner can still redeem it
}

// credentialsOfIssuer uses every credential of one issuer at the other, where the ids
// of applications and users are the same.
func credentialsOfIssuer(t *testing.T, one, other *fixture.Server) {
	alice := one.Browser("alice")
	tokens, code := alice.Tokens(one.Web), alice.Approve(one.Web.AuthorizeRequest()).Code()
	rotated := alice.Tokens(one.Web)
	successor := one.Web.Refresh(rotated.Refresh).Tokens()
	at := one.Web.On(other) // with its secret at one
	for _, answer := range []*fixture.Answer{at.Redeem(code), at.Refresh(tokens.Refresh), at.Introspect(tokens.Access), at.Revoke(tokens.Refresh), one.Service.On(other).ClientCredentials()} {
		answer.Unauthorized()
	}
	other.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	for _, token := range []string{tokens.Refresh, tokens.Access, rotated.Refresh, successor.Refresh} {
		other.Web.Refresh(token).ErrorJSON(400, "invalid_grant")
	}
	prefix := other.Provider.Prefix()
	for _, token := range []string{tokens.Access, tokens.Refresh, tokens.ID, code} {
		other.RS.Introspect(token).Inactive()
		other.Web.Introspect(token).Inactive()
		for _, path := range []string{prefix + "/userinfo", "/api/read"} {
			if got := other.Bearer(path, token); got.Status != http.StatusUnauthorized {
				t.Errorf("%s: got %d %s for a token of another issuer, want 401", path, got.Status, got.Body)
			}
		}
		other.Web.Revoke(token).OK() // there is nothing to revoke
	}
	one.RS.Introspect(tokens.Access).Active()
	one.Web.Refresh(tokens.Refresh).Tokens()
	if iss := claimsOf(t, tokens.ID)["iss"]; iss != one.Provider.Issuer() {
		t.Errorf("got iss %v, want %s", iss, one.Provider.Issuer())
	}
}

// pagesOfIssuer uses the pages of one issuer at the other, in the same browser
// and session.
func pagesOfIssuer(t *testing.T, one, other *fixture.Server) {
	alice := one.Browser("alice")
	tokens := alice.Tokens(one.Web)
	there, prefix := alice.On(other), other.Provider.Prefix()
	there.Open(other.Web.AuthorizeRequest()).Consent() // the approval at one does not count
	there.Open(other.Web.AuthorizeRequest("prompt=none", "id_token_hint="+tokens.ID)).Refused("invalid_request")

	page := alice.Open(one.Web.AuthorizeRequest("prompt=consent")).Consent()
	there.Get(prefix + "/consent?" + url.Values{"interaction": {interactionOf(page)}}.Encode()).ErrorPage(404)
	_, form := page.Form()
	for _, decision := range []string{"allow", "deny"} {
		form.Set("decision", decision)
		there.Post(prefix+"/consent", form).ErrorPage(404)
	}
	theirs := there.Open(other.Web.AuthorizeRequest("prompt=consent")).Consent()
	there.Decide(theirs, "allow", "token="+tokenOf(page)).ErrorPage(403)
	there.Decide(theirs, "allow", "interaction="+interactionOf(page)).ErrorPage(404)
	alice.Decide(page, "allow").Code()
	there.Decide(theirs, "allow").Code()

	registered := url.Values{"name": {"Mine"}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb"}}
	registered.Set("token", tokenOf(alice.Get(one.Provider.Prefix()+"/applications/register/").OK()))
	there.Post(prefix+"/applications/register/", registered).ErrorPage(403)
	removed := url.Values{"token": {tokenOf(alice.Get(one.Provider.Prefix() + "/authorized_tokens/web/delete/").OK())}}
	there.Post(prefix+"/authorized_tokens/web/delete/", removed).ErrorPage(403)

	client := owned(t, one, "alice")
	there.Get(prefix + "/applications/" + client.ID + "/").ErrorPage(404)
	there.Open(client.AuthorizeRequest()).ErrorPage(400)
	for _, id := range signInIDs(alice.Get(one.Provider.Prefix() + "/api/authorized_tokens")) {
		there.Get(prefix + "/authorized_tokens/web/" + id + "/delete/").ErrorPage(404)
		sendJSON(there, http.MethodDelete, prefix+"/api/authorized_tokens/web/"+id, "").ErrorJSON(404, "invalid_request")
	}
}

// cookiesOfIssuer expects a separate cookie for each issuer, because a browser sends
// both to every path of a host.
func cookiesOfIssuer(t *testing.T, one, other *fixture.Server) {
	alice := one.Browser("alice")
	there := alice.On(other)
	here := (&http.Response{Header: alice.Authorize(one.Web.AuthorizeRequest()).Header}).Cookies()
	set := (&http.Response{Header: there.Authorize(other.Web.AuthorizeRequest()).Header}).Cookies()
	if len(here) != 1 || len(set) != 1 || here[0].Name == set[0].Name || here[0].Value == set[0].Value {
		t.Fatalf("got the cookies %v and %v, want one of each issuer", here, set)
	}
	page := alice.Open(one.Web.AuthorizeRequest()).Consent()
	theirs := there.Open(other.Web.AuthorizeRequest()).Consent()
	there.SetCookie(set[0]) // which must not affect this issuer
	alice.Decide(page, "deny").Refused("access_denied")
	there.SetCookie(&http.Cookie{Name: set[0].Name, Value: here[0].Value}) // as if an attacker had set it
	there.Decide(theirs, "allow").ErrorPage(403)
}

// endedByIssuer revokes everything at one issuer and expects it to stay valid at
// the other.
func endedByIssuer(t *testing.T, one, other *fixture.Server) {
	tokens := one.Browser("alice").Tokens(one.Web)
	theirs := other.Browser("alice").Tokens(other.Web)
	service := other.Service.ClientCredentials("scope=api:read").Tokens()
	authorizations := oauthkit.NewAuthorizations(one.Provider, one.Store)
	if revoked, err := authorizations.RevokeUser(t.Context(), "alice"); revoked != 1 || err != nil {
		t.Errorf("got %d, %v revoked, want only the one sign-in", revoked, err)
	}
	if _, err := authorizations.RevokeApplication(t.Context(), "svc"); err != nil {
		t.Error(err)
	}
	one.UpdateApplication("spa", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	one.RS.Introspect(tokens.Access).Inactive()
	other.RS.Introspect(theirs.Access).Active()
	other.RS.Introspect(service.Access).Active()
	other.Web.Refresh(theirs.Refresh).Tokens()
	other.Browser("alice").Tokens(other.SPA)
	other.Browser("alice").Open(other.Web.AuthorizeRequest()).Code() // her consent there is remembered
}
