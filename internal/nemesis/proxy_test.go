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
	p := newProxied(t)
	through := p.connect(p.url)
	if _, err := through.Exec(t.Context(), "CREATE TABLE t (i int)"); err != nil {
		t.Fatal(err)
	}
	if err := insert(t, through, time.Minute); err != nil || p.rows() != 1 {
		t.Errorf("passing: got %v and %d rows, want 1", err, p.rows())
	}
	p.LoseReplies(func(statement string) bool { return strings.HasPrefix(statement, "INSERT") })
	if err := insert(t, through, time.Minute); err == nil || p.rows() != 2 || p.Lost() != 1 {
		t.Errorf("losing a reply: got %v, %d rows and %d lost; want an error after the row was written", err, p.rows(), p.Lost())
	}
	p.LoseReplies(nil)

	through = p.connect(p.url)
	if _, err := through.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := insert(t, through, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.LoseReplies(func(statement string) bool { return strings.EqualFold(statement, "commit") })
	if _, err := through.Exec(t.Context(), "commit"); err == nil || p.rows() != 3 {
		t.Errorf("losing the reply to COMMIT: got %v and %d rows, want an error and 3 rows", err, p.rows())
	}
	p.LoseReplies(nil)

	through = p.connect(p.url)
	p.Stall()
	if err := insert(t, through, 50*time.Millisecond); err == nil || p.rows() != 3 {
		t.Errorf("stalled: got %v and %d rows, want a timeout", err, p.rows())
	}
	p.Resume()

	through = p.connect(p.url)
	p.Cut()
	if err := insert(t, through, time.Minute); err == nil {
		t.Error("cut: got no error, want one")
	}
	p.Refuse()
	if _, err := pgx.Connect(t.Context(), p.url); err == nil {
		t.Error("refused: got a connection, want an error")
	}
	if err := p.Accept(); err != nil {
		t.Fatal(err)
	}
	if err := insert(t, p.connect(p.url), time.Minute); err != nil {
		t.Errorf("accepting again: got error %v, want none", err)
	}
}

// proxied is an empty database behind a proxy.
type proxied struct {
	*Proxy
	t        *testing.T
	url      string    // the URL of the database through the proxy
	observer *pgx.Conn // bypasses the proxy
}

func newProxied(t *testing.T) *proxied {
	t.Helper()
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
	p := &proxied{Proxy: proxy, t: t, url: address.String()}
	p.observer = p.connect(direct)
	return p
}

func (p *proxied) connect(to string) *pgx.Conn {
	p.t.Helper()
	connection, err := pgx.Connect(p.t.Context(), to)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

// rows returns the number of rows of the table.
func (p *proxied) rows() (count int) {
	p.t.Helper()
	if err := p.observer.QueryRow(p.t.Context(), "SELECT count(*) FROM t").Scan(&count); err != nil {
		p.t.Fatal(err)
	}
	return count
}

// insert inserts a row and waits for the reply for at most limit.
func insert(t *testing.T, connection *pgx.Conn, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err := connection.Exec(ctx, "INSERT INTO t VALUES ($1)", 1)
	return err
}
