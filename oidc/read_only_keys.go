package oidc

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/oauthkit/oauthkit"
)

// ReadOnlyKeys wraps store for a provider that must not change anything, such as that
// of a command that only calls Check. If the first keys are missing, the provider
// generates them in memory: they are not stored, no other instance accepts their
// signatures, and no event reports them. Removing a key returns an error.
func ReadOnlyKeys(store oauthkit.KeyStore) oauthkit.KeyStore { return &readOnlyKeys{store: store} }

type readOnlyKeys struct {
	store oauthkit.KeyStore

	mutex sync.Mutex
	added []*oauthkit.SigningKey
}

// SigningKeys implements [oauthkit.KeyStore].
func (r *readOnlyKeys) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	stored, err := r.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Concat(stored, r.added), nil
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
	r.added = append(r.added, key)
	return nil
}

// ReplacePrivateKey implements [oauthkit.KeyStore].
func (r *readOnlyKeys) ReplacePrivateKey(context.Context, string, []byte, []byte) (replaced bool, err error) {
	return false, nil // the keys stay readable as they are
}

// RemoveSigningKey implements [oauthkit.KeyStore].
func (r *readOnlyKeys) RemoveSigningKey(context.Context, string) (removed bool, err error) {
	return false, errors.New("oidc: the signing keys are read-only")
}
