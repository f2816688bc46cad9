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
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestCodeBinding is about the proof: who may redeem a code, and with what. Whoever fails leaves no trace (RFC 9700 §4.5).
func TestCodeBinding(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "C-06 another application's code", Test: otherApplicationsCode},
		{Name: "C-07 two identities in one request", Test: mixedIdentity},
		{Name: "C-08 redirect URI of the code", Test: codeRedirectURI},
		{Name: "C-10 verifier", Test: codeVerifier},
		{Name: "C-11 PKCE downgrade", Test: withoutChallenge},
		{Name: "C-12 code of another session", Test: injectedCode},
		{Name: "C-13 PKCE instead of authentication", Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AZ()).Code()
			form := url.Values{
				"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier},
				"client_id": {"web"},
			}
			s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
			s.Web.TK(code).Tokens()
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
			_ = s.Provider.RevokeConsent(t.Context(), "web", "alice") // if it fails, so does the case
		}),
		{Name: "C-18 the secret was replaced", Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AZ()).Code()
			replacement := secret.New(secret.ClientSecret)
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.ImportSecret(replacement) })
			s.Web.TK(code).Unauthorized()
			s.Web.Secret = replacement
			s.Web.TK(code).Tokens()
		}},
	})
}

func otherApplicationsCode(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AZ()).Code()
	redirectURI := "redirect_uri=" + s.Web.RedirectURI
	for _, thief := range []*fixture.Client{s.Evil, s.WebPost, s.SPA, s.CLI} {
		thief.TK(code, redirectURI).JSON(400, "invalid_grant")
		thief.TK(code).JSON(400, "invalid_grant")
	}
	misused := fixture.EventsOf[oauthkit.CredentialMisused](s.Events)
	want := oauthkit.CredentialMisused{
		ClientID: "evil", OwnerID: "web", Credential: "authorization_code", CredentialID: oauthkit.CredentialID(code),
	}
	if len(misused) != 8 || misused[0] != want {
		t.Errorf("got %+v, want one event for each of 8 attempts, that of evil first", misused)
	}
	tokens := s.Web.TK(code).Tokens()
	s.Evil.TK(code, redirectURI).JSON(400, "invalid_grant") // of a redeemed code it is no replay either
	s.RS.IN(tokens.Access).Active()
}

func mixedIdentity(_ *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AZ()).Code()
	redirectURI := "redirect_uri=" + s.Web.RedirectURI
	s.Evil.TK(code, redirectURI, "client_id=web").JSON(400, "invalid_request")
	s.Web.TK(code, "client_id=evil").JSON(400, "invalid_request")
	s.Evil.TK(code, redirectURI, "client_id=web", "client_secret="+s.Web.Secret).JSON(400, "invalid_request")
	s.SPA.TK(code, redirectURI).JSON(400, "invalid_grant")
	s.SPA.TK(code, redirectURI, "client_id=web").Unauthorized()
	s.WebPost.TK(code, redirectURI, "client_id=web").Unauthorized() // with the secret of webp
	s.Web.TK(code, "client_id=web").Tokens()                        // saying it twice is no mistake
}

func codeRedirectURI(t *testing.T, s *fixture.Server) {
	const first, second = "https://two.test/a", "https://two.test/b"
	two := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{first, second}})
	code := s.Browser("alice").Approve(two.AZ("redirect_uri=" + first)).Code()
	for _, override := range []string{"redirect_uri", "redirect_uri=", "redirect_uri=" + second, "redirect_uri=" + first + "/", "redirect_uri=https://evil.test/cb"} {
		two.TK(code, override).JSON(400, "invalid_grant")
	}
	two.TK(code, "redirect_uri="+first).Tokens()

	const port = "redirect_uri=http://127.0.0.1:51004/cb"
	code = s.Browser("alice").Approve(s.CLI.AZ(port)).Code()
	for _, override := range []string{"redirect_uri=http://127.0.0.1:51005/cb", "redirect_uri=http://127.0.0.1/cb", "redirect_uri=http://[::1]:51004/cb", "redirect_uri"} {
		s.CLI.TK(code, override).JSON(400, "invalid_grant")
	}
	s.CLI.TK(code, port).Tokens()
}

func codeVerifier(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, client := range []*fixture.Client{s.Web, s.SPA} {
		code := alice.Approve(client.AZ()).Code()
		client.TK(code, "code_verifier").JSON(400, "invalid_grant")
		for _, verifier := range []string{
			"", "another-verifier-that-has-never-been-announced", strings.ToUpper(fixture.Verifier), fixture.Verifier[:42], fixture.Verifier[1:],
			fixture.Verifier + "x", fixture.Verifier + " ", " " + fixture.Verifier, fixture.Verifier + "\n", fixture.Verifier + "=", fixture.Challenge(fixture.Verifier),
		} {
			client.TK(code, "code_verifier="+verifier).JSON(400, "invalid_grant")
		}
		client.TK(code, "+code_verifier="+fixture.Verifier).JSON(400, "invalid_request")
		client.TK(code).Tokens()
	}
	// The challenge fits these verifiers, which are none (RFC 7636 §4.1).
	for _, verifier := range []string{
		fixture.Verifier[:42], strings.Repeat("a", 129), fixture.Verifier + " ", fixture.Verifier + "!", fixture.Verifier + "/", fixture.Verifier + "é",
	} {
		code := alice.Approve(s.Web.AZ("code_challenge=" + fixture.Challenge(verifier))).Code()
		s.Web.TK(code, "code_verifier="+verifier).JSON(400, "invalid_grant")
	}
	for _, verifier := range []string{strings.Repeat("a", 43), strings.Repeat("-._~", 32)} {
		code := alice.Approve(s.Web.AZ("code_challenge=" + fixture.Challenge(verifier))).Code()
		s.Web.TK(code, "code_verifier="+verifier).Tokens()
	}
}

// withoutChallenge cannot make PKCE optional, so it tries to do without in both places: the request is refused, and a code
// that was stored without a challenge cannot be redeemed, with a verifier or without (RFC 9700 §4.8.2).
func withoutChallenge(t *testing.T, s *fixture.Server) {
	s.Browser("alice").Authorize(s.Web.AZ("code_challenge", "code_challenge_method")).ERR("invalid_request")
	for _, method := range []string{"", "plain", "S256"} {
		code, now := secret.New(secret.AuthorizationCode), s.Clock.Now()
		authorization := &oauthkit.Authorization{
			ID: secret.NewID(), ClientID: "web", Subject: "alice", Scopes: oauthkit.Scopes{"api:read"},
			CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}
		err := s.Store.SaveCode(t.Context(), &oauthkit.Approval{Authorization: authorization}, &oauthkit.AuthorizationCode{
			Hash: secret.Hash(code), Authorization: authorization, RedirectURI: s.Web.RedirectURI, CodeChallengeMethod: method,
			IssuedAt: now, ExpiresAt: now.Add(time.Minute),
		})
		if err != nil {
			t.Fatalf("saving a code: %v", err)
		}
		s.Web.TK(code).JSON(400, "invalid_grant")
		s.Web.TK(code, "code_verifier").JSON(400, "invalid_grant")
		s.Web.TK(code, "code_verifier=").JSON(400, "invalid_grant")
	}
}

// injectedCode is the attack that PKCE exists for: mallory has got alice's code and puts it into a session of his own.
func injectedCode(t *testing.T, s *fixture.Server) {
	const own = "the-verifier-of-the-session-that-mallory-began"
	stolen := s.Browser("alice").Approve(s.Web.AZ()).Code()
	mallorys := s.Browser("mallory").Approve(s.Web.AZ("code_challenge=" + fixture.Challenge(own))).Code()
	s.Web.TK(stolen, "code_verifier="+own).JSON(400, "invalid_grant")
	s.Web.TK(mallorys).JSON(400, "invalid_grant")
	if revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events); len(revoked) > 0 {
		t.Errorf("got %+v, want nothing revoked", revoked)
	}
	if claims := claimsOf(t, s.Web.TK(stolen).Tokens().ID); claims["sub"] != "alice" {
		t.Errorf("got claims %v, want those of alice", claims)
	}
	s.Web.TK(mallorys, "code_verifier="+own).Tokens()
}

// failedAttempts is a decision: a verifier has 256 bits and cannot be guessed, so attempts are not counted, and nobody can
// use up another one's code.
func failedAttempts(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AZ()).Code()
	fixture.Race(20, func(int) {
		s.Web.TK(code, "code_verifier="+secret.New(secret.AuthorizationCode)).JSON(400, "invalid_grant")
		s.Evil.TK(code, "redirect_uri="+s.Web.RedirectURI).JSON(400, "invalid_grant")
	})
	if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") || slices.Contains(calls, "RevokeAuthorization") {
		t.Errorf("got calls %v of the store, want nothing consumed and nothing revoked", calls)
	}
	s.Web.TK(code).Tokens()
}

// changedBeforeRedemption is a case in which something happens between approval and redemption, and what the answer is then.
func changedBeforeRedemption(name string, check func(*fixture.Answer), change func(*fixture.Server)) fixture.Case {
	return fixture.Case{Name: name, Test: func(t *testing.T, s *fixture.Server) {
		code := s.Browser("alice").Approve(s.Web.AZ()).Code()
		change(s)
		check(s.Web.TK(code))
		if calls := s.Store.Calls(); slices.Contains(calls, "RedeemCode") {
			t.Errorf("got calls %v of the store, want the code not redeemed", calls)
		}
	}}
}

func unauthorized(answer *fixture.Answer) { answer.Unauthorized() }

func refusedWith(code string) func(*fixture.Answer) {
	return func(answer *fixture.Answer) { answer.JSON(400, code) }
}

func deactivatedBeforeRedemption(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AZ()).Code()
	s.Users.Deactivate("alice")
	s.Web.TK(code).JSON(400, "invalid_grant")
	revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events)
	if len(revoked) != 1 || revoked[0].Reason != oauthkit.RevokedByInactivity {
		t.Errorf("got %+v, want the authorization revoked because of its user", revoked)
	}
}
