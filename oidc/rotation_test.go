package oidc_test

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestRotation is K-03: it follows a key from its publication to its removal.
func TestRotation(t *testing.T) {
	s := newSite(t, oidc.Config{})
	old := s.signer()
	hint := idToken(t, s.signIn(nil))
	s.rotate()
	if got := len(s.published()); got != 4 {
		t.Fatalf("got %d keys published right after the rotation, want 4", got)
	}
	s.clock.advance(time.Hour - time.Microsecond)
	if got := s.signer(); got != old {
		t.Errorf("got key %s within the hour, want %s still", got, old)
	}
	s.rotate()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys after a second rotation within the hour, want 4", got)
	}
	s.clock.advance(time.Microsecond)
	next := s.signer()
	if next == old {
		t.Errorf("got key %s after the hour, want the next one", next)
	}
	s.clock.advance(30*24*time.Hour - time.Microsecond)
	if s.published()[old] == nil {
		t.Error("the old key is not published, want it published for 30 days")
	}
	if request, err := s.authorize(url.Values{"id_token_hint": {hint}}); err != nil || request.Subject != "alice" {
		t.Errorf("got %v for a hint that the old key signed, want it accepted", err)
	}
	s.clock.advance(time.Microsecond)
	if keys := s.published(); len(keys) != 2 || keys[old] != nil || keys[next] == nil {
		t.Errorf("got %v published after 30 days, want only the new keys", keys)
	}
	if _, err := s.authorize(url.Values{"id_token_hint": {hint}}); oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
		t.Errorf("got %v for a hint of an unpublished key, want invalid_request", err)
	}
	s.rotate()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys stored after the next rotation, want the first two removed", got)
	}
}

// TestRotationReachesOtherInstances is RL-25: every instance has published a key long
// before another instance signs with it.
func TestRotationReachesOtherInstances(t *testing.T) {
	s := newSite(t, oidc.Config{})
	provider, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), secret)
	if err != nil {
		t.Fatal(err)
	}
	other := &site{t: t, store: s.store, clock: s.clock, provider: provider}
	s.rotate()
	s.clock.advance(time.Minute)
	published := other.published()
	s.clock.advance(time.Hour)
	if kid := s.signer(); published[kid] == nil {
		t.Errorf("key %s signs an hour later, but the other instance had published only %v", kid, published)
	}
}

// TestRotationAtOnce rotates one database from many instances at the same time.
func TestRotationAtOnce(t *testing.T) {
	s := newSite(t, oidc.Config{})
	extensions := make([]*oidc.Extension, 4)
	for i := range extensions {
		extensions[i] = oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store})
		if _, err := s.extend(extensions[i], secret); err != nil {
			t.Fatal(err)
		}
	}
	var instances sync.WaitGroup
	for _, extension := range extensions {
		instances.Go(func() {
			if err := extension.RotateKeys(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	instances.Wait()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys, want two of each algorithm", got)
	}
}

// TestRemoveKey is K-04.
func TestRemoveKey(t *testing.T) {
	s := newSite(t, oidc.Config{})
	stolen, hint := s.signer(), idToken(t, s.signIn(nil))
	if err := s.extension.RemoveKey(t.Context(), stolen); err != nil {
		t.Fatal(err)
	}
	if keys := s.published(); keys[stolen] != nil || len(keys) != 2 {
		t.Errorf("got %v published, want two keys without the removed one", keys)
	}
	if got := s.signer(); got == stolen || s.published()[got] == nil {
		t.Errorf("got key %s signing, want a published key other than the removed one", got)
	}
	if _, err := s.authorize(url.Values{"id_token_hint": {hint}}); oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
		t.Errorf("got %v for a hint of the removed key, want invalid_request", err)
	}
	if err := s.extension.RemoveKey(t.Context(), "unknown"); err != nil {
		t.Errorf("got %v for an unknown key, want nil", err)
	}
}

// TestRemoveKeyDoesNotReviveAFormerOne removes the active key of a host that calls no
// Upkeep, while its predecessor, which has ended, is still stored.
func TestRemoveKeyDoesNotReviveAFormerOne(t *testing.T) {
	s := newSite(t, oidc.Config{RotateKeysAfter: oidc.NeverRotate, Algorithms: []string{"ES256"}})
	ended := s.signer()
	s.rotate()
	s.clock.advance(40 * 24 * time.Hour)
	if err := s.extension.RemoveKey(t.Context(), s.signer()); err != nil {
		t.Fatal(err)
	}
	if signer := s.signer(); signer == ended || s.published()[signer] == nil {
		t.Errorf("got key %s, want a new one and not %s", signer, ended)
	}
}

// TestRemoveKeyBesideAnUnreadableOne is K-04 while an instance cannot read the ring: it
// forgets the removed key, and goes on with the others.
func TestRemoveKeyBesideAnUnreadableOne(t *testing.T) {
	s := newSite(t, oidc.Config{})
	stolen := s.signer()
	s.rotate()
	other := &site{t: t, store: s.store, keys: s.keys, clock: s.clock, app: s.app}
	if err := other.withSecrets(secret); err != nil {
		t.Fatal(err)
	}
	unreadable := &oauthkit.SigningKey{ID: "x", Algorithm: "ES256", Generation: 9, Private: []byte{2, 9}, ActiveAt: s.clock.now}
	if err := s.store.AddSigningKey(t.Context(), unreadable); err != nil {
		t.Fatal(err)
	}
	if err := s.extension.RemoveKey(t.Context(), stolen); err == nil {
		t.Error("got no error about the key that cannot be read")
	}
	s.clock.advance(time.Minute)
	for i, instance := range []*site{s, other} {
		if instance.published()[stolen] != nil || instance.signer() == stolen || len(instance.published()) != 3 {
			t.Errorf("instance %d: got %v published, want the three other keys", i, instance.published())
		}
	}
}

// TestRemoveKeyBeforeItsSuccessorIsActive checks that a published key replaces the
// removed one at once.
func TestRemoveKeyBeforeItsSuccessorIsActive(t *testing.T) {
	s := newSite(t, oidc.Config{})
	s.rotate()
	published, stolen := s.published(), s.signer()
	if err := s.extension.RemoveKey(t.Context(), stolen); err != nil {
		t.Fatal(err)
	}
	if got := s.signer(); got == stolen || published[got] == nil {
		t.Errorf("got key %s signing, want the other one that was published", got)
	}
}

func TestKeysFailures(t *testing.T) {
	unused := oidc.New(oidc.Config{Algorithms: pair(), Keys: memstore.New()})
	if unused.RotateKeys(t.Context()) == nil || unused.RemoveKey(t.Context(), "x") == nil {
		t.Error("an extension without a provider rotates or removes keys, want an error")
	}
	s := newSite(t, oidc.Config{})
	s.keys.readOnly.Store(true)
	if err := s.extension.RotateKeys(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("got %v from a store that cannot add keys, want its error", err)
	}
	s.keys.readOnly.Store(false)
	s.rotate()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys after the second attempt, want 4", got)
	}
	s.keys.failing.Store(true)
	if s.extension.RotateKeys(t.Context()) == nil || s.extension.RemoveKey(t.Context(), "x") == nil {
		t.Error("got no error from a failing store")
	}
}

func (s *site) rotate() {
	s.t.Helper()
	if err := s.extension.RotateKeys(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// TestUpkeep checks that keys are rotated once for all instances at the configured age,
// and that an instance without requests learns of the new keys.
func TestUpkeep(t *testing.T) {
	const age = 90 * 24 * time.Hour
	s := newSite(t, oidc.Config{}) // 90 days are the default
	other := oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store, RotateKeysAfter: age})
	if _, err := s.extend(other, secret); err != nil {
		t.Fatal(err)
	}
	upkeep := func() {
		t.Helper()
		for _, extension := range []*oidc.Extension{s.extension, other} {
			if err := extension.Upkeep(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	s.clock.advance(age - time.Microsecond)
	upkeep()
	if got := len(s.stored()); got != 2 {
		t.Fatalf("got %d keys before the age, want the first 2", got)
	}
	s.clock.advance(time.Microsecond)
	for range 3 {
		upkeep()
		s.clock.advance(time.Minute)
	}
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys at the age, want 2 more, once", got)
	}
	s.clock.advance(30 * 24 * time.Hour)
	upkeep()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys within 30 days and an hour, want 4", got)
	}
	s.clock.advance(time.Hour)
	upkeep()
	if got := len(s.stored()); got != 2 {
		t.Errorf("got %d keys after that, want 2: the first ones are deleted", got)
	}
	s.clock.advance(age)
	upkeep()
	if got := len(s.stored()); got != 4 {
		t.Errorf("got %d keys after the next rotation, want 4", got)
	}
}

// TestUpkeepWithoutRotation checks that Upkeep only reads the keys with NeverRotate.
func TestUpkeepWithoutRotation(t *testing.T) {
	s := newSite(t, oidc.Config{RotateKeysAfter: oidc.NeverRotate})
	s.clock.advance(10 * 365 * 24 * time.Hour)
	if err := s.extension.Upkeep(t.Context()); err != nil {
		t.Error(err)
	}
	if got := len(s.stored()); got != 2 {
		t.Errorf("got %d keys, want the first 2", got)
	}
	if err := oidc.New(oidc.Config{}).Upkeep(t.Context()); err == nil {
		t.Error("got no error for an extension without a provider, want one")
	}
	for _, age := range []time.Duration{-2, time.Hour} {
		if _, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store, RotateKeysAfter: age}), secret); err == nil {
			t.Errorf("RotateKeysAfter %s: got no error, want one", age)
		}
	}
}
