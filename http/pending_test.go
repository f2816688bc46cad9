package oauthhttp

import (
	"bytes"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
)

// FuzzPending checks that decoding returns the encoded request, and that no input panics.
func FuzzPending(f *testing.F) {
	f.Add("scope", "openid read", "https://rp.test/cb?a=b&c=%20", []byte{1})
	f.Add("", "", "\n=&\xc3\xa4", []byte{})
	f.Fuzz(func(t *testing.T, name, one, other string, nonsense []byte) {
		for _, text := range []string{name, one, other} {
			if bytes.ContainsRune([]byte(text), 0) { // parameters contain no NUL
				return
			}
		}
		request := &oauthkit.AuthorizeRequest{
			ConsentRequest: oauthkit.ConsentRequest{
				Now: time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC), Form: url.Values{name: {one, other}, name + "2": {other}},
			},
			Provenance: oauthkit.Provenance{Pushed: len(one) > len(other), Signed: len(other) > 3},
		}
		want := newPending(request)
		want.browserHash = [32]byte{0, 1, 2}
		got, err := decodePending(want.encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for _, damaged := range [][]byte{nonsense, append(want.encode()[:82:82], nonsense...), append([]byte{2}, want.encode()[1:]...)} {
			if got, err := decodePending(damaged); err == nil && len(damaged) < 82 {
				t.Errorf("got %+v of %d bytes, want an error", got, len(damaged))
			}
		}
		if _, err := decodePending(append([]byte{2}, want.encode()[1:]...)); err == nil {
			t.Error("got a request of another version, want an error")
		}
	})
}
