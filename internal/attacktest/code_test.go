package attacktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestCode tests what a code can be used for: one token request of the application it
// was issued to, within a minute.
func TestCode(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "C-01 code flow", Test: codeFlow},
		{Name: "C-04 replay revokes", Test: codeReplay},
		{Name: "C-05 replay after expiry", Test: codeReplayAfterExpiry},
		{Name: "C-09 valid for 59 s", Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			s.Clock.Advance(59 * time.Second)
			s.Web.Redeem(code).Tokens()
		}},
		{Name: "C-09 not valid after 61 s", Test: expiredCode},
		{Name: "C-09 never valid for more than ten minutes", Configure: withLongCodes, Test: func(_ *testing.T, s *fixture.Server) {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			s.Clock.Advance(10 * time.Minute)
			s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
		}},
		{Name: "C-15 malformed code", Test: malformedCode},
		{Name: "C-16 credential of another type", Test: codeForAnother},
		{Name: "C-17 scope in the token request", Test: func(t *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			for _, scope := range []string{"api:write", "openid api:read email", "nonsense", "*", ""} {
				tokens := s.Web.Redeem(alice.Approve(s.Web.AuthorizeRequest()).Code(), "scope="+scope).Tokens()
				if granted := s.RS.Introspect(tokens.Access).Active()["scope"]; tokens.Scope != "openid api:read" || granted != tokens.Scope {
					t.Errorf("scope=%s: got scope %q, and %q by introspection, want the approved scopes", scope, tokens.Scope, granted)
				}
			}
		}},
		{Name: "C-20 codes of the endpoint", Test: differentCodes},
		{Name: "C-21 ID token", Test: codeIDToken},
		{Name: "C-23 response lost", Test: lostCodeResponse},
		{Name: "C-24 code in the URL", Test: codeInURL},
	})
}

// withLongCodes configures a longer lifetime than RFC 6749 §4.1.2 recommends.
func withLongCodes(config *oauthkit.Config, store storetest.Store) {
	config.Grants = []oauthkit.Grant{grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{Lifetime: time.Hour})}
}

func codeFlow(t *testing.T, s *fixture.Server) {
	answer := s.Web.Redeem(s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code())
	answer.Tokens()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(answer.Body), &members); err != nil {
		t.Fatalf("reading the token response: %v", err)
	}
	for name, want := range map[string]string{"token_type": `"Bearer"`, "expires_in": "600", "scope": `"openid api:read"`} {
		if got := string(members[name]); got != want {
			t.Errorf("got %s %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("got %s %q, want %q (RFC 6749 §5.1)", name, got, want)
		}
	}
}

func codeReplay(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	tokens := s.Web.Redeem(code).Tokens()
	refreshed := s.Web.Refresh(tokens.Refresh).Tokens()
	s.Clock.Advance(time.Second)
	s.Web.Redeem(code, "code_verifier=a-verifier-that-somebody-else-has-made-up-xyz").ErrorJSON(400, "invalid_grant")
	s.Evil.Redeem(code, "redirect_uri="+s.Web.RedirectURI).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(refreshed.Access).Active() // without the proof it does not count as a replay
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	for _, access := range []string{tokens.Access, refreshed.Access} {
		s.RS.Introspect(access).Inactive()
	}
	s.Web.Refresh(refreshed.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	checkReplay(t, s)
}

// checkReplay expects one revoked authorization and its reason.
func checkReplay(t *testing.T, s *fixture.Server) {
	t.Helper()
	replayed := fixture.EventsOf[oauthkit.CredentialReplayed](s.Events)
	if len(replayed) == 0 || replayed[0].ClientID != "web" || replayed[0].Subject != "alice" || replayed[0].Credential != "authorization_code" {
		t.Errorf("got %+v, want the replay of alice's code for web", replayed)
	}
	revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events)
	if len(revoked) != 1 || revoked[0].Reason != oauthkit.RevokedByReplay {
		t.Errorf("got %+v, want one revocation with the reason replay", revoked)
	}
}

func codeReplayAfterExpiry(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	tokens := s.Web.Redeem(code).Tokens()
	s.Clock.Advance(11 * time.Minute)
	if _, err := s.Store.Cleanup(t.Context(), oauthkit.CleanupLimits{Now: s.Clock.Now()}); err != nil {
		t.Fatalf("cleaning up: %v", err)
	}
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	checkReplay(t, s)
}

func expiredCode(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	s.Clock.Advance(61 * time.Second)
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	s.Clock.Advance(-2 * time.Second)
	s.Web.Redeem(code).Tokens() // only the time made it fail
	if replayed := fixture.EventsOf[oauthkit.CredentialReplayed](s.Events); len(replayed) > 0 {
		t.Errorf("got %+v, want no replay", replayed)
	}
}

// malformedCode sends modified codes. A malformed code is refused before the store
// is asked.
func malformedCode(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	malformed := []string{
		code + "x", code + "=", code + " ", " " + code, code + "\n", code + ",", code + "." + code, "oac_", "oac_" + code, strings.ToUpper(code),
		strings.TrimPrefix(code, "oac_"), "OAC_" + code[4:], "ort_" + code[4:], strings.Repeat("a", 8000),
	}
	for i := 1; i < len(code); i++ {
		malformed = append(malformed, code[:i])
	}
	for _, value := range malformed {
		s.Store.ClearCalls()
		s.Web.Redeem(value).ErrorJSON(400, "invalid_grant")
		if calls := s.Store.Calls(); !slices.Equal(calls, []string{"Application"}) {
			t.Errorf("code %q: got store calls %v, want only that for the application", value, calls)
		}
	}
	for _, value := range []string{"", code + "\x00", code + "\xff", strings.Repeat("a", 10<<10)} {
		s.Web.Redeem(value).ErrorJSON(400, "invalid_request")
	}
	s.Web.Redeem(code, "code").ErrorJSON(400, "invalid_request")
	s.Store.ClearCalls()
	s.Web.Redeem(flipCase(code)).ErrorJSON(400, "invalid_grant")
	if calls := s.Store.Calls(); !slices.Equal(calls, []string{"Application", "Code"}) {
		t.Errorf("another code: got store calls %v, want one look-up", calls)
	}
	s.Web.Redeem(code).Tokens()
}

// flipCase changes the case of the first letter in the random part of a code.
func flipCase(code string) string {
	const prefix = len("oac_")
	i := prefix + strings.IndexFunc(code[prefix:], unicode.IsLetter)
	return code[:i] + string(code[i]^0x20) + code[i+1:]
}

// codeForAnother presents each credential as one of another type. The prefix shows
// the type, so it is refused before the store is asked.
func codeForAnother(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	interaction := interactionOf(alice.Open(s.SPA.AuthorizeRequest()).Consent())
	code := alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Store.ClearCalls()
	for _, value := range []string{tokens.Access, tokens.Refresh, tokens.ID, interaction, s.Web.Secret} {
		s.Web.Redeem(value).ErrorJSON(400, "invalid_grant")
	}
	for _, value := range []string{tokens.Access, code, tokens.ID, interaction, s.Web.Secret} {
		s.Web.Refresh(value).ErrorJSON(400, "invalid_grant")
	}
	for _, value := range []string{code, tokens.Refresh, tokens.ID, interaction, s.Web.Secret} {
		for _, path := range []string{"/o/userinfo", "/api/read"} {
			request := fixture.NewRequest(http.MethodGet, path, nil)
			request.Header.Set("Authorization", "Bearer "+value)
			s.Do(request).ErrorJSON(401, "invalid_token")
		}
	}
	for _, value := range []string{code, tokens.ID, interaction, s.Web.Secret} {
		s.Web.Introspect(value).Inactive()
		if answer := s.Web.Revoke(value); answer.Status != http.StatusOK {
			t.Errorf("revoking %.8s...: got %d, want 200 as for an unknown token", value, answer.Status)
		}
	}
	if calls := slices.Compact(s.Store.Calls()); !slices.Equal(calls, []string{"Application"}) {
		t.Errorf("got store calls %v, want only those for applications", calls)
	}
	s.Web.Introspect(tokens.Access).Active()
	s.Web.Redeem(code).Tokens()
}

func codeIDToken(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	s.Clock.Advance(time.Minute)
	signedIn := s.Clock.Now().Add(-time.Minute).Unix()
	now := s.Clock.Now().Unix()
	tokens := alice.Tokens(s.Web)
	claims := claimsOf(t, tokens.ID)
	for name, want := range map[string]any{
		"iss": fixture.Issuer, "aud": "web", "sub": "alice", "nonce": "n1", "iat": float64(now), "auth_time": float64(signedIn),
		"at_hash": jose.AccessTokenHash(jose.RS256, tokens.Access),
	} {
		if claims[name] != want {
			t.Errorf("got %s %v, want %v", name, claims[name], want)
		}
	}
	if expiry, _ := claims["exp"].(float64); expiry <= float64(now) || expiry > float64(now+24*3600) {
		t.Errorf("got exp %v at %d, want it later, within a day", claims["exp"], now)
	}
	if nonce, present := claimsOf(t, alice.Tokens(s.Web, "nonce").ID)["nonce"]; present {
		t.Errorf("got nonce %v, want none, because the request had none", nonce)
	}
	if tokens := alice.Tokens(s.Web, "scope=api:read"); tokens.ID != "" {
		t.Error("got an ID token without the scope openid, want none")
	}
}

// lostCodeResponse loses the database connection after the act took effect, so the
// application gets no tokens. Its retry looks like a replay by an attacker, so the
// application has to start over. Only refresh tokens can be retried.
func lostCodeResponse(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	code := alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Store.FailAfter("RedeemCode")
	s.Web.Redeem(code).Unavailable()
	s.Store.Heal()
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	checkReplay(t, s)
	alice.Tokens(s.Web)

	code = alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Store.Fail(3) // after reading the application and the code: the act itself
	s.Web.Redeem(code).Unavailable()
	s.Store.Heal()
	s.Web.Redeem(code).Tokens() // a call without effect can be retried
}

func codeInURL(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	code := alice.Approve(s.Web.AuthorizeRequest()).Code()
	form := map[string][]string{"grant_type": {"authorization_code"}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier}}
	s.Do(s.Web.Request("/o/token?code="+code, form)).ErrorJSON(400, "invalid_request")
	s.Do(s.Web.Request("/o/token?code="+code+"&grant_type=authorization_code&code_verifier="+fixture.Verifier, nil)).ErrorJSON(400, "invalid_request")
	form["code"] = []string{code}
	if tokens := s.Do(s.Web.Request("/o/token?code=another&scope=email", form)).Tokens(); tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want the URL ignored", tokens.Scope)
	}
}
