package oidc_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// pemOf returns a new P-256 key in PEM.
func pemOf(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(newDevice(t).private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// TestImportKey imports a key in each state and follows the ring.
func TestImportKey(t *testing.T) {
	for _, test := range []struct {
		state           oidc.KeyState
		stored          oidc.KeyState
		signs, anHour   bool // at once; after an hour
		after31Days     bool // published
		generatedStates [2]oidc.KeyState
	}{
		{"", oidc.KeyAnnounced, false, true, true, [2]oidc.KeyState{oidc.KeyActive, oidc.KeyRetiring}},
		{oidc.KeyActive, oidc.KeyActive, true, true, true, [2]oidc.KeyState{oidc.KeyRetiring, oidc.KeyRetiring}},
		{oidc.KeyRetiring, oidc.KeyRetiring, false, false, false, [2]oidc.KeyState{oidc.KeyActive, oidc.KeyActive}},
	} {
		s := newSite(t, oidc.Config{Algorithms: []string{"ES256"}})
		generated := s.signer()
		imported := oidc.Import{PEM: pemOf(t), State: test.state}
		kid, err := s.extension.ImportKey(t.Context(), imported)
		if err != nil {
			t.Fatal(err)
		}
		states := func() map[string]oidc.KeyState { return oidc.KeyStates(s.stored(), s.clock.now) }
		if got := states(); got[kid] != test.stored || got[generated] != test.generatedStates[0] {
			t.Errorf("%s: got states %v of %s and %s", test.state, got, kid, generated)
		}
		if s.published()[kid] == nil || (s.signer() == kid) != test.signs {
			t.Errorf("%s: want it published, and signing: %t", test.state, test.signs)
		}
		if again, err := s.extension.ImportKey(t.Context(), imported); err != nil || again != kid || len(s.stored()) != 3 {
			t.Errorf("%s: got %q, %v for the same key again, want no change", test.state, again, err)
		}
		s.clock.advance(time.Hour)
		if got := states(); (s.signer() == kid) != test.anHour || got[generated] != test.generatedStates[1] {
			t.Errorf("%s: got states %v after an hour, want it to sign: %t", test.state, got, test.anHour)
		}
		s.clock.advance(31 * 24 * time.Hour)
		if (s.published()[kid] != nil) != test.after31Days {
			t.Errorf("%s: got published after 31 days: %t", test.state, !test.after31Days)
		}
		for _, key := range s.stored() {
			if key.ID == kid && key.Private[0] == 0x30 {
				t.Errorf("%s: the imported key is stored in clear", test.state)
			}
		}
	}
}

func TestImportKeyRejects(t *testing.T) {
	s := newSite(t, oidc.Config{})
	text := pemOf(t)
	if _, err := s.extension.ImportKey(t.Context(), oidc.Import{PEM: text}); err != nil {
		t.Fatal(err)
	}
	for name, imported := range map[string]oidc.Import{
		"another state":     {PEM: text, State: oidc.KeyActive},
		"unknown state":     {PEM: pemOf(t), State: "x"},
		"removed":           {PEM: pemOf(t), State: oidc.KeyRemoved},
		"another algorithm": {PEM: pemOf(t), Algorithm: "RS256"},
		"no PEM":            {PEM: []byte("x")},
	} {
		if kid, err := s.extension.ImportKey(t.Context(), imported); err == nil || bytes.Contains([]byte(err.Error()), text) {
			t.Errorf("%s: got %q, %v, want an error without the key", name, kid, err)
		}
	}
	if err := s.restart(onDevices(newDevice(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.extension.ImportKey(t.Context(), oidc.Import{PEM: pemOf(t), State: oidc.KeyActive}); err == nil {
		t.Error("got no error for a stored key that would replace a signer")
	}
	s.keys.failing.Store(true)
	if _, err := s.extension.ImportKey(t.Context(), oidc.Import{PEM: pemOf(t)}); err == nil {
		t.Error("got no error from a failing store")
	}
	if _, err := oidc.New(oidc.Config{}).ImportKey(t.Context(), oidc.Import{PEM: text}); err == nil {
		t.Error("got no error from an extension without a provider")
	}
}

// A migration from another provider keeps its key, so that clients notice nothing.
func ExampleExtension_ImportKey() {
	const former = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----`
	store, ctx := memstore.New(), context.Background()
	openID := oidc.New(oidc.Config{Keys: store, Algorithms: []string{"EdDSA"}})
	_, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Extensions: []oauthkit.Extension{openID}, Secret: "0123456789abcdef0123456789abcdef",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	kid, err := openID.ImportKey(ctx, oidc.Import{PEM: []byte(former), State: oidc.KeyActive})
	fmt.Println(kid, err) // the kid of RFC 8037 appendix A.3
	keys, err := store.SigningKeys(ctx)
	fmt.Println(oidc.KeyStates(keys, time.Now())[kid], err)
	// Output:
	// kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k <nil>
	// active <nil>
}
