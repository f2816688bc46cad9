package oauthkit

import (
	"encoding/json"
	"testing"
	"time"
)

// TestAuthorizationValid checks how expiry and revocation affect an Authorization.
func TestAuthorizationValid(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		expiresAt, revokedAt time.Time
		want                 bool
	}{
		"valid":          {now.Add(time.Microsecond), time.Time{}, true},
		"expires now":    {now, time.Time{}, false},
		"without expiry": {time.Time{}, time.Time{}, false},
		"revoked":        {now.Add(time.Hour), now, false},
		"revoked later":  {now.Add(time.Hour), now.Add(time.Minute), false}, // by an instance whose clock is ahead
	} {
		authorization := &Authorization{ExpiresAt: test.expiresAt, RevokedAt: test.revokedAt}
		if got := authorization.Valid(now); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

// TestTokenResponse_NoScope shows that a response without scopes has no member scope,
// whose value has at least one word, also after it was stored for a repeat.
func TestTokenResponse_NoScope(t *testing.T) {
	response := &TokenResponse{AccessToken: "a", TokenType: "Bearer", ExpiresIn: 1}
	response.Set("scope", "forged")
	const want = `{"access_token":"a","expires_in":1,"token_type":"Bearer"}`
	for range 2 {
		text, err := json.Marshal(response)
		if err != nil || string(text) != want {
			t.Fatalf("got %s, %v; want %s", text, err, want)
		}
		if err := json.Unmarshal(text, response); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTokenResponse_Extra shows that further members replace none of the response's own,
// even if it has no refresh token, also after it was stored for a repeat.
func TestTokenResponse_Extra(t *testing.T) {
	response := &TokenResponse{AccessToken: "a", TokenType: "DPoP", ExpiresIn: 1, Scope: "s"}
	for _, name := range []string{"access_token", "token_type", "expires_in", "scope", "refresh_token"} {
		response.Set(name, "forged")
	}
	response.Set("id_token", "i")
	const want = `{"access_token":"a","expires_in":1,"id_token":"i","scope":"s","token_type":"DPoP"}`
	for range 2 {
		text, err := json.Marshal(response)
		if err != nil || string(text) != want {
			t.Fatalf("got %s, %v, want %s", text, err, want)
		}
		if err := json.Unmarshal(text, response); err != nil {
			t.Fatal(err)
		}
	}
}
