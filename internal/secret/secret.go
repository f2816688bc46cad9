// Package secret makes the provider's credentials and turns them into what may be stored.
//
// A credential is 256 random bits behind a prefix that tells its type. Only its SHA-256 is stored: a value that cannot be
// guessed gains nothing from a slow hash, and a slow hash would let a handful of requests starve the server.
package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Prefix tells the type of a credential, so that one can never pass for another and secret scanners can find a leaked one.
type Prefix string

// The prefixes of everything that is handed out.
const (
	AccessToken       Prefix = "oat_"
	RefreshToken      Prefix = "ort_"
	AuthorizationCode Prefix = "oac_"
	ClientSecret      Prefix = "ocs_"
	Interaction       Prefix = "oin_"
	Browser           Prefix = "obr_"
)

// size is the number of random bytes of a credential, and of a SHA-256; encodedSize is the number of
// characters that they are written as.
const (
	size        = 32
	encodedSize = 43
)

// New returns a new credential: the prefix and 43 characters that hold 256 random bits. It cannot fail: crypto/rand ends
// the process rather than return weak bits.
func New(prefix Prefix) string {
	return string(prefix) + random(size)
}

// NewID returns 128 random bits as 22 characters. It names a row; knowing it allows nothing.
func NewID() string {
	return random(16)
}

func random(n int) string {
	bits := make([]byte, n)
	rand.Read(bits)
	var text [encodedSize]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], bits))
}

// Is reports whether value has the form of a credential of this type. It is checked before any look-up.
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

// Hash returns what a store keeps instead of a credential: its SHA-256 as 43 characters. The prefix is part of what is
// hashed, so the hash of one type is never that of another.
func Hash(value string) string {
	var short [64]byte // longer than every credential that is made here
	sum := sha256.Sum256(append(short[:0], value...))
	var text [encodedSize]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]))
}

// ID returns a name for a credential, by the hash that is kept of it: the first 8 hexadecimal digits of the SHA-256. It tells one
// from another in a log, and is too short to look anything up with.
func ID(hash string) string {
	sum, err := base64.RawURLEncoding.DecodeString(hash)
	if err != nil || len(sum) < 4 {
		return ""
	}
	return hex.EncodeToString(sum[:4])
}

// Equal compares two strings in a time that does not depend on where they differ.
func Equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
