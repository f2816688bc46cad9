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

// This file is how a key is stored: as PKCS #8 DER, which begins with the tag of an ASN.1 SEQUENCE, or, where there is a
// Config.Secret, that sealed, which never does.

const (
	keySealPurpose = "oauthkit signing key"
	derSequence    = 0x30
)

func isSealed(private []byte) bool { return len(private) > 0 && private[0] != derSequence }

// isRefused reports whether a key must not be used: it is in clear though there is a secret, and is not among
// the ids that are accepted.
func isRefused(key *oauthkit.SigningKey, secret string, accept []string) bool {
	return secret != "" && !isSealed(key.Private) && !slices.Contains(accept, key.ID)
}

// add makes a key and stores it. The mutex is held. That another instance has added this generation already is as good.
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
		return fmt.Errorf("adding a signing key: %w", err)
	}
	if _, unstored := k.store.(*readOnlyKeys); !unstored {
		k.done = append(k.done, oauthkit.KeyPublished{KeyID: key.ID(), Algorithm: string(algorithm), ActiveAt: activeAt})
	}
	return nil
}

// open returns a stored key ready for use. Its error says what the operator can do.
func (k *keyring) open(stored *oauthkit.SigningKey) (*jose.Key, error) {
	private := stored.Private
	if isSealed(private) {
		if k.secret == "" {
			return nil, fmt.Errorf("signing key %s is encrypted: set Config.Secret to the secret that it was made with", stored.ID)
		}
		var err error
		if private, err = secret.Open(k.secret, keySealPurpose, private, []byte(stored.ID)); err != nil {
			return nil, fmt.Errorf("signing key %s cannot be decrypted: Config.Secret is not the one that it was made with; "+
				"set that one, or remove the key from the store to have a new one made: %w", stored.ID, err)
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
		return nil, fmt.Errorf("signing key %s is another key than its id says", stored.ID)
	}
	return key, nil
}
