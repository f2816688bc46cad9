package oauthtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestPostgres shows that tests do not share tables, and that a database is dropped
// after its test.
func TestPostgres(t *testing.T) {
	Postgres(t) // skips the whole test if there is no server
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
		t.Errorf("got a connection to %s after its test, want an error", urls[0])
	}
}

// TestPostgresManyConnections opens as many connections as a race between two
// providers.
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
