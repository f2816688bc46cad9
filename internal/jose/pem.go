package jose

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxPEM is the largest PEM text in bytes that ParsePEM decodes. An RSA key of 16384 bits
// takes about 13 KB.
const maxPEM = 64 << 10

// ParsePEM parses an unencrypted private key in PEM: PKCS #8 ("PRIVATE KEY"), PKCS #1
// ("RSA PRIVATE KEY") or SEC 1 ("EC PRIVATE KEY"). The text must hold exactly one private
// key; blocks of other types, such as EC PARAMETERS, are ignored. If alg is empty, it is
// AlgorithmOf the key. The error does not contain the text.
func ParsePEM(alg Algorithm, text []byte) (*Key, error) {
	signer, err := parsePEM(text)
	if err != nil {
		return nil, fmt.Errorf("jose: parsing a private key in PEM: %w", err)
	}
	if alg == "" {
		if alg, err = AlgorithmOf(signer.Public()); err != nil {
			return nil, err
		}
	}
	return withPrivate(alg, signer)
}

func parsePEM(text []byte) (crypto.Signer, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("larger than %d bytes", maxPEM)
	}
	var found crypto.Signer
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		key, err := parseBlock(block)
		switch {
		case err != nil:
			return nil, err
		case key == nil:
			continue
		case found != nil:
			return nil, errors.New("more than one private key")
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("a %T cannot sign", key)
		}
		found = signer
	}
	if found == nil {
		return nil, errors.New("no private key; want a block PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY")
	}
	return found, nil
}

// parseBlock returns the private key in block, or nil if block is of another type.
func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errors.New("the key is encrypted; decrypt it first")
		}
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		if block.Headers["DEK-Info"] != "" {
			return nil, errors.New("the key is encrypted; decrypt it first")
		}
		return x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key is encrypted; decrypt it first")
	}
	return nil, nil
}
