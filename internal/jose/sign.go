package jose

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// ErrSigner is returned by Sign if the signer of FromSigner failed. A later call can
// succeed.
var ErrSigner = errors.New("the signer of the program failed for key")

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
	signed, err := k.sign(token)
	if err != nil {
		return "", fmt.Errorf("jose: signing a token: %w", err)
	}
	return signed, nil
}

func (k *Key) sign(token *jwt.Token) (string, error) {
	switch {
	case k.signer != nil:
		return token.SignedString(k.signer)
	case k.external == nil:
		return "", fmt.Errorf("the private key of %s is not available", k.id)
	}
	text, err := token.SigningString()
	if err != nil {
		return "", err
	}
	signature, err := k.signExternally(text)
	if err != nil {
		return "", fmt.Errorf("%w %s: %w", ErrSigner, k.id, err)
	}
	return text + "." + token.EncodeSegment(signature), nil
}

// signExternally returns the signature of text in the form of JWS. It verifies the
// signature, because a wrong one, of a wrong key or from a faulty device, would reach
// every client.
func (k *Key) signExternally(text string) ([]byte, error) {
	message, options := []byte(text), crypto.SignerOpts(crypto.Hash(0)) // Ed25519 signs the text itself
	if k.algorithm != EdDSA {
		sum := sha256.Sum256(message)
		message, options = sum[:], crypto.SHA256
	}
	if k.algorithm == PS256 {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256} // RFC 7518 §3.5
	}
	signature, err := k.external.Sign(rand.Reader, message, options)
	if err == nil && k.algorithm == ES256 {
		signature, err = concatenated(signature)
	}
	if err != nil {
		return nil, err
	}
	if err := k.method.Verify(text, signature, k.public); err != nil {
		return nil, fmt.Errorf("it returned a wrong signature: %w", err)
	}
	return signature, nil
}

// concatenated turns the ASN.1 form of an ECDSA signature into that of RFC 7518 §3.4:
// R and S, with 32 bytes each.
func concatenated(der []byte) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &parts)
	const size = 32
	switch {
	case err != nil:
		return nil, fmt.Errorf("decoding an ECDSA signature: %w", err)
	case len(rest) > 0:
		return nil, errors.New("decoding an ECDSA signature: trailing data")
	case parts.R.Sign() <= 0 || parts.S.Sign() <= 0 || parts.R.BitLen() > 8*size || parts.S.BitLen() > 8*size:
		return nil, errors.New("decoding an ECDSA signature: a number is out of range")
	}
	signature := make([]byte, 2*size)
	parts.R.FillBytes(signature[:size])
	parts.S.FillBytes(signature[size:])
	return signature, nil
}
