// Package jose signs and verifies the provider's tokens. It contains the signing
// keys, the published key set, and JSON Web Tokens (RFC 7519) under the rules of
// RFC 8725.
//
// It is the only package that imports JOSE libraries.
package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is the smallest RSA key that RFC 7518 §3.3 allows. New keys have this
// size, because larger ones make every signature slower.
const minRSABits = 2048

// Key is a public key, with the means to sign if this process has them. Create it with
// GenerateKey, ParsePrivate, ParsePublic or FromSigner. A Key is immutable and safe for
// concurrent use.
type Key struct {
	id        string
	algorithm Algorithm
	public    crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
	signer    crypto.Signer    // a private key; nil if it is elsewhere
	external  crypto.Signer    // signs with a private key that is elsewhere, or nil
	method    jwt.SigningMethod
}

// GenerateKey generates a key: RSA with 2048 bits for RS256 and PS256, P-256 for ES256
// and Ed25519 for EdDSA. An RSA key takes some tenths of a second.
func GenerateKey(alg Algorithm) (*Key, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case RS256, PS256:
		signer, err = rsa.GenerateKey(rand.Reader, minRSABits)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case EdDSA:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		_, err = ParseAlgorithm(string(alg))
	}
	if err != nil {
		return nil, fmt.Errorf("jose: generating a key: %w", err)
	}
	return withPrivate(alg, signer)
}

// ParsePrivate parses the PKCS #8 DER encoding of a private key for alg, as
// MarshalPrivate returns it. It rejects keys of another type, RSA keys below 2048 bits
// and curves other than P-256 and Ed25519.
func ParsePrivate(alg Algorithm, der []byte) (*Key, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: parsing a private key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("jose: parsing a private key: %T cannot sign", private)
	}
	return withPrivate(alg, signer)
}

// ParsePublic parses the PKIX DER encoding of a public key for alg, as MarshalPublic
// returns it. The Key verifies but cannot sign. It rejects the same keys as
// ParsePrivate.
func ParsePublic(alg Algorithm, der []byte) (*Key, error) {
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: parsing a public key: %w", err)
	}
	return newKey(alg, public)
}

// FromSigner returns a Key that signs with signer, whose private key can be in another
// process or device. It rejects the same keys as ParsePrivate.
func FromSigner(alg Algorithm, signer crypto.Signer) (*Key, error) {
	k, err := newKey(alg, signer.Public())
	if err != nil {
		return nil, err
	}
	k.external = signer
	return k, nil
}

func withPrivate(alg Algorithm, signer crypto.Signer) (*Key, error) {
	k, err := newKey(alg, signer.Public())
	if err != nil {
		return nil, err
	}
	k.signer = signer
	return k, nil
}

func newKey(alg Algorithm, public crypto.PublicKey) (*Key, error) {
	method, err := alg.method(public)
	if err != nil {
		return nil, err
	}
	thumbprint, err := (&gojose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("jose: computing a key's thumbprint: %w", err)
	}
	id := base64.RawURLEncoding.EncodeToString(thumbprint)
	return &Key{id: id, algorithm: alg, public: public, method: method}, nil
}

// ID returns the key's kid: its SHA-256 thumbprint in base64url (RFC 7638). A key
// therefore has the same id on every instance.
func (k *Key) ID() string { return k.id }

// Algorithm returns the only algorithm that the key signs and verifies with
// (RFC 8725 §3.1).
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// Public returns the public key: an *rsa.PublicKey, an *ecdsa.PublicKey or an
// ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// CanSign reports whether Sign can be called: a parsed public key only verifies.
func (k *Key) CanSign() bool { return k.signer != nil || k.external != nil }

// IsExternal reports whether the Key was made by FromSigner.
func (k *Key) IsExternal() bool { return k.external != nil }

// MarshalPrivate returns the private key as PKCS #8 DER. It is not encrypted: seal it
// before storing it.
func (k *Key) MarshalPrivate() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, fmt.Errorf("jose: marshaling a private key: %w", err)
	}
	return der, nil
}

// MarshalPublic returns the public key as PKIX DER.
func (k *Key) MarshalPublic() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, fmt.Errorf("jose: marshaling a public key: %w", err)
	}
	return der, nil
}

// PublicSet returns the JWK Set document of keys (RFC 7517 §5), in their order and
// without duplicates. Each key has kty, use, alg, kid and its public members.
func PublicSet(keys []*Key) ([]byte, error) {
	set := gojose.JSONWebKeySet{Keys: []gojose.JSONWebKey{}}
	for _, k := range keys {
		if len(set.Key(k.id)) > 0 {
			continue
		}
		set.Keys = append(set.Keys, gojose.JSONWebKey{
			Key:       k.Public(),
			KeyID:     k.id,
			Algorithm: string(k.algorithm),
			Use:       "sig",
		})
	}
	document, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("jose: marshaling the key set: %w", err)
	}
	return document, nil
}
