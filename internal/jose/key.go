// Package jose signs and verifies the provider's tokens. It contains the signing
// keys, the published key set, and JSON Web Tokens (RFC 7519) under the rules of
// RFC 8725.
//
// It is the only package that imports JOSE libraries.
package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is the smallest RSA key that RFC 7518 §3.3 allows. New keys have this
// size, because larger ones make every signature slower.
const minRSABits = 2048

// Key is a signing key with its public key. Create it with GenerateKey or ParsePrivate.
// A Key is immutable and safe for concurrent use.
type Key struct {
	id        string
	algorithm Algorithm
	signer    crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	method    jwt.SigningMethod
}

// GenerateKey generates a key: RSA with 2048 bits for RS256, P-256 for ES256. An RSA
// key takes some tenths of a second.
func GenerateKey(alg Algorithm) (*Key, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case RS256:
		signer, err = rsa.GenerateKey(rand.Reader, minRSABits)
	case ES256:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, err = ParseAlgorithm(string(alg))
	}
	if err != nil {
		return nil, fmt.Errorf("jose: generating a key: %w", err)
	}
	return newKey(alg, signer)
}

// ParsePrivate parses the PKCS #8 DER encoding of a private key for alg, as
// MarshalPrivate returns it. It rejects keys of another type, RSA keys below 2048 bits
// and curves other than P-256.
func ParsePrivate(alg Algorithm, der []byte) (*Key, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: parsing a private key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("jose: parsing a private key: %T cannot sign", private)
	}
	return newKey(alg, signer)
}

func newKey(alg Algorithm, signer crypto.Signer) (*Key, error) {
	k := &Key{algorithm: alg, signer: signer}
	switch alg {
	case RS256:
		public, ok := signer.Public().(*rsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("jose: %s needs an RSA key, got a %T", alg, signer.Public())
		}
		if bits := public.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("jose: RSA key has %d bits, %s needs at least %d", bits, alg, minRSABits)
		}
		k.method = jwt.SigningMethodRS256
	case ES256:
		public, ok := signer.Public().(*ecdsa.PublicKey)
		if !ok || public.Curve != elliptic.P256() {
			return nil, fmt.Errorf("jose: %s needs an ECDSA key on the curve P-256", alg)
		}
		k.method = jwt.SigningMethodES256
	default:
		_, err := ParseAlgorithm(string(alg))
		return nil, err
	}
	thumbprint, err := (&gojose.JSONWebKey{Key: signer.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("jose: computing a key's thumbprint: %w", err)
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// ID returns the key's kid: its SHA-256 thumbprint in base64url (RFC 7638). A key
// therefore has the same id on every instance.
func (k *Key) ID() string { return k.id }

// Algorithm returns the only algorithm that the key signs and verifies with
// (RFC 8725 §3.1).
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// Public returns the public key, an *rsa.PublicKey or an *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.signer.Public() }

// MarshalPrivate returns the private key as PKCS #8 DER. It is not encrypted: seal it
// before storing it.
func (k *Key) MarshalPrivate() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, fmt.Errorf("jose: marshaling a private key: %w", err)
	}
	return der, nil
}

// Sign returns a JSON Web Token with claims and the header members alg, kid and typ.
//
// Typ tells kinds of tokens apart ("JWT", "at+jwt", ...) and must not be empty
// (RFC 8725 §3.11). Times must be integers in seconds since 1970; Verify rejects every
// other form.
func (k *Key) Sign(typ string, claims map[string]any) (string, error) {
	if typ == "" {
		return "", errors.New("jose: signing a token: typ is empty")
	}
	token := jwt.NewWithClaims(k.method, jwt.MapClaims(claims))
	token.Header["kid"] = k.id
	token.Header["typ"] = typ
	signed, err := token.SignedString(k.signer)
	if err != nil {
		return "", fmt.Errorf("jose: signing a token: %w", err)
	}
	return signed, nil
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

// Algorithm is a signature algorithm by its JWA name (RFC 7518 §3.1). Every function
// rejects the zero value.
type Algorithm string

const (
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256, which every OpenID Connect client
	// supports (OpenID Connect Core §15.1).
	RS256 Algorithm = "RS256"
	// ES256 is ECDSA on P-256 with SHA-256. Its signatures are smaller and much
	// cheaper.
	ES256 Algorithm = "ES256"
)

// ParseAlgorithm parses the exact JWA name of a supported algorithm. "none" and
// symmetric algorithms are not supported.
func ParseAlgorithm(s string) (Algorithm, error) {
	switch alg := Algorithm(s); alg {
	case RS256, ES256:
		return alg, nil
	}
	return "", fmt.Errorf("jose: signing algorithm %q is not supported, use %s or %s", s, RS256, ES256)
}

// AccessTokenHash returns the at_hash claim of an ID token that is signed with alg and
// issued together with token: the left half of the token's hash (OpenID Connect
// Core §3.1.3.6). The c_hash of a code is computed in the same way (§3.3.2.11). It is
// empty for an unknown algorithm.
func AccessTokenHash(alg Algorithm, token string) string {
	switch alg {
	case RS256, ES256:
		sum := sha256.Sum256([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	return ""
}
