package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	oauthsecret "github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// signingKey decrypts the RSA key of the site.
func (s *site) signingKey() ownKey {
	s.t.Helper()
	for _, stored := range s.stored() {
		if stored.Algorithm != "RS256" {
			continue
		}
		der, err := oauthsecret.Ring{secret}.Open("oauthkit signing key", stored.Private, []byte(stored.ID))
		if err != nil {
			s.t.Fatal(err)
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			s.t.Fatal(err)
		}
		return ownKey{stored.ID, private.(*rsa.PrivateKey)}
	}
	s.t.Fatal("the store has no RS256 key")
	return ownKey{}
}

func (s *site) stored() []*oauthkit.SigningKey {
	s.t.Helper()
	keys, err := s.store.SigningKeys(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

// published returns the keys of the key set by kid.
func (s *site) published() map[string]map[string]any {
	s.t.Helper()
	var document struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(s.keySet().Body.Bytes(), &document); err != nil {
		s.t.Fatal(err)
	}
	keys := map[string]map[string]any{}
	for _, key := range document.Keys {
		keys[key["kid"].(string)] = key
	}
	if len(keys) != len(document.Keys) {
		s.t.Errorf("got %v, want a distinct kid for each key", document.Keys)
	}
	return keys
}

// signer returns the kid of the key that signs for the application.
func (s *site) signer() string {
	s.t.Helper()
	token, _, err := jwt.NewParser().ParseUnverified(idToken(s.t, s.signIn(nil)), jwt.MapClaims{})
	if err != nil {
		s.t.Fatal(err)
	}
	return token.Header["kid"].(string)
}

// TestKeySet is K-01.
func TestKeySet(t *testing.T) {
	s := newSite(t, oidc.Config{})
	want := map[string][]string{"RS256": {"alg", "e", "kid", "kty", "n", "use"}, "ES256": {"alg", "crv", "kid", "kty", "use", "x", "y"}}
	for _, key := range s.published() {
		algorithm := key["alg"].(string)
		if got := slices.Sorted(maps.Keys(key)); !slices.Equal(got, want[algorithm]) {
			t.Errorf("got members %v of the %s key, want %v", got, algorithm, want[algorithm])
		}
		if key["use"] != "sig" {
			t.Errorf("got use %v, want sig", key["use"])
		}
		delete(want, algorithm)
	}
	if len(want) != 0 {
		t.Errorf("no key is published for %v", want)
	}
	first := s.keySet()
	for name, value := range map[string]string{"Content-Type": "application/json", "Cache-Control": "public, max-age=900", "Access-Control-Allow-Origin": "*"} {
		if got := first.Header().Get(name); got != value {
			t.Errorf("got %s %q, want %q", name, got, value)
		}
	}
	again := httptest.NewRequest(http.MethodGet, issuer+"/.well-known/jwks.json", nil)
	again.Header.Set("If-None-Match", first.Header().Get("ETag"))
	recorder := httptest.NewRecorder()
	if err := s.endpoint(".well-known/jwks.json").Anyone(recorder, again); err != nil || recorder.Code != http.StatusNotModified {
		t.Errorf("got %v and status %d for the same ETag, want 304", err, recorder.Code)
	}
}

// TestFirstKeys is K-05: instances that start at the same time on one database use the
// same keys.
func TestFirstKeys(t *testing.T) {
	s := &site{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	documents := make([]string, 16)
	var instances sync.WaitGroup
	for i := range documents {
		instances.Go(func() {
			provider, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), secret)
			if err != nil {
				t.Error(err)
				return
			}
			documents[i] = (&site{t: t, provider: provider}).keySet().Body.String()
		})
	}
	instances.Wait()
	if keys := s.stored(); len(keys) != 2 || keys[0].Generation != 1 || keys[1].Generation != 1 || keys[0].Algorithm == keys[1].Algorithm {
		t.Errorf("got %d keys, want one of each algorithm", len(keys))
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(documents))); len(distinct) != 1 {
		t.Errorf("got %d different key sets, want one: %v", len(distinct), distinct)
	}
}

// TestSecret is ST-08: private keys are encrypted, and a wrong secret is reported at
// the start.
func TestSecret(t *testing.T) {
	const other = "another secret that is also long enough"
	tests := []struct {
		name, made, opened, want string
		keys                     int // afterwards
	}{
		{"the same", secret, secret, "", 2},
		{"another", secret, other, "it was encrypted with another Config.Secret", 2},
		{"removed", secret, "", "set Config.Secret to the secret that it was encrypted with", 2},
		{"never one", "", "", "", 2},
		{"one since then", "", secret, "", 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &site{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
			if _, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), test.made); err != nil {
				t.Fatal(err)
			}
			for _, key := range s.stored() {
				if _, err := x509.ParsePKCS8PrivateKey(key.Private); (err == nil) != (test.made == "") {
					t.Errorf("reading the stored %s key without the secret: %v", key.Algorithm, err)
				}
			}
			_, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), test.opened)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want an error with %q", err, test.want)
			case err != nil && strings.Contains(err.Error(), secret):
				t.Errorf("the error contains the secret: %v", err)
			}
			if keys := s.stored(); len(keys) != test.keys {
				t.Errorf("got %d keys afterwards, want %d", len(keys), test.keys)
			}
		})
	}
}

// TestStoredKeyIsChecked is K-07 for damaged rows: the provider does not start, and the
// error names the row.
func TestStoredKeyIsChecked(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := x509.MarshalPKCS8PrivateKey(small)
	if err != nil {
		t.Fatal(err)
	}
	valid := newSite(t, oidc.Config{}).signingKey()
	der, err := x509.MarshalPKCS8PrivateKey(valid.private)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]*oauthkit.SigningKey{
		"RSA 1024":          {ID: "row", Algorithm: "RS256", Generation: 1, Private: weak},
		"another algorithm": {ID: valid.id, Algorithm: "ES256", Generation: 1, Private: der},
		"unknown algorithm": {ID: valid.id, Algorithm: "HS256", Generation: 1, Private: der},
		"another id":        {ID: "row", Algorithm: "RS256", Generation: 1, Private: der},
		"empty":             {ID: "row", Algorithm: "RS256", Generation: 1},
		"no key":            {ID: "row", Algorithm: "RS256", Generation: 1, Private: []byte{0x30, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
			if err := s.store.AddSigningKey(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if _, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), ""); err == nil || !strings.Contains(err.Error(), key.ID) {
				t.Errorf("got %v, want an error that names key %s", err, key.ID)
			}
		})
	}
}

// TestKeysAreKeptInMemory checks that signing does not read the database, and continues
// if the database fails later.
func TestKeysAreKeptInMemory(t *testing.T) {
	s := newSite(t, oidc.Config{})
	before := s.keys.reads.Load()
	first := s.keySet().Body.String()
	s.clock.advance(59 * time.Second)
	for range 3 {
		s.signIn(nil)
	}
	if got := s.keys.reads.Load() - before; got != 0 {
		t.Errorf("got %d reads of the keys within a minute, want none", got)
	}
	s.keys.failing.Store(true)
	for range 3 {
		s.clock.advance(time.Minute)
		for range 3 {
			s.signIn(nil)
			if got := s.keySet().Body.String(); got != first {
				t.Errorf("got %s while the store fails, want %s", got, first)
			}
		}
	}
	if got := s.keys.reads.Load() - before; got != 3 {
		t.Errorf("got %d reads in three minutes, want one each", got)
	}
}

// TestOneRequestChecksTheKeys checks that other requests do not wait for a slow
// database.
func TestOneRequestChecksTheKeys(t *testing.T) {
	s := newSite(t, oidc.Config{})
	want := s.keySet().Body.String()
	block := &block{started: make(chan struct{}), finish: make(chan struct{})}
	s.keys.blocked.Store(block)
	s.clock.advance(time.Minute)
	before := s.keys.reads.Load()
	checked := make(chan string)
	go func() { checked <- s.keySet().Body.String() }()
	<-block.started
	for range 3 { // a read would close block.started again; a wait would never return
		if got := s.keySet().Body.String(); got != want {
			t.Errorf("got %s during the check, want %s", got, want)
		}
		s.signIn(nil)
	}
	close(block.finish)
	if got := <-checked; got != want {
		t.Errorf("got %s after the check, want %s", got, want)
	}
	if got := s.keys.reads.Load() - before; got != 1 {
		t.Errorf("got %d reads, want 1", got)
	}
}

// TestAcceptClearKeys introduces a secret: the listed keys sign and stay published
// until sealed keys replace them; unlisted ones do neither.
func TestAcceptClearKeys(t *testing.T) {
	s := &site{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	if _, err := s.extend(oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store}), ""); err != nil {
		t.Fatal(err)
	}
	var rsa, other string
	for _, key := range s.stored() {
		if key.Algorithm == "RS256" {
			rsa = key.ID
		} else {
			other = key.ID
		}
	}
	extension := oidc.New(oidc.Config{Algorithms: pair(), Keys: s.store, AcceptClearKeys: []string{rsa}})
	provider, err := s.extend(extension, secret)
	if err != nil {
		t.Fatal(err)
	}
	s.provider, s.extension = provider, extension
	if keys := s.published(); keys[rsa] == nil || keys[other] != nil || len(keys) != 2 {
		t.Errorf("got %v published, want %s, not %s, and a new one in its place", keys, rsa, other)
	}
	s.rotate()
	s.clock.advance(time.Hour)
	for _, key := range s.stored() {
		if sealed := key.Private[0] != 0x30; sealed == (key.ID == rsa || key.ID == other) {
			t.Errorf("%s: got sealed: %t", key.ID, sealed)
		}
	}
	if keys := s.published(); keys[rsa] == nil || keys[other] != nil {
		t.Errorf("got %v published after the rotation, want %s still", keys, rsa)
	}
}
