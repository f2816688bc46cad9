package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// algorithms returns the supported algorithms: RS256, which every client understands
// (§15.1), and ES256.
func algorithms() []jose.Algorithm { return []jose.Algorithm{jose.RS256, jose.ES256} }

const (
	// keyCheckInterval is how long cached keys are used before they are read from the
	// store again.
	keyCheckInterval = time.Minute
	// keyCheckTimeout limits that read, since a request waits for it.
	keyCheckTimeout = 2 * time.Second
)

// keyring caches the signing keys, so that signing needs no database. After the first
// read it always returns keys: if the store fails later, it keeps the last ones.
type keyring struct {
	store  oauthkit.KeyStore
	secret string
	accept []string // ids of unencrypted keys that are used despite the secret
	now    func() time.Time
	logger *slog.Logger
	record func(context.Context, oauthkit.Event)

	mutex  sync.Mutex       // held while the store is read or written
	events []oauthkit.Event // to be recorded after the mutex is released
	cache  atomic.Pointer[keySet]
}

// keySet is an immutable snapshot of the keys in the store.
type keySet struct {
	keys      []signingKey // by algorithm, RS256 first, then by generation
	checkedAt time.Time
}

// signingKey is a decrypted key.
type signingKey struct {
	*jose.Key
	generation int
	activeAt   time.Time
}

// start reads the keys for the first time.
func (k *keyring) start(ctx context.Context) error {
	k.mutex.Lock()
	defer k.unlock(ctx)
	_, err := k.load(ctx)
	return err
}

// current returns the cached keys. If they are due for a check, one request reads the
// store; concurrent requests do not wait for it.
func (k *keyring) current(ctx context.Context) *keySet {
	if cached := k.cache.Load(); !k.isDue(cached) || !k.mutex.TryLock() {
		return cached
	}
	ctx = context.WithoutCancel(ctx)
	defer k.unlock(ctx)
	cached := k.cache.Load()
	if !k.isDue(cached) { // another request was faster
		return cached
	}
	ctx, cancel := context.WithTimeout(ctx, keyCheckTimeout)
	defer cancel()
	if _, err := k.load(ctx); err != nil {
		k.logger.ErrorContext(ctx, "oidc: reading the signing keys failed; the cached ones stay in use", "error", err)
		k.cache.Store(&keySet{keys: cached.keys, checkedAt: k.now()})
	}
	return k.cache.Load()
}

// isDue reports whether the store must be read again.
func (k *keyring) isDue(cached *keySet) bool {
	return k.now().Sub(cached.checkedAt).Abs() >= keyCheckInterval
}

// unlock releases the mutex before it records the events, because an observer may
// rotate or remove keys.
func (k *keyring) unlock(ctx context.Context) {
	events := k.events
	k.events = nil
	k.mutex.Unlock()
	for _, event := range events {
		k.record(ctx, event)
	}
}

// load reads the keys, generates missing ones and caches those that may be used. It
// returns all stored keys. If another instance adds the same key at the same time, only
// one of them succeeds and both use that key. The caller holds the mutex.
func (k *keyring) load(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	const attempts = 3 // a key may be removed between being added and being read
	for range attempts {
		all, err := k.store.SigningKeys(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the signing keys: %w", err)
		}
		k.warnOfRefused(ctx, all)
		stored := k.usable(all)
		missing := slices.DeleteFunc(algorithms(), func(algorithm jose.Algorithm) bool {
			return len(filterAlgorithm(stored, algorithm)) > 0
		})
		if len(missing) == 0 {
			return all, k.cacheKeys(stored)
		}
		for _, algorithm := range missing {
			if err := k.add(ctx, algorithm, freeGeneration(all, stored, algorithm), k.now()); err != nil {
				return nil, err
			}
		}
	}
	return nil, errors.New("the store does not return the signing keys that it has added")
}

// usable returns the keys that may be used. With a secret these are the encrypted keys
// and the unencrypted ones that the host accepts.
func (k *keyring) usable(stored []*oauthkit.SigningKey) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool { return isRefused(key, k.secret, k.accept) })
}

// warnOfRefused logs each key that must not be used.
func (k *keyring) warnOfRefused(ctx context.Context, stored []*oauthkit.SigningKey) {
	for _, key := range stored {
		if isRefused(key, k.secret, k.accept) {
			k.logger.WarnContext(ctx, "oidc: a signing key is stored unencrypted and not used, because Config.Secret is set; "+
				"if you created it, list its id in oidc.Config.AcceptClearKeys until it is rotated out; otherwise find out how it was added, and remove it",
				"kid", key.ID)
		}
	}
}

// freeGeneration returns the generation of the next key of algorithm. It skips
// generations of unused keys, so that a planted key cannot stop a rotation.
func freeGeneration(all, usable []*oauthkit.SigningKey, algorithm jose.Algorithm) int {
	free := 1
	for _, key := range filterAlgorithm(usable, algorithm) {
		free = max(free, key.Generation+1)
	}
	taken := filterAlgorithm(all, algorithm)
	for slices.ContainsFunc(taken, func(key *oauthkit.SigningKey) bool { return key.Generation == free }) {
		free++
	}
	return free
}

// cacheKeys decrypts and caches the stored keys.
func (k *keyring) cacheKeys(stored []*oauthkit.SigningKey) error {
	set := &keySet{checkedAt: k.now()}
	for _, key := range stored {
		opened, err := k.open(key)
		if err != nil {
			return err
		}
		set.keys = append(set.keys, signingKey{Key: opened, generation: key.Generation, activeAt: key.ActiveAt})
	}
	slices.SortFunc(set.keys, func(a, b signingKey) int {
		return cmp.Or(
			cmp.Compare(slices.Index(algorithms(), a.Algorithm()), slices.Index(algorithms(), b.Algorithm())),
			cmp.Compare(a.generation, b.generation),
		)
	})
	k.cache.Store(set)
	return nil
}

// signer returns the newest active key of algorithm. If none is active because earlier
// keys were removed, it returns the one that becomes active first.
func (s *keySet) signer(algorithm jose.Algorithm, now time.Time) (*jose.Key, error) {
	var found *jose.Key
	for _, key := range s.keys {
		if key.Algorithm() == algorithm && (found == nil || !now.Before(key.activeAt)) {
			found = key.Key
		}
	}
	if found == nil { // unreachable: load generates missing keys
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(fmt.Errorf("no signing key for %s", algorithm))
	}
	return found, nil
}

// published returns the keys that clients need now: all except the
// outdated ones.
func (s *keySet) published(now time.Time) []*jose.Key {
	var keys []*jose.Key
	for _, key := range s.keys {
		if !s.isOutdated(key, now) {
			keys = append(keys, key.Key)
		}
	}
	return keys
}

// isOutdated reports whether a successor of key has been active for keyRetention, after
// which no signature of key is needed.
func (s *keySet) isOutdated(key signingKey, now time.Time) bool {
	return slices.ContainsFunc(s.keys, func(other signingKey) bool {
		return other.Algorithm() == key.Algorithm() && other.generation > key.generation &&
			!now.Before(other.activeAt.Add(keyRetention))
	})
}

// filterAlgorithm returns the stored keys of algorithm.
func filterAlgorithm(stored []*oauthkit.SigningKey, algorithm jose.Algorithm) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool { return key.Algorithm != string(algorithm) })
}
