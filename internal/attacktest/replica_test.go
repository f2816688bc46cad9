package attacktest

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// openers open databases, each at its first call an empty one and at further calls the
// same one.
func openers(options sqlite.Options) map[string]func(*testing.T) func() *gorm.DB {
	return map[string]func(*testing.T) func() *gorm.DB{
		"sqlite": func(t *testing.T) func() *gorm.DB {
			path := filepath.Join(t.TempDir(), "oauth.db")
			return func() *gorm.DB { return openSQLite(t, path, options) }
		},
		"postgres": func(t *testing.T) func() *gorm.DB {
			url := oauthtest.Postgres(t)
			return func() *gorm.DB { return openPostgres(t, url) }
		},
	}
}

func openSQLite(t *testing.T, path string, options sqlite.Options) *gorm.DB {
	t.Helper()
	db, err := sqlite.OpenDBWith(path, options)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() }) // the file is about to be removed
	return db
}

// sharedReplica is a replica whose connections are already open, so that not every store
// opens its own.
type sharedReplica struct {
	gorm.Dialector
	pool gorm.ConnPool
}

// Initialize implements [gorm.Dialector].
func (r sharedReplica) Initialize(db *gorm.DB) error {
	db.ConnPool = r.pool
	return nil
}

// TestReplica runs the contract of every store where the host reads from a replica. The
// replica is empty, so that a read from it fails instead of being late. SQLite does not
// wait for the disk, because no power failure can happen here.
func TestReplica(t *testing.T) {
	for name, opener := range openers(sqlite.Options{SynchronousNormal: true}) {
		t.Run(name, func(t *testing.T) {
			replica := opener(t)()
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				open := opener(t)
				store, second := replicated(t, open(), replica), replicated(t, open(), replica)
				return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create}
			})
		})
	}
}

// replicated returns a store on db, whose plug-in sends reads to replica. The store
// itself reads from db.
func replicated(t *testing.T, db, replica *gorm.DB) *fixture.OwnStore {
	t.Helper()
	replicas := dbresolver.Config{Replicas: []gorm.Dialector{sharedReplica{replica.Dialector, replica.ConnPool}}}
	if err := db.Use(dbresolver.Register(replicas)); err != nil {
		t.Fatal(err)
	}
	store := migrated(t, db, gormstore.Config{})
	if db.Table("oauth_applications").Find(&[]oauthkit.AbstractApplication{}).Error == nil {
		t.Fatal("the host's own reads do not go to the replica, so this test shows nothing")
	}
	if _, err := store.ApplicationTable.Find(t.Context(), "gallery"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Fatalf("got %v from the store, want ErrNotFound", err)
	}
	return store
}

// TestCheckWrites finds a plug-in that sends writes of the library's tables to another
// database. Replicas, and more connections to the same database, are allowed.
func TestCheckWrites(t *testing.T) {
	for name, opener := range openers(sqlite.Options{}) {
		t.Run(name, func(t *testing.T) {
			open := opener(t)
			here, elsewhere := open(), opener(t)()
			migrated(t, here, gormstore.Config{})
			own, other := sharedReplica{here.Dialector, here.ConnPool}, sharedReplica{elsewhere.Dialector, elsewhere.ConnPool}
			for _, test := range []struct {
				name   string
				config dbresolver.Config
				tables []any
				words  []string
			}{
				{"replicas", dbresolver.Config{Replicas: []gorm.Dialector{other}}, nil, nil},
				{"the same database", dbresolver.Config{Sources: []gorm.Dialector{own}}, nil, nil},
				{"the host's tables", dbresolver.Config{Sources: []gorm.Dialector{other}}, []any{"orders"}, nil},
				{"one table", dbresolver.Config{Sources: []gorm.Dialector{other}}, []any{"oauth_applications"}, []string{" oauth_applications"}},
				{"all tables", dbresolver.Config{Sources: []gorm.Dialector{other}}, nil, []string{"oauth_applications, ", "oauth_signing_keys"}},
				{
					"one of two databases", dbresolver.Config{Sources: []gorm.Dialector{own, other}, Policy: dbresolver.RoundRobinPolicy()},
					[]any{"oauth_consents"}, []string{" oauth_consents"},
				},
			} {
				t.Run(test.name, func(t *testing.T) {
					db := open()
					if err := db.Use(dbresolver.Register(test.config, test.tables...)); err != nil {
						t.Fatal(err)
					}
					expectMisdirected(t, db, test.words)
				})
			}
		})
	}
}

// expectMisdirected wants the check of a store on db to find E006 with these words, or
// nothing if there are none.
func expectMisdirected(t *testing.T, db *gorm.DB, words []string) {
	t.Helper()
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	findings := store.Check(t.Context())
	if words == nil {
		if len(findings) != 0 {
			t.Errorf("got %v, want nothing", findings)
		}
		return
	}
	if len(findings) != 1 || findings[0].ID != "gormstore.E006" || findings[0].Severity != oauthkit.SeverityError || findings[0].Hint == "" {
		t.Fatalf("got %v, want the error gormstore.E006 alone, with a hint", findings)
	}
	for _, word := range words {
		if !strings.Contains(findings[0].Message, word) {
			t.Errorf("got the message %q, want it to name %q", findings[0].Message, word)
		}
	}
}
