package oidc_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

func TestKeyStates(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	key := func(id string, generation int, activeSince time.Duration) *oauthkit.SigningKey {
		return &oauthkit.SigningKey{ID: id, Algorithm: "ES256", Generation: generation, Private: []byte{1, 2}, ActiveAt: now.Add(-activeSince)}
	}
	tombstone := key("d", 3, day)
	tombstone.Private = []byte{0}
	for name, test := range map[string]struct {
		keys []*oauthkit.SigningKey
		want string // the first letters of a, b, c and d
	}{
		"one":                 {[]*oauthkit.SigningKey{key("a", 1, 0)}, "a=active"},
		"one, later":          {[]*oauthkit.SigningKey{key("a", 1, -time.Hour)}, "a=active"},
		"successor":           {[]*oauthkit.SigningKey{key("b", 2, -1), key("a", 1, day)}, "a=active b=announced"},
		"successor signs":     {[]*oauthkit.SigningKey{key("b", 2, 0), key("a", 1, day)}, "a=retiring b=active"},
		"29 days":             {[]*oauthkit.SigningKey{key("a", 1, 99*day), key("b", 2, 30*day-1)}, "a=retiring b=active"},
		"30 days":             {[]*oauthkit.SigningKey{key("a", 1, 99*day), key("b", 2, 30*day)}, "a=removed b=active"},
		"both later":          {[]*oauthkit.SigningKey{key("a", 1, -1), key("b", 2, -2)}, "a=active b=announced"},
		"imported former key": {[]*oauthkit.SigningKey{key("c", 0, 30*day-1), key("a", 1, 90*day)}, "a=active c=retiring"},
		"its end":             {[]*oauthkit.SigningKey{key("c", -1, 30*day), key("a", 1, 90*day)}, "a=active c=removed"},
		"only a former key":   {[]*oauthkit.SigningKey{key("c", 0, day)}, "c=retiring"},
		"removed signer":      {[]*oauthkit.SigningKey{tombstone, key("a", 1, 90*day)}, "a=active d=removed"},
	} {
		want := map[string]oidc.KeyState{}
		for pair := range strings.FieldsSeq(test.want) {
			id, state, _ := strings.Cut(pair, "=")
			want[id] = oidc.KeyState(state)
		}
		if got := oidc.KeyStates(test.keys, now); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestEveryAlgorithm signs with each algorithm of one provider and verifies with the
// published keys and another library.
func TestEveryAlgorithm(t *testing.T) {
	s := newSite(t, oidc.Config{Algorithms: []string{"RS256", "ES256", "PS256", "EdDSA"}})
	var set gojose.JSONWebKeySet
	mustUnmarshal(t, s.keySet().Body.Bytes(), &set)
	for algorithm, want := range map[string]string{"": "RS256", "RS256": "RS256", "ES256": "ES256", "PS256": "PS256", "EdDSA": "EdDSA"} {
		s.app.Algorithm = algorithm
		response := s.signIn(nil)
		parsed, err := gojose.ParseSignedCompact(idToken(t, response), []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(want)})
		if err != nil {
			t.Fatalf("%q: %v", algorithm, err)
		}
		keys := set.Key(parsed.Signatures[0].Header.KeyID)
		if len(keys) != 1 || keys[0].Algorithm != want {
			t.Fatalf("%q: got keys %v, want one for %s", algorithm, keys, want)
		}
		payload, err := parsed.Verify(keys[0].Key)
		if err != nil {
			t.Fatalf("%q: %v", algorithm, err)
		}
		var claims struct {
			AccessTokenHash string `json:"at_hash"`
		}
		mustUnmarshal(t, payload, &claims)
		length := 22 // half of SHA-256 in base64url
		if want == "EdDSA" {
			length = 43 // half of SHA-512
		}
		if len(claims.AccessTokenHash) != length {
			t.Errorf("%q: got at_hash %s, want %d characters", algorithm, claims.AccessTokenHash, length)
		}
		if _, err := s.authorize(map[string][]string{"id_token_hint": {idToken(t, response)}}); err != nil {
			t.Errorf("%q: got %v for it as a hint", algorithm, err)
		}
	}
}

func mustUnmarshal(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
