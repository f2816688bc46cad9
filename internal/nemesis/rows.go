package nemesis

import (
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"
)

// rowInvariant counts rows that contradict others.
type rowInvariant struct{ name, count string }

func rowInvariants() []rowInvariant {
	return []rowInvariant{
		{"a family has one live refresh token", `SELECT count(*) FROM (SELECT authorization_id FROM oauth_refresh_tokens
		WHERE consumed_at IS NULL GROUP BY authorization_id HAVING count(*) > 1) AS families`},
		{"an access token has its Authorization", `SELECT count(*) FROM oauth_access_tokens WHERE NOT EXISTS
		(SELECT 1 FROM oauth_authorizations WHERE id = authorization_id)`},
		{"a refresh token has its Authorization", `SELECT count(*) FROM oauth_refresh_tokens WHERE NOT EXISTS
		(SELECT 1 FROM oauth_authorizations WHERE id = authorization_id)`},
		{"a code has its Authorization", `SELECT count(*) FROM oauth_authorization_codes WHERE NOT EXISTS
		(SELECT 1 FROM oauth_authorizations WHERE id = authorization_id)`},
		{"an Authorization has one code at most", `SELECT count(*) FROM (SELECT authorization_id FROM oauth_authorization_codes
		GROUP BY authorization_id HAVING count(*) > 1) AS families`},
		{"a used refresh token has a successor", `SELECT count(*) FROM oauth_refresh_tokens AS used
		WHERE consumed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM oauth_refresh_tokens AS other
			WHERE other.authorization_id = used.authorization_id AND other.consumed_at IS NULL)`},
	}
}

// CheckRows returns the violations in the database.
func (w *World) CheckRows() []string {
	w.TB.Helper()
	driver, name := "pgx", w.Database
	if w.Server == nil {
		driver, name = "sqlite3", "file:"+w.Database
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return []string{err.Error()}
	}
	defer db.Close()
	return checkRows(db)
}

func checkRows(db *sql.DB) []string {
	var broken []string
	for _, invariant := range rowInvariants() {
		var count int
		if err := db.QueryRow(invariant.count).Scan(&count); err != nil {
			broken = append(broken, fmt.Sprintf("%s: %v", invariant.name, err))
		} else if count > 0 {
			broken = append(broken, fmt.Sprintf("%s: %d rows are otherwise", invariant.name, count))
		}
	}
	return broken
}

// integrity returns the number of problems that SQLite finds in the file.
func (w *World) integrity() int {
	w.TB.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.Database)
	if err != nil {
		w.TB.Fatal(err)
	}
	defer db.Close()
	var found string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&found); err != nil {
		w.TB.Fatal(err)
	}
	if found == "ok" {
		return 0
	}
	w.TB.Log(found)
	return 1
}

// lockFile takes SQLite's write lock and returns a function that releases it.
func (w *World) lockFile() (unlock func()) {
	w.TB.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.Database+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		w.TB.Fatal(err)
	}
	tx, err := db.BeginTx(w.TB.Context(), nil)
	if err != nil {
		w.TB.Fatal(err)
	}
	return func() {
		_ = tx.Rollback()
		_ = db.Close()
	}
}
