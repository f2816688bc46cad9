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

// looking makes a provider that may only read the keys of a store, and has nothing to tell of them.
func looking(t *testing.T, store *memstore.Store, secret string) (*oauthkit.Provider, *oidc.Extension, error) {
	openID := oidc.New(oidc.Config{Keys: oidc.ReadOnlyKeys(store)})
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

// TestReadOnlyKeys shows that a provider which only looks works where there are no keys yet, and stores none.
func TestReadOnlyKeys(t *testing.T) {
	store := memstore.New()
	provider, openID, err := looking(t, store, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range provider.Check(t.Context()) {
		if finding.ID[:5] == "oidc." {
			t.Errorf("got %v, want nothing about the keys", finding)
		}
	}
	if err := openID.RotateKeys(t.Context()); err != nil {
		t.Errorf("RotateKeys: got %v, want it to rotate what is in memory", err)
	}
	if err := openID.RemoveKey(t.Context(), "x"); err == nil {
		t.Error("RemoveKey: got no error, want one")
	}
	if stored := storedKeys(t, store); stored != 0 {
		t.Errorf("got %d stored keys, want none", stored)
	}
}

// TestReadOnlyKeysReadsTheStored shows that keys which are there are used: what does not open them, or fails, is noticed.
func TestReadOnlyKeysReadsTheStored(t *testing.T) {
	s := newSite(t, oidc.Config{})
	before := storedKeys(t, s.store)
	if _, _, err := looking(t, s.store, "another secret of thirty-two bytes"); err == nil {
		t.Error("got no error for a secret that does not open the keys, want one")
	}
	if _, _, err := looking(t, s.store, secret); err != nil {
		t.Error(err)
	}
	first := s.stored()[0]
	if err := oidc.ReadOnlyKeys(s.store).AddSigningKey(t.Context(), first); !errors.Is(err, oauthkit.ErrReplayed) {
		t.Errorf("adding a key that is there: got %v, want ErrReplayed", err)
	}
	if after := storedKeys(t, s.store); after != before {
		t.Errorf("got %d stored keys, want the %d that there were", after, before)
	}
	s.keys.failing.Store(true)
	failing := oidc.ReadOnlyKeys(s.keys)
	if err := failing.AddSigningKey(t.Context(), &oauthkit.SigningKey{}); err == nil {
		t.Error("got a key added beside a store that fails, want its failure")
	}
}

// A command that checks how a provider would start leaves no key behind.
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
	// Config.Secret is empty, so the private signing keys are stored in clear
	// 0 stored keys <nil>
}
