package attacktest

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestStorageDump tests what an attacker can do with a copy of the database.
func TestStorageDump(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "ST-01 no secret in a dump", Test: noSecretInDump},
		{Name: "ST-02 stored values are not credentials", Test: storedValues},
		{Name: "ST-06 credentials are compared completely", Test: wholeCredential},
	})
}

// everything creates one credential of each type, used and unused, and returns the
// last tokens.
func everything(s *fixture.Server) fixture.Tokens {
	alice := s.Browser("alice")
	alice.Open(s.Web.AuthorizeRequest()).Consent() // stays pending
	alice.Decide(alice.Open(s.SPA.AuthorizeRequest()).Consent(), "deny")
	for _, client := range []*fixture.Client{s.Web, s.WebPost, s.SPA, s.CLI} {
		tokens := alice.Tokens(client)
		client.Refresh(tokens.Refresh).Tokens()
		client.Refresh(tokens.Refresh).Tokens()
	}
	s.Service.ClientCredentials().Tokens()
	revoked := alice.Tokens(s.Evil)
	s.Evil.Revoke(revoked.Refresh).OK()
	alice.Approve(s.Web.AuthorizeRequest()).Code() // is not redeemed
	return s.Web.Refresh(alice.Tokens(s.Web).Refresh).Tokens()
}

func noSecretInDump(t *testing.T, s *fixture.Server) {
	tokens := everything(s)
	dump := s.Dump()
	if dump == "" { // memory has no dump
		return
	}
	if !strings.Contains(dump, secret.Hash(tokens.Refresh)) || !strings.Contains(dump, "alice") {
		t.Fatalf("got a dump without the last refresh token's hash or without alice, want both:\n%s", dump)
	}
	for _, value := range append(s.Secrets(), fixture.Verifier) {
		for form, written := range spellings(value) {
			if strings.Contains(dump, written) {
				t.Errorf("got the secret %s, as %s, in the dump, want none", value, form)
			}
		}
	}
	for _, key := range []string{"PRIVATE KEY", `"d":`, `"p":`} {
		if strings.Contains(dump, key) {
			t.Errorf("got %q, the start of a private key, in the dump, want none", key)
		}
	}
}

// spellings returns the encodings in which a database may show a value and its
// random bits.
func spellings(value string) map[string]string {
	all := map[string]string{"itself": value}
	bits := map[string][]byte{"": []byte(value)}
	if prefix, body, _ := strings.Cut(value, "_"); len(prefix) == 3 {
		random, err := base64.RawURLEncoding.DecodeString(body)
		if err == nil && len(random) == 32 {
			bits[" of the random bits"] = random
			all["its random part"], all["the random bits"] = body, string(random)
		}
	}
	for what, text := range bits {
		all["hex"+what] = hex.EncodeToString(text)
		all["base64"+what] = base64.RawStdEncoding.EncodeToString(text)
		all["base64url"+what] = base64.RawURLEncoding.EncodeToString(text)
	}
	return all
}

// storedValues presents the stored value of each credential instead of the
// credential.
func storedValues(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	asked := alice.Authorize(s.Web.AuthorizeRequest())
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	token, err := s.Store.RefreshToken(t.Context(), secret.Hash(tokens.Refresh))
	if err != nil {
		t.Fatal(err)
	}
	stored := []string{token.Hash, token.Authorization.ID, token.Authorization.ConsentID, secret.Hash(tokens.Access), secret.Hash(code), fixture.Challenge(fixture.Verifier)}
	for _, prefix := range []secret.Prefix{"", secret.AccessToken, secret.RefreshToken, secret.AuthorizationCode, secret.Interaction} {
		for _, value := range stored {
			value = string(prefix) + value
			s.Web.Redeem(value).ErrorJSON(400, "invalid_grant")
			s.Web.Refresh(value).ErrorJSON(400, "invalid_grant")
			s.RS.Introspect(value).Inactive()
			s.Web.Revoke(value).OK()
			s.Bearer("/api/read", value).ErrorJSON(401, "invalid_token")
			alice.Get("/o/consent?interaction=" + value).ErrorPage(404)
		}
	}
	s.Web.Redeem(code, "code_verifier="+fixture.Challenge(fixture.Verifier)).ErrorJSON(400, "invalid_grant")
	app, err := s.Store.Application(t.Context(), "web")
	if err != nil {
		t.Fatal(err)
	}
	hash := string(oauthkit.Abstract(app).ClientSecret)
	for _, value := range []string{hash, strings.TrimPrefix(hash, "sha256$"), secret.Hash(s.Web.Secret)} {
		thief := *s.Web
		thief.Secret = value
		thief.Redeem(code).Unauthorized()
	}
	browser := s.Browser("alice")
	for _, cookie := range alice.Cookies() {
		if strings.HasPrefix(cookie.Name, "__Host-") {
			cookie.Value = secret.Hash(cookie.Value)
			browser.SetCookie(cookie)
		}
	}
	browser.Follow(asked).ErrorPage(403)
	s.Web.Redeem(code).Tokens()
	s.Web.Refresh(tokens.Refresh).Tokens()
}

func wholeCredential(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, change := range []func(string) string{
		func(value string) string { return value[:len(value)-1] },
		func(value string) string { return value + "A" },
		func(value string) string { return value[:4] + value[5:] + "A" },
		func(value string) string { return value[:len(value)/2] + swapCase(value[len(value)/2:]) },
		func(value string) string { return value[:4] + swapCase(value[4:]) },
		func(value string) string { return value[:4] + strings.Repeat("%", 43) },
		func(value string) string { return value[:4] + strings.Repeat("_", 43) },
	} {
		s.RS.Introspect(change(tokens.Access)).Inactive()
		s.Web.Introspect(change(tokens.Refresh)).Inactive()
		s.Bearer("/api/read", change(tokens.Access))
		s.Web.Refresh(change(tokens.Refresh)).ErrorJSON(400, "invalid_grant")
		s.Web.Redeem(change(code)).ErrorJSON(400, "invalid_grant")
		s.Web.Revoke(change(tokens.Refresh)).OK()
	}
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Refresh(tokens.Refresh).Tokens()
	s.Web.Redeem(code).Tokens()
}

// swapCase returns another credential of the same form. base64url is case-sensitive,
// but some collations are not.
func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return r
		}
	}, text)
}
