package clienttest

import (
	"errors"
	"os"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// TestIDPMigrate creates the tables from the printed statements and then starts the
// provider on them.
func TestIDPMigrate(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			location := database(t)
			script := succeed(t, "migrate", "--print", "-db", location)
			if _, err := os.Stat(location); err == nil {
				t.Error("got a database file after printing, want none")
			}
			if _, complaint, status := command(t, "applications", "list", "-db", location); status != 1 || !strings.Contains(complaint, "idp migrate") {
				t.Errorf("without tables: got status %d and %q, want advice", status, complaint)
			}
			onDatabase(t, location, func(db *gorm.DB) error {
				for statement := range strings.SplitSeq(strings.TrimSpace(script), ";\n") {
					if err := db.Exec(statement).Error; err != nil {
						return err
					}
				}
				return nil
			})
			for range 2 {
				succeed(t, "migrate", "-db", location)
			}
			succeed(t, "createapplication", "public", "authorization_code", "--redirect-uris", "https://app.example/cb", "-db", location)
			if checked := succeed(t, "check", "-db", location); !strings.Contains(checked, "Config.Secret") {
				t.Errorf("got %q, want a warning, such as that the keys are stored in clear", checked)
			}
		})
	}
}

// onDatabase calls act with a connection to the tables.
func onDatabase(t *testing.T, location string, act func(db *gorm.DB) error) {
	t.Helper()
	open := sqlite.OpenDB
	if strings.HasPrefix(location, "postgres://") {
		open = postgres.OpenDB
	}
	db, err := open(location)
	if err != nil {
		t.Fatal(err)
	}
	err = act(db)
	if pool, poolErr := db.DB(); poolErr == nil {
		err = errors.Join(err, pool.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
