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

// Replica is a database with a streaming replica, each on a private PostgreSQL
// server. The test decides when the replica applies the changes of the primary.
type Replica struct {
	// URL is the database on the primary. ReplicaURL is the same database on the
	// replica, which is read-only.
	URL, ReplicaURL string
}

// Replicated starts a primary and its replica, which stop when the test ends. If
// PostgreSQL cannot be started, the test is skipped, as described for [Postgres].
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

// Pause stops the replica from applying changes. It has everything committed before.
func (r *Replica) Pause(tb testing.TB) {
	tb.Helper()
	r.CatchUp(tb)
	execute(tb, r.ReplicaURL, "SELECT pg_wal_replay_pause()")
	r.await(tb, r.ReplicaURL, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

// CatchUp resumes the replica and waits until it has everything committed so far.
func (r *Replica) CatchUp(tb testing.TB) {
	tb.Helper()
	execute(tb, r.ReplicaURL, "SELECT pg_wal_replay_resume()")
	var position string
	r.query(tb, r.URL, "SELECT pg_current_wal_lsn()::text", &position)
	r.await(tb, r.ReplicaURL, "SELECT pg_last_wal_replay_lsn() >= '"+position+"'::pg_lsn")
}

// BothURLs returns a URL that names both servers. Connections go to the writable one.
func (r *Replica) BothURLs() string {
	return strings.Replace(r.URL, ":"+r.PrimaryPort(), ":"+r.PrimaryPort()+",127.0.0.1:"+port(r.ReplicaURL), 1) +
		"&target_session_attrs=read-write"
}

// PrimaryPort returns the port of the original primary.
func (r *Replica) PrimaryPort() string { return port(r.URL) }

// Failover makes the replica the primary. The original primary keeps running but
// refuses writes.
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

// await repeats the query until its result is true.
func (r *Replica) await(tb testing.TB, server, query string) {
	tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		var reached bool
		r.query(tb, server, query, &reached)
		if reached {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: got false for 30 seconds, want true", query)
		}
	}
}

func (r *Replica) query(tb testing.TB, server, query string, result any) {
	tb.Helper()
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("connecting to a PostgreSQL server of the test: %v", err)
	}
	defer connection.Close(ctx)
	if err := connection.QueryRow(ctx, query).Scan(result); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}
