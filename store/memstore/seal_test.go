package memstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const sealingSecret = "8c6976e5b5410415bde908bd4dee15df"

func sealingProvider(t *testing.T, issuer, secret string, store oauthkit.Store) *oauthkit.Provider {
	t.Helper()
	provider, err := oauthkit.New(issuer, store, oauthkit.Config{Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// TestSeal shows that every instance with the same secret and issuer can open a seal
// for the same purpose.
func TestSeal(t *testing.T) {
	const issuer = "https://as.test/o"
	shared := memstore.New()
	for _, secret := range []string{sealingSecret, ""} {
		provider := sealingProvider(t, issuer, secret, shared)
		sealed, err := provider.Seal(t.Context(), "test", []byte("text"), []byte("bound"))
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			name           string
			by             *oauthkit.Provider
			purpose, bound string
			opens          bool
		}{
			{"same", provider, "test", "bound", true},
			{"another instance", sealingProvider(t, issuer, secret, shared), "test", "bound", true},
			{"another purpose", provider, "test2", "bound", false},
			{"bound to something else", provider, "test", "bound2", false},
			{"another issuer", sealingProvider(t, issuer+"2", secret, shared), "test", "bound", false},
			{"another secret", sealingProvider(t, issuer, sealingSecret+"2", shared), "test", "bound", false},
			{"another database without a secret", sealingProvider(t, issuer, "", memstore.New()), "test", "bound", false},
		}
		for _, test := range tests {
			text, err := test.by.Open(t.Context(), test.purpose, sealed, []byte(test.bound))
			if test.opens && (err != nil || string(text) != "text") {
				t.Errorf("%s: got %q, %v, want the text", test.name, text, err)
			}
			if !test.opens && !errors.Is(err, oauthkit.ErrNotFound) {
				t.Errorf("%s: got %q, %v, want ErrNotFound", test.name, text, err)
			}
		}
	}
}

// secretStore counts the calls of SharedSecret and can fail.
type secretStore struct {
	*memstore.Store
	calls int
	value string
	err   error
}

func (s *secretStore) SharedSecret(context.Context, string) (string, error) {
	s.calls++
	return s.value, s.err
}

// TestSealFails shows that a failure of the store is returned, and that the secret is
// read again until it is known.
func TestSealFails(t *testing.T) {
	store := &secretStore{Store: memstore.New(), err: errors.New("no database")}
	provider := sealingProvider(t, "https://as.test/o", "", store)
	_, sealErr := provider.Seal(t.Context(), "test", nil, nil)
	_, openErr := provider.Open(t.Context(), "test", []byte("sealed"), nil)
	for _, err := range []error{sealErr, openErr} {
		if oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
			t.Errorf("got %v, want temporarily_unavailable", err)
		}
	}
	store.err, store.value = nil, "short"
	if _, err := provider.Seal(t.Context(), "test", nil, nil); err == nil {
		t.Error("got no error for a secret that can be guessed, want one")
	}
	store.value = sealingSecret
	for range 3 {
		if _, err := provider.Seal(t.Context(), "test", nil, nil); err != nil {
			t.Error(err)
		}
	}
	if store.calls != 4 {
		t.Errorf("got %d calls of the store, want 4: none after the first secret", store.calls)
	}
}
