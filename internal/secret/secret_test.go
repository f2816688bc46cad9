package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestC20_Entropy(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		value := New(AuthorizationCode)
		if !AuthorizationCode.Is(value) {
			t.Fatalf("New returned %d characters that Is rejects", len(value))
		}
		if seen[value] {
			t.Fatal("New returned the same credential twice")
		}
		seen[value] = true
	}
	for place := range size * 8 / 6 { // the last character has fewer bits
		characters := map[byte]bool{}
		for value := range seen {
			characters[value[len(AuthorizationCode)+place]] = true
		}
		if len(characters) != 64 {
			t.Errorf("got %d different characters at place %d of 10 000 credentials, want 64", len(characters), place)
		}
	}
}

func TestC15_Malformed(t *testing.T) {
	valid := New(AuthorizationCode)
	cases := map[string]string{
		"empty":        "",
		"prefix only":  string(AuthorizationCode),
		"truncated":    valid[:len(valid)-1],
		"longer":       valid + "A",
		"padding":      valid + "=",
		"blank":        valid + " ",
		"NUL":          valid[:len(valid)-1] + "\x00",
		"upper prefix": strings.ToUpper(valid[:4]) + valid[4:],
		"other type":   string(RefreshToken) + valid[4:],
	}
	for name, value := range cases {
		if AuthorizationCode.Is(value) {
			t.Errorf("%s: accepted as a well-formed code", name)
		}
	}
}

func TestHashDependsOnType(t *testing.T) {
	body := New("")
	if Hash(string(AccessToken)+body) == Hash(string(RefreshToken)+body) {
		t.Error("two types with the same bits have the same hash")
	}
	if got := len(Hash(body)); got != 43 {
		t.Errorf("got a hash of %d characters, want 43", got)
	}
}

func TestSeal(t *testing.T) {
	key := New(RefreshToken)
	sealed, err := Seal(key, "test", []byte("text"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(key, "test", sealed, []byte("row")); err != nil || string(got) != "text" {
		t.Fatalf("got %q, %v; want text", got, err)
	}
	if got := len(sealed) - len("text"); got != SealOverhead {
		t.Errorf("got %d bytes more than the text, want SealOverhead, which is %d", got, SealOverhead)
	}
	damaged := append([]byte(nil), sealed...)
	damaged[len(damaged)-1] ^= 1
	cases := map[string]func() ([]byte, error){
		"other key":     func() ([]byte, error) { return Open(New(RefreshToken), "test", sealed, []byte("row")) },
		"other purpose": func() ([]byte, error) { return Open(key, "other", sealed, []byte("row")) },
		"other row":     func() ([]byte, error) { return Open(key, "test", sealed, []byte("row2")) },
		"damaged":       func() ([]byte, error) { return Open(key, "test", damaged, []byte("row")) },
		"empty":         func() ([]byte, error) { return Open(key, "test", nil, []byte("row")) },
		"other version": func() ([]byte, error) { return Open(key, "test", append([]byte{9}, sealed[1:]...), []byte("row")) },
	}
	for name, open := range cases {
		if text, err := open(); !errors.Is(err, ErrUnsealable) {
			t.Errorf("%s: got %q, %v; want ErrUnsealable", name, text, err)
		}
	}
}

func TestID(t *testing.T) {
	value := New(AccessToken)
	sum := sha256.Sum256([]byte(value))
	if got, want := ID(Hash(value)), hex.EncodeToString(sum[:])[:8]; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, noHash := range []string{"", "AAAA", "not a hash"} {
		if got := ID(noHash); got != "" {
			t.Errorf("%q: got %s, want an empty ID", noHash, got)
		}
	}
}
