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

// TestC20_Entropy makes a million codes: they differ in the first 64 bits already; and of the first ones, half have each of
// the 256 bits set (RFC 6749 §10.10). That no other source of randomness is used is a rule of internal/archtest.
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
		t.Errorf("got %d codes that differ, want all %d", distinct, codes)
	}
	for bit, times := range set {
		if times < counted/2-tolerance || times > counted/2+tolerance {
			t.Errorf("got bit %d set in %d of %d codes, want half", bit, times, counted)
		}
	}
}

// countBits adds each bit to its count.
func countBits(set []int, bits []byte) {
	for bit := range set {
		set[bit] += int(bits[bit/8] >> (bit % 8) & 1)
	}
}

// differentCodes wants what the authorization endpoint hands out to be made like that.
func differentCodes(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	first, second := alice.Approve(s.Web.AuthorizeRequest()).Code(), alice.Approve(s.Web.AuthorizeRequest()).Code()
	if len(bitsOf(first)) != 32 || len(bitsOf(second)) != 32 || first == second {
		t.Errorf("got %s and %s, want 256 bits each that differ", first, second)
	}
}

// bitsOf returns the random part of a code; nil if it is none.
func bitsOf(code string) []byte {
	encoded, found := strings.CutPrefix(code, "oac_")
	bits, err := base64.RawURLEncoding.DecodeString(encoded)
	if !found || err != nil {
		return nil
	}
	return bits
}
