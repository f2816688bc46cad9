package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is the smallest RSA key that RFC 7518 §3.3 allows; new keys have
// this size, because larger ones make every sign-in slower.
const minRSABits = 2048

// Key is a signing key with its public part, made by GenerateKey or
// ParsePrivate; the zero value is of no use. A key does not change and may be
// used by several goroutines.
type Key struct {
	id        string
	algorithm Algorithm
	signer    crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	method    jwt.SigningMethod
}

// GenerateKey makes a new key: RSA with 2048 bits for RS256, P-256 for ES256.
// The RSA key takes some tenths of a second.
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
		return nil, fmt.Errorf("jose: generate a key: %w", err)
	}
	return newKey(alg, signer)
}

// ParsePrivate reads a key for alg from the PKCS #8 DER form that
// MarshalPrivate makes. It refuses a key of another type, RSA below 2048 bits
// and every curve but P-256.
func ParsePrivate(alg Algorithm, der []byte) (*Key, error) {
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("jose: read a private key: %w", err)
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("jose: read a private key: a %T cannot sign", private)
	}
	return newKey(alg, signer)
}

func newKey(alg Algorithm, signer crypto.Signer) (*Key, error) {
	k := &Key{algorithm: alg, signer: signer}
	switch alg {
	case RS256:
		public, ok := signer.Public().(*rsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("jose: %s needs an RSA key, not a %T", alg, signer.Public())
		}
		if bits := public.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("jose: the RSA key has %d bits, %s needs at least %d", bits, alg, minRSABits)
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
		return nil, fmt.Errorf("jose: name a key: %w", err)
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

// ID is the key's kid: its SHA-256 thumbprint in base64url (RFC 7638), so the
// same key has the same name on every instance.
func (k *Key) ID() string { return k.id }

// Algorithm is the only algorithm the key signs and verifies with
// (RFC 8725 §3.1).
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// Public is the public part, an *rsa.PublicKey or an *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.signer.Public() }

// MarshalPrivate returns the private key as PKCS #8 DER. It is not encrypted:
// seal it before it is stored.
func (k *Key) MarshalPrivate() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, fmt.Errorf("jose: write a private key: %w", err)
	}
	return der, nil
}

// Sign makes a JSON Web Token from claims with the header members alg, kid and
// typ. Typ tells the kinds of tokens apart ("JWT", "at+jwt", ...) and may not be
// empty (RFC 8725 §3.11). Give times as integers in seconds since 1970: Verify
// accepts no other spelling.
func (k *Key) Sign(typ string, claims map[string]any) (string, error) {
	if typ == "" {
		return "", errors.New("jose: sign a token: typ is empty")
	}
	token := jwt.NewWithClaims(k.method, jwt.MapClaims(claims))
	token.Header["kid"] = k.id
	token.Header["typ"] = typ
	signed, err := token.SignedString(k.signer)
	if err != nil {
		return "", fmt.Errorf("jose: sign a token: %w", err)
	}
	return signed, nil
}

// PublicSet returns the JWK set document that publishes keys (RFC 7517 §5),
// each with kty, use, alg, kid and its public members, in the order given. A key
// given twice appears once.
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
		return nil, fmt.Errorf("jose: write the key set: %w", err)
	}
	return document, nil
}
