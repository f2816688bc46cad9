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
	// publishLead is how long a new key is published before it signs. Every instance
	// must have read it (keyCheckInterval) and every client must have fetched it
	// (keysMaxAge), with a margin for clock skew and failures.
	publishLead = time.Hour
	// keyRetention is how long a key stays published after its successor became active.
	// Until then clients verify ID tokens that it signed, and send them as
	// id_token_hint.
	keyRetention = 30 * 24 * time.Hour
	// minKeyAge is the smallest Config.RotateKeysAfter.
	minKeyAge = 24 * time.Hour
)

var errNotExtended = errors.New("oidc: the extension is not part of a provider; pass it to oauthkit.New first")

// RotateKeys adds a signing key of each algorithm and removes outdated ones.
//
// New keys are published at once and sign after an hour, so that every client has
// fetched them by then. Their predecessors stay published for 30 more days. RotateKeys
// adds nothing for an algorithm whose newest key does not sign yet, so concurrent calls
// are safe and a failed call can be repeated.
func (e *Extension) RotateKeys(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	if err := e.keys.rotate(ctx); err != nil {
		return fmt.Errorf("oidc: RotateKeys: %w", err)
	}
	return nil
}

// Upkeep implements [oauthkit.Upkeeper]. It reads the signing keys again if they are
// due, so that an instance without requests learns of new keys too, and rotates keys
// older than Config.RotateKeysAfter.
func (e *Extension) Upkeep(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	keys := e.keys.current(ctx)
	if e.config.RotateKeysAfter == 0 || !keys.hasOlder(e.keys.now().Add(-e.config.RotateKeysAfter)) {
		return nil
	}
	return e.RotateKeys(ctx)
}

// hasOlder reports whether the newest key of some algorithm has been active since
// before than.
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

// RemoveKey removes a compromised signing key by its kid.
//
// This instance stops using the key at once, the others within a minute. Every ID token
// that it signed becomes invalid. If no other key of its algorithm is left, a new one
// signs immediately, and clients do not know it until they fetch the key set again. An
// unknown kid is not an error.
func (e *Extension) RemoveKey(ctx context.Context, kid string) error {
	if e.keys == nil {
		return errNotExtended
	}
	if err := e.keys.remove(ctx, kid); err != nil {
		return fmt.Errorf("oidc: RemoveKey %s: %w", kid, err)
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
		k.events = append(k.events, oauthkit.KeyRevoked{KeyID: kid})
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
		newest := slices.MaxFunc(filterAlgorithm(stored, algorithm), func(a, b *oauthkit.SigningKey) int {
			return a.Generation - b.Generation
		})
		if now.Before(newest.ActiveAt) {
			continue
		}
		if err := k.add(ctx, algorithm, freeGeneration(all, stored, algorithm), now.Add(publishLead)); err != nil {
			return err
		}
	}
	set := k.cache.Load()
	for _, key := range set.keys {
		if !set.isOutdated(key, now) {
			continue
		}
		removed, err := k.store.RemoveSigningKey(ctx, key.ID())
		if err != nil {
			return err
		}
		if removed {
			k.events = append(k.events, oauthkit.KeyRetired{KeyID: key.ID(), Algorithm: string(key.Algorithm())})
		}
	}
	_, err = k.load(ctx)
	return err
}
