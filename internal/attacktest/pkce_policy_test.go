package attacktest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestPKCEPolicy attacks applications that may omit PKCE (RFC 9700 §2.1.1, §4.8).
func TestPKCEPolicy(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-14 nonce instead of a challenge", Test: nonceInstead},
		{Name: "A-14 the default of the provider", Configure: optionalByDefault, Test: optionalForConfidential},
		{Name: "A-14 public application with a weak policy", Configure: optionalByDefault, Test: publicPolicy},
		{Name: "A-14 the error names the setting", Test: namedSetting},
		{Name: "A-18 mixed requests", Test: mixedChallenges},
		{Name: "C-10 a challenge that was sent is enforced", Test: challengeEnforced},
		{Name: "C-11 PKCE downgrade", Test: removedChallenge},
		{Name: "C-11 no ID token with the nonce", Test: nonceUnused},
		{Name: "C-12 injected code", Test: injectedNonce},
		{Name: "C-13 no challenge and no authentication", Test: unauthenticatedCode},
		tightened("C-18 nonce becomes required", oauthkit.PKCENonce, func(app *oauthkit.AbstractApplication) { app.PKCE = oauthkit.PKCERequired }),
		tightened("C-18 nonce becomes the default", oauthkit.PKCENonce, func(app *oauthkit.AbstractApplication) { app.PKCE = "" }),
		tightened("C-18 openid is removed", oauthkit.PKCENonce, func(app *oauthkit.AbstractApplication) { app.Scopes = oauthkit.Scopes{"api:read"} }),
		tightened("C-18 optional becomes required", oauthkit.PKCEOptional, func(app *oauthkit.AbstractApplication) { app.PKCE = oauthkit.PKCERequired }),
		{Name: "M-08 an owner changes the software", Test: otherSoftware},
		{Name: "A-15 plain for a migration", Configure: plainAllowed, Test: plainChallenge},
	})
}

func optionalByDefault(config *oauthkit.Config, _ storetest.Store) {
	config.PKCE = oauthkit.PKCEOptional
}

func plainAllowed(config *oauthkit.Config, store storetest.Store) {
	config.Grants = []oauthkit.Grant{grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{AllowPlainPKCE: true})}
}

// unchallenged are the overrides of an authorization request without PKCE.
var unchallenged = []string{"code_challenge", "code_challenge_method"}

func withoutPKCE(client *fixture.Client, overrides ...string) url.Values {
	return client.AuthorizeRequest(slices.Concat(unchallenged, overrides)...)
}

func setPKCE(s *fixture.Server, clientID string, policy oauthkit.PKCEPolicy) {
	s.UpdateApplication(clientID, func(app *oauthkit.AbstractApplication) { app.PKCE = policy })
}

// nonceInstead accepts the nonce of an OpenID Connect request only, and only for the one
// application.
func nonceInstead(t *testing.T, s *fixture.Server) {
	setPKCE(s, "web", oauthkit.PKCENonce)
	alice := s.Browser("alice")
	for _, refused := range []url.Values{
		withoutPKCE(s.Web, "nonce"), withoutPKCE(s.Web, "nonce="), withoutPKCE(s.Web, "scope=api:read"), withoutPKCE(s.Web, "scope=api:read", "nonce"),
		withoutPKCE(s.WebPost), withoutPKCE(s.SPA), withoutPKCE(s.CLI),
	} {
		alice.Authorize(refused).Refused("invalid_request")
	}
	alice.Authorize(withoutPKCE(s.Evil)).ErrorPage(400)
	code := alice.Approve(withoutPKCE(s.Web, "nonce=of-this-session")).Code()
	tokens := s.Web.Redeem(code, "code_verifier").Tokens()
	if claims := claimsOf(t, tokens.ID); claims["nonce"] != "of-this-session" {
		t.Errorf("got claims %v, want the nonce of the request", claims)
	}
	code = alice.Approve(s.Web.AuthorizeRequest("nonce", "scope=api:read")).Code() // PKCE instead of the nonce
	s.Web.Redeem(code).Tokens()
}

func optionalForConfidential(_ *testing.T, s *fixture.Server) {
	for _, client := range []*fixture.Client{s.Web, s.WebPost} {
		code := s.Browser("alice").Approve(withoutPKCE(client, "nonce", "scope=api:read")).Code()
		client.Redeem(code, "code_verifier").Tokens()
	}
	s.Browser("alice").Authorize(withoutPKCE(s.SPA)).Refused("invalid_request")
	s.Browser("alice").Authorize(withoutPKCE(s.CLI)).Refused("invalid_request")
	setPKCE(s, "web", oauthkit.PKCERequired)
	s.Browser("alice").Authorize(withoutPKCE(s.Web)).Refused("invalid_request")
}

// publicPolicy stores public applications with a weak policy, past the validation.
func publicPolicy(_ *testing.T, s *fixture.Server) {
	for _, policy := range []oauthkit.PKCEPolicy{"", oauthkit.PKCENonce, oauthkit.PKCEOptional} {
		client := s.AddUnchecked(&oauthkit.AbstractApplication{
			ClientID: "public-" + string(policy), ClientType: oauthkit.Public, PKCE: policy, RedirectURIs: oauthkit.URIs{"https://spa.test/cb"},
			GrantTypes: oauthkit.GrantTypes{"authorization_code"}, Scopes: oauthkit.Scopes{"openid", "api:read"},
		})
		s.Browser("alice").Authorize(withoutPKCE(client)).Refused("invalid_request")
	}
}

// namedSetting reads the error that the developer of a client sees.
func namedSetting(t *testing.T, s *fixture.Server) {
	for _, tc := range []struct {
		policy oauthkit.PKCEPolicy
		form   url.Values
		names  string
	}{
		{"", withoutPKCE(s.Web), "the setting pkce of this application is nonce or optional"},
		{"", withoutPKCE(s.Web, "nonce"), "the setting pkce of this application is optional"},
		{oauthkit.PKCENonce, withoutPKCE(s.Web, "nonce"), "send scope openid and a nonce instead, or change the setting pkce of this application to optional"},
		{"", withoutPKCE(s.SPA), "a public application must use PKCE"},
	} {
		setPKCE(s, "web", tc.policy)
		answer := s.Browser("alice").Authorize(tc.form)
		answer.Refused("invalid_request")
		location, err := url.Parse(answer.Location())
		if err != nil {
			t.Fatal(err)
		}
		if got := location.Query().Get("error_description"); !strings.Contains(got, tc.names) {
			t.Errorf("%q: got %q, want it to name %q", tc.policy, got, tc.names)
		}
	}
}

// mixedChallenges sends half of PKCE, which is refused although a request without any of
// it is accepted. An empty parameter counts as omitted (RFC 6749 §3.1).
func mixedChallenges(_ *testing.T, s *fixture.Server) {
	for _, policy := range []oauthkit.PKCEPolicy{oauthkit.PKCENonce, oauthkit.PKCEOptional} {
		setPKCE(s, "web", policy)
		alice := s.Browser("alice")
		for _, override := range []string{
			"code_challenge", "code_challenge=", "code_challenge_method", "code_challenge_method=", "code_challenge_method=plain",
			"code_challenge_method=S512", "code_challenge=short", "code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
			"+code_challenge=" + fixture.Challenge("another"), "+code_challenge=", "+code_challenge_method=S256", "+nonce=n2",
		} {
			alice.Authorize(s.Web.AuthorizeRequest(override)).Refused("invalid_request")
		}
		code := alice.Approve(s.Web.AuthorizeRequest("code_challenge=", "code_challenge_method=")).Code()
		s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
		s.Web.Redeem(code, "code_verifier=").Tokens()
	}
}

func challengeEnforced(_ *testing.T, s *fixture.Server) {
	for _, policy := range []oauthkit.PKCEPolicy{oauthkit.PKCENonce, oauthkit.PKCEOptional} {
		setPKCE(s, "web", policy)
		code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
		for _, override := range []string{
			"code_verifier", "code_verifier=", "code_verifier=" + strings.Repeat("a", 43), "code_verifier=" + fixture.Challenge(fixture.Verifier),
		} {
			s.Web.Redeem(code, override).ErrorJSON(400, "invalid_grant")
		}
		s.Web.Redeem(code).Tokens()
	}
}

// removedChallenge removes the challenge from the authorization request of a client that
// uses PKCE. Its verifier shows that (RFC 9700 §4.8.2), and the code stays unused.
func removedChallenge(t *testing.T, s *fixture.Server) {
	for _, policy := range []oauthkit.PKCEPolicy{oauthkit.PKCENonce, oauthkit.PKCEOptional} {
		setPKCE(s, "web", policy)
		code := s.Browser("alice").Approve(withoutPKCE(s.Web)).Code()
		s.Store.ClearCalls()
		for _, override := range []string{"code_verifier=" + fixture.Verifier, "code_verifier=x", "code_verifier= "} {
			s.Web.Redeem(code, override).ErrorJSON(400, "invalid_grant")
		}
		if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") {
			t.Errorf("%s: got store calls %v, want the code not redeemed", policy, calls)
		}
	}
}

// nonceUnused redeems codes whose Authorization has no ID token with a nonce, as if the
// user had approved fewer scopes, or nothing had kept the nonce.
func nonceUnused(t *testing.T, s *fixture.Server) {
	setPKCE(s, "web", oauthkit.PKCENonce)
	for _, authorization := range []oauthkit.Authorization{
		{Scopes: oauthkit.Scopes{"api:read"}, Params: map[string]string{"nonce": "n1"}},
		{Scopes: oauthkit.Scopes{"openid"}, Params: map[string]string{"nonce": ""}},
		{Scopes: oauthkit.Scopes{"openid"}},
	} {
		code := &oauthkit.AuthorizationCode{RedirectURI: s.Web.RedirectURI, Authorization: &authorization}
		s.Web.Redeem(saveCode(t, s, code), "code_verifier").ErrorJSON(400, "invalid_grant")
	}
}

// injectedNonce injects alice's code into mallory's session with the client. A client
// that compares the nonce notices, because the ID token has that of alice's session. A
// client with PKCE gets no tokens.
func injectedNonce(t *testing.T, s *fixture.Server) {
	setPKCE(s, "web", oauthkit.PKCENonce)
	s.Browser("mallory").Approve(withoutPKCE(s.Web, "nonce=of-mallory")).Code()
	stolen := s.Browser("alice").Approve(withoutPKCE(s.Web, "nonce=of-alice")).Code()
	tokens := s.Web.Redeem(stolen, "code_verifier", "nonce=of-mallory").Tokens()
	if claims := claimsOf(t, tokens.ID); claims["nonce"] != "of-alice" || claims["sub"] != "alice" {
		t.Errorf("got claims %v, want the nonce of alice's session", claims)
	}
	stolen = s.Browser("alice").Approve(withoutPKCE(s.Web, "nonce=of-alice")).Code()
	const own = "the-verifier-of-the-session-that-mallory-began"
	s.Web.Redeem(stolen, "code_verifier="+own).ErrorJSON(400, "invalid_grant")
}

// unauthenticatedCode redeems a code that only the authentication of the application
// protects.
func unauthenticatedCode(_ *testing.T, s *fixture.Server) {
	setPKCE(s, "web", oauthkit.PKCEOptional)
	code := s.Browser("alice").Approve(withoutPKCE(s.Web)).Code()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "client_id": {"web"}}
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
	form.Set("client_secret", secret.New(secret.ClientSecret))
	s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
	for _, thief := range []*fixture.Client{s.Evil, s.WebPost, s.SPA, s.CLI} {
		thief.Redeem(code, "code_verifier", "redirect_uri="+s.Web.RedirectURI).ErrorJSON(400, "invalid_grant")
	}
	s.Web.Redeem(code, "code_verifier").Tokens()
}

// tightened returns a case in which the application changes between the authorization
// request and the token request.
func tightened(name string, policy oauthkit.PKCEPolicy, change func(*oauthkit.AbstractApplication)) fixture.Case {
	return fixture.Case{Name: name, Test: func(t *testing.T, s *fixture.Server) {
		setPKCE(s, "web", policy)
		code := s.Browser("alice").Approve(withoutPKCE(s.Web)).Code()
		s.Store.ClearCalls()
		s.UpdateApplication("web", change)
		s.Web.Redeem(code, "code_verifier").ErrorJSON(400, "invalid_grant")
		if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") {
			t.Errorf("got store calls %v, want the code not redeemed", calls)
		}
	}}
}

// otherSoftware changes the redirect URI of an application whose operator vouched for the
// software behind the former one.
func otherSoftware(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, policy := range []oauthkit.PKCEPolicy{oauthkit.PKCENonce, oauthkit.PKCEOptional} {
		id, _ := registerJSON(t, s, alice, registration(""))
		setPKCE(s, id, policy)
		renamed := strings.Replace(registration(`"pkce":"optional"`), `"Mine"`, `"Ours `+string(policy)+`"`, 1)
		sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, renamed).OK()
		if got := storedApplication(t, s, id).PKCE; got != policy {
			t.Errorf("got %q after another name, want %q", got, policy)
		}
		moved := strings.Replace(renamed, "https://mine.test/cb", "https://mine.test/"+string(policy), 1)
		sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, moved).OK()
		if got := storedApplication(t, s, id).PKCE; got != oauthkit.PKCERequired {
			t.Errorf("got %q after another redirect URI, want required", got)
		}
	}
}

// plainChallenge uses plain where the host allows it. The challenge of S256 is no
// verifier, and metadata lists both methods.
func plainChallenge(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, overrides := range [][]string{{"code_challenge_method=plain"}, {"code_challenge_method"}} {
		code := alice.Approve(s.Web.AuthorizeRequest(append(overrides, "code_challenge="+fixture.Verifier)...)).Code()
		for _, override := range []string{"code_verifier", "code_verifier=" + fixture.Challenge(fixture.Verifier), "code_verifier=" + strings.Repeat("a", 43)} {
			s.Web.Redeem(code, override).ErrorJSON(400, "invalid_grant")
		}
		s.Web.Redeem(code).Tokens()
	}
	code := alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Web.Redeem(code, "code_verifier="+fixture.Challenge(fixture.Verifier)).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(code).Tokens()
	alice.Authorize(withoutPKCE(s.Web)).Refused("invalid_request")
	document := s.Do(fixture.NewRequest(http.MethodGet, "/o/.well-known/oauth-authorization-server", nil)).OK().Members()
	if got := fmt.Sprint(document["code_challenge_methods_supported"]); got != "[S256 plain]" {
		t.Errorf("got methods %s, want S256 and plain", got)
	}
}
