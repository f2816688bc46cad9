package memstore

import (
	"bytes"
	"context"

	"github.com/oauthkit/oauthkit"
)

// SigningKeys implements [oauthkit.KeyStore].
func (s *Store) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	keys := make([]*oauthkit.SigningKey, 0, len(s.signingKeys))
	for _, key := range s.signingKeys {
		keys = append(keys, copySigningKey(key))
	}
	return keys, nil
}

// AddSigningKey implements [oauthkit.KeyStore].
func (s *Store) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	for _, stored := range s.signingKeys {
		if stored.Algorithm == key.Algorithm && stored.Generation == key.Generation {
			return oauthkit.ErrReplayed
		}
	}
	if _, exists := s.signingKeys[key.ID]; exists {
		return errExists
	}
	s.signingKeys[key.ID] = copySigningKey(key)
	return nil
}

// RemoveSigningKey implements [oauthkit.KeyStore].
func (s *Store) RemoveSigningKey(ctx context.Context, id string) (removed bool, err error) {
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.mutex.Unlock()
	_, removed = s.signingKeys[id]
	delete(s.signingKeys, id)
	return removed, nil
}

// ReplacePrivateKey implements [oauthkit.KeyStore].
func (s *Store) ReplacePrivateKey(ctx context.Context, id string, old, private []byte) (replaced bool, err error) {
	if err := s.lock(ctx); err != nil {
		return false, err
	}
	defer s.mutex.Unlock()
	key, exists := s.signingKeys[id]
	if !exists || !bytes.Equal(key.Private, old) {
		return false, nil
	}
	key.Private = bytes.Clone(private)
	return true, nil
}
