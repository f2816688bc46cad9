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

// algorithms are those that there are keys of: RS256, which every client understands (§15.1), and ES256.
func algorithms() []jose.Algorithm { return []jose.Algorithm{jose.RS256, jose.ES256} }

const (
	// keyCheckInterval is how long the keys in memory are used before the store is asked again.
	keyCheckInterval = time.Minute
	// keyCheckTimeout bounds that question, since a request waits for it.
	keyCheckTimeout = 2 * time.Second
)

// keyring keeps the signing keys in memory, so that signing needs no database. Once they have been read it always has an
// answer: a store that fails later leaves it with what it knows.
type keyring struct {
	store  oauthkit.KeyStore
	secret string
	accept []string // the ids of keys in clear that are used although there is a secret
	now    func() time.Time
	logger *slog.Logger
	record func(context.Context, oauthkit.Event)

	mutex sync.Mutex       // held while the store is asked
	done  []oauthkit.Event // what the holder of the mutex has done, and nobody was told yet
	known atomic.Pointer[keySet]
}

// keySet is what the store held at one moment. It does not change.
type keySet struct {
	keys      []signingKey // by algorithm, RS256 first, then by generation
	checkedAt time.Time
}

// signingKey is a key that can be used.
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

// current returns the keys. When they are due for a check, one request asks the store and the others do not wait for it.
func (k *keyring) current(ctx context.Context) *keySet {
	if known := k.known.Load(); !k.due(known) || !k.mutex.TryLock() {
		return known
	}
	ctx = context.WithoutCancel(ctx)
	defer k.unlock(ctx)
	known := k.known.Load()
	if !k.due(known) { // another request was faster
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, keyCheckTimeout)
	defer cancel()
	if _, err := k.load(ctx); err != nil {
		k.logger.ErrorContext(ctx, "the signing keys could not be read again; those in memory are used on", "error", err)
		k.known.Store(&keySet{keys: known.keys, checkedAt: k.now()})
	}
	return k.known.Load()
}

func (k *keyring) due(known *keySet) bool {
	return k.now().Sub(known.checkedAt).Abs() >= keyCheckInterval
}

// unlock gives the mutex back and then tells of what was done: an observer may rotate and remove keys itself.
func (k *keyring) unlock(ctx context.Context) {
	done := k.done
	k.done = nil
	k.mutex.Unlock()
	for _, event := range done {
		k.record(ctx, event)
	}
}

// load reads the keys, makes those that are missing, and puts those that are used in memory. It returns all
// that are stored. The mutex is held. What another instance adds at the same time is taken over: the store
// lets only one of both succeed.
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
			return len(ofAlgorithm(stored, algorithm)) > 0
		})
		if len(missing) == 0 {
			return all, k.remember(stored)
		}
		for _, algorithm := range missing {
			if err := k.add(ctx, algorithm, freeGeneration(all, stored, algorithm), k.now()); err != nil {
				return nil, err
			}
		}
	}
	return nil, errors.New("the store does not return the signing keys that were added")
}

// usable returns the keys that may be used: with a secret only those that were sealed with it, and those in
// clear that the host accepts.
func (k *keyring) usable(stored []*oauthkit.SigningKey) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool { return isRefused(key, k.secret, k.accept) })
}

func (k *keyring) warnOfRefused(ctx context.Context, stored []*oauthkit.SigningKey) {
	for _, key := range stored {
		if isRefused(key, k.secret, k.accept) {
			k.logger.WarnContext(ctx, "a signing key is not encrypted and is not used, because Config.Secret is set; "+
				"if it is yours, list its id in AcceptClearKeys of oidc.Config until it is rotated away; otherwise find out how it got there, and remove it",
				"kid", key.ID)
		}
	}
}

// freeGeneration returns the generation of the next key of an algorithm. It passes over keys that are not
// used, so that one which was planted there cannot stop a rotation.
func freeGeneration(all, usable []*oauthkit.SigningKey, algorithm jose.Algorithm) int {
	free := 1
	for _, key := range ofAlgorithm(usable, algorithm) {
		free = max(free, key.Generation+1)
	}
	taken := ofAlgorithm(all, algorithm)
	for slices.ContainsFunc(taken, func(key *oauthkit.SigningKey) bool { return key.Generation == free }) {
		free++
	}
	return free
}

// remember opens the stored keys and puts them in memory.
func (k *keyring) remember(stored []*oauthkit.SigningKey) error {
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
	k.known.Store(set)
	return nil
}

// signer returns the key of an algorithm that signs now: the newest one that is active. If none is, because those before it
// were removed, it is the first that will be.
func (s *keySet) signer(algorithm jose.Algorithm, now time.Time) (*jose.Key, error) {
	var found *jose.Key
	for _, key := range s.keys {
		if key.Algorithm() == algorithm && (found == nil || !now.Before(key.activeAt)) {
			found = key.Key
		}
	}
	if found == nil { // load saw to it that there is one
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(fmt.Errorf("no signing key for %s", algorithm))
	}
	return found, nil
}

// published returns the keys that clients should know now: all but those that were replaced so long ago that no signature of
// theirs is of use any more.
func (s *keySet) published(now time.Time) []*jose.Key {
	var keys []*jose.Key
	for _, key := range s.keys {
		if !s.outdated(key, now) {
			keys = append(keys, key.Key)
		}
	}
	return keys
}

// outdated reports whether a successor of the key has been active for keyRetention.
func (s *keySet) outdated(key signingKey, now time.Time) bool {
	return slices.ContainsFunc(s.keys, func(other signingKey) bool {
		return other.Algorithm() == key.Algorithm() && other.generation > key.generation &&
			!now.Before(other.activeAt.Add(keyRetention))
	})
}

func ofAlgorithm(stored []*oauthkit.SigningKey, algorithm jose.Algorithm) []*oauthkit.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(key *oauthkit.SigningKey) bool { return key.Algorithm != string(algorithm) })
}
