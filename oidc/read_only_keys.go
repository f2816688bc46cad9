package oidc

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/oauthkit/oauthkit"
)

// ReadOnlyKeys returns the keys of a store for a provider that may change nothing, such as that of a command which only calls
// Check. Where the first keys are missing, the provider makes them for itself: they end with it, what it signs with them is worth
// nothing to anybody else, and no event tells of them. Removing a key is an error.
func ReadOnlyKeys(store oauthkit.KeyStore) oauthkit.KeyStore { return &readOnlyKeys{store: store} }

type readOnlyKeys struct {
	store oauthkit.KeyStore

	mutex sync.Mutex
	made  []*oauthkit.SigningKey
}

// SigningKeys implements [oauthkit.KeyStore].
func (r *readOnlyKeys) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	stored, err := r.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Concat(stored, r.made), nil
}

// AddSigningKey implements [oauthkit.KeyStore].
func (r *readOnlyKeys) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	keys, err := r.SigningKeys(ctx)
	if err != nil {
		return err
	}
	for _, other := range keys {
		if other.Algorithm == key.Algorithm && other.Generation == key.Generation {
			return oauthkit.ErrReplayed
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.made = append(r.made, key)
	return nil
}

// RemoveSigningKey implements [oauthkit.KeyStore].
func (r *readOnlyKeys) RemoveSigningKey(context.Context, string) (removed bool, err error) {
	return false, errors.New("oidc: the signing keys may only be read here")
}
