package oauthtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestPostgres shows that two tests do not see each other's tables, and that a database is gone after its test.
func TestPostgres(t *testing.T) {
	Postgres(t) // which skips all of it where there is no server
	var urls []string
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			address := Postgres(t)
			urls = append(urls, address)
			connection := connect(t, address)
			if _, err := connection.Exec(t.Context(), "CREATE TABLE rows (id int)"); err != nil {
				t.Errorf("creating a table in an empty database: %v", err)
			}
		})
	}
	if urls[0] == urls[1] {
		t.Errorf("both tests got %s, want one database each", urls[0])
	}
	if connection, err := pgx.Connect(t.Context(), urls[0]); err == nil {
		connection.Close(t.Context())
		t.Errorf("the database of a test that is over still answers at %s", urls[0])
	}
}

// TestPostgresManyConnections opens as many connections as the races between two providers need.
func TestPostgresManyConnections(t *testing.T) {
	address := Postgres(t)
	for range 220 {
		connect(t, address)
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatalf("connecting to %s: %v", address, err)
	}
	t.Cleanup(func() { connection.Close(context.Background()) })
	return connection
}
