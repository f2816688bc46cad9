package oidc_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gojose "github.com/go-jose/go-jose/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// year is a year of three instances on one database, with clocks that differ, and of
// clients that cache the key set as long as they may.
type year struct {
	*site
	random    *rand.Rand
	instances []*site
	skews     []time.Duration
	clients   []cachedSet
	tokens    []datedToken
	removed   map[string]bool
}

type cachedSet struct {
	keys    gojose.JSONWebKeySet
	expires time.Time
}

type datedToken struct {
	text, kid string
	at        time.Time
}

// newYear begins a year with a store of keys.
func newYear(t *testing.T, keys oauthkit.KeyStore) *year {
	y := &year{
		site: newEmptySite(t, oidc.Config{Algorithms: []string{"ES256", "EdDSA"}}), random: rand.New(rand.NewPCG(1, 2)),
		skews: []time.Duration{-25 * time.Second, 0, 25 * time.Second}, clients: make([]cachedSet, 3), removed: map[string]bool{},
	}
	y.keys.KeyStore = keys
	for range y.skews {
		y.instances = append(y.instances, &site{t: t, store: y.store, keys: y.keys, clock: y.clock, app: y.app})
	}
	for i := range y.instances {
		y.deploy(i, secret)
	}
	return y
}

// deploy restarts an instance with these secrets.
func (y *year) deploy(i int, current string, accepted ...string) {
	y.t.Helper()
	s := y.instances[i]
	s.extension = oidc.New(oidc.Config{Algorithms: []string{"ES256", "EdDSA"}, Keys: y.keys})
	var err error
	s.provider, err = oauthkit.New(issuer, y.store, oauthkit.Config{
		Grants: grants.Standard(y.store), Extensions: []oauthkit.Extension{s.extension}, Secret: current, AcceptSecrets: accepted,
		Now: func() time.Time { return y.clock.Now().Add(y.skews[i]) },
	})
	if err != nil {
		y.t.Fatal(err)
	}
}

// any returns a random instance.
func (y *year) any() *site { return y.instances[y.random.IntN(len(y.instances))] }

// step lets time pass, runs the upkeep of some instances, signs a user in, and lets every
// client verify every valid token with the keys it has cached.
func (y *year) step(pass time.Duration) {
	y.t.Helper()
	y.clock.advance(pass)
	for _, instance := range y.instances {
		if pass >= time.Hour || y.random.IntN(3) > 0 { // oauthkit.Run calls it every minute
			if err := instance.extension.Upkeep(y.t.Context()); err != nil {
				y.t.Fatal(err)
			}
		}
	}
	y.refresh()
	y.app.Algorithm = []string{"", "EdDSA", "ES256"}[y.random.IntN(3)]
	text := idToken(y.t, y.any().signIn(nil))
	parsed, err := gojose.ParseSignedCompact(text, []gojose.SignatureAlgorithm{gojose.ES256, gojose.EdDSA})
	if err != nil {
		y.t.Fatal(err)
	}
	y.tokens = append(y.tokens, datedToken{text, parsed.Signatures[0].Header.KeyID, y.clock.now})
	y.verify()
}

// refresh lets clients whose cache has expired fetch the keys from any instance.
func (y *year) refresh() {
	for i := range y.clients {
		if y.clock.now.Before(y.clients[i].expires) {
			continue
		}
		response := y.any().keySet()
		y.clients[i] = cachedSet{expires: y.clock.now.Add(15 * time.Minute)}
		if err := json.Unmarshal(response.Body.Bytes(), &y.clients[i].keys); err != nil {
			y.t.Fatal(err)
		}
	}
}

func (y *year) verify() {
	y.t.Helper()
	y.tokens = slices.DeleteFunc(y.tokens, func(token datedToken) bool {
		return y.removed[token.kid] || y.clock.now.Sub(token.at) > 29*24*time.Hour
	})
	for _, token := range y.tokens {
		if y.clock.now.Sub(token.at) > time.Hour { // expired
			continue
		}
		parsed, err := gojose.ParseSignedCompact(token.text, []gojose.SignatureAlgorithm{gojose.ES256, gojose.EdDSA})
		if err != nil {
			y.t.Fatal(err)
		}
		for i, client := range y.clients {
			keys := client.keys.Key(token.kid)
			if len(keys) != 1 {
				y.t.Errorf("%s: client %d does not have key %s", y.clock.now, i, token.kid)
				continue
			}
			if _, err := parsed.Verify(keys[0].Key); err != nil {
				y.t.Errorf("%s: client %d: %v", y.clock.now, i, err)
			}
		}
	}
	// The oldest token is still accepted as a hint for a sign-out or a sign-in.
	if _, err := y.any().authorize(url.Values{"id_token_hint": {y.tokens[0].text}}); err != nil {
		y.t.Errorf("%s: got %v for a hint of %s", y.clock.now, err, y.tokens[0].at)
	}
}

// until takes steps of random lengths.
func (y *year) until(end time.Time) {
	y.t.Helper()
	lengths := []time.Duration{
		time.Second, time.Minute, 5 * time.Minute, 20 * time.Minute, 50 * time.Minute, 90 * time.Minute, 24 * time.Hour, 72 * time.Hour,
	}
	for y.clock.now.Before(end) && !y.t.Failed() {
		y.step(lengths[y.random.IntN(len(lengths))])
	}
}

// yearStores are the stores of keys of TestAYear.
func yearStores() map[string]func(*testing.T) oauthkit.KeyStore {
	return map[string]func(*testing.T) oauthkit.KeyStore{
		"memory": func(*testing.T) oauthkit.KeyStore { return memstore.New() },
		"sqlite": func(t *testing.T) oauthkit.KeyStore {
			return keysOf(t)(sqlite.OpenDB(filepath.Join(t.TempDir(), "year.db")))
		},
		"postgres": func(t *testing.T) oauthkit.KeyStore { return keysOf(t)(postgres.OpenDB(oauthtest.Postgres(t))) },
	}
}

// keysOf returns a function that migrates a database for keys.
func keysOf(t *testing.T) func(*gorm.DB, error) oauthkit.KeyStore {
	return func(db *gorm.DB, err error) oauthkit.KeyStore {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		store, err := gormstore.Open[*application](db, gormstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return store
	}
}

// calendar are the days on which Config.Secret is replaced, a key is stolen, and all
// ends, and the lowest generation that is left then.
type calendar struct{ secret, theft, end, generation int }

// TestAYear is K-03 over a year: each ID token verifies with the keys that each client
// has cached, while keys rotate by themselves, Config.Secret is replaced, and a key is
// removed. In databases, which take longer, it is a third of a year.
func TestAYear(t *testing.T) {
	for name, open := range yearStores() {
		days := calendar{93, 96, 128, 2}
		if name == "memory" {
			days = calendar{100, 200, 365, 4}
		}
		t.Run(name, func(t *testing.T) { newYear(t, open(t)).pass(days) })
	}
}

func (y *year) pass(days calendar) {
	t := y.t
	t.Helper()
	start := y.clock.now
	day := 24 * time.Hour
	y.until(start.Add(time.Duration(days.secret) * day))
	for _, secrets := range [][]string{{secret, nextSecret}, {nextSecret, secret}, {nextSecret}} {
		for i := range y.instances {
			y.deploy(i, secrets[0], secrets[1:]...)
			y.step(3 * time.Minute)
		}
	}
	y.until(start.Add(time.Duration(days.theft) * day))

	// A key is stolen. Its successors are announced, then it is removed.
	if err := y.any().extension.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		y.step(5 * time.Minute)
	}
	stolen := y.tokens[len(y.tokens)-1].kid
	if err := y.any().extension.RemoveKey(t.Context(), stolen); err != nil {
		t.Fatal(err)
	}
	y.removed[stolen] = true
	y.clock.advance(time.Minute)
	for i, instance := range y.instances {
		if instance.published()[stolen] != nil {
			t.Errorf("instance %d publishes the removed key a minute later", i)
		}
	}
	y.until(start.Add(time.Duration(days.end) * day))
	stored, err := y.keys.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(stored); got < 2 || got > 4 {
		t.Errorf("got %d keys at the end, want one or two of each algorithm", got)
	}
	for _, key := range stored {
		if key.Generation < days.generation {
			t.Errorf("got generation %d of %s at the end, want at least %d", key.Generation, key.Algorithm, days.generation)
		}
	}
}
