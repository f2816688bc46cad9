package gormstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

const (
	// lockTimeout is the time that a step of a migration waits for a lock. Requests
	// behind it wait as long.
	lockTimeout = "200ms"
	// lockPause is the longest time before a step tries again, and lockAttempts the
	// number of attempts.
	lockPause    = time.Second
	lockAttempts = 1000
)

var (
	errPooler   = errors.New("migrations cannot run through a pooler: run them once with the URL of the PostgreSQL server")
	errLostLock = fmt.Errorf("the lock of the migrations was lost: the connection was lost, or %w", errPooler)
)

// postgresMigration is a connection that holds the lock of the migrations. The lock
// belongs to the session and not to a transaction, because CREATE INDEX CONCURRENTLY
// waits for every open transaction.
type postgresMigration struct {
	*upgrade
	on  *gorm.DB // on the connection
	key int64
}

// migrate implements locks. A database without tables is not in use, so it is
// migrated in one transaction.
func (p postgresDialect) migrate(ctx context.Context, u *upgrade) (err error) {
	if pooler, ok := u.db.Dialector.(interface{ Pooled() bool }); ok && pooler.Pooled() {
		return errPooler
	}
	pool, err := u.db.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	// Closing the connection releases the lock and resets the settings.
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	on := u.db.Session(&gorm.Session{NewDB: true, Context: ctx})
	on.Statement.ConnPool = conn
	m := &postgresMigration{u, on, p.lockKey(u.database, "migrations")}
	if err := m.lock(ctx, conn); err != nil {
		return err
	}
	if _, err := u.execute(ctx, conn, createMigrations, arguments{}); err != nil {
		return err
	}
	done, err := u.queryStrings(ctx, conn, selectMigrations, arguments{})
	if err != nil {
		return err
	}
	if len(done) == 0 {
		return m.transaction(ctx, u.runAtOnce)
	}
	return m.run(ctx, conn, done)
}

// lock waits for the lock outside a transaction, so that the instance that holds it
// need not wait for this one.
func (m *postgresMigration) lock(ctx context.Context, conn *sql.Conn) error {
	// It takes long to create an index of a large table.
	for _, setting := range []string{"SET statement_timeout = 0", "SET lock_timeout = 0"} {
		if _, err := conn.ExecContext(ctx, setting); err != nil {
			return err
		}
	}
	for {
		var locked bool
		if err := m.queryRow(ctx, conn, "SELECT pg_try_advisory_lock(@lock)", arguments{lock: m.key}, &locked); err != nil || locked {
			return err
		}
		if !pause(ctx, lockPause/4) {
			return ctx.Err()
		}
	}
}

// run executes the steps that are due.
func (m *postgresMigration) run(ctx context.Context, conn *sql.Conn, done []string) error {
	for _, version := range m.dueVersions(done) {
		if err := m.runVersion(ctx, conn, version, done); err != nil {
			return fmt.Errorf("version %s: %w", version.id, err)
		}
	}
	if m.table != nil {
		if err := m.addColumns(ctx, conn, done); err != nil {
			return err
		}
	}
	if len(m.own) > 0 {
		if err := m.transaction(ctx, m.runOwn); err != nil {
			return err
		}
	}
	if m.table == nil {
		return nil
	}
	return m.addIndices(ctx, conn)
}

// runVersion executes the steps of a version that have not run. A step in a
// transaction is marked as done in the same transaction. An index is marked after it
// was created, which is repeatable.
func (m *postgresMigration) runVersion(ctx context.Context, conn *sql.Conn, version migration, done []string) error {
	for i, step := range version.stepsOf(m.halves) {
		part := version.part(i)
		if slices.Contains(done, part) {
			continue
		}
		statements := step.all()
		if step.index != "" {
			if err := m.ensureIndex(ctx, conn, m.sql(step.index), m.sql(step.statements)); err != nil {
				return err
			}
			statements = nil
		}
		err := m.transaction(ctx, func(tx *gorm.DB) error {
			if err := m.executeEach(tx, statements); err != nil {
				return err
			}
			_, err := m.execute(ctx, tx.Statement.ConnPool, insertMigration, arguments{id: part})
			return err
		})
		if err != nil {
			return err
		}
	}
	return m.transaction(ctx, func(tx *gorm.DB) error {
		if _, err := m.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {migrations} WHERE starts_with(id, @id)`, arguments{id: version.id + "."}); err != nil {
			return err
		}
		_, err := m.execute(ctx, tx.Statement.ConnPool, insertMigration, arguments{id: version.id})
		return err
	})
}

// unfilled begins the mark of a column that was added and whose rows have no value
// yet.
const unfilled = "unfilled "

// addColumns adds the host's columns, each in a transaction that locks the table for
// a moment, and fills them in other transactions, which lock only rows.
func (m *postgresMigration) addColumns(ctx context.Context, conn *sql.Conn, done []string) error {
	existing, err := m.queryStrings(ctx, conn, m.dialect.applicationColumns, arguments{})
	if err != nil {
		return err
	}
	if len(existing) == 0 {
		return errNoApplications
	}
	for _, field := range m.table.missing(existing) {
		err := m.transaction(ctx, func(tx *gorm.DB) error {
			if err := m.table.addColumn(tx, field); err != nil {
				return err
			}
			_, err := m.execute(ctx, tx.Statement.ConnPool, insertMigration, arguments{id: unfilled + field.DBName})
			return err
		})
		if err != nil {
			return fmt.Errorf("adding the column %s to the applications: %w", field.DBName, err)
		}
		done = append(done, unfilled+field.DBName)
	}
	for _, mark := range done {
		name, isMark := strings.CutPrefix(mark, unfilled)
		field := m.table.schema.FieldsByDBName[name]
		if !isMark || field == nil { // of another program
			continue
		}
		err := m.transaction(ctx, func(tx *gorm.DB) error {
			if err := m.table.fillColumn(tx, field); err != nil {
				return err
			}
			_, err := m.execute(ctx, tx.Statement.ConnPool, deleteMigration, arguments{id: mark})
			return err
		})
		if err != nil {
			return fmt.Errorf("filling the column %s of the applications: %w", name, err)
		}
	}
	return nil
}

// addIndices adds the indices of the host's application.
func (m *postgresMigration) addIndices(ctx context.Context, conn *sql.Conn) error {
	for _, index := range m.table.hostIndices() {
		statement, err := m.table.createIndex(index)
		if err != nil {
			return err
		}
		if err := m.ensureIndex(ctx, conn, index.Name, addConcurrently(statement)); err != nil {
			return m.table.indexFailed(index, err)
		}
	}
	return nil
}

// transaction executes run in a transaction that waits for no lock longer than
// lockTimeout, until it gets its locks.
func (m *postgresMigration) transaction(ctx context.Context, run func(tx *gorm.DB) error) error {
	return m.retryLocks(ctx, func() error {
		return m.on.Transaction(func(tx *gorm.DB) error {
			pool, held := tx.Statement.ConnPool, false
			if _, err := pool.ExecContext(ctx, "SET LOCAL lock_timeout = '"+lockTimeout+"'"); err != nil {
				return err
			}
			err := m.queryRow(ctx, pool, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
AND objsubid = 1 AND (classid::bigint << 32) | objid::bigint = @lock)`, arguments{lock: m.key}, &held)
			if err == nil && !held {
				err = errLostLock
			}
			if err != nil {
				return err
			}
			return run(tx)
		}, m.dialect.transactionOptions()...)
	})
}

// retryLocks executes run until it gets its locks.
func (m *postgresMigration) retryLocks(ctx context.Context, run func() error) error {
	for n := 1; ; n++ {
		err := run()
		lockFailed := sqlState(err) == "55P03" || isUndone(err)
		if !lockFailed || n == lockAttempts || !pause(ctx, lockPause) {
			return withContextError(ctx, err)
		}
	}
}

// ensureIndex creates an index of a table that may be in use, unless a valid one
// exists. An index that an interrupted run has left is invalid, and is removed first.
// Both wait for transactions that use the table, and no request waits for them.
func (m *postgresMigration) ensureIndex(ctx context.Context, conn *sql.Conn, name, statement string) error {
	return m.retryLocks(ctx, func() error {
		valid, err := m.isValid(ctx, conn, name)
		if err != nil || valid {
			return err
		}
		if err := m.dropIndex(ctx, conn, name); err != nil {
			return err
		}
		_, err = conn.ExecContext(ctx, statement)
		if err == nil {
			return nil
		}
		// An invalid unique index would refuse rows.
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		if failure := m.dropIndex(cleanup, conn, name); failure != nil {
			return errors.Join(err, failure)
		}
		return err
	})
}

// cleanupTimeout is the time to remove an index that could not be created.
const cleanupTimeout = 5 * time.Second

func (m *postgresMigration) isValid(ctx context.Context, conn *sql.Conn, name string) (valid bool, err error) {
	err = m.queryRow(ctx, conn, `SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(@name) AND indisvalid)`,
		arguments{name: quote(name)}, &valid)
	return valid, err
}

func (*postgresMigration) dropIndex(ctx context.Context, conn *sql.Conn, name string) error {
	_, err := conn.ExecContext(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+quote(name))
	return err
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
