package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// A private key is stored as PKCS #8 DER, sealed if Config.Secret is set. DER begins
// with the tag of an ASN.1 SEQUENCE; sealed data never does.

const (
	keySealPurpose = "oauthkit signing key"
	derSequence    = 0x30
)

func isSealed(private []byte) bool { return len(private) > 0 && private[0] != derSequence }

// isRefused reports whether a stored key must not be used: a secret is set, the key is
// not sealed, and accept does not list its id.
func isRefused(key *oauthkit.SigningKey, secret string, accept []string) bool {
	return secret != "" && !isSealed(key.Private) && !slices.Contains(accept, key.ID)
}

// add generates a key and stores it. If another instance has already added this
// generation, it does nothing. The caller holds the mutex.
func (k *keyring) add(ctx context.Context, algorithm jose.Algorithm, generation int, activeAt time.Time) error {
	key, err := jose.GenerateKey(algorithm)
	if err != nil {
		return err
	}
	private, err := key.MarshalPrivate()
	if err != nil {
		return err
	}
	if k.secret != "" {
		if private, err = secret.Seal(k.secret, keySealPurpose, private, []byte(key.ID())); err != nil {
			return err
		}
	}
	err = k.store.AddSigningKey(ctx, &oauthkit.SigningKey{
		ID:         key.ID(),
		Algorithm:  string(algorithm),
		Generation: generation,
		Private:    private,
		CreatedAt:  k.now(),
		ActiveAt:   activeAt,
	})
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return nil
	case err != nil:
		return fmt.Errorf("storing a signing key: %w", err)
	}
	if _, readOnly := k.store.(*readOnlyKeys); !readOnly {
		k.events = append(k.events, oauthkit.KeyPublished{KeyID: key.ID(), Algorithm: string(algorithm), ActiveAt: activeAt})
	}
	return nil
}

// open decrypts and parses a stored key. Its errors tell an operator what to do.
func (k *keyring) open(stored *oauthkit.SigningKey) (*jose.Key, error) {
	private := stored.Private
	if isSealed(private) {
		if k.secret == "" {
			return nil, fmt.Errorf("signing key %s is encrypted: set Config.Secret to the secret that it was encrypted with", stored.ID)
		}
		var err error
		if private, err = secret.Open(k.secret, keySealPurpose, private, []byte(stored.ID)); err != nil {
			return nil, fmt.Errorf("signing key %s cannot be decrypted: it was encrypted with another Config.Secret; "+
				"set that secret, or remove the key from the store to generate a new one: %w", stored.ID, err)
		}
	}
	algorithm, err := jose.ParseAlgorithm(stored.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	key, err := jose.ParsePrivate(algorithm, private)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	if key.ID() != stored.ID {
		return nil, fmt.Errorf("signing key %s: the id does not match the key", stored.ID)
	}
	return key, nil
}
