package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// Import is a private key that another program generated, as the argument of
// [Extension.ImportKey].
type Import struct {
	// PEM is the unencrypted private key in PKCS #8, PKCS #1 or SEC 1. An RSA key must
	// have at least 2048 bits, an elliptic curve must be P-256 or Ed25519.
	PEM []byte
	// Algorithm is the JWA name of the only algorithm that the key is used for. If empty,
	// it is RS256, ES256 or EdDSA, by the type of the key.
	Algorithm string
	// State is where the key enters the ring. If empty, it is KeyAnnounced: the key is
	// published for an hour before it signs. KeyActive makes it sign at once, which is
	// right only if clients know it already, as after a migration from a provider with
	// the same jwks_uri. KeyRetiring makes it verify for 30 days what it signed before.
	State KeyState
}

// ImportKey adds a private key of another provider to the ring, so that its clients go on
// without fetching keys again, and returns its kid. The kid is the thumbprint of the key
// (RFC 7638), which Django OAuth Toolkit uses too.
//
// A key that is already in the ring in this state stays as it is. It is an error if it is
// there in another state or for another algorithm, or was removed. The key is stored like
// a generated one, sealed if Config.Secret of the provider is set.
func (e *Extension) ImportKey(ctx context.Context, imported Import) (kid string, err error) {
	if e.keys == nil {
		return "", errNotExtended
	}
	key, err := jose.ParsePEM(jose.Algorithm(imported.Algorithm), imported.PEM)
	if err != nil {
		return "", fmt.Errorf("oidc: ImportKey: %w", err)
	}
	state := imported.State
	if state == "" {
		state = KeyAnnounced
	}
	add := func(ctx context.Context) error { return e.keys.importKey(ctx, key, state) }
	if err := e.keys.locked(ctx, add); err != nil {
		return "", fmt.Errorf("oidc: ImportKey: key %s: %w", key.ID(), err)
	}
	return key.ID(), nil
}

// importKey adds a key in a state. The caller holds the mutex.
func (k *keyring) importKey(ctx context.Context, key *jose.Key, state KeyState) error {
	if err := k.checkImport(key.Algorithm(), state); err != nil {
		return err
	}
	const attempts = 3 // another instance may take the generation
	for range attempts {
		all, err := k.load(ctx)
		if err != nil {
			return err
		}
		added, err := isImported(key, state, all, k.now())
		if added || err != nil {
			return err
		}
		generation, activeAt := freeGeneration(all, k.usable(all), key.Algorithm()), k.now()
		switch state {
		case KeyAnnounced:
			activeAt = activeAt.Add(publishLead)
		case KeyRetiring:
			generation = formerGeneration(all)
		}
		if err := k.add(ctx, addition{key.Algorithm(), activeAt, key}, generation); err != nil {
			return err
		}
	}
	return errors.New("other instances add keys at the same time; try again")
}

// checkImport reports whether a key can enter the ring of algorithm in this state.
func (k *keyring) checkImport(algorithm jose.Algorithm, state KeyState) error {
	switch state {
	case KeyRetiring: // verifies even if nothing signs with the algorithm any more
		return nil
	case KeyAnnounced, KeyActive:
	default:
		return fmt.Errorf("state is %q, want %s, %s or %s", state, KeyAnnounced, KeyActive, KeyRetiring)
	}
	if !slices.Contains(k.rotated(), algorithm) {
		return fmt.Errorf("%s keys are not stored: Config.Algorithms does not have it, or Config.Signers does", algorithm)
	}
	return nil
}

// isImported reports whether the ring has key in this state. It is an error if it is
// there in any other way.
func isImported(key *jose.Key, state KeyState, all []*oauthkit.SigningKey, now time.Time) (bool, error) {
	i := slices.IndexFunc(all, func(row *oauthkit.SigningKey) bool { return row.ID == key.ID() })
	if i < 0 {
		return false, nil
	}
	if all[i].Algorithm != string(key.Algorithm()) {
		return false, fmt.Errorf("it is in the ring for %s already, and a key has one algorithm", all[i].Algorithm)
	}
	if got := stateOf(all[i], all, now); got != state {
		return false, fmt.Errorf("it is in the ring already, in the state %s", got)
	}
	return true, nil
}

// formerGeneration returns a generation below all others and below 1. It is the same for
// no two keys, whatever their algorithm.
func formerGeneration(all []*oauthkit.SigningKey) int {
	lowest := 1
	for _, key := range all {
		lowest = min(lowest, key.Generation)
	}
	return lowest - 1
}
