package gormstore_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// expectFinding fails unless there is one finding, with this id and in whose message are these words; no id: none.
func expectFinding(t *testing.T, checker oauthkit.Checker, id string, words ...string) {
	t.Helper()
	findings := checker.Check(t.Context())
	if id == "" {
		if len(findings) != 0 {
			t.Errorf("got %v, want nothing", findings)
		}
		return
	}
	if len(findings) != 1 || findings[0].ID != id || findings[0].Hint == "" {
		t.Errorf("got %v, want %s alone, with a hint", findings, id)
		return
	}
	if strings.Contains(id, ".E") != (findings[0].Severity == oauthkit.SeverityError) {
		t.Errorf("got the severity %s of %s", findings[0].Severity, id)
	}
	for _, word := range words {
		if !strings.Contains(findings[0].Message, word) {
			t.Errorf("got the message %q, want it to name %q", findings[0].Message, word)
		}
	}
}

// unmigrated returns a store as it is before Migrate.
func unmigrated[A oauthkit.Application](t *testing.T, db *gorm.DB, config gormstore.Config) *gormstore.Store[A] {
	t.Helper()
	store, err := gormstore.New[A](db, config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestCheckNothing has nothing to say about a database as the library makes it, and changes nothing there.
func TestCheckNothing(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store := migrated[*oauthkit.AbstractApplication](t, db)
		statements.Take()
		expectFinding(t, store, "")
		for _, statement := range statements.Take().Statements {
			if !strings.HasPrefix(statement, "SELECT ") && (!strings.HasPrefix(statement, "PRAGMA ") || strings.Contains(statement, "=")) {
				t.Errorf("got %s, want nothing that changes something", statement)
			}
		}
		expectFinding(t, store.Credentials, "")
		expectFinding(t, apart(t, openers()[db.Name()](t)(), openers()[db.Name()](t)()), "")
	})
}

// TestCheckVersions is RL-30: it finds what Migrate was not called for: a database of an older program, a new field, everything. What a newer
// program has done is no matter.
func TestCheckVersions(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store := unmigrated[*logoApplication](t, db, gormstore.Config{})
		expectFinding(t, store, "gormstore.E001", "cannot read its migrations", "oauth_migrations")
		migrated[*oauthkit.AbstractApplication](t, db)
		if err := db.Exec("DELETE FROM oauth_migrations").Error; err != nil {
			t.Fatal(err)
		}
		expectFinding(t, store, "gormstore.E002", "0001")
		expectFinding(t, store.Credentials, "gormstore.E002", "0001")
		if err := db.Exec("INSERT INTO oauth_migrations (id) VALUES ('0001')").Error; err != nil {
			t.Fatal(err)
		}
		expectFinding(t, store, "gormstore.E002", "logo, agree")
		migrated[*logoApplication](t, db)
		expectFinding(t, store, "")
		if err := db.Exec("INSERT INTO oauth_migrations (id) VALUES ('9999')").Error; err != nil {
			t.Fatal(err)
		}
		expectFinding(t, store, "")
	})
}

// TestCheckKeys (RL-40) takes each unique key away that the database has, and finds the table named.
func TestCheckKeys(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db := openers()["sqlite"](t)()
		store := migrated[*oauthkit.AbstractApplication](t, db)
		var tables []string
		if err := db.Raw("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'table' AND tbl_name LIKE 'oauth_%' AND tbl_name <> 'oauth_migrations'").Scan(&tables).Error; err != nil {
			t.Fatal(err)
		}
		if len(tables) != 12 {
			t.Errorf("got the tables %q, want all 12 of the library", tables)
		}
		for _, table := range tables {
			executeAll(t, db, "ALTER TABLE "+table+" RENAME TO kept", "CREATE TABLE "+table+" AS SELECT * FROM kept")
			expectFinding(t, store, "gormstore.E003", table+" (")
			executeAll(t, db, "DROP TABLE "+table, "ALTER TABLE kept RENAME TO "+table)
			expectFinding(t, store, "")
		}
	})
	t.Run("postgres", func(t *testing.T) {
		db := openers()["postgres"](t)()
		store := migrated[*oauthkit.AbstractApplication](t, db)
		var keys []struct{ Name, Table, Definition, Columns string }
		err := db.Raw(`SELECT conname AS name, conrelid::regclass::text AS table, pg_get_constraintdef(oid) AS definition,
	substring(pg_get_constraintdef(oid) FROM '\((.*)\)') AS columns
FROM pg_constraint WHERE contype IN ('p', 'u') AND conrelid <> 'oauth_migrations'::regclass AND connamespace = current_schema()::regnamespace`).Scan(&keys).Error
		if err != nil || len(keys) != 13 {
			t.Fatalf("got the keys %v, %v, want the 13 of 12 tables", keys, err)
		}
		for _, key := range keys {
			alter, index := "ALTER TABLE "+key.Table, "CREATE UNIQUE INDEX other ON "+key.Table+" ("+key.Columns+")"
			executeAll(t, db, alter+" DROP CONSTRAINT "+key.Name)
			expectFinding(t, store, "gormstore.E003", key.Table+" (")
			executeAll(t, db, index+" WHERE "+strings.Split(key.Columns, ",")[0]+" <> ''")
			expectFinding(t, store, "gormstore.E003", key.Table+" (") // an index of some rows
			executeAll(t, db, "DROP INDEX other", alter+" ADD CONSTRAINT "+key.Name+" "+key.Definition+" DEFERRABLE")
			expectFinding(t, store, "gormstore.E003", key.Table+" (") // judged too late
			executeAll(t, db, alter+" DROP CONSTRAINT "+key.Name, index)
			expectFinding(t, store, "") // an index does as well
			executeAll(t, db, "DROP INDEX other", alter+" ADD CONSTRAINT "+key.Name+" "+key.Definition)
		}
		expectFinding(t, store, "")
	})
}

func executeAll(t *testing.T, db *gorm.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := db.Exec(statement).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
