package oidc

import (
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// KeyState is where a signing key is in its life. Each algorithm has its own ring of
// keys, which pass through the states in this order:
//
//	announced  published, so that clients fetch it before its first signature
//	active     signs
//	retiring   published, so that clients verify what it signed
//	removed    neither signs nor verifies
type KeyState string

const (
	// KeyAnnounced is a key that is published and does not sign yet. That takes an hour,
	// unless the active key is removed before.
	KeyAnnounced KeyState = "announced"
	// KeyActive is the key that signs.
	KeyActive KeyState = "active"
	// KeyRetiring is a former key that is still published and verifies. It ends 30 days
	// after its successor became active.
	KeyRetiring KeyState = "retiring"
	// KeyRemoved is a key that is not published any more and that the next rotation
	// deletes. A key that RemoveKey removed is not stored at all, except that of a
	// Signer: otherwise an instance that lists it would add it again.
	KeyRemoved KeyState = "removed"
)

const (
	// publishLead is how long a key is announced. Every instance must have read it
	// (keyCheckInterval) and every client must have fetched it (keysMaxAge), with a
	// margin for clock skew and failures.
	publishLead = time.Hour
	// keyRetention is how long a key is retiring. Until then clients verify ID tokens
	// that it signed, and send them as id_token_hint, even expired ones.
	keyRetention = 30 * 24 * time.Hour
	// keySkew is the largest difference between the clocks of two instances.
	keySkew = time.Minute
)

// A key outlives the longest token that it signed, and is announced longer than a client
// or an instance can miss it. These constants do not compile otherwise.
const (
	_ = uint64(keyRetention - maxIDTokenLifetime - keySkew)
	_ = uint64(publishLead - keyCheckInterval - keysMaxAge - keySkew)
)

// KeyStates returns the state of each key in a store at now, by its id. It needs no
// secret, because it does not read the private keys. It does not know whether a provider
// refuses a key that is stored in clear.
func KeyStates(keys []*oauthkit.SigningKey, now time.Time) map[string]KeyState {
	states := make(map[string]KeyState, len(keys))
	for _, key := range keys {
		states[key.ID] = stateOf(key, keys, now)
	}
	return states
}

// stateOf returns the state of one key of ring.
func stateOf(key *oauthkit.SigningKey, ring []*oauthkit.SigningKey, now time.Time) KeyState {
	if ends := endOf(key, ring); isRevoked(key) || !ends.IsZero() && !now.Before(ends) {
		return KeyRemoved
	}
	active := activeOf(key.Algorithm, ring, now)
	switch {
	case active == nil || key.Generation < active.Generation:
		return KeyRetiring
	case key.Generation == active.Generation:
		return KeyActive
	}
	return KeyAnnounced
}

// activeOf returns the newest active key of algorithm or, if none is active, the one that
// becomes active first. It returns nil if all were imported as former keys.
func activeOf(algorithm string, ring []*oauthkit.SigningKey, now time.Time) *oauthkit.SigningKey {
	var active, first *oauthkit.SigningKey
	for _, key := range filterAlgorithm(ring, jose.Algorithm(algorithm)) {
		if !now.Before(key.ActiveAt) && (active == nil || key.Generation > active.Generation) {
			active = key
		}
		if first == nil || key.Generation < first.Generation {
			first = key
		}
	}
	if active == nil {
		return first
	}
	return active
}

// endOf returns when key is removed from the ring: keyRetention after the first of its
// successors became active. It returns the zero time if the key has no successor. An
// imported former key has no successor in the store; its own ActiveAt counts.
func endOf(key *oauthkit.SigningKey, ring []*oauthkit.SigningKey) time.Time {
	if key.Generation <= 0 {
		return key.ActiveAt.Add(keyRetention)
	}
	var ends time.Time
	for _, other := range ring {
		if other.Algorithm != key.Algorithm || other.Generation <= key.Generation || isRevoked(other) {
			continue
		}
		if end := other.ActiveAt.Add(keyRetention); ends.IsZero() || end.Before(ends) {
			ends = end
		}
	}
	return ends
}
