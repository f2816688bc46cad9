package attacktest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestStoredKeys tests the signing keys, the only secrets that the database holds.
func TestStoredKeys(t *testing.T) {
	var secret string
	fixture.Run(t, []fixture.Case{{
		Name:      "ST-08 signing keys at rest",
		Configure: func(config *oauthkit.Config, _ storetest.Store) { secret = config.Secret },
		Test:      func(t *testing.T, s *fixture.Server) { sealedKeys(t, s, secret) },
	}, {
		Name: "ST-15 signing key inserted by an attacker", Test: plantedKey,
	}})
}

func sealedKeys(t *testing.T, s *fixture.Server, secret string) {
	keys, err := s.Store.SigningKeys(t.Context())
	if err != nil || len(keys) != 4 {
		t.Fatalf("got %d keys, %v; want one of each algorithm", len(keys), err)
	}
	const derSequence = 0x30 // the first byte of PKCS #8
	for _, key := range keys {
		if len(key.Private) == 0 || key.Private[0] == derSequence || strings.Contains(string(key.Private), "PRIVATE") || strings.Contains(string(key.Private), `"d"`) {
			t.Errorf("%s: got a private key of %d bytes in clear, want it sealed", key.Algorithm, len(key.Private))
		}
	}
	slices.SortFunc(keys, func(a, b *oauthkit.SigningKey) int { return strings.Compare(a.Algorithm, b.Algorithm) })
	swapped := append([]*oauthkit.SigningKey{copyOf(keys[0]), copyOf(keys[1])}, keys[2:]...)
	swapped[0].Private, swapped[1].Private = keys[1].Private, keys[0].Private
	damaged := append([]*oauthkit.SigningKey{copyOf(keys[0])}, keys[1:]...)
	damaged[0].Private = append(append([]byte(nil), keys[0].Private[:20]...), keys[0].Private[19:]...)
	for _, test := range []struct {
		name, secret string
		keys         []*oauthkit.SigningKey
		starts       bool
	}{
		{"the right secret", secret, keys, true},
		{"no secret", "", keys, false},
		{"another secret", strings.Repeat("x", 40), keys, false},
		{"private keys exchanged", secret, swapped, false},
		{"a private key changed", secret, damaged, false},
	} {
		_, err := oauthkit.New(fixture.Issuer, s.Store, oauthkit.Config{
			Secret: test.secret, Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: changedKeys{s.Store, test.keys}})},
		})
		if (err == nil) != test.starts {
			t.Errorf("%s: got %v, want the provider to start: %t", test.name, err, test.starts)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), string(keys[0].Private))) {
			t.Errorf("%s: got an error with a secret in it: %v", test.name, err)
		}
	}
}

func copyOf(key *oauthkit.SigningKey) *oauthkit.SigningKey {
	duplicate := *key
	return &duplicate
}

// changedKeys is a store whose keys were changed by an attacker.
type changedKeys struct {
	oauthkit.KeyStore
	keys []*oauthkit.SigningKey
}

// SigningKeys implements [oauthkit.KeyStore].
func (c changedKeys) SigningKeys(context.Context) ([]*oauthkit.SigningKey, error) { return c.keys, nil }

// plantedKey inserts an unsealed key into the database. The provider must not sign
// with it or publish it, must continue with its own keys, and must log a warning at
// each load.
func plantedKey(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	signer := headerOf(t, alice.Tokens(s.Web).ID)["kid"]
	second := s.SecondInstance() // which has read the keys before, too
	var planted []string
	for _, generation := range []int{99, 2} {
		key, err := jose.GenerateKey(jose.RS256)
		if err != nil {
			t.Fatal(err)
		}
		private, err := key.MarshalPrivate()
		if err != nil {
			t.Fatal(err)
		}
		err = s.Store.AddSigningKey(t.Context(), &oauthkit.SigningKey{
			ID: key.ID(), Algorithm: "RS256", Generation: generation, Private: private, CreatedAt: s.Clock.Now(), ActiveAt: s.Clock.Now().Add(-time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		planted = append(planted, key.ID())
	}
	openID := oidc.New(oidc.Config{Keys: s.Store})
	_, err := oauthkit.New(fixture.Issuer, s.Store, oauthkit.Config{
		Secret: fixture.ConfigSecret, Extensions: []oauthkit.Extension{openID}, Now: s.Clock.Now,
	})
	if err != nil {
		t.Fatalf("got %v, want the instance to start", err)
	}
	for i, instance := range []*fixture.Server{s, second, s.SecondInstance()} {
		for range 2 {
			s.Clock.Advance(time.Minute)
			if kid := headerOf(t, alice.On(instance).Tokens(instance.Web).ID)["kid"]; kid != signer {
				t.Errorf("instance %d: got key %v, want %v, which signed before", i, kid, signer)
			}
			set := instance.Browser("").Get("/o/.well-known/jwks.json").Body
			for _, kid := range planted {
				if strings.Contains(set, kid) {
					t.Errorf("instance %d: got the inserted key, want it absent from %s", i, set)
				}
			}
		}
	}
	if log := s.Log.String(); strings.Count(log, planted[0]) < 3 || !strings.Contains(log, "AcceptClearKeys") {
		t.Errorf("got the log\n%s\nwant a warning at each load, with the key's id and how to accept it", log)
	}
	if err := openID.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Store.SigningKeys(t.Context())
	if err != nil || len(keys) != 10 {
		t.Errorf("got %d keys after a rotation, %v; want 2 planted, 4 old and 4 new", len(keys), err)
	}
}

func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	part, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]any
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	return header
}
