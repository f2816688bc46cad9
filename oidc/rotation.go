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
	// defaultKeyAge is Config.RotateKeysAfter if that is zero.
	defaultKeyAge = 90 * 24 * time.Hour
	// NeverRotate as Config.RotateKeysAfter leaves the rotation to RotateKeys.
	NeverRotate time.Duration = -1
	// minKeyAge is the smallest Config.RotateKeysAfter.
	minKeyAge = 24 * time.Hour
	// signerAbsence is how long the key of a signer is active before an instance that
	// does not list it, and has a stored key, announces another one. Until then a change
	// of Config.Signers has reached every instance.
	signerAbsence = 7 * 24 * time.Hour
)

var errNotExtended = errors.New("oidc: the extension is not part of a provider; pass it to oauthkit.New first")

// RotateKeys announces a signing key of each algorithm and deletes removed ones.
//
// New keys are published at once and sign after an hour, so that every client has
// fetched them by then. Their predecessors stay published for 30 more days. RotateKeys
// adds nothing for an algorithm whose newest key does not sign yet, so concurrent calls
// are safe and a failed call can be repeated. It leaves algorithms of Config.Signers to
// the host, which rotates by listing another signer.
func (e *Extension) RotateKeys(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	rotate := func(ctx context.Context) error { return e.keys.rotate(ctx, e.keys.now()) }
	if err := e.keys.locked(ctx, rotate); err != nil {
		return fmt.Errorf("oidc: RotateKeys: %w", err)
	}
	return nil
}

// Upkeep implements [oauthkit.Upkeeper]. It reads the signing keys again if they are due,
// so that an instance without requests learns of new keys too, rotates keys older than
// Config.RotateKeysAfter, deletes removed ones, and seals with Config.Secret what one of
// Config.AcceptSecrets sealed.
func (e *Extension) Upkeep(ctx context.Context) error {
	if e.keys == nil {
		return errNotExtended
	}
	keys := e.keys.current(ctx)
	if slices.ContainsFunc(keys.rows(), e.keys.isForeign) {
		if err := e.keys.locked(ctx, e.keys.reseal); err != nil {
			return fmt.Errorf("oidc: Upkeep: %w", err)
		}
	}
	if err := e.keys.locked(ctx, e.rotateOld); err != nil {
		return fmt.Errorf("oidc: Upkeep: %w", err)
	}
	return nil
}

// rotateOld rotates the algorithms whose newest key is due, and deletes removed keys.
// Without either it does not touch the store.
func (e *Extension) rotateOld(ctx context.Context) error {
	now, set := e.keys.now(), e.keys.cache.Load()
	before := now.Add(-e.config.RotateKeysAfter)
	old := func(algorithm jose.Algorithm) bool { return e.keys.isOld(newestOf(set.rows(), algorithm), before) }
	switch {
	case e.config.RotateKeysAfter != NeverRotate && slices.ContainsFunc(e.keys.rotated(), old):
		return e.keys.rotate(ctx, before)
	case set.hasRemoved(now):
		return e.keys.sweep(ctx)
	}
	return nil
}

// isOld reports whether the newest key of an algorithm has been active since before, or
// is that of a signer which this instance has not listed for signerAbsence. Otherwise the
// stored key that signs instead would end while it signs.
func (k *keyring) isOld(newest *oauthkit.SigningKey, before time.Time) bool {
	if newest == nil {
		return false
	}
	absent := !newest.ActiveAt.After(k.now().Add(-signerAbsence)) && !k.holdsPrivate(newest)
	return absent || !newest.ActiveAt.After(before)
}

// hasRemoved reports whether a stored key has reached its end.
func (s *keySet) hasRemoved(now time.Time) bool { return len(s.published(now)) < len(s.keys) }

// newestOf returns the key of algorithm with the highest generation, or nil.
func newestOf(stored []*oauthkit.SigningKey, algorithm jose.Algorithm) *oauthkit.SigningKey {
	var newest *oauthkit.SigningKey
	for _, key := range filterAlgorithm(stored, algorithm) {
		if newest == nil || key.Generation > newest.Generation {
			newest = key
		}
	}
	return newest
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
	remove := func(ctx context.Context) error { return e.keys.remove(ctx, kid) }
	if err := e.keys.locked(ctx, remove); err != nil {
		return fmt.Errorf("oidc: RemoveKey %s: %w", kid, err)
	}
	return nil
}

// locked runs change while no other goroutine reads or changes the stored keys.
func (k *keyring) locked(ctx context.Context, change func(context.Context) error) error {
	k.mutex.Lock()
	defer k.unlock(ctx)
	return change(ctx)
}

// remove deletes a key. The caller holds the mutex, as for rotate and sweep.
func (k *keyring) remove(ctx context.Context, kid string) error {
	// Otherwise a key that has ended would sign again, as the newest one left.
	swept := k.sweep(ctx)
	removed, err := k.revoke(ctx, kid)
	if err != nil {
		return errors.Join(err, swept)
	}
	if removed {
		k.events = append(k.events, oauthkit.KeyRevoked{KeyID: kid})
	}
	_, err = k.load(ctx)
	return errors.Join(err, swept)
}

// rotated returns the algorithms whose keys are generated here.
func (k *keyring) rotated() []jose.Algorithm {
	return slices.DeleteFunc(slices.Clone(k.algorithms), func(algorithm jose.Algorithm) bool {
		return slices.ContainsFunc(k.signers, func(key *jose.Key) bool { return key.Algorithm() == algorithm })
	})
}

// rotate announces a successor of each key that has been active since before, and
// deletes removed keys.
func (k *keyring) rotate(ctx context.Context, before time.Time) error {
	all, err := k.load(ctx)
	if err != nil {
		return err
	}
	stored, now := k.usable(all), k.now()
	for _, algorithm := range k.rotated() {
		if !k.isOld(newestOf(stored, algorithm), before) {
			continue
		}
		if err := k.add(ctx, addition{algorithm, now.Add(publishLead), nil}, freeGeneration(all, stored, algorithm)); err != nil {
			return err
		}
	}
	return k.sweep(ctx)
}

// sweep deletes the removed keys. That of a signer stays as one that was removed: an
// instance that still lists it would add it again, as the newest.
func (k *keyring) sweep(ctx context.Context) error {
	set, now := k.cache.Load(), k.now()
	for _, key := range set.keys {
		if stateOf(key.stored, set.rows(), now) != KeyRemoved {
			continue
		}
		removed, err := k.revoke(ctx, key.ID())
		if err != nil {
			return err
		}
		if removed {
			k.events = append(k.events, oauthkit.KeyRetired{KeyID: key.ID(), Algorithm: string(key.Algorithm())})
		}
	}
	_, err := k.load(ctx)
	return err
}
