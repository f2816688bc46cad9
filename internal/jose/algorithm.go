// Package jose signs and verifies the provider's tokens. It contains the signing
// keys, the published key set, and JSON Web Tokens (RFC 7519) under the rules of
// RFC 8725.
//
// It is the only package that imports JOSE libraries.
package jose

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

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
