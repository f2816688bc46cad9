package oidc

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// keySet is an immutable snapshot of the keys in the store, with the document that
// publishes them.
type keySet struct {
	keys      []signingKey // by algorithm, then by generation
	checkedAt time.Time
	document  keyDocument
}

// signingKey is a stored key with its decrypted form.
type signingKey struct {
	*jose.Key
	stored *oauthkit.SigningKey
}

// keyDocument is a JWK Set with its ETag. It is made once for each snapshot, not for each
// request.
type keyDocument struct {
	text []byte
	etag string
	ends time.Time // when a key leaves the set; zero if none does
}

func newKeySet(keys []signingKey, now time.Time) (*keySet, error) {
	set := &keySet{keys: slices.Clone(keys), checkedAt: now}
	slices.SortFunc(set.keys, func(a, b signingKey) int {
		return cmp.Or(
			cmp.Compare(slices.Index(jose.Algorithms(), a.Algorithm()), slices.Index(jose.Algorithms(), b.Algorithm())),
			cmp.Compare(a.stored.Generation, b.stored.Generation),
		)
	})
	var err error
	set.document, err = set.publish(now)
	return set, err
}

// publish returns the JWK Set at now.
func (s *keySet) publish(now time.Time) (keyDocument, error) {
	text, err := jose.PublicSet(s.published(now))
	if err != nil {
		return keyDocument{}, err
	}
	sum := sha256.Sum256(text)
	document := keyDocument{text: text, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}
	for _, key := range s.keys {
		ends := endOf(key.stored, s.rows())
		if ends.After(now) && (document.ends.IsZero() || ends.Before(document.ends)) {
			document.ends = ends
		}
	}
	return document, nil
}

// rows returns the stored keys.
func (s *keySet) rows() []*oauthkit.SigningKey {
	rows := make([]*oauthkit.SigningKey, len(s.keys))
	for i, key := range s.keys {
		rows[i] = key.stored
	}
	return rows
}

// signer returns the newest active key of algorithm that this instance can sign with. If
// none is active because earlier keys were removed, it returns the one that becomes
// active first.
func (s *keySet) signer(algorithm jose.Algorithm, now time.Time) (*jose.Key, error) {
	var found *jose.Key
	for _, key := range s.keys {
		if key.Algorithm() == algorithm && key.CanSign() && key.stored.Generation > 0 &&
			(found == nil || !now.Before(key.stored.ActiveAt)) {
			found = key.Key
		}
	}
	if found == nil { // all signers were removed, and no instance has listed another one
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(fmt.Errorf("no signing key for %s", algorithm))
	}
	return found, nil
}

// published returns the keys that clients need now: all except the removed ones.
func (s *keySet) published(now time.Time) []*jose.Key {
	var keys []*jose.Key
	for _, key := range s.keys {
		if stateOf(key.stored, s.rows(), now) != KeyRemoved {
			keys = append(keys, key.Key)
		}
	}
	return keys
}
