package oidc

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// A private key is stored as PKCS #8 DER and the public key of a signer as PKIX DER, both
// sealed if Config.Secret is set: otherwise a writer to the database could publish a key.
// DER begins with the tag of an ASN.1 SEQUENCE; sealed data never does.

const (
	keySealPurpose    = "oauthkit signing key"
	publicSealPurpose = "oauthkit public key"
	derSequence       = 0x30
)

func isSealed(private []byte) bool { return len(private) > 0 && private[0] != derSequence }

// isRefused reports whether a stored key must not be used: a secret is set, the key is
// not sealed, and neither AcceptClearKeys nor Signers has it.
func (k *keyring) isRefused(key *oauthkit.SigningKey) bool {
	return len(k.secrets) > 0 && !isSealed(key.Private) && !slices.Contains(k.accept, key.ID) && !k.isSigner(key.ID)
}

// add stores a key. If another instance has already added this generation, it does
// nothing. The caller holds the mutex.
func (k *keyring) add(ctx context.Context, added addition, generation int) error {
	key := added.key
	if key == nil {
		generated, err := jose.GenerateKey(added.algorithm)
		if err != nil {
			return err
		}
		key = generated
	}
	private, err := k.seal(key)
	if err != nil {
		return err
	}
	err = k.store.AddSigningKey(ctx, &oauthkit.SigningKey{
		ID:         key.ID(),
		Algorithm:  string(added.algorithm),
		Generation: generation,
		Private:    private,
		CreatedAt:  k.now(),
		ActiveAt:   added.activeAt,
	})
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return nil
	case err != nil:
		return fmt.Errorf("storing a signing key: %w", err)
	}
	if _, readOnly := k.store.(*readOnlyKeys); !readOnly {
		k.events = append(k.events, oauthkit.KeyPublished{KeyID: key.ID(), Algorithm: string(added.algorithm), ActiveAt: added.activeAt})
	}
	return nil
}

// seal returns the stored form of a key.
func (k *keyring) seal(key *jose.Key) ([]byte, error) {
	purpose, marshal := keySealPurpose, key.MarshalPrivate
	if key.IsExternal() {
		purpose, marshal = publicSealPurpose, key.MarshalPublic
	}
	text, err := marshal()
	if err != nil || len(k.secrets) == 0 {
		return text, err
	}
	return k.secrets.Seal(purpose, text, []byte(key.ID()))
}

// open decrypts and parses a stored key. Its errors tell an operator what to do.
func (k *keyring) open(stored *oauthkit.SigningKey) (*jose.Key, error) {
	text, public, err := k.unseal(stored)
	if err != nil {
		return nil, err
	}
	algorithm, err := jose.ParseAlgorithm(stored.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	parse := jose.ParsePrivate
	if public {
		parse = jose.ParsePublic
	}
	key, err := parse(algorithm, text)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", stored.ID, err)
	}
	if key.ID() != stored.ID {
		return nil, fmt.Errorf("signing key %s: the id does not match the key", stored.ID)
	}
	for _, signer := range k.signers {
		if signer.ID() == key.ID() && signer.Algorithm() == key.Algorithm() {
			return signer, nil
		}
	}
	return key, nil
}

// unseal decrypts a stored key and reports whether it is only a public key.
func (k *keyring) unseal(stored *oauthkit.SigningKey) (text []byte, public bool, err error) {
	if !isSealed(stored.Private) {
		_, err := x509.ParsePKIXPublicKey(stored.Private)
		return stored.Private, err == nil, nil
	}
	if len(k.secrets) == 0 {
		return nil, false, fmt.Errorf("signing key %s is encrypted: set Config.Secret to the secret that it was encrypted with", stored.ID)
	}
	text, err = k.secrets.Open(keySealPurpose, stored.Private, []byte(stored.ID))
	if errors.Is(err, secret.ErrUnsealable) {
		if text, err := k.secrets.Open(publicSealPurpose, stored.Private, []byte(stored.ID)); err == nil {
			return text, true, nil
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("signing key %s cannot be decrypted: it was encrypted with another Config.Secret; "+
			"set that secret, list it in Config.AcceptSecrets, or remove the key from the store to generate a new one: %w", stored.ID, err)
	}
	return text, false, nil
}

// reseal encrypts the keys that another secret than Config.Secret sealed with that, so
// that no key needs the other secret any more. The caller holds the mutex.
func (k *keyring) reseal(ctx context.Context) error {
	all, err := k.load(ctx)
	if err != nil {
		return err
	}
	for _, stored := range all {
		if !k.isForeign(stored) {
			continue
		}
		text, public, err := k.unseal(stored)
		if err != nil {
			return err
		}
		purpose := keySealPurpose
		if public {
			purpose = publicSealPurpose
		}
		sealed, err := k.secrets.Seal(purpose, text, []byte(stored.ID))
		if err != nil {
			return err
		}
		// If another instance was faster, there is nothing left to do.
		if _, err := k.store.ReplacePrivateKey(ctx, stored.ID, stored.Private, sealed); err != nil {
			return fmt.Errorf("storing signing key %s under Config.Secret: %w", stored.ID, err)
		}
	}
	_, err = k.load(ctx)
	return err
}

// isForeign reports whether a stored key is sealed with another secret than
// Config.Secret, or is the public key of a signer that is not sealed although it could
// be.
func (k *keyring) isForeign(stored *oauthkit.SigningKey) bool {
	switch {
	case len(k.secrets) == 0 || isRevoked(stored):
		return false
	case isSealed(stored.Private):
		return !k.secrets.IsCurrent(stored.Private)
	}
	return k.isSigner(stored.ID)
}
