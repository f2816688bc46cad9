package gormstore_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestCheckApart reports two databases that are the same. Two databases on one server
// are accepted, and a finding names the database that it is about.
func TestCheckApart(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		migrated[*oauthkit.AbstractApplication](t, open())
		store := unmigrated[*oauthkit.AbstractApplication](t, open(), gormstore.Config{ApplicationDB: open()})
		expectFinding(t, store, "gormstore.E007", "Config.ApplicationDB")

		empty := openers()[open().Name()](t)()
		store = unmigrated[*oauthkit.AbstractApplication](t, open(), gormstore.Config{ApplicationDB: empty})
		expectFinding(t, store, "gormstore.E001", "the database of the applications")
		store = apart(t, openers()[open().Name()](t)(), empty)
		expectFinding(t, store, "")
	})
}

// TestPlace expects the same location from two stores on the same tables, and others
// for another database and another prefix.
func TestPlace(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		elsewhere := openers()[open().Name()](t)()
		place := func(db *gorm.DB, config gormstore.Config) string {
			t.Helper()
			store := unmigrated[*oauthkit.AbstractApplication](t, db, config)
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			place, err := store.Location(t.Context())
			if err != nil || place == "" {
				t.Fatalf("got %q, %v; want a place", place, err)
			}
			return place
		}
		here := place(open(), gormstore.Config{})
		if again := place(open(), gormstore.Config{}); again != here {
			t.Errorf("got %q for the same tables, want %q", again, here)
		}
		if other := place(elsewhere, gormstore.Config{}); other == here {
			t.Errorf("got %q for another database as well", other)
		}
		if other := place(open(), gormstore.Config{TablePrefix: "second_"}); other == here {
			t.Errorf("got %q for other tables as well", other)
		}
	})
}
