package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealVersion is the first byte of sealed data, so that the algorithm can change later.
const sealVersion = 1

// SealOverhead is the number of bytes that Seal adds: the version, the nonce and the
// tag.
const SealOverhead = 1 + 12 + 16

// ErrUnsealable is returned by Open if the data was not sealed with this key for this
// purpose, or was changed.
var ErrUnsealable = errors.New("sealed with another key, for another purpose, or damaged")

// Seal encrypts and authenticates text (AES-256-GCM) with a key that is derived from
// key (HKDF-SHA256) for one purpose. Key must have 256 bits of entropy. Bound is
// authenticated but not encrypted; Open needs the same value.
func Seal(key, purpose string, text, bound []byte) ([]byte, error) {
	aead, err := newAEAD(key, purpose)
	if err != nil {
		return nil, err
	}
	return aead.Seal([]byte{sealVersion}, nil, text, bound), nil
}

// Open decrypts data that Seal returned. It returns ErrUnsealable if that fails.
func Open(key, purpose string, sealed, bound []byte) ([]byte, error) {
	aead, err := newAEAD(key, purpose)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrUnsealable
	}
	text, err := aead.Open(nil, nil, sealed[1:], bound)
	if err != nil {
		return nil, ErrUnsealable
	}
	return text, nil
}

func newAEAD(key, purpose string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key for %s: %w", purpose, err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("creating the cipher for %s: %w", purpose, err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
