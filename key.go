package oauthkit

import (
	"context"
	"time"
)

// SigningKey is a key that signs tokens, as it is stored. Of one algorithm there are several at a time: one that is
// published before it is used, one in use, and those whose signatures are still about.
type SigningKey struct {
	// ID is the kid: the key's JWK thumbprint (RFC 7638).
	ID string
	// Algorithm is RS256 or ES256.
	Algorithm string
	// Generation counts the keys of the algorithm, from 1. It decides between instances that add a key at the same time.
	Generation int
	// Private is the private key, sealed with Config.Secret where there is one.
	Private []byte
	// CreatedAt is when it was made, and published from.
	CreatedAt time.Time
	// ActiveAt is from when it signs, unless there is a later one that does.
	ActiveAt time.Time
}

// KeyStore keeps signing keys, for every instance of the provider.
type KeyStore interface {
	// SigningKeys returns all of them, in no particular order.
	SigningKeys(ctx context.Context) ([]*SigningKey, error)
	// AddSigningKey adds one. It must return ErrReplayed when there is one of the same algorithm and generation, and of any
	// number of concurrent calls for both exactly one must succeed.
	AddSigningKey(ctx context.Context, key *SigningKey) error
	// RemoveSigningKey removes one, and reports whether it was there: of several that remove it, one is told so.
	RemoveSigningKey(ctx context.Context, id string) (removed bool, err error)
}
