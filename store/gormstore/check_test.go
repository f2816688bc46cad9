package gormstore_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// expectFinding expects one finding with this id, whose message contains these words.
// If the id is empty, it expects none.
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
			t.Errorf("got the message %q, want it to contain %q", findings[0].Message, word)
		}
	}
}

// unmigrated returns a store on which Migrate was not called.
func unmigrated[A oauthkit.Application](t *testing.T, db *gorm.DB, config gormstore.Config) *gormstore.Store[A] {
	t.Helper()
	store, err := gormstore.New[A](db, config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// TestCheckNothing expects no findings about a database that the library has opened
// and migrated, and no changes to it.
func TestCheckNothing(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store := migrated[*oauthkit.AbstractApplication](t, db)
		statements.Take()
		expectFinding(t, store, "")
		for _, statement := range statements.Take().Statements {
			if !strings.HasPrefix(statement, "SELECT ") && (!strings.HasPrefix(statement, "PRAGMA ") || strings.Contains(statement, "=")) {
				t.Errorf("got %s, want no change", statement)
			}
		}
		expectFinding(t, store.Credentials, "")
		expectFinding(t, apart(t, openers()[db.Name()](t)(), openers()[db.Name()](t)()), "")
	})
}

// TestCheckVersions RL-30 reports missing migrations: of a database of an older
// program, of a new field, of an empty database. It accepts the versions of a newer
// program.
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

// TestCheckKeys RL-40 removes each unique key of the database, and expects a finding
// that names its table.
func TestCheckKeys(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db := openers()["sqlite"](t)()
		store := migrated[*oauthkit.AbstractApplication](t, db)
		var tables []string
		if err := db.Raw("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'table' AND tbl_name LIKE 'oauth_%' AND tbl_name <> 'oauth_migrations'").Scan(&tables).Error; err != nil {
			t.Fatal(err)
		}
		if len(tables) != 13 {
			t.Errorf("got the tables %q, want the 13 tables of the library", tables)
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
		if err != nil || len(keys) != 15 {
			t.Fatalf("got the keys %v, %v, want the 15 of 13 tables", keys, err)
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
