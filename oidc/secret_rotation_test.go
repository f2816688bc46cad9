package oidc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
)

const nextSecret = "another secret that is also long enough"

// withSecrets restarts an instance with a secret and others that it accepts.
func (s *site) withSecrets(current string, accepted ...string) error {
	extension := oidc.New(oidc.Config{Algorithms: pair(), Keys: s.keys})
	provider, err := oauthkit.New(issuer, s.store, oauthkit.Config{
		Grants: grants.Standard(s.store), Extensions: []oauthkit.Extension{extension},
		Secret: current, AcceptSecrets: accepted, Now: s.clock.Now,
	})
	if err == nil {
		s.extension, s.provider = extension, provider
	}
	return err
}

// TestSecretRotation replaces Config.Secret on three instances, one after another in each
// of three steps, while each signs, seals and opens what the others sealed.
func TestSecretRotation(t *testing.T) {
	s := newSite(t, oidc.Config{})
	instances := []*site{s}
	for range 2 {
		other := &site{t: t, store: s.store, keys: s.keys, clock: s.clock, app: s.app}
		if err := other.withSecrets(secret); err != nil {
			t.Fatal(err)
		}
		instances = append(instances, other)
	}
	kid := s.signer()
	work := func(step string) {
		t.Helper()
		s.clock.advance(2 * time.Minute)
		for _, sealing := range instances {
			if err := sealing.extension.Upkeep(t.Context()); err != nil {
				t.Errorf("%s: %v", step, err)
			}
			if got := sealing.signer(); got != kid {
				t.Errorf("%s: got key %s, want %s still", step, got, kid)
			}
			sealed, err := sealing.provider.Seal(t.Context(), "test", []byte("text"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, opening := range instances {
				if text, err := opening.provider.Open(t.Context(), "test", sealed, nil); err != nil || string(text) != "text" {
					t.Errorf("%s: got %q, %v from another instance", step, text, err)
				}
			}
		}
	}
	needed := func() bool { return slices.Contains(findings(s), "oidc.W004") }
	for _, step := range []struct {
		name     string
		current  string
		accepted []string
	}{
		{"accept the next secret", secret, []string{nextSecret}},
		{"seal with the next secret", nextSecret, []string{secret}},
		{"forget the former secret", nextSecret, nil},
	} {
		for i, instance := range instances {
			if err := instance.withSecrets(step.current, step.accepted...); err != nil {
				t.Fatalf("%s, instance %d: %v", step.name, i, err)
			}
			if step.current == nextSecret && i == 0 && step.accepted != nil && !needed() {
				t.Error("got no finding oidc.W004 while the keys need the former secret")
			}
			work(step.name)
		}
		if needed() {
			t.Errorf("%s: got oidc.W004 after Upkeep, want nothing that needs the other secret", step.name)
		}
	}
	err := s.withSecrets(secret)
	if err == nil || !strings.Contains(err.Error(), "it names the secret") || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v with the former secret, want an error that names the missing one by its id", err)
	}
}

// TestResealing checks that a key that is removed at the same time does not come back,
// and that a failing store is reported.
func TestResealing(t *testing.T) {
	s := newSite(t, oidc.Config{})
	if err := s.withSecrets(nextSecret, secret); err != nil {
		t.Fatal(err)
	}
	stale := s.stored()[0]
	if err := s.extension.RemoveKey(t.Context(), stale.ID); err != nil {
		t.Fatal(err)
	}
	if replaced, err := s.store.ReplacePrivateKey(t.Context(), stale.ID, stale.Private, []byte{2}); replaced || err != nil {
		t.Errorf("got %t, %v for a removed key", replaced, err)
	}
	s.keys.failing.Store(true)
	if err := s.extension.Upkeep(t.Context()); err == nil {
		t.Error("got no error from a failing store")
	}
	s.keys.failing.Store(false)
	if err := s.extension.Upkeep(t.Context()); err != nil || slices.Contains(findings(s), "oidc.W004") {
		t.Errorf("got %v, want the keys sealed again", err)
	}
}
