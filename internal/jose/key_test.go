package jose

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// newTestKey generates a key.
func newTestKey(t testing.TB, alg Algorithm) *Key {
	t.Helper()
	key, err := GenerateKey(alg)
	if err != nil {
		t.Fatalf("GenerateKey(%s): %v", alg, err)
	}
	return key
}

func TestParseAlgorithm(t *testing.T) {
	for _, name := range []string{"RS256", "ES256", "PS256", "EdDSA"} {
		if got, err := ParseAlgorithm(name); err != nil || string(got) != name {
			t.Errorf("ParseAlgorithm(%q) = %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "none", "None", "rs256", "HS256", "RS384", "PS384", "ES384", "eddsa", "Ed25519", "RS256 "} {
		if got, err := ParseAlgorithm(name); err == nil || got != "" {
			t.Errorf("ParseAlgorithm(%q) = %q, %v, want an error", name, got, err)
		}
	}
}

// The expected hash is the one of OpenID Connect Core appendix A.3.
func TestAccessTokenHash(t *testing.T) {
	for _, alg := range []Algorithm{RS256, ES256, PS256} {
		got := AccessTokenHash(alg, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
		if want := "77QmUPtjPfzWtF2AnpK9RQ"; got != want {
			t.Errorf("AccessTokenHash(%s) = %q, want %q", alg, got, want)
		}
	}
	sum := sha512.Sum512([]byte("token"))
	if got, want := AccessTokenHash(EdDSA, "token"), base64.RawURLEncoding.EncodeToString(sum[:32]); got != want {
		t.Errorf("AccessTokenHash(EdDSA) = %q, want the left half of SHA-512, %q", got, want)
	}
	if got := AccessTokenHash("HS512", "token"); got != "" {
		t.Errorf("AccessTokenHash(HS512) = %q, want nothing", got)
	}
}

func TestKeyRoundTrip(t *testing.T) {
	for _, alg := range Algorithms() {
		key := newTestKey(t, alg)
		der, err := key.MarshalPrivate()
		if err != nil {
			t.Fatalf("%s: MarshalPrivate: %v", alg, err)
		}
		again, err := ParsePrivate(alg, der)
		if err != nil {
			t.Fatalf("%s: ParsePrivate: %v", alg, err)
		}
		if again.ID() != key.ID() || again.Algorithm() != alg {
			t.Errorf("%s: got key %s for %s back, want %s", alg, again.ID(), again.Algorithm(), key.ID())
		}
		if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(again.Public()) {
			t.Errorf("%s: the public part changed", alg)
		}
		if other := newTestKey(t, alg); other.ID() == key.ID() {
			t.Errorf("%s: two keys have the ID %s", alg, key.ID())
		}
	}
}

func TestK07_WeakKeys(t *testing.T) {
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// Just below the limit; crypto/rsa itself rejects 1024 bits.
	rsa2040, err := rsa.GenerateKey(rand.Reader, 2040)
	if err != nil {
		t.Fatal(err)
	}
	rsa1024, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve := func(c elliptic.Curve) *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		alg  Algorithm
		key  any
		ok   bool
	}{
		{"RSA 2048", RS256, rsa2048, true},
		{"P-256", ES256, curve(elliptic.P256()), true},
		{"RSA 1024", RS256, rsa1024, false},
		{"RSA 2040", RS256, rsa2040, false},
		{"P-224", ES256, curve(elliptic.P224()), false},
		{"P-384", ES256, curve(elliptic.P384()), false},
		{"RSA for ES256", ES256, rsa2048, false},
		{"P-256 for RS256", RS256, curve(elliptic.P256()), false},
		{"RSA 2048 for PS256", PS256, rsa2048, true},
		{"RSA 2040 for PS256", PS256, rsa2040, false},
		{"P-256 for PS256", PS256, curve(elliptic.P256()), false},
		{"Ed25519 for EdDSA", EdDSA, ed, true},
		{"X25519 for EdDSA", EdDSA, x25519, false},
		{"P-256 for EdDSA", EdDSA, curve(elliptic.P256()), false},
		{"RSA for EdDSA", EdDSA, rsa2048, false},
		{"Ed25519 for ES256", ES256, ed, false},
		{"X25519", ES256, x25519, false},
		{"no algorithm", "", rsa2048, false},
		{"none", "none", rsa2048, false},
	} {
		der, err := x509.MarshalPKCS8PrivateKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParsePrivate(c.alg, der)
		if (err == nil) != c.ok || (key == nil) == c.ok {
			t.Errorf("%s: ParsePrivate = %v, %v, want ok %v", c.name, key, err, c.ok)
		}
	}
	if key, err := ParsePrivate(RS256, []byte("not DER")); err == nil {
		t.Errorf("ParsePrivate(nonsense) = %v, want an error", key)
	}
	for _, alg := range []Algorithm{"", "none", "HS256"} {
		if key, err := GenerateKey(alg); err == nil {
			t.Errorf("GenerateKey(%q) = %v, want an error", alg, key)
		}
	}
}

func TestK01_PublicSet(t *testing.T) {
	rs, es, ed := newTestKey(t, RS256), newTestKey(t, ES256), newTestKey(t, EdDSA)
	document, err := PublicSet([]*Key{rs, es, rs, ed})
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(document, &set); err != nil {
		t.Fatalf("PublicSet gave %s: %v", document, err)
	}
	if len(set.Keys) != 3 {
		t.Fatalf("PublicSet has %d keys, want 3: %s", len(set.Keys), document)
	}
	for i, c := range []struct {
		key     *Key
		kty     string
		members []string
	}{
		{rs, "RSA", []string{"alg", "e", "kid", "kty", "n", "use"}},
		{es, "EC", []string{"alg", "crv", "kid", "kty", "use", "x", "y"}},
		{ed, "OKP", []string{"alg", "crv", "kid", "kty", "use", "x"}},
	} {
		got := set.Keys[i]
		if members := slices.Sorted(maps.Keys(got)); !slices.Equal(members, c.members) {
			t.Errorf("%s: members %v, want %v", c.kty, members, c.members)
		}
		if got["kty"] != c.kty || got["use"] != "sig" || got["alg"] != string(c.key.Algorithm()) || got["kid"] != c.key.ID() {
			t.Errorf("%s: got %v", c.kty, got)
		}
		if want := thumbprint(got); c.key.ID() != want {
			t.Errorf("%s: kid %s, want the RFC 7638 thumbprint %s", c.kty, c.key.ID(), want)
		}
	}
	if document, err := PublicSet(nil); err != nil || string(document) != `{"keys":[]}` {
		t.Errorf("PublicSet(nil) = %s, %v", document, err)
	}
}

// thumbprint computes RFC 7638 §3 by hand.
func thumbprint(jwk map[string]string) string {
	canonical := fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, jwk["e"], jwk["n"])
	switch jwk["kty"] {
	case "EC":
		canonical = fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, jwk["x"], jwk["y"])
	case "OKP": // RFC 8037 §2
		canonical = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":%q}`, jwk["x"])
	}
	sum := sha256.Sum256([]byte(canonical))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestSign(t *testing.T) {
	key := newTestKey(t, ES256)
	token, err := key.Sign("at+jwt", map[string]any{"sub": "alice"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]string
	if err := json.Unmarshal(data, &header); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"alg": "ES256", "kid": key.ID(), "typ": "at+jwt"}
	if !maps.Equal(header, want) {
		t.Errorf("header %v, want %v", header, want)
	}
	if token, err := key.Sign("", map[string]any{"sub": "alice"}); err == nil {
		t.Errorf("Sign without typ gave %q, want an error", token)
	}
	if token, err := key.Sign("JWT", map[string]any{"sub": func() {}}); err == nil {
		t.Errorf("Sign of a function gave %q, want an error", token)
	}
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range Algorithms() {
		key := newTestKey(b, alg)
		claims := validClaims()
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := key.Sign("JWT", claims); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
