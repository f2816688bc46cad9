package clienttest

import (
	"encoding/json"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// rows returns the users, the applications and the ids of the signing keys in a
// database as text.
func rows(t *testing.T, location string) string {
	t.Helper()
	open := sqlite.OpenDB
	if strings.HasPrefix(location, "postgres://") {
		open = postgres.OpenDB
	}
	db, err := open(location)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close()
		}
	}()
	return table(t, db, "SELECT * FROM idp_users ORDER BY username") +
		table(t, db, "SELECT * FROM oauth_applications ORDER BY client_id") +
		table(t, db, "SELECT id FROM oauth_signing_keys ORDER BY id")
}

func table(t *testing.T, db *gorm.DB, query string) string {
	t.Helper()
	var found []map[string]any
	if err := db.Raw(query).Scan(&found).Error; err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(found, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("%s: no rows", query)
	}
	return string(text) + "\n"
}
