package oidc

import (
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
	"github.com/oauthkit/oauthkit/internal/secret"
)

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
	store      oauthkit.KeyStore
	algorithms []jose.Algorithm
	signers    []*jose.Key // of Config.Signers
	secrets    secret.Ring // empty without Config.Secret
	accept     []string    // ids of unencrypted keys that are used despite the secret
	now        func() time.Time
	logger     *slog.Logger
	record     func(context.Context, oauthkit.Event)

	mutex  sync.Mutex       // held while the store is read or written
	events []oauthkit.Event // to be recorded after the mutex is released
	cache  atomic.Pointer[keySet]
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
		if again, err := newKeySet(k.cache.Load().keys, k.now()); err == nil { // which it was before
			k.cache.Store(again)
		}
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

// load reads the keys, adds missing ones and caches those that may be used. It returns
// all stored keys. If another instance adds the same key at the same time, only one of
// them succeeds and both use that key. The caller holds the mutex.
func (k *keyring) load(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	const attempts = 3 // a key may be removed between being added and being read
	for range attempts + len(k.signers) {
		all, err := k.store.SigningKeys(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading the signing keys: %w", err)
		}
		k.warnOfRefused(ctx, all)
		stored := k.usable(all)
		missing, err := k.missing(all, stored)
		if err != nil {
			return nil, errors.Join(err, k.forget(stored))
		}
		if len(missing) == 0 {
			return all, k.cacheKeys(stored)
		}
		for _, added := range missing {
			if err := k.add(ctx, added, freeGeneration(all, stored, added.algorithm)); err != nil {
				return nil, err
			}
		}
	}
	return nil, errors.New("the store does not return the signing keys that it has added")
}

// addition is a key that is to be added.
type addition struct {
	algorithm jose.Algorithm
	activeAt  time.Time
	key       *jose.Key // nil to generate it
}

// missing returns the keys that the ring needs: those of Config.Signers, and the first
// of each other algorithm. A signer is announced like any key, unless it is the first of
// its algorithm.
func (k *keyring) missing(all, stored []*oauthkit.SigningKey) ([]addition, error) {
	var missing []addition
	listed := map[jose.Algorithm]bool{}
	for _, key := range k.signers {
		listed[key.Algorithm()] = true
		if i := slices.IndexFunc(all, func(row *oauthkit.SigningKey) bool { return row.ID == key.ID() }); i >= 0 {
			if stored := all[i].Algorithm; stored != string(key.Algorithm()) {
				return nil, fmt.Errorf("oidc.Config.Signers lists key %s for %s, but it is in the ring for %s, and a key has one algorithm",
					key.ID(), key.Algorithm(), stored)
			}
			continue // it is in the ring, or was removed from it
		}
		activeAt := k.now()
		if len(filterAlgorithm(stored, key.Algorithm())) > 0 {
			activeAt = activeAt.Add(publishLead)
		}
		// One at a time: the next load sees this one and announces the next.
		return []addition{{key.Algorithm(), activeAt, key}}, nil
	}
	for _, algorithm := range k.algorithms {
		switch rows := filterAlgorithm(stored, algorithm); {
		case len(rows) == 0 && !listed[algorithm]:
			missing = append(missing, addition{algorithm, k.now(), nil})
		case len(rows) > 0 && !listed[algorithm] && !slices.ContainsFunc(rows, k.holdsPrivate):
			return nil, fmt.Errorf("signing key %s has its private key in a signer that oidc.Config.Signers does not list: list it, or remove the key",
				rows[0].ID)
		}
	}
	return missing, nil
}

// usable returns the keys that may be used. With a secret these are the encrypted keys
// and the unencrypted ones that the host accepts.
func (k *keyring) usable(stored []*oauthkit.SigningKey) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool { return isRevoked(key) || k.isRefused(key) })
}

// warnOfRefused logs each key that must not be used.
func (k *keyring) warnOfRefused(ctx context.Context, stored []*oauthkit.SigningKey) {
	for _, key := range stored {
		if k.isRefused(key) {
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
	for slices.ContainsFunc(all, func(key *oauthkit.SigningKey) bool {
		return key.Algorithm == string(algorithm) && key.Generation == free
	}) {
		free++
	}
	return free
}

// cacheKeys decrypts and caches the stored keys. If one cannot be read, those that were
// cached stay, except the ones that are not stored any more: they may be stolen.
func (k *keyring) cacheKeys(stored []*oauthkit.SigningKey) error {
	var keys []signingKey
	for _, row := range stored {
		key, err := k.open(row)
		if err != nil {
			return errors.Join(err, k.forget(stored))
		}
		keys = append(keys, signingKey{Key: key, stored: row})
	}
	set, err := newKeySet(keys, k.now())
	if err != nil {
		return err
	}
	k.cache.Store(set)
	return nil
}

// forget removes the cached keys that are not among stored.
func (k *keyring) forget(stored []*oauthkit.SigningKey) error {
	cached := k.cache.Load()
	if cached == nil {
		return nil
	}
	kept := slices.DeleteFunc(slices.Clone(cached.keys), func(key signingKey) bool {
		return !slices.ContainsFunc(stored, func(row *oauthkit.SigningKey) bool { return row.ID == key.ID() })
	})
	set, err := newKeySet(kept, cached.checkedAt)
	if err == nil {
		k.cache.Store(set)
	}
	return err
}

// filterAlgorithm returns the keys of algorithm that sign at some time: all but imported
// former keys.
func filterAlgorithm(stored []*oauthkit.SigningKey, algorithm jose.Algorithm) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool {
		return key.Algorithm != string(algorithm) || key.Generation < 1 || isRevoked(key)
	})
}
