package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// opened returns a store without migrating, and its pool.
func opened(t *testing.T, url string) (*gormstore.Store[*oauthkit.AbstractApplication], *sql.DB) {
	t.Helper()
	db, err := postgres.OpenDB(url)
	if err != nil {
		t.Fatal(err)
	}
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	return store, pool
}

// fill makes the pool open n connections.
func fill(t *testing.T, pool *sql.DB, n int) {
	t.Helper()
	var held []*sql.Conn
	for range n {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		conn.Close()
	}
}

// refusedWrites returns how many of n successive writes are refused.
func refusedWrites(t *testing.T, store *gormstore.Store[*oauthkit.AbstractApplication], n int) (refused int) {
	t.Helper()
	for range n {
		if _, err := store.RevokeAuthorization(t.Context(), "none", oauthkit.Revocation{Now: now}); err != nil {
			if !strings.Contains(err.Error(), "25006") {
				t.Fatalf("got %v, want an error because the database is read-only", err)
			}
			refused++
		}
	}
	return refused
}

// alterDatabase sets the default of a parameter for new connections to the database.
func alterDatabase(t *testing.T, server string, pool *sql.DB, setting string) {
	t.Helper()
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	statement := fmt.Sprintf("ALTER DATABASE %s SET %s", strings.TrimPrefix(address.Path, "/"), setting)
	if _, err := pool.ExecContext(t.Context(), "BEGIN READ WRITE; "+statement+"; COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// TestIsolation RL-12 runs the contract, including races, on a server whose default is
// REPEATABLE READ.
func TestIsolation(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		server := oauthtest.Postgres(t)
		_, admin := opened(t, server)
		alterDatabase(t, server, admin, "default_transaction_isolation = 'repeatable read'")
		store, second := open(t, server), open(t, server)
		return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create}
	})
}

// TestIsolationLevel RL-12 shows at which level statements run. A pooler refuses the
// parameter, so that the default of the server applies.
func TestIsolationLevel(t *testing.T) {
	server := oauthtest.Postgres(t)
	_, admin := opened(t, server)
	alterDatabase(t, server, admin, "default_transaction_isolation = 'repeatable read'")
	for name, test := range map[string]struct{ url, want string }{
		"default":           {server, "read committed"},
		"chosen by the URL": {server + separator(server) + "default_transaction_isolation=serializable", "serializable"},
		"chosen by options": {server + separator(server) + "options=-c%20default_transaction_isolation%3Dserializable", "serializable"},
		"behind a pooler":   {oauthtest.PgBouncer(t, server), "repeatable read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, pool := opened(t, test.url)
			var level string
			if err := pool.QueryRowContext(t.Context(), "SELECT current_setting('transaction_isolation')").Scan(&level); err != nil || level != test.want {
				t.Errorf("got %q, %v, want %q", level, err, test.want)
			}
		})
	}
}

// TestReadOnly RL-19 makes a database read-only and writable again under open
// connections.
func TestReadOnly(t *testing.T) {
	server := oauthtest.Postgres(t)
	admin, adminPool := opened(t, server)
	if err := admin.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	setReadOnly := func(value string) {
		alterDatabase(t, server, adminPool, "default_transaction_read_only = "+value)
	}
	setReadOnly("on")
	store, pool := opened(t, server)
	fill(t, pool, 10)
	if refused := refusedWrites(t, store, 3); refused != 3 {
		t.Errorf("while the database is read-only: got %d of 3 writes refused, want all", refused)
	}
	if _, err := store.Application(t.Context(), "none"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("a read: got %v, want ErrNotFound", err)
	}
	fill(t, pool, 10)
	setReadOnly("off")
	// A connection opened within a second of the last refusal is dropped only after its
	// own refusal.
	if refused := refusedWrites(t, store, 100); refused > 10 {
		t.Errorf("afterwards: got %d of 100 writes refused, want at most one per connection", refused)
	}
}

// TestFailover RL-20 promotes a replica. The old primary still runs, but refuses writes.
func TestFailover(t *testing.T) {
	servers := oauthtest.Replicated(t)
	store, pool := opened(t, servers.BothURLs())
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, pool, 10)
	if refused := refusedWrites(t, store, 3); refused != 0 {
		t.Fatalf("before: got %d of 3 writes refused, want none", refused)
	}
	servers.Failover(t)
	if refused := refusedWrites(t, store, 100); refused != 1 {
		t.Errorf("afterwards: got %d of 100 writes refused, want only the first one", refused)
	}
	var standby bool
	if err := pool.QueryRowContext(t.Context(), "SELECT current_setting('port') = $1", servers.PrimaryPort()).Scan(&standby); err != nil || standby {
		t.Errorf("got the old primary: %t, %v, want the new one", standby, err)
	}
}

// TestCancel shows that an act whose context ends is canceled on the server, and that
// its connection stays open. On a busy machine the server may respond too late and the
// connection is closed, so one success in a few attempts is enough.
func TestCancel(t *testing.T) {
	for attempt := range 5 {
		s := newScene(t)
		before, after := canceled(t, s)
		if !slices.ContainsFunc(before, func(pid string) bool { return !slices.Contains(after, pid) }) {
			return
		}
		t.Logf("attempt %d: got connections %v, before %v", attempt, after, before)
	}
	t.Error("the connection was closed in each attempt, want an attempt in which it stays open")
}

// canceled cancels an act that waits for a lock, and returns the server's processes
// before and after.
func canceled(t *testing.T, s *scene) (before, after []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	db, err := s.other.DB()
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, 3)
	err = s.while(t, "SELECT id FROM oauth_authorizations FOR UPDATE", func(tx *gorm.DB) *gorm.DB {
		before = backends(t, s.other, "true")
		cancel()
		for deadline := time.Now().Add(30 * time.Second); len(backends(t, s.other, "wait_event_type = 'Lock'")) > 0; {
			if time.Now().After(deadline) {
				t.Error("the act still waits on the server")
				break
			}
		}
		return tx.Rollback()
	}, func() error { return s.store.RotateRefreshToken(ctx, rotation("refresh", s.tokens("second"))) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := s.store.RotateRefreshToken(t.Context(), rotation("refresh", s.tokens("third"))); err != nil {
		t.Errorf("second attempt: got %v, want success because the first was canceled", err)
	}
	return before, backends(t, s.other, "true")
}

// backends returns the server's processes for this database that match a condition.
func backends(t *testing.T, db *gorm.DB, condition string) (pids []string) {
	t.Helper()
	err := db.Raw("SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND " + condition).Scan(&pids).Error
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

// TestCancelUnderLoad cancels statements while others begin on the same connections. No
// cancellation hits another statement.
func TestCancelUnderLoad(t *testing.T) {
	store, pool := opened(t, oauthtest.Postgres(t))
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(4)
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			for i := range 5 {
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = pool.ExecContext(ctx, "SELECT pg_sleep(0.01 * $1)", i)
				}()
				cancel()
				<-ended
				if _, err := store.RevokeAuthorization(t.Context(), "none", oauthkit.Revocation{Now: now}); err != nil {
					t.Errorf("got %v, want no cancellation", err)
				}
			}
		})
	}
	working.Wait()
}
