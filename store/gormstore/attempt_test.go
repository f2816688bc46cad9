package gormstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
)

// TestDeadlock RL-13 lets another program lock rows in another order than the store.
// PostgreSQL undoes the transaction of the store, which is then executed again.
func TestDeadlock(t *testing.T) {
	server := oauthtest.Postgres(t)
	store := migrated[*oauthkit.AbstractApplication](t, opened(t, withSetting(t, server, "deadlock_timeout", "1s"), postgres.OpenDB))
	host := opened(t, withSetting(t, server, "deadlock_timeout", "10s"), postgres.OpenDB)
	for range 5 {
		if undone := deadlock(t, store, host); undone {
			return
		}
	}
	t.Error("the transaction of the store was never undone")
}

// deadlock reports whether the server undid the transaction of the store.
func deadlock(t *testing.T, store *store, host *gorm.DB) bool {
	t.Helper()
	first, second := newAuthorization(), newAuthorization()
	first.ID, second.ID = first.ID+"a", first.ID+"b" // the order in which the store locks
	for _, authorization := range []*oauthkit.Authorization{first, second} {
		if err := store.SaveTokens(t.Context(), authorization, newTokens(authorization)); err != nil {
			t.Fatal(err)
		}
	}
	tx := host.Begin()
	defer tx.Rollback()
	const lock = "SELECT id FROM oauth_authorizations WHERE id = ? FOR UPDATE"
	if err := tx.Exec(lock, second.ID).Error; err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		_, err := store.RevokeApplication(t.Context(), "client", oauthkit.Revocation{Now: now})
		answer <- err
	}()
	for waiting := int64(0); waiting == 0; {
		err := host.Table("pg_stat_activity").Where("datname = current_database() AND wait_event_type = 'Lock'").Count(&waiting).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	undone := tx.Exec(lock, first.ID).Error == nil
	tx.Rollback()
	if err := <-answer; err != nil {
		t.Errorf("got %v, want the act to be executed again", err)
	}
	for _, authorization := range []*oauthkit.Authorization{first, second} {
		if changed, err := store.RevokeAuthorization(t.Context(), authorization.ID, oauthkit.Revocation{Now: now}); err != nil || changed {
			t.Errorf("got a valid Authorization (%v), want both revoked", err)
		}
	}
	return undone
}

// coded is an error of a PostgreSQL server.
type coded string

func (c coded) Error() string    { return "ERROR: (SQLSTATE " + string(c) + ")" }
func (c coded) SQLState() string { return string(c) }

// refusingPool fails the next statements.
type refusingPool struct {
	gorm.ConnPool
	err        error
	statements int // how many fail
	executed   int
}

// GetDBConn implements [gorm.GetDBConnector].
func (p *refusingPool) GetDBConn() (*sql.DB, error) { return p.ConnPool.(*sql.DB), nil }

// ExecContext implements [gorm.ConnPool].
func (p *refusingPool) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	p.executed++
	if p.statements > 0 {
		p.statements--
		return nil, p.err
	}
	return p.ConnPool.ExecContext(ctx, statement, args...)
}

// TestAttempts RL-12 shows which failures are tried again: those after which nothing
// was done, a few times, and until the context ends.
func TestAttempts(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		failures int
		executed int
		succeeds bool
	}{
		"serialization failure":        {coded("40001"), 3, 4, true},
		"deadlock":                     {coded("40P01"), 3, 4, true},
		"serialization failure always": {coded("40001"), 1000, 8, false},
		"unknown whether committed":    {coded("40003"), 1, 1, false},
		"connection lost":              {errors.New("unexpected EOF"), 1, 1, false},
		"lock timeout":                 {coded("55P03"), 1, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			db := opened(t, oauthtest.Postgres(t), postgres.OpenDB)
			migrated[*oauthkit.AbstractApplication](t, db)
			pool := &refusingPool{ConnPool: db.ConnPool, err: test.err, statements: test.failures}
			db.ConnPool, db.Statement.ConnPool = pool, pool
			store := unmigrated[*oauthkit.AbstractApplication](t, db, gormstore.Config{})
			_, err := store.RevokeAuthorization(t.Context(), "none", oauthkit.Revocation{Now: now})
			if (err == nil) != test.succeeds || pool.executed != test.executed {
				t.Errorf("got %v after %d statements, want success %t after %d", err, pool.executed, test.succeeds, test.executed)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			pool.statements, pool.executed = 1000, 0
			if _, err := store.RevokeAuthorization(ctx, "none", oauthkit.Revocation{Now: now}); !errors.Is(err, context.Canceled) && !errors.Is(err, test.err) || pool.executed > 1 {
				t.Errorf("after the context has ended: got %v after %d statements, want at most one", err, pool.executed)
			}
		})
	}
}
