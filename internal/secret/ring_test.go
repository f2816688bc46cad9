package secret

import (
	"errors"
	"strings"
	"testing"
)

func TestRing(t *testing.T) {
	before, after, foreign := New(""), New(""), New("")
	seal := func(ring Ring) []byte {
		t.Helper()
		sealed, err := ring.Seal("test", []byte("text"), []byte("row"))
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	old, current := seal(Ring{before}), seal(Ring{after, before})
	plain, err := Seal(before, "test", []byte("text"), []byte("row"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name             string
		ring             Ring
		sealed           []byte
		opens, isCurrent bool
	}{
		{"the same", Ring{before}, old, true, true},
		{"announced", Ring{before, after}, current, true, false},
		{"replaced", Ring{after, before}, old, true, false},
		{"sealed again", Ring{after, before}, current, true, true},
		{"removed", Ring{after}, old, false, false},
		{"foreign", Ring{foreign}, current, false, false},
		{"without an id", Ring{after, before}, plain, true, false},
		{"without an id, foreign", Ring{foreign}, plain, false, false},
		{"empty ring", nil, old, false, false},
		{"no data", Ring{before}, nil, false, false},
		{"only an id", Ring{before}, old[:5], false, true},
		{"another id", Ring{after, before}, append(append([]byte{}, current[:5]...), old[5:]...), false, true},
	} {
		text, err := test.ring.Open("test", test.sealed, []byte("row"))
		if (err == nil) != test.opens || err != nil && !errors.Is(err, ErrUnsealable) || err == nil && string(text) != "text" {
			t.Errorf("%s: got %q, %v; want it to open: %t", test.name, text, err, test.opens)
		}
		if got := test.ring.IsCurrent(test.sealed); got != test.isCurrent {
			t.Errorf("%s: got IsCurrent %t", test.name, got)
		}
	}
	if _, err := (Ring{after}).Open("test", old, []byte("row")); err == nil || !strings.Contains(err.Error(), KeyID(before)) {
		t.Errorf("got %v, want the id %s of the missing secret", err, KeyID(before))
	}
	if _, err := (Ring{before}).Open("other", old, []byte("row")); !errors.Is(err, ErrUnsealable) {
		t.Errorf("got %v for another purpose, want ErrUnsealable", err)
	}
	if _, err := (Ring{before}).Open("test", old, []byte("row2")); !errors.Is(err, ErrUnsealable) {
		t.Errorf("got %v for another row, want ErrUnsealable", err)
	}
	if _, err := (Ring{}).Seal("test", nil, nil); err == nil {
		t.Error("got no error from an empty ring")
	}
}
