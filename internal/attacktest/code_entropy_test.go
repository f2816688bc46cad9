package attacktest

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestC20_Entropy generates a million codes. Their first 64 bits differ, and in the
// first codes each of the 256 bits is set half of the time (RFC 6749 §10.10).
// internal/archtest makes sure that there is no other source of randomness.
func TestC20_Entropy(t *testing.T) {
	const codes, counted, tolerance = 1_000_000, 10_000, 500 // ten standard deviations
	beginnings, set := make([]uint64, codes), make([]int, 256)
	for i := range beginnings {
		bits := bitsOf(secret.New(secret.AuthorizationCode))
		if len(bits) != 32 {
			t.Fatalf("got a code with %d random bytes, want 32", len(bits))
		}
		beginnings[i] = binary.BigEndian.Uint64(bits)
		if i < counted {
			countBits(set, bits)
		}
	}
	slices.Sort(beginnings)
	if distinct := len(slices.Compact(beginnings)); distinct != codes {
		t.Errorf("got %d different codes, want %d", distinct, codes)
	}
	for bit, times := range set {
		if times < counted/2-tolerance || times > counted/2+tolerance {
			t.Errorf("got bit %d set in %d of %d codes, want half", bit, times, counted)
		}
	}
}

// countBits increments the count of each bit that is set.
func countBits(set []int, bits []byte) {
	for bit := range set {
		set[bit] += int(bits[bit/8] >> (bit % 8) & 1)
	}
}

// differentCodes checks that the authorization endpoint returns such codes.
func differentCodes(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	first, second := alice.Approve(s.Web.AuthorizeRequest()).Code(), alice.Approve(s.Web.AuthorizeRequest()).Code()
	if len(bitsOf(first)) != 32 || len(bitsOf(second)) != 32 || first == second {
		t.Errorf("got %s and %s, want two different codes of 256 bits", first, second)
	}
}

// bitsOf returns the random part of a code, or nil if it is malformed.
func bitsOf(code string) []byte {
	encoded, found := strings.CutPrefix(code, "oac_")
	bits, err := base64.RawURLEncoding.DecodeString(encoded)
	if !found || err != nil {
		return nil
	}
	return bits
}
