package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is a signature algorithm by its JWA name (RFC 7518 §3.1, RFC 8037 §3.1).
// Every function rejects the zero value.
type Algorithm string

const (
	// RS256 is RSASSA-PKCS1-v1_5 with SHA-256, which every OpenID Connect client
	// supports (OpenID Connect Core §15.1).
	RS256 Algorithm = "RS256"
	// ES256 is ECDSA on P-256 with SHA-256. Its signatures are smaller and much
	// cheaper.
	ES256 Algorithm = "ES256"
	// PS256 is RSASSA-PSS with SHA-256, which FAPI allows beside ES256.
	PS256 Algorithm = "PS256"
	// EdDSA is Ed25519, the smallest and cheapest of all.
	EdDSA Algorithm = "EdDSA"
)

// Algorithms returns the supported algorithms. Each has keys of its own (RFC 8725 §3.1).
func Algorithms() []Algorithm { return []Algorithm{RS256, ES256, PS256, EdDSA} }

// ParseAlgorithm parses the exact JWA name of a supported algorithm. "none" and
// symmetric algorithms are not supported.
func ParseAlgorithm(s string) (Algorithm, error) {
	switch alg := Algorithm(s); alg {
	case RS256, ES256, PS256, EdDSA:
		return alg, nil
	}
	return "", fmt.Errorf("jose: signing algorithm %q is not supported, use one of %s", s, Algorithms())
}

// AlgorithmOf returns the algorithm for which a key of this type is usually used: RS256,
// ES256 or EdDSA.
func AlgorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch public.(type) {
	case *rsa.PublicKey:
		return RS256, nil
	case *ecdsa.PublicKey:
		return ES256, nil
	case ed25519.PublicKey:
		return EdDSA, nil
	}
	return "", fmt.Errorf("jose: a %T signs with no supported algorithm", public)
}

// method returns the signing method of the algorithm, or an error if the algorithm is
// unknown or not for a key such as public.
func (alg Algorithm) method(public crypto.PublicKey) (jwt.SigningMethod, error) {
	switch alg {
	case RS256:
		return jwt.SigningMethodRS256, alg.checkRSA(public)
	case PS256:
		return jwt.SigningMethodPS256, alg.checkRSA(public)
	case ES256:
		if key, ok := public.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("jose: %s needs an ECDSA key on the curve P-256", alg)
		}
		return jwt.SigningMethodES256, nil
	case EdDSA:
		if key, ok := public.(ed25519.PublicKey); !ok || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("jose: %s needs an Ed25519 key", alg)
		}
		return jwt.SigningMethodEdDSA, nil
	}
	_, err := ParseAlgorithm(string(alg))
	return nil, err
}

func (alg Algorithm) checkRSA(public crypto.PublicKey) error {
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("jose: %s needs an RSA key, got a %T", alg, public)
	}
	if bits := key.N.BitLen(); bits < minRSABits {
		return fmt.Errorf("jose: RSA key has %d bits, %s needs at least %d", bits, alg, minRSABits)
	}
	return nil
}

// AccessTokenHash returns the at_hash claim of an ID token that is signed with alg and
// issued together with token: the left half of the token's hash (OpenID Connect
// Core §3.1.3.6). The hash is the one that alg uses, which for Ed25519 is SHA-512
// (RFC 8032 §5.1). The c_hash of a code is computed in the same way (§3.3.2.11). It is
// empty for an unknown algorithm.
func AccessTokenHash(alg Algorithm, token string) string {
	switch alg {
	case RS256, ES256, PS256:
		sum := sha256.Sum256([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	case EdDSA:
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	return ""
}
