package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
)

// device is a signer whose private key is elsewhere: it has no method but those of
// crypto.Signer.
type device struct {
	public crypto.PublicKey
	sign   func(message []byte, options crypto.SignerOpts) ([]byte, error)
}

func (d device) Public() crypto.PublicKey { return d.public }

func (d device) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	return d.sign(message, options)
}

// deviceOf returns a device that signs with the private key of key.
func deviceOf(key *Key) device {
	return device{key.public, func(message []byte, options crypto.SignerOpts) ([]byte, error) {
		return key.signer.Sign(rand.Reader, message, options)
	}}
}

// TestFromSigner verifies the tokens of a device with the other JOSE library.
func TestFromSigner(t *testing.T) {
	for _, alg := range Algorithms() {
		local := newTestKey(t, alg)
		key, err := FromSigner(alg, deviceOf(local))
		if err != nil {
			t.Fatal(err)
		}
		if key.ID() != local.ID() || !key.CanSign() || !key.IsExternal() || local.IsExternal() {
			t.Errorf("%s: got key %s, CanSign %t, IsExternal %t", alg, key.ID(), key.CanSign(), key.IsExternal())
		}
		for range 50 { // R and S are shorter than 32 bytes in one of 128 signatures
			token, err := key.Sign("JWT", validClaims())
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			parsed, err := gojose.ParseSignedCompact(token, []gojose.SignatureAlgorithm{gojose.SignatureAlgorithm(alg)})
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			if _, err := parsed.Verify(local.public); err != nil {
				t.Errorf("%s: %v", alg, err)
			}
			if _, err := Verify(token, []*Key{key}, testExpectation()); err != nil {
				t.Errorf("%s: %v", alg, err)
			}
		}
		if _, err := key.MarshalPrivate(); err == nil {
			t.Errorf("%s: got no error for the private key of a device", alg)
		}
	}
}

// TestFaultySigner checks that no faulty answer of a device becomes a token.
func TestFaultySigner(t *testing.T) {
	down := errors.New("the device is down")
	for _, alg := range Algorithms() {
		local, other := newTestKey(t, alg), newTestKey(t, alg)
		for name, sign := range map[string]func([]byte, crypto.SignerOpts) ([]byte, error){
			"error":           func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, down },
			"nothing":         func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, nil },
			"noise":           func([]byte, crypto.SignerOpts) ([]byte, error) { return []byte(rand.Text()), nil },
			"another key":     deviceOf(other).sign,
			"another message": func(m []byte, o crypto.SignerOpts) ([]byte, error) { m[0] ^= 1; return deviceOf(local).sign(m, o) },
			"one bit": func(m []byte, o crypto.SignerOpts) ([]byte, error) {
				signature, err := deviceOf(local).sign(m, o)
				signature[len(signature)-1] ^= 1
				return signature, err
			},
			"longer": func(m []byte, o crypto.SignerOpts) ([]byte, error) {
				signature, err := deviceOf(local).sign(m, o)
				return append(signature, 0), err
			},
		} {
			key, err := FromSigner(alg, device{local.public, sign})
			if err != nil {
				t.Fatal(err)
			}
			token, err := key.Sign("JWT", validClaims())
			if !errors.Is(err, ErrSigner) || token != "" {
				t.Errorf("%s, %s: got %q, %v; want ErrSigner", alg, name, token, err)
			}
			if errors.Is(err, down) != (name == "error") {
				t.Errorf("%s, %s: got %v, want the device's own error in it", alg, name, err)
			}
		}
	}
	if key, err := FromSigner(RS256, deviceOf(newTestKey(t, ES256))); err == nil {
		t.Errorf("got %v for RS256 with a P-256 key, want an error", key)
	}
}

func TestConcatenatedRejects(t *testing.T) {
	large := new(big.Int).Lsh(big.NewInt(1), 256)
	for name, parts := range map[string]struct{ R, S *big.Int }{
		"zero":     {big.NewInt(0), big.NewInt(1)},
		"negative": {big.NewInt(1), big.NewInt(-1)},
		"large":    {large, big.NewInt(1)},
	} {
		der, err := asn1.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := concatenated(der); err == nil {
			t.Errorf("%s: got %x, want an error", name, got)
		}
	}
}

func TestParsePublic(t *testing.T) {
	for _, alg := range Algorithms() {
		local := newTestKey(t, alg)
		token, err := local.Sign("JWT", validClaims())
		if err != nil {
			t.Fatal(err)
		}
		der, err := local.MarshalPublic()
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParsePublic(alg, der)
		if err != nil || key.ID() != local.ID() || key.CanSign() {
			t.Fatalf("%s: got %v, %v; want key %s, which cannot sign", alg, key, err, local.ID())
		}
		if _, err := Verify(token, []*Key{key}, testExpectation()); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if token, err := key.Sign("JWT", validClaims()); err == nil {
			t.Errorf("%s: got %q, want an error without a private key", alg, token)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := FromSigner(ES256, p384)
	if err == nil {
		t.Errorf("got %v for P-384, want an error", weak)
	}
	if key, err := ParsePublic(ES256, []byte("no DER")); err == nil {
		t.Errorf("got %v, want an error", key)
	}
}
