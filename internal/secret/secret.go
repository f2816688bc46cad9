// Package secret generates the provider's credentials, and hashes and seals them
// for storage.
//
// A credential is a prefix for its type followed by 256 random bits. Only its SHA-256
// is stored: a value that cannot be guessed gains nothing from a slow hash, and with
// one a few requests could starve the server.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Prefix identifies the type of a credential. One type cannot pass for another, and
// secret scanners can find leaked credentials.
type Prefix string

// The prefixes of all types of credentials.
const (
	AccessToken       Prefix = "oat_"
	RefreshToken      Prefix = "ort_"
	AuthorizationCode Prefix = "oac_"
	ClientSecret      Prefix = "ocs_"
	Interaction       Prefix = "oin_"
	Browser           Prefix = "obr_"
)

// size is the number of random bytes in a credential, and of bytes in a SHA-256.
// encodedSize is the length of either in base64url.
const (
	size        = 32
	encodedSize = 43
)

// New returns a new credential: prefix followed by 43 characters that encode 256 random
// bits. It cannot fail: crypto/rand ends the process rather than return weak bits.
func New(prefix Prefix) string {
	return string(prefix) + random(size)
}

// NewID returns 128 random bits as 22 characters. It identifies a row and grants
// nothing.
func NewID() string {
	return random(16)
}

func random(n int) string {
	bits := make([]byte, n)
	rand.Read(bits)
	var text [encodedSize]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], bits))
}

// Is reports whether value has the form of a credential of this type. Check it before
// any lookup.
func (p Prefix) Is(value string) bool {
	body, found := strings.CutPrefix(value, string(p))
	if !found || len(body) != encodedSize {
		return false
	}
	var text [encodedSize]byte
	copy(text[:], body)
	var bits [size]byte
	_, err := base64.RawURLEncoding.Strict().Decode(bits[:], text[:])
	return err == nil
}

// Hash returns the SHA-256 of a credential as 43 characters. A store keeps the hash
// instead of the credential. The hash includes the prefix, so credentials of different
// types never have the same hash.
func Hash(value string) string {
	var short [64]byte // longer than every credential
	sum := sha256.Sum256(append(short[:0], value...))
	var text [encodedSize]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]))
}

// ID returns a short name for a credential from its hash: the first 8 hexadecimal
// digits of the SHA-256. It identifies the credential in logs and is too short for a
// lookup.
func ID(hash string) string {
	sum, err := base64.RawURLEncoding.DecodeString(hash)
	if err != nil || len(sum) < 4 {
		return ""
	}
	return hex.EncodeToString(sum[:4])
}

// Equal compares two strings in constant time.
func Equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
