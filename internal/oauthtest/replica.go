package oauthtest

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Replica is a database with a streaming replica, each on a private PostgreSQL server of the test's own. The replica applies what
// the primary sends it when the test says so.
type Replica struct {
	// URL is that of the primary's database, ReplicaURL that of the same database on the replica, which can only be read.
	URL, ReplicaURL string
}

// Replicated starts a primary and its replica, which end with the test. Where PostgreSQL cannot be started the test is skipped, as
// [Postgres] says.
func Replicated(tb testing.TB) *Replica {
	tb.Helper()
	servers, err := startReplicated()
	if errors.Is(err, errNoServer) {
		Missing(tb, "the tests with a streaming replica", err.Error()+"; install them (Debian: apt-get install postgresql)")
	} else if err != nil {
		tb.Fatalf("starting PostgreSQL with a replica: %v", err)
	}
	tb.Cleanup(func() { _ = servers.life.Close() })
	return &Replica{URL: servers.url, ReplicaURL: servers.replica}
}

// Pause keeps the replica as it is from now on. Everything that was committed before is there.
func (r *Replica) Pause(tb testing.TB) {
	tb.Helper()
	r.CatchUp(tb)
	execute(tb, r.ReplicaURL, "SELECT pg_wal_replay_pause()")
	r.await(tb, r.ReplicaURL, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

// CatchUp lets the replica apply everything that has been committed, and waits until it has.
func (r *Replica) CatchUp(tb testing.TB) {
	tb.Helper()
	execute(tb, r.ReplicaURL, "SELECT pg_wal_replay_resume()")
	var position string
	r.query(tb, r.URL, "SELECT pg_current_wal_lsn()::text", &position)
	r.await(tb, r.ReplicaURL, "SELECT pg_last_wal_replay_lsn() >= '"+position+"'::pg_lsn")
}

// BothURLs returns a URL that names both servers, of which connections go to the one that can be written to.
func (r *Replica) BothURLs() string {
	return strings.Replace(r.URL, ":"+r.PrimaryPort(), ":"+r.PrimaryPort()+",127.0.0.1:"+port(r.ReplicaURL), 1) +
		"&target_session_attrs=read-write"
}

// PrimaryPort returns the port of the server that was the primary at first.
func (r *Replica) PrimaryPort() string { return port(r.URL) }

// Failover makes the replica the primary. The server that was the primary stays, and refuses writes from now on.
func (r *Replica) Failover(tb testing.TB) {
	tb.Helper()
	r.CatchUp(tb)
	execute(tb, r.URL, "ALTER SYSTEM SET default_transaction_read_only = on")
	execute(tb, r.URL, "SELECT pg_reload_conf()")
	r.await(tb, r.URL, "SELECT current_setting('transaction_read_only') = 'on'")
	execute(tb, r.ReplicaURL, "SELECT pg_promote()")
	r.await(tb, r.ReplicaURL, "SELECT NOT pg_is_in_recovery()")
}

func port(server string) string {
	address, err := url.Parse(server)
	if err != nil {
		return ""
	}
	return address.Port()
}

// await asks again until the answer is true.
func (r *Replica) await(tb testing.TB, server, question string) {
	tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var reached bool
		r.query(tb, server, question, &reached)
		if reached {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: still not so", question)
		}
	}
}

func (r *Replica) query(tb testing.TB, server, question string, answer any) {
	tb.Helper()
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("connecting to a PostgreSQL server of the test: %v", err)
	}
	defer connection.Close(ctx)
	if err := connection.QueryRow(ctx, question).Scan(answer); err != nil {
		tb.Fatalf("%s: %v", question, err)
	}
}
