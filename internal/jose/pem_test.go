package jose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestParsePEM(t *testing.T) {
	rs, es, ed := newTestKey(t, RS256), newTestKey(t, ES256), newTestKey(t, EdDSA)
	block := func(kind string, der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	pkcs8 := func(key *Key) []byte {
		der, err := key.MarshalPrivate()
		return block("PRIVATE KEY", der, err)
	}
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs.signer.(*rsa.PrivateKey)), nil)
	der, err := x509.MarshalECPrivateKey(es.signer.(*ecdsa.PrivateKey))
	sec1 := block("EC PRIVATE KEY", der, err)
	parameters := block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil)
	public, err := rs.MarshalPublic()
	publicKey := block("PUBLIC KEY", public, err)
	encrypted := bytes.Replace(pkcs1, []byte("\n"), []byte("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"), 1)
	for _, test := range []struct {
		name string
		alg  Algorithm
		text []byte
		want *Key
		made Algorithm
	}{
		{"PKCS #1", "", pkcs1, rs, RS256},
		{"PKCS #1 for PS256", PS256, pkcs1, rs, PS256},
		{"PKCS #8 RSA", "", pkcs8(rs), rs, RS256},
		{"PKCS #8 P-256", "", pkcs8(es), es, ES256},
		{"PKCS #8 Ed25519", "", pkcs8(ed), ed, EdDSA},
		{"SEC 1", "", sec1, es, ES256},
		{"parameters in front", "", append(bytes.Clone(parameters), sec1...), es, ES256},
		{"text around", "", append([]byte("comment\n"), append(pkcs1, "\nend"...)...), rs, RS256},
		{"RSA for ES256", ES256, pkcs1, nil, ""},
		{"unknown algorithm", "none", pkcs1, nil, ""},
		{"two keys", "", append(bytes.Clone(pkcs1), sec1...), nil, ""},
		{"public key", "", publicKey, nil, ""},
		{"encrypted", "", encrypted, nil, ""},
		{"encrypted PKCS #8", "", block("ENCRYPTED PRIVATE KEY", der, nil), nil, ""},
		{"damaged", "", block("RSA PRIVATE KEY", der, nil), nil, ""},
		{"empty", "", nil, nil, ""},
		{"no PEM", "", []byte("secret text"), nil, ""},
		{"too large", "", append(bytes.Repeat([]byte("\n"), maxPEM), pkcs1...), nil, ""},
	} {
		key, err := ParsePEM(test.alg, test.text)
		switch {
		case (err == nil) != (test.want != nil):
			t.Errorf("%s: got %v, %v", test.name, key, err)
		case err != nil && strings.Contains(err.Error(), "secret text"):
			t.Errorf("%s: the error contains the text: %v", test.name, err)
		case err == nil && (key.ID() != test.want.ID() || key.Algorithm() != test.made || !key.CanSign()):
			t.Errorf("%s: got key %s for %s, want %s for %s", test.name, key.ID(), key.Algorithm(), test.want.ID(), test.made)
		}
	}
}

// FuzzParsePEM checks that a parsed key passes the rules of its algorithm.
func FuzzParsePEM(f *testing.F) {
	der, err := newTestKey(f, ES256).MarshalPrivate()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	f.Add("EdDSA", []byte("-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, alg string, text []byte) {
		key, err := ParsePEM(Algorithm(alg), text)
		if err != nil {
			return
		}
		private, err := key.MarshalPrivate()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParsePrivate(key.Algorithm(), private); err != nil || again.ID() != key.ID() {
			t.Errorf("got %v, %v from the key's own encoding", again, err)
		}
	})
}
