package gormstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// database holds the library's tables, or some of them.
type database struct {
	db         *gorm.DB
	dialect    dialect
	prefix     string
	tables     tables
	parameters parameters
	statements sync.Map // from the text of each statement in this package to the *statement
	// writers is the queue of the writers. It is nil if writers need not wait for
	// each other.
	writers *semaphore.Weighted
	file    *databaseFile // nil on a server
}

var tablePrefix = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,23}$`)

func newDatabase(db *gorm.DB, prefix string) (*database, error) {
	prefix = cmp.Or(prefix, "oauth_")
	if !tablePrefix.MatchString(prefix) {
		return nil, fmt.Errorf("gormstore: the table prefix %q must be 1 to 24 characters of a-z, 0-9 and _, and must not begin with a digit", prefix)
	}
	if db == nil {
		return nil, errors.New("gormstore: the database is nil")
	}
	tables := newTables()
	d := &database{db: ownSession(db), prefix: prefix, tables: tables, parameters: newParameters(tables)}
	switch name := db.Name(); name {
	case "postgres":
		d.dialect = newPostgres()
	case "sqlite":
		d.dialect, d.writers, d.file = newSQLite(), semaphore.NewWeighted(1), &databaseFile{}
	default:
		return nil, fmt.Errorf("gormstore: the database %q is not supported; use postgres or sqlite", name)
	}
	return d, nil
}

// ownSession returns the host's database without the host's settings. GORM's prepared
// statements are left out because they parse every statement of a transaction again,
// while the drivers have their own.
func ownSession(db *gorm.DB) *gorm.DB {
	own := db.Session(&gorm.Session{
		NewDB:                  true,
		SkipDefaultTransaction: true,
		QueryFields:            true,           // SELECT * fails once after another instance has added a column
		Logger:                 logger.Discard, // errors are returned, and values must not be logged
		NowFunc:                func() time.Time { return db.NowFunc().UTC().Truncate(time.Microsecond) },
	})
	own.DryRun, own.PrepareStmt, own.TranslateError = false, false, false
	own.AllowGlobalUpdate, own.FullSaveAssociations = false, false
	pool := db.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtDB); ok {
		pool = prepared.ConnPool
	}
	own.ConnPool = pool
	// The host's statement may hold conditions.
	own.Statement = &gorm.Statement{DB: own, ConnPool: pool, Context: context.Background(), Clauses: map[string]clause.Clause{}}
	return own
}

// pool executes statements outside a transaction. It bypasses GORM's callbacks, so no
// plug-in sends a statement to a replica: a read that decides about a secret must see
// the last write.
func (d *database) pool() gorm.ConnPool { return d.db.Statement.ConnPool }

// inTransaction executes run in a transaction, several times if the database undoes it.
func (d *database) inTransaction(ctx context.Context, run func(tx gorm.ConnPool) error) error {
	return d.transaction(ctx, func(tx *gorm.DB) error { return run(tx.Statement.ConnPool) })
}

// stamp returns a time as it is stored.
func (d *database) stamp(t time.Time) any { return d.dialect.stamp(t) }

// stampOrNull returns a time as it is stored, and NULL for the zero time.
func (d *database) stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return d.dialect.stamp(t)
}

// storeError returns err with the operation that failed. It wraps the answers of a store,
// such as [oauthkit.ErrNotFound].
func storeError(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("gormstore: %s: %w", operation, err)
}

// close closes the database, the host's *gorm.DB included.
func (d *database) close() error { return closeDB(d.db) }

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return fmt.Errorf("gormstore: closing the database: %w", err)
	}
	return pool.Close()
}
