package gormstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// TestCheckPostgres reports a server, or a session on it, that acts fail on.
func TestCheckPostgres(t *testing.T) {
	server := oauthtest.Postgres(t)
	migrated[*oauthkit.AbstractApplication](t, opened(t, server, postgres.OpenDB))
	for _, test := range []struct{ setting, value, id, word string }{
		{"default_transaction_read_only", "on", "gormstore.E004", "default_transaction_read_only"},
		{"default_transaction_read_only", "off", "", ""},
		{"default_transaction_isolation", "serializable", "gormstore.W005", "serializable"},
		{"default_transaction_isolation", "repeatable read", "gormstore.W005", "repeatable read"},
		{"default_transaction_isolation", "read uncommitted", "", ""},
	} {
		t.Run(test.setting+" "+test.value, func(t *testing.T) {
			db := opened(t, withSetting(t, server, test.setting, test.value), postgres.OpenDB)
			expectFinding(t, unmigrated[*oauthkit.AbstractApplication](t, db, gormstore.Config{}), test.id, test.word)
		})
	}
	for _, test := range []struct {
		skew time.Duration
		word string
	}{{-time.Hour, "the clock of the database is off by "}, {time.Hour, "the clock of the database is off by -"}} {
		db := opened(t, server, postgres.OpenDB)
		clock := db.NowFunc
		db.NowFunc = func() time.Time { return clock().Add(test.skew) }
		expectFinding(t, unmigrated[*oauthkit.AbstractApplication](t, db, gormstore.Config{}), "gormstore.W001", test.word)
	}
}

// TestCheckReplica reports that the program is connected to a replica.
func TestCheckReplica(t *testing.T) {
	servers := oauthtest.Replicated(t)
	migrated[*oauthkit.AbstractApplication](t, opened(t, servers.URL, postgres.OpenDB))
	servers.CatchUp(t)
	store := unmigrated[*oauthkit.AbstractApplication](t, opened(t, servers.ReplicaURL, postgres.OpenDB), gormstore.Config{})
	expectFinding(t, store, "gormstore.E004", "replica")
}

// TestCheckSQLite reports settings of a file that the host opened itself.
func TestCheckSQLite(t *testing.T) {
	for _, test := range []struct{ settings, id, word string }{
		{"_pragma=journal_mode(delete)&_pragma=busy_timeout(100)", "gormstore.W002", "delete"},
		{"_pragma=journal_mode(wal)&_pragma=busy_timeout(0)&_pragma=synchronous(full)", "gormstore.W003", "busy_timeout 0"},
		{"_pragma=journal_mode(wal)&_pragma=busy_timeout(100)&_pragma=synchronous(off)", "gormstore.W004", "synchronous off"},
		{"_pragma=journal_mode(wal)&_pragma=busy_timeout(100)&_pragma=synchronous(normal)", "gormstore.W006", "synchronous normal"},
		{"_pragma=journal_mode(wal)&_pragma=busy_timeout(100)&_pragma=synchronous(full)&_txlock=deferred", "", ""},
	} {
		path := "file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "host.db")) + "?" + test.settings
		db := opened(t, path, func(path string) (*gorm.DB, error) { return gorm.Open(gormlite.Open(path), &gorm.Config{}) })
		t.Log(test.settings)
		expectFinding(t, migrated[*oauthkit.AbstractApplication](t, db), test.id, test.word)
	}
	expectFinding(t, migrated[*oauthkit.AbstractApplication](t, opened(t, ":memory:", sqlite.OpenDB)), "")
}
