package oidc_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// auditedKeys records the key events of several instances that share a store.
type auditedKeys struct {
	t      *testing.T
	store  *memstore.Store
	clock  *clock
	mu     sync.Mutex
	events []oauthkit.Event
}

// instance starts another instance.
func (k *auditedKeys) instance() *oidc.Extension {
	k.t.Helper()
	extension := oidc.New(oidc.Config{Algorithms: pair(), Keys: k.store})
	_, err := oauthkit.New(issuer, k.store, oauthkit.Config{
		Extensions: []oauthkit.Extension{extension}, Secret: secret, Now: k.clock.Now,
		Observe: func(_ context.Context, event oauthkit.Event) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.events = append(k.events, event)
		},
	})
	if err != nil {
		k.t.Error(err) // not Fatal: instances start in goroutines too
	}
	return extension
}

// take returns the events since the last call.
func (k *auditedKeys) take() []oauthkit.Event {
	taken := k.events
	k.events = nil
	return taken
}

// published returns the expected events for all stored keys that sign from activeAt on,
// in the order in which they were generated.
func (k *auditedKeys) published(activeAt time.Time) []oauthkit.Event {
	k.t.Helper()
	keys, err := k.store.SigningKeys(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	var events []oauthkit.Event
	for _, algorithm := range []string{"RS256", "ES256"} {
		for _, key := range keys {
			if key.Algorithm == algorithm && key.ActiveAt.Equal(activeAt) {
				events = append(events, oauthkit.KeyPublished{KeyID: key.ID, Algorithm: algorithm, ActiveAt: key.ActiveAt})
			}
		}
	}
	return events
}

func (k *auditedKeys) want(what string, want []oauthkit.Event) {
	k.t.Helper()
	if got := k.take(); !slices.Equal(got, want) || len(want) == 0 {
		k.t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// TestKeyEvents follows the first keys from the start of the program to their removal.
// A call that changes nothing sends no event.
func TestKeyEvents(t *testing.T) {
	keys := &auditedKeys{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	begun := keys.clock.Now()
	one := keys.instance()
	first := keys.published(begun)
	keys.want("start", first)
	other := keys.instance()
	rotate := func() {
		for _, extension := range []*oidc.Extension{one, other} {
			if err := extension.RotateKeys(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	rotate()
	keys.want("rotation", keys.published(begun.Add(time.Hour)))

	keys.clock.advance(31 * 24 * time.Hour)
	rotate()
	ended := keys.published(keys.clock.Now().Add(time.Hour))
	for _, event := range first {
		published := event.(oauthkit.KeyPublished)
		ended = append(ended, oauthkit.KeyRetired{KeyID: published.KeyID, Algorithm: published.Algorithm})
	}
	keys.want("rotation after the end", ended)

	stolen := ended[0].(oauthkit.KeyPublished).KeyID
	if err := one.RemoveKey(t.Context(), stolen); err != nil {
		t.Fatal(err)
	}
	keys.want("removal", []oauthkit.Event{oauthkit.KeyRevoked{KeyID: stolen}})
	if err := other.RemoveKey(t.Context(), stolen); err != nil || len(keys.take()) > 0 {
		t.Errorf("removal again: got error %v or an event, want neither", err)
	}
}

// TestKeyEvents_AtOnce starts and rotates several instances at the same time on an
// empty database. Each key that is added or removed causes one event.
func TestKeyEvents_AtOnce(t *testing.T) {
	keys := &auditedKeys{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	var instances [4]*oidc.Extension
	atOnce := func(do func(i int)) []oauthkit.Event {
		var all sync.WaitGroup
		for i := range instances {
			all.Go(func() { do(i) })
		}
		all.Wait()
		return keys.take()
	}
	rotate := func(i int) {
		if err := instances[i].RotateKeys(t.Context()); err != nil {
			t.Error(err)
		}
	}
	got, want := atOnce(func(i int) { instances[i] = keys.instance() }), keys.published(keys.clock.Now())
	if len(got) != len(want) || !slices.ContainsFunc(got, func(event oauthkit.Event) bool { return event == want[0] }) {
		t.Errorf("start: got %+v, want %+v in any order", got, want)
	}
	atOnce(rotate)
	keys.clock.advance(31 * 24 * time.Hour)
	var retired []string
	for _, event := range atOnce(rotate) {
		if event, ok := event.(oauthkit.KeyRetired); ok {
			retired = append(retired, event.KeyID)
		}
	}
	if slices.Sort(retired); len(retired) != len(want) || len(slices.Compact(retired)) != len(want) {
		t.Errorf("end: got %v, want %d keys, each once", retired, len(want))
	}
}

// TestKeyEvents_Answered uses an observer that rotates the keys on every event, the
// first ones included. Events are sent while no one holds the keyring.
func TestKeyEvents_Answered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	store, answered := memstore.New(), make(chan error, 1)
	extension := oidc.New(oidc.Config{Algorithms: pair(), Keys: store})
	removeSigner := func() error {
		_, err := oauthkit.New(issuer, store, oauthkit.Config{
			Extensions: []oauthkit.Extension{extension}, Secret: secret,
			Observe: func(ctx context.Context, _ oauthkit.Event) {
				if err := extension.RotateKeys(ctx); err != nil {
					t.Error(err)
				}
			},
		})
		if err != nil {
			return err
		}
		keys, err := store.SigningKeys(ctx)
		if err != nil {
			return err
		}
		first := slices.IndexFunc(keys, func(key *oauthkit.SigningKey) bool { return key.Generation == 1 })
		return extension.RemoveKey(ctx, keys[first].ID)
	}
	go func() { answered <- removeSigner() }()
	select {
	case err := <-answered:
		if stored := storedKeys(t, store); err != nil || stored != 3 {
			t.Errorf("got error %v and %d keys, want the first two, the next two, and one of them removed", err, stored)
		}
	case <-ctx.Done():
		t.Error("deadlock: the observer and the keyring wait for each other")
	}
}
