package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// newReadOnly returns a provider that may only read the keys of store. Any event fails
// the test.
func newReadOnly(t *testing.T, store *memstore.Store, secret string) (*oauthkit.Provider, *oidc.Extension, error) {
	openID := oidc.New(oidc.Config{Algorithms: pair(), Keys: oidc.ReadOnlyKeys(store)})
	provider, err := oauthkit.New(issuer, store, oauthkit.Config{
		Secret: secret, Extensions: []oauthkit.Extension{openID},
		Observe: func(_ context.Context, event oauthkit.Event) {
			t.Errorf("got the event %+v, want none", event)
		},
	})
	return provider, openID, err
}

func storedKeys(t *testing.T, store *memstore.Store) int {
	t.Helper()
	keys, err := store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

// TestReadOnlyKeys checks that a read-only provider works without stored keys and
// stores none.
func TestReadOnlyKeys(t *testing.T) {
	store := memstore.New()
	provider, openID, err := newReadOnly(t, store, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range provider.Check(t.Context()) {
		if finding.ID[:5] == "oidc." {
			t.Errorf("got %v, want no finding about the keys", finding)
		}
	}
	if err := openID.RotateKeys(t.Context()); err != nil {
		t.Errorf("RotateKeys: got %v, want a rotation of the keys in memory", err)
	}
	if err := openID.RemoveKey(t.Context(), "x"); err == nil {
		t.Error("RemoveKey: got no error, want one")
	}
	if stored := storedKeys(t, store); stored != 0 {
		t.Errorf("got %d stored keys, want none", stored)
	}
}

// TestReadOnlyKeysReadsTheStored checks that stored keys are used, and that a wrong
// secret or a failing store is reported.
func TestReadOnlyKeysReadsTheStored(t *testing.T) {
	s := newSite(t, oidc.Config{})
	before := storedKeys(t, s.store)
	if _, _, err := newReadOnly(t, s.store, "another secret of thirty-two bytes"); err == nil {
		t.Error("got no error for a secret that does not decrypt the keys")
	}
	if _, _, err := newReadOnly(t, s.store, secret); err != nil {
		t.Error(err)
	}
	first := s.stored()[0]
	if err := oidc.ReadOnlyKeys(s.store).AddSigningKey(t.Context(), first); !errors.Is(err, oauthkit.ErrReplayed) {
		t.Errorf("adding a stored key: got %v, want ErrReplayed", err)
	}
	if after := storedKeys(t, s.store); after != before {
		t.Errorf("got %d stored keys, want the same %d", after, before)
	}
	s.keys.failing.Store(true)
	failing := oidc.ReadOnlyKeys(s.keys)
	if err := failing.AddSigningKey(t.Context(), &oauthkit.SigningKey{}); err == nil {
		t.Error("got no error from a failing store")
	}
}

// A command that checks the configuration stores no signing keys.
func ExampleReadOnlyKeys() {
	store, ctx := memstore.New(), context.Background()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: oidc.ReadOnlyKeys(store)})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range provider.Check(ctx) {
		if finding.ID == "oidc.W001" {
			fmt.Println(finding.Message)
		}
	}
	keys, err := store.SigningKeys(ctx)
	fmt.Println(len(keys), "stored keys", err)
	// Output:
	// Config.Secret is empty: the private signing keys are stored unencrypted
	// 0 stored keys <nil>
}
