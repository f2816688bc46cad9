package gormstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// TestCheckFails lets one statement of a check after the other fail, and expects a
// finding each time.
func TestCheckFails(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		pool := &failingPool{ConnPool: db.ConnPool}
		db.ConnPool, db.Statement.ConnPool = pool, pool
		store := migrated[*oauthkit.AbstractApplication](t, db)
		asking := apart(t, openers()[db.Name()](t)(), db)
		for _, checker := range []oauthkit.Checker{store, store.Credentials, asking} {
			for pool.at = 1; ; pool.at++ {
				pool.count = 0
				findings := checker.Check(t.Context())
				if pool.count < pool.at {
					break
				}
				if len(findings) != 1 || findings[0].ID != "gormstore.E001" || !strings.Contains(findings[0].Message, ": cannot ") {
					t.Errorf("statement %d: got %v, want gormstore.E001 alone", pool.at, findings)
				}
			}
			if pool.at-1 < 7 { // settings, versions, three keys, columns, and whether two databases are one
				t.Errorf("got %d statements, want those of every check", pool.at-1)
			}
		}
		pool.at = 0
		expectFinding(t, store, "")
	})
}

// failingPool fails the query with a number, counted from 1.
type failingPool struct {
	gorm.ConnPool
	at, count int
}

// context returns a context that has ended for the query that fails.
func (p *failingPool) context(ctx context.Context) context.Context {
	if p.count++; p.count != p.at {
		return ctx
	}
	over, cancel := context.WithCancelCause(ctx)
	cancel(fmt.Errorf("query %d fails", p.at))
	return over
}

// QueryContext implements [gorm.ConnPool].
func (p *failingPool) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return p.ConnPool.QueryContext(p.context(ctx), statement, args...)
}

// QueryRowContext implements [gorm.ConnPool].
func (p *failingPool) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	return p.ConnPool.QueryRowContext(p.context(ctx), statement, args...)
}

// BeginTx implements [gorm.ConnPoolBeginner].
func (p *failingPool) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	return p.ConnPool.(gorm.TxBeginner).BeginTx(ctx, options)
}

// GetDBConn implements [gorm.GetDBConnector], so that the pool can be closed.
func (p *failingPool) GetDBConn() (*sql.DB, error) { return p.ConnPool.(*sql.DB), nil }
