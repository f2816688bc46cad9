package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// ringVersion is the first byte of data that a Ring sealed. The id of its key follows.
const ringVersion = 2

// keyIDSize is the number of bytes in the id of a key.
const keyIDSize = 4

// Ring holds keys as Seal takes them: the first one seals and each one opens, so that a
// key can be replaced. Sealed data names its key. An empty Ring neither seals nor opens.
type Ring []string

// KeyID returns a name for a key, 8 hexadecimal digits, for logs and sealed data. It is
// derived from the key in a way of its own and reveals nothing about the key.
func KeyID(key string) string {
	id, err := keyID(key)
	if err != nil { // unreachable: HKDF derives 4 bytes from any key
		return ""
	}
	return hex.EncodeToString(id)
}

func keyID(key string) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte(key), nil, "oauthkit id of a secret", keyIDSize)
}

// Seal encrypts and authenticates text with the first key, as the function Seal does.
func (r Ring) Seal(purpose string, text, bound []byte) ([]byte, error) {
	if len(r) == 0 {
		return nil, ErrUnsealable
	}
	id, err := keyID(r[0])
	if err != nil {
		return nil, err
	}
	sealed, err := Seal(r[0], purpose, text, bound)
	if err != nil {
		return nil, err
	}
	return append(append([]byte{ringVersion}, id...), sealed...), nil
}

// Open decrypts data that Seal returned for a Ring with one of the keys. Its error wraps
// ErrUnsealable and names the missing key.
func (r Ring) Open(purpose string, sealed, bound []byte) ([]byte, error) {
	body, named := sealed, ""
	if len(sealed) > keyIDSize && sealed[0] == ringVersion {
		named, body = hex.EncodeToString(sealed[1:1+keyIDSize]), sealed[1+keyIDSize:]
	}
	var known []string
	for _, key := range r {
		id := KeyID(key)
		known = append(known, id)
		if named != "" && named != id {
			continue
		}
		if text, err := Open(key, purpose, body, bound); err == nil {
			return text, nil
		}
	}
	if named != "" {
		return nil, fmt.Errorf("%w: it names the secret %s, and the configured ones are %v", ErrUnsealable, named, known)
	}
	return nil, ErrUnsealable
}

// IsCurrent reports whether the first key sealed the data, judging by the id in it.
func (r Ring) IsCurrent(sealed []byte) bool {
	if len(r) == 0 || len(sealed) <= keyIDSize || sealed[0] != ringVersion {
		return false
	}
	id, err := keyID(r[0])
	return err == nil && bytes.Equal(id, sealed[1:1+keyIDSize])
}
