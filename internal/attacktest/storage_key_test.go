package attacktest

import (
	"context"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestStoredKeys is about the one thing in the database that is worth something as it is stored.
func TestStoredKeys(t *testing.T) {
	var secret string
	fixture.Run(t, []fixture.Case{{
		Name:      "ST-08 signing keys at rest",
		Configure: func(config *oauthkit.Config, _ storetest.Store) { secret = config.Secret },
		Test:      func(t *testing.T, s *fixture.Server) { sealedKeys(t, s, secret) },
	}})
}

func sealedKeys(t *testing.T, s *fixture.Server, secret string) {
	keys, err := s.Store.SigningKeys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("got %d keys, %v; want RS256 and ES256", len(keys), err)
	}
	const derSequence = 0x30 // with which PKCS #8 begins
	for _, key := range keys {
		if len(key.Private) == 0 || key.Private[0] == derSequence || strings.Contains(string(key.Private), "PRIVATE") || strings.Contains(string(key.Private), `"d"`) {
			t.Errorf("%s: got a private key of %d bytes in clear, want it sealed", key.Algorithm, len(key.Private))
		}
	}
	swapped := []*oauthkit.SigningKey{copyOf(keys[0]), copyOf(keys[1])}
	swapped[0].Private, swapped[1].Private = keys[1].Private, keys[0].Private
	damaged := []*oauthkit.SigningKey{copyOf(keys[0]), keys[1]}
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
			t.Errorf("%s: got %v, want a provider that starts: %t", test.name, err, test.starts)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), string(keys[0].Private))) {
			t.Errorf("%s: got an error that tells a secret: %v", test.name, err)
		}
	}
}

func copyOf(key *oauthkit.SigningKey) *oauthkit.SigningKey {
	duplicate := *key
	return &duplicate
}

// changedKeys is a store to whose keys somebody has had access.
type changedKeys struct {
	oauthkit.KeyStore
	keys []*oauthkit.SigningKey
}

// SigningKeys implements [oauthkit.KeyStore].
func (c changedKeys) SigningKeys(context.Context) ([]*oauthkit.SigningKey, error) { return c.keys, nil }
