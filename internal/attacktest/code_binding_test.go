package attacktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestCodeBinding tests the proof that redeeming a code requires, and that failed
// attempts change nothing (RFC 9700 §4.5).
func TestCodeBinding(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "C-06 code of another application", Test: otherApplicationsCode},
		{Name: "C-07 two client_ids in one request", Test: mixedIdentity},
		{Name: "C-08 redirect URI of the code", Test: codeRedirectURI},
		{Name: "C-08 code without a redirect URI", Test: codeWithoutRedirectURI},
		{Name: "C-10 verifier", Test: codeVerifier},
		{Name: "C-11 PKCE downgrade", Test: withoutChallenge},
		{Name: "C-12 code of another session", Test: injectedCode},
		{Name: "C-13 PKCE instead of authentication", Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			form := url.Values{
				"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier},
				"client_id": {"web"},
			}
			s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
			s.Web.Redeem(code).Tokens()
		}},
		{Name: "C-14 failed attempts", Test: failedAttempts},
		{Name: "C-18 the user was deactivated", Test: deactivatedBeforeRedemption},
		changedBeforeRedemption("C-18 the application was disabled", unauthorized, func(s *fixture.Server) {
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
		}),
		changedBeforeRedemption("C-18 the application was removed", unauthorized, func(s *fixture.Server) { s.RemoveApplication("web") }),
		changedBeforeRedemption("C-18 the grant type was taken away", refusedWith("unauthorized_client"), func(s *fixture.Server) {
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
				app.GrantTypes = oauthkit.GrantTypes{oauth2.Refreshing}
			})
		}),
		changedBeforeRedemption("C-18 the consent was revoked", refusedWith("invalid_grant"), func(s *fixture.Server) {
			_ = s.Provider.RevokeConsent(t.Context(), "web", "alice") // a failure shows in the answer
		}),
		{Name: "C-18 the secret was replaced", Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			replacement := secret.New(secret.ClientSecret)
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.ImportSecret(replacement) })
			s.Web.Redeem(code).Unauthorized()
			s.Web.Secret = replacement
			s.Web.Redeem(code).Tokens()
		}},
	})
}

func otherApplicationsCode(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	redirectURI := "redirect_uri=" + s.Web.RedirectURI
	for _, thief := range []*fixture.Client{s.Evil, s.WebPost, s.SPA, s.CLI} {
		thief.Redeem(code, redirectURI).ErrorJSON(400, "invalid_grant")
		thief.Redeem(code).ErrorJSON(400, "invalid_grant")
	}
	misused := fixture.EventsOf[oauthkit.CredentialMisused](s.Events)
	want := oauthkit.CredentialMisused{
		ClientID: "evil", OwnerID: "web", Credential: "authorization_code", CredentialID: oauthkit.CredentialID(code),
	}
	if len(misused) != 8 || misused[0] != want {
		t.Errorf("got %+v, want one event for each of 8 attempts, that of evil first", misused)
	}
	tokens := s.Web.Redeem(code).Tokens()
	// A wrong application does not count as a replay of a redeemed code.
	s.Evil.Redeem(code, redirectURI).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(tokens.Access).Active()
}

func mixedIdentity(_ *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	redirectURI := "redirect_uri=" + s.Web.RedirectURI
	s.Evil.Redeem(code, redirectURI, "client_id=web").ErrorJSON(400, "invalid_request")
	s.Web.Redeem(code, "client_id=evil").ErrorJSON(400, "invalid_request")
	s.Evil.Redeem(code, redirectURI, "client_id=web", "client_secret="+s.Web.Secret).ErrorJSON(400, "invalid_request")
	s.SPA.Redeem(code, redirectURI).ErrorJSON(400, "invalid_grant")
	s.SPA.Redeem(code, redirectURI, "client_id=web").Unauthorized()
	s.WebPost.Redeem(code, redirectURI, "client_id=web").Unauthorized() // with the secret of webp
	s.Web.Redeem(code, "client_id=web").Tokens()                        // repeating the own client_id is allowed
}

func codeRedirectURI(t *testing.T, s *fixture.Server) {
	const first, second = "https://two.test/a", "https://two.test/b"
	two := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{first, second}})
	code := s.Browser("alice").Approve(two.AuthorizeRequest("redirect_uri=" + first)).Code()
	for _, override := range []string{"redirect_uri", "redirect_uri=", "redirect_uri=" + second, "redirect_uri=" + first + "/", "redirect_uri=https://evil.test/cb"} {
		two.Redeem(code, override).ErrorJSON(400, "invalid_grant")
	}
	two.Redeem(code, "redirect_uri="+first).Tokens()

	const port = "redirect_uri=http://127.0.0.1:51004/cb"
	code = s.Browser("alice").Approve(s.CLI.AuthorizeRequest(port)).Code()
	for _, override := range []string{"redirect_uri=http://127.0.0.1:51005/cb", "redirect_uri=http://127.0.0.1/cb", "redirect_uri=http://[::1]:51004/cb", "redirect_uri"} {
		s.CLI.Redeem(code, override).ErrorJSON(400, "invalid_grant")
	}
	s.CLI.Redeem(code, port).Tokens()
}

// codeWithoutRedirectURI tries to redeem the credential of another grant, which a
// store may keep as a code. Its request went through no redirect URI, so that nothing
// says to which client instance it belongs.
func codeWithoutRedirectURI(t *testing.T, s *fixture.Server) {
	code := saveCode(t, s, &oauthkit.AuthorizationCode{CodeChallenge: fixture.Challenge(fixture.Verifier), CodeChallengeMethod: "S256"})
	for _, override := range []string{"redirect_uri", "redirect_uri=", "redirect_uri=" + s.Web.RedirectURI} {
		s.Web.Redeem(code, override).ErrorJSON(400, "invalid_grant")
	}
	stored, err := s.Store.Code(t.Context(), secret.Hash(code))
	if err != nil || !stored.ConsumedAt.IsZero() || !stored.Authorization.RevokedAt.IsZero() {
		t.Errorf("Code: got %+v, %v, want a valid code", stored, err)
	}
}

// saveCode saves a code of alice for web, and returns its value. Of the code's
// Authorization it keeps scopes and parameters.
func saveCode(t *testing.T, s *fixture.Server, code *oauthkit.AuthorizationCode) (value string) {
	t.Helper()
	value, now := secret.New(secret.AuthorizationCode), s.Clock.Now()
	if code.Authorization == nil {
		code.Authorization = &oauthkit.Authorization{Scopes: oauthkit.Scopes{"api:read"}}
	}
	code.Authorization = &oauthkit.Authorization{
		ID: secret.NewID(), ClientID: "web", Subject: "alice", Scopes: code.Authorization.Scopes, Params: code.Authorization.Params,
		CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	code.Hash, code.IssuedAt, code.ExpiresAt = secret.Hash(value), now, now.Add(time.Minute)
	if err := s.Store.SaveApproval(t.Context(), &oauthkit.Approval{Authorization: code.Authorization, Code: code}); err != nil {
		t.Fatalf("saving a code: %v", err)
	}
	return value
}

func codeVerifier(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, client := range []*fixture.Client{s.Web, s.SPA} {
		code := alice.Approve(client.AuthorizeRequest()).Code()
		client.Redeem(code, "code_verifier").ErrorJSON(400, "invalid_grant")
		for _, verifier := range []string{
			"", "another-verifier-that-has-never-been-announced", strings.ToUpper(fixture.Verifier), fixture.Verifier[:42], fixture.Verifier[1:],
			fixture.Verifier + "x", fixture.Verifier + " ", " " + fixture.Verifier, fixture.Verifier + "\n", fixture.Verifier + "=", fixture.Challenge(fixture.Verifier),
		} {
			client.Redeem(code, "code_verifier="+verifier).ErrorJSON(400, "invalid_grant")
		}
		client.Redeem(code, "+code_verifier="+fixture.Verifier).ErrorJSON(400, "invalid_request")
		client.Redeem(code).Tokens()
	}
	// The challenge matches these verifiers, but they are malformed (RFC 7636 §4.1).
	for _, verifier := range []string{
		fixture.Verifier[:42], strings.Repeat("a", 129), fixture.Verifier + " ", fixture.Verifier + "!", fixture.Verifier + "/", fixture.Verifier + "é",
	} {
		code := alice.Approve(s.Web.AuthorizeRequest("code_challenge=" + fixture.Challenge(verifier))).Code()
		s.Web.Redeem(code, "code_verifier="+verifier).ErrorJSON(400, "invalid_grant")
	}
	for _, verifier := range []string{strings.Repeat("a", 43), strings.Repeat("-._~", 32)} {
		code := alice.Approve(s.Web.AuthorizeRequest("code_challenge=" + fixture.Challenge(verifier))).Code()
		s.Web.Redeem(code, "code_verifier="+verifier).Tokens()
	}
}

// withoutChallenge tries to do without PKCE in both requests. The authorization
// request is refused, and a code stored without a challenge cannot be redeemed, with
// or without a verifier (RFC 9700 §4.8.2).
func withoutChallenge(t *testing.T, s *fixture.Server) {
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("code_challenge", "code_challenge_method")).Refused("invalid_request")
	for _, method := range []string{"", "plain", "S256"} {
		code := saveCode(t, s, &oauthkit.AuthorizationCode{RedirectURI: s.Web.RedirectURI, CodeChallengeMethod: method})
		s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
		s.Web.Redeem(code, "code_verifier").ErrorJSON(400, "invalid_grant")
		s.Web.Redeem(code, "code_verifier=").ErrorJSON(400, "invalid_grant")
	}
}

// injectedCode is the attack that PKCE prevents: mallory has alice's code and puts it
// into a session of their own.
func injectedCode(t *testing.T, s *fixture.Server) {
	const own = "the-verifier-of-the-session-that-mallory-began"
	stolen := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	mallorys := s.Browser("mallory").Approve(s.Web.AuthorizeRequest("code_challenge=" + fixture.Challenge(own))).Code()
	s.Web.Redeem(stolen, "code_verifier="+own).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(mallorys).ErrorJSON(400, "invalid_grant")
	if revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events); len(revoked) > 0 {
		t.Errorf("got %+v, want nothing revoked", revoked)
	}
	if claims := claimsOf(t, s.Web.Redeem(stolen).Tokens().ID); claims["sub"] != "alice" {
		t.Errorf("got claims %v, want those of alice", claims)
	}
	s.Web.Redeem(mallorys, "code_verifier="+own).Tokens()
}

// failedAttempts tests a design decision: failed attempts are not counted, because a
// verifier has 256 bits and cannot be guessed. So an attacker cannot invalidate
// another application's code.
func failedAttempts(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	fixture.Race(20, func(int) {
		s.Web.Redeem(code, "code_verifier="+secret.New(secret.AuthorizationCode)).ErrorJSON(400, "invalid_grant")
		s.Evil.Redeem(code, "redirect_uri="+s.Web.RedirectURI).ErrorJSON(400, "invalid_grant")
	})
	if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") || slices.Contains(calls, "RevokeAuthorization") {
		t.Errorf("got store calls %v, want nothing consumed and nothing revoked", calls)
	}
	s.Web.Redeem(code).Tokens()
}

// changedBeforeRedemption returns a case with a change between approval and
// redemption, and the expected answer.
func changedBeforeRedemption(name string, check func(*fixture.Answer), change func(*fixture.Server)) fixture.Case {
	return fixture.Case{Name: name, Test: func(t *testing.T, s *fixture.Server) {
		code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
		change(s)
		check(s.Web.Redeem(code))
		if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") {
			t.Errorf("got store calls %v, want the code not redeemed", calls)
		}
	}}
}

func unauthorized(answer *fixture.Answer) { answer.Unauthorized() }

func refusedWith(code string) func(*fixture.Answer) {
	return func(answer *fixture.Answer) { answer.ErrorJSON(400, code) }
}

func deactivatedBeforeRedemption(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	s.Users.Deactivate("alice")
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events)
	if len(revoked) != 1 || revoked[0].Reason != oauthkit.RevokedByInactivity {
		t.Errorf("got %+v, want the authorization revoked because of its user", revoked)
	}
}
