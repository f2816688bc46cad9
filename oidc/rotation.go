package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

const (
	// publishLead is how long a new key is published before it signs: until every instance has read it (keyCheckInterval)
	// and every client that keeps the key set for keysMaxAge has fetched it, with room for clocks and failures.
	publishLead = time.Hour
	// keyRetention is how long a key stays published after its successor became active, for the ID tokens that it signed and
	// for those that come back as id_token_hint.
	keyRetention = 30 * 24 * time.Hour
	// minKeyAge is the least Config.RotateKeysAfter.
	minKeyAge = 24 * time.Hour
)

var errNotExtended = errors.New("oidc: the extension does not belong to a provider yet")

// RotateKeys adds a new signing key of each algorithm and removes those that are not of use any more. The new keys are
// published at once and sign after an hour, so that every client knows them by then; those before them stay published for
// 30 days more. While a new key waits for its hour, no other is added: any number of instances may rotate at a time, and
// what a failure has interrupted may be repeated.
func (e *Extension) RotateKeys(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	if err := e.keys.rotate(ctx); err != nil {
		return fmt.Errorf("oidc: rotating the signing keys: %w", err)
	}
	return nil
}

// Upkeep implements [oauthkit.Upkeeper]. It reads the signing keys again if they are due, so that an
// instance without requests learns of new keys too, and rotates those older than
// Config.RotateKeysAfter.
func (e *Extension) Upkeep(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	known := e.keys.current(ctx)
	if e.config.RotateKeysAfter == 0 || !known.hasOlder(e.keys.now().Add(-e.config.RotateKeysAfter)) {
		return nil
	}
	return e.RotateKeys(ctx)
}

// hasOlder reports whether the newest key of an algorithm has been active since before a time.
func (s *keySet) hasOlder(than time.Time) bool {
	return slices.ContainsFunc(algorithms(), func(algorithm jose.Algorithm) bool {
		newest := time.Time{}
		for _, key := range s.keys {
			if key.Algorithm() == algorithm { // in the order of their generations
				newest = key.activeAt
			}
		}
		return !newest.After(than)
	})
}

// RemoveKey removes a signing key by its kid, for one that has become known to somebody. This instance forgets it at once, the
// others within a minute; every ID token that it signed becomes invalid. Where no other key of its algorithm is left, a new
// one signs immediately, and clients will not know it before they fetch the key set again. An unknown kid is not an error.
func (e *Extension) RemoveKey(ctx context.Context, kid string) error {
	if e.keys == nil {
		return errNotExtended
	}
	if err := e.keys.remove(ctx, kid); err != nil {
		return fmt.Errorf("oidc: removing signing key %s: %w", kid, err)
	}
	return nil
}

func (k *keyring) remove(ctx context.Context, kid string) error {
	k.mutex.Lock()
	defer k.unlock(ctx)
	removed, err := k.store.RemoveSigningKey(ctx, kid)
	if err != nil {
		return err
	}
	if removed {
		k.done = append(k.done, oauthkit.KeyRevoked{KeyID: kid})
	}
	_, err = k.load(ctx)
	return err
}

func (k *keyring) rotate(ctx context.Context) error {
	k.mutex.Lock()
	defer k.unlock(ctx)
	all, err := k.load(ctx)
	if err != nil {
		return err
	}
	stored, now := k.usable(all), k.now()
	for _, algorithm := range algorithms() {
		newest := slices.MaxFunc(ofAlgorithm(stored, algorithm), func(a, b *oauthkit.SigningKey) int {
			return a.Generation - b.Generation
		})
		if now.Before(newest.ActiveAt) {
			continue
		}
		if err := k.add(ctx, algorithm, freeGeneration(all, stored, algorithm), now.Add(publishLead)); err != nil {
			return err
		}
	}
	known := k.known.Load()
	for _, key := range known.keys {
		if !known.outdated(key, now) {
			continue
		}
		removed, err := k.store.RemoveSigningKey(ctx, key.ID())
		if err != nil {
			return err
		}
		if removed {
			k.done = append(k.done, oauthkit.KeyRetired{KeyID: key.ID(), Algorithm: string(key.Algorithm())})
		}
	}
	_, err = k.load(ctx)
	return err
}
