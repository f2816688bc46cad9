package gormstore_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestReady removes, one after the other, the conditions on which a store can be
// written to.
func TestReady(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		for name, broken := range map[string]func(t *testing.T, db *gorm.DB){
			"read-only": readOnly,
			"closed": func(t *testing.T, db *gorm.DB) {
				pool, err := db.DB()
				if err != nil {
					t.Fatal(err)
				}
				if err := pool.Close(); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name, func(t *testing.T) {
				opener := openers()[open().Name()]
				credentials, applications := opener(t)(), opener(t)()
				store := apart(t, credentials, applications)
				if err := store.Ready(t.Context()); err != nil {
					t.Fatalf("two working databases: got %v", err)
				}
				broken(t, applications)
				if err := store.Ready(t.Context()); err == nil {
					t.Error("a broken database of applications: got no error")
				}
				if err := store.Credentials.Ready(t.Context()); err != nil {
					t.Errorf("the working database: got %v", err)
				}
				broken(t, credentials)
				if err := store.Credentials.Ready(t.Context()); err == nil {
					t.Error("a broken database of credentials: got no error")
				}
			})
		}
	})
}

// readOnly makes every connection of a pool read-only.
func readOnly(t *testing.T, db *gorm.DB) {
	t.Helper()
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	statement := map[string]string{
		"postgres": "SET default_transaction_read_only = on",
		"sqlite":   "PRAGMA query_only = on",
	}[db.Name()]
	if _, err := pool.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// TestReady_Unmigrated shows that a database without the tables is not ready.
func TestReady_Unmigrated(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		if err := unmigrated[*oauthkit.AbstractApplication](t, open(), gormstore.Config{}).Ready(t.Context()); err == nil {
			t.Error("got no error")
		}
	})
}

// TestConnections shows that the smaller pool of two databases counts, and that
// SQLite, where writers queue without a connection, has no limit (RL-31).
func TestConnections(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		queues := open().Name() == "sqlite"
		opener := openers()[open().Name()]
		credentials, applications := opener(t)(), opener(t)()
		store := apart(t, credentials, applications)
		for _, test := range []struct{ credentials, applications, want int }{{7, 9, 7}, {9, 7, 7}, {0, 7, 7}, {7, 0, 7}, {0, 0, 0}} {
			for db, limit := range map[*gorm.DB]int{credentials: test.credentials, applications: test.applications} {
				pool, err := db.DB()
				if err != nil {
					t.Fatal(err)
				}
				pool.SetMaxOpenConns(limit)
			}
			want := test.want
			if queues {
				want = 0
			}
			if got := store.Connections(); got != want {
				t.Errorf("%d and %d: got %d, want %d", test.credentials, test.applications, got, want)
			}
		}
		if one := migrated[*oauthkit.AbstractApplication](t, open()); (one.Connections() == 0) != queues {
			t.Errorf("one database: got %d", one.Connections())
		}
	})
}
