package nemesis

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestProxy shows the effect of each fault of the proxy.
func TestProxy(t *testing.T) {
	direct := oauthtest.Postgres(t)
	address, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := NewProxy(address.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	address.Host = proxy.Address()
	connect := func(to string) *pgx.Conn {
		t.Helper()
		connection, err := pgx.Connect(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = connection.Close(context.Background()) })
		return connection
	}
	observer, through := connect(direct), connect(address.String())
	rows := func() (count int) {
		t.Helper()
		if err := observer.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	insert := func(connection *pgx.Conn, wait time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		_, err := connection.Exec(ctx, "INSERT INTO t VALUES ($1)", 1)
		return err
	}
	if _, err := through.Exec(t.Context(), "CREATE TABLE t (i int)"); err != nil {
		t.Fatal(err)
	}

	if err := insert(through, time.Minute); err != nil || rows() != 1 {
		t.Errorf("passing: got %v and %d rows, want 1", err, rows())
	}
	proxy.LoseReplies(func(statement string) bool { return strings.HasPrefix(statement, "INSERT") })
	if err := insert(through, time.Minute); err == nil || rows() != 2 || proxy.Lost() != 1 {
		t.Errorf("losing a reply: got %v, %d rows and %d lost; want an error after the row was written", err, rows(), proxy.Lost())
	}
	proxy.LoseReplies(nil)

	through = connect(address.String())
	if _, err := through.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := insert(through, time.Minute); err != nil {
		t.Fatal(err)
	}
	proxy.LoseReplies(func(statement string) bool { return strings.EqualFold(statement, "commit") })
	if _, err := through.Exec(t.Context(), "commit"); err == nil || rows() != 3 {
		t.Errorf("losing the reply to COMMIT: got %v and %d rows, want an error and 3 rows", err, rows())
	}
	proxy.LoseReplies(nil)

	through = connect(address.String())
	proxy.Stall()
	if err := insert(through, 50*time.Millisecond); err == nil || rows() != 3 {
		t.Errorf("stalled: got %v and %d rows, want a timeout", err, rows())
	}
	proxy.Resume()

	through = connect(address.String())
	proxy.Cut()
	if err := insert(through, time.Minute); err == nil {
		t.Error("cut: got no error, want one")
	}
	proxy.Refuse()
	if _, err := pgx.Connect(t.Context(), address.String()); err == nil {
		t.Error("refused: got a connection, want an error")
	}
	if err := proxy.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := insert(connect(address.String()), time.Minute); err != nil {
		t.Errorf("accepting again: got error %v, want none", err)
	}
}
