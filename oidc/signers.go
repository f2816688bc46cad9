package oidc

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// Signer is a signing key of the host whose private key is elsewhere.
//
// The store gets its public key, so that every instance publishes it. The first Signer of
// an algorithm whose ring is empty signs at once; each further one is announced for an
// hour, like a generated key, and its predecessor is retiring for 30 days. To rotate, add
// a Signer at the end of [Config].Signers on every instance, and leave the former one in
// the list until the new one signs. Each instance signs with the newest active key that
// it lists. To go back to stored keys, leave the list empty and call RotateKeys while the
// former stored key is retiring; Upkeep does it after a week.
//
// If Signer fails, or returns a signature that its public key does not verify, the token
// request is answered with [oauthkit.TemporarilyUnavailable], and consumes nothing.
type Signer struct {
	// Algorithm is the JWA name of the only algorithm that the key is used for.
	Algorithm string
	// Signer signs a SHA-256 digest or, for EdDSA, the message itself. Public must return
	// an RSA key of at least 2048 bits, a P-256 key or an Ed25519 key, always the same
	// one. Sign is called for each ID token and has no context, so it must limit its own
	// time to much less than Config.Timeout of the provider. It must be safe for
	// concurrent use.
	Signer crypto.Signer
}

// algorithms returns Algorithms, or an error if it names an unknown one or one twice.
func (c *Config) algorithms() ([]jose.Algorithm, error) {
	if c.Algorithms == nil {
		return jose.Algorithms(), nil
	}
	var algorithms []jose.Algorithm
	for _, name := range c.Algorithms {
		algorithm, err := jose.ParseAlgorithm(name)
		if err != nil || slices.Contains(algorithms, algorithm) {
			return nil, fmt.Errorf("oidc: Config.Algorithms has %q, which is not one of %s or is there twice", name, jose.Algorithms())
		}
		algorithms = append(algorithms, algorithm)
	}
	if len(algorithms) == 0 {
		return nil, fmt.Errorf("oidc: Config.Algorithms is empty; use nil for all of %s", jose.Algorithms())
	}
	return algorithms, nil
}

// IDTokenAlgorithms returns the JWA names of the algorithms that ID tokens are signed
// with. The first one is the default. It returns nil before oauthkit.New.
func (e *Extension) IDTokenAlgorithms() []string {
	if e.keys == nil {
		return nil
	}
	var names []string
	for _, algorithm := range e.keys.algorithms {
		names = append(names, string(algorithm))
	}
	return names
}

// signers returns the keys of Signers. An algorithm that is not among algorithms is an
// error, because its key would never sign.
func (c *Config) signers(algorithms []jose.Algorithm) ([]*jose.Key, error) {
	var keys []*jose.Key
	for i, listed := range c.Signers {
		algorithm := jose.Algorithm(listed.Algorithm)
		switch {
		case listed.Signer == nil:
			return nil, fmt.Errorf("oidc: Config.Signers[%d].Signer is nil", i)
		case !slices.Contains(algorithms, algorithm):
			return nil, fmt.Errorf("oidc: Config.Signers[%d].Algorithm is %q, want one of %s", i, algorithm, algorithms)
		}
		key, err := jose.FromSigner(algorithm, listed.Signer)
		if err != nil {
			return nil, fmt.Errorf("oidc: Config.Signers[%d]: %w", i, err)
		}
		if slices.ContainsFunc(keys, func(other *jose.Key) bool { return other.ID() == key.ID() }) {
			return nil, fmt.Errorf("oidc: Config.Signers[%d] has a key that is there already; a key has one algorithm", i)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// A removed key of a signer stays in the store without its public key, or the next
// instance that lists the signer would add it again.

// revoked is SigningKey.Private of such a key. It is neither DER nor sealed.
func revoked() []byte { return []byte{0} }

func isRevoked(key *oauthkit.SigningKey) bool { return len(key.Private) == 1 && key.Private[0] == 0 }

// isSigner reports whether Config.Signers has the key.
func (k *keyring) isSigner(id string) bool {
	return slices.ContainsFunc(k.signers, func(key *jose.Key) bool { return key.ID() == id })
}

// holdsPrivate reports whether the store has the private key. It reports true for a key
// that cannot be decrypted, which is another error.
func (k *keyring) holdsPrivate(stored *oauthkit.SigningKey) bool {
	_, public, err := k.unseal(stored)
	return err != nil || !public
}

// revoke removes a key and reports whether it was in the ring.
func (k *keyring) revoke(ctx context.Context, kid string) (removed bool, err error) {
	const attempts = 3 // another instance may seal the key again in between
	for range attempts {
		all, err := k.store.SigningKeys(ctx)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(all, func(key *oauthkit.SigningKey) bool { return key.ID == kid })
		switch {
		case i >= 0 && isRevoked(all[i]):
			return false, nil
		case i < 0 || !k.isSigner(kid) && k.holdsPrivate(all[i]):
			return k.store.RemoveSigningKey(ctx, kid)
		}
		if removed, err := k.store.ReplacePrivateKey(ctx, kid, all[i].Private, revoked()); removed || err != nil {
			return removed, err
		}
	}
	return false, errors.New("another process changes the stored key again and again, or the store is read-only")
}

// signer returns the key that signs now with the algorithm of that name. The empty name
// is the first algorithm.
func (e *Extension) signer(ctx context.Context, name string, now time.Time) (*jose.Key, error) {
	algorithm := e.keys.algorithms[0]
	if name != "" {
		algorithm = jose.Algorithm(name)
	}
	if !slices.Contains(e.keys.algorithms, algorithm) {
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(
			fmt.Errorf("oidc.Config.Algorithms does not have %q", name))
	}
	return e.keys.current(ctx).signer(algorithm, now)
}
