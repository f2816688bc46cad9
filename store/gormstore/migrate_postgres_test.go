package gormstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
)

// rowsVariable names the number of Authorizations in TestMigrateInUse. make
// migrations sets it to a million.
const rowsVariable = "OAUTHKIT_TEST_ROWS"

// inUse is a database with rows, a writer and a reader, which two instances of a
// later program migrate.
type inUse struct {
	*testing.T
	db      *gorm.DB // of the test itself
	store   *store   // of the program that serves
	later   [2]*store
	stall   time.Duration // the longest that the writer had to wait for one act
	written int
	mutex   sync.Mutex
}

func newInUse(t *testing.T, rows int) *inUse {
	server := oauthtest.Postgres(t)
	u := &inUse{T: t, db: opened(t, server, postgres.OpenDB)}
	u.store = migrated[*oauthkit.AbstractApplication](t, opened(t, server, postgres.OpenDB))
	for i := range u.later {
		u.later[i] = unmigrated[*oauthkit.AbstractApplication](t, opened(t, server, postgres.OpenDB), gormstore.Config{})
		u.later[i].Grow()
	}
	u.execute(`INSERT INTO oauth_authorizations (id, client_id, consent_id, subject, scopes, resources, acr, amr, session_id, params, created_at, expires_at)
SELECT n::text, 'client', '', 'user-' || n, 'read', '', '', '', '', '', now(), now() + interval '1 day' FROM generate_series(1, ?) n`, rows)
	return u
}

func (u *inUse) execute(statement string, args ...any) {
	u.Helper()
	if err := u.db.Exec(statement, args...).Error; err != nil {
		u.Fatal(err)
	}
}

// write saves tokens until ctx ends, and measures the time that they take.
func (u *inUse) write(ctx context.Context) {
	for ctx.Err() == nil {
		authorization := newAuthorization()
		began := time.Now()
		if err := u.store.SaveTokens(u.Context(), authorization, newTokens(authorization)); err != nil {
			u.Error(err)
			return
		}
		u.mutex.Lock()
		u.written++
		u.stall = max(u.stall, time.Since(began))
		u.mutex.Unlock()
	}
}

func (u *inUse) writes() int {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return u.written
}

// await calls a function until it returns true.
func (u *inUse) await(what string, reached func() bool) {
	u.Helper()
	for deadline := time.Now().Add(time.Minute); !reached(); {
		if time.Now().After(deadline) {
			u.Fatalf("waiting in vain for %s", what)
		}
	}
}

// waits returns the start times of the statements that change a table and are waiting
// for its lock.
func (u *inUse) waits() (began []string) {
	u.Helper()
	err := u.db.Raw(`SELECT pid || ' ' || query_start FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'`).Scan(&began).Error
	if err != nil {
		u.Fatal(err)
	}
	return began
}

// expectMigrated expects the next version to be complete.
func (u *inUse) expectMigrated() {
	u.Helper()
	var versions []string
	if err := u.db.Raw("SELECT id FROM oauth_migrations ORDER BY id").Scan(&versions).Error; err != nil || !slices.Equal(versions, []string{"0001", gormstore.NextVersion}) {
		u.Errorf("got versions %q, %v, want 0001 and %s", versions, err, gormstore.NextVersion)
	}
	var valid bool
	if err := u.db.Raw("SELECT indisvalid FROM pg_index WHERE indexrelid = 'oauth_authorizations_device'::regclass").Scan(&valid).Error; err != nil || !valid {
		u.Errorf("got an index that is valid: %t, %v, want true", valid, err)
	}
	if err := u.db.Exec("SELECT a.device, c.device FROM oauth_authorizations a, oauth_consents c LIMIT 1").Error; err != nil {
		u.Error(err)
	}
}

// TestMigrateInUse RL-29 adds a column and an index while a writer inserts and a
// reader holds the table. The migration gives up the lock repeatedly, so that the
// writer continues, and completes after the reader has ended. Two instances migrate
// at the same time.
func TestMigrateInUse(t *testing.T) {
	rows := 20_000
	if text := os.Getenv(rowsVariable); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	u := newInUse(t, rows)
	reader := u.db.Begin(&sql.TxOptions{})
	defer reader.Rollback()
	if err := reader.Exec("SELECT id FROM oauth_authorizations LIMIT 1").Error; err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var working sync.WaitGroup
	working.Go(func() { u.write(ctx) })
	answers := make(chan error, len(u.later))
	for _, later := range u.later {
		go func() { answers <- later.Migrate(t.Context()) }()
	}
	attempts := map[string]bool{}
	u.await("a migration that tries again", func() bool {
		for _, attempt := range u.waits() {
			attempts[attempt] = true
		}
		return len(attempts) >= 3
	})
	before := u.writes()
	u.await("the writer, which is behind the migration", func() bool { return u.writes() > before+10 })
	reader.Rollback()
	for range u.later {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	stop()
	working.Wait()
	u.expectMigrated()
	t.Logf("%d rows: the longest act of %d took %v beside a migration that tried at least %d times", rows, u.written, u.stall, len(attempts))
}

// TestMigrateKilled RL-29 kills a migration between two steps, and while it creates
// an index.
func TestMigrateKilled(t *testing.T) {
	u := newInUse(t, 100)
	reader := u.db.Begin()
	defer reader.Rollback()
	if err := reader.Exec("LOCK TABLE oauth_consents").Error; err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() { answer <- u.later[0].Migrate(t.Context()) }()
	u.await("the last step", func() bool { return len(u.waits()) > 0 })
	u.await("the end of the connection", func() bool {
		u.execute(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`)
		return len(answer) > 0
	})
	if err := <-answer; err == nil {
		t.Error("got no error from a killed migration")
	}
	u.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'oauth_authorizations_device'::regclass")
	u.execute("DELETE FROM oauth_migrations WHERE id = '0002.1'")
	expectFinding(t, u.later[1], "gormstore.E002", gormstore.NextVersion)
	expectFinding(t, u.store, "")
	reader.Rollback()
	if err := u.later[1].Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	u.expectMigrated()
}

// TestMigrateGivesUp ends the context of one instance while another one migrates.
func TestMigrateGivesUp(t *testing.T) {
	u := newInUse(t, 0)
	holder, err := u.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	answer := make(chan error, 1)
	go func() {
		answer <- u.later[0].Migrate(t.Context(), func(*gorm.DB) error {
			close(entered)
			<-leave
			return nil
		})
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		waiting <- u.later[1].Migrate(ctx, func(*gorm.DB) error { t.Error("two migrations at once"); return nil })
	}()
	u.await("the second instance", func() bool {
		var asking int
		row := holder.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock%' AND state = 'idle'")
		return row.Scan(&asking) == nil && asking > 0
	})
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(leave)
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

// TestMigrateOneConnection RL-15 migrates with a pool of one connection.
func TestMigrateOneConnection(t *testing.T) {
	db := opened(t, oauthtest.Postgres(t), postgres.OpenDB)
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	migrated[*galleryApplication](t, db)
	migrated[*grownApplication](t, db)
}
