package gormstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gorm.io/gorm"
)

const (
	createMigrations = `CREATE TABLE IF NOT EXISTS {migrations} (id varchar(255) PRIMARY KEY)`
	selectMigrations = `SELECT id FROM {migrations}`
	insertMigration  = `INSERT INTO {migrations} (id) VALUES (@id)`
	deleteMigration  = `DELETE FROM {migrations} WHERE id = @id`
)

// Migrate creates the tables or updates them. Several instances may call it at the
// same time, and it only reads if there is nothing to do. The table of applications
// gets a column for every field of the host's struct that has none, with the field's
// zero value for existing applications. No column is ever changed or removed.
//
// The functions make further changes for the host, such as GORM's AutoMigrate of its
// tables. They run in one transaction, while no other instance migrates, after the
// columns are added and before the host's indices are. So they can fill a column that
// is tagged uniqueIndex, in which no two applications may have the zero value. A
// pointer needs no value, since several rows may have NULL. The functions run at each
// call, and again if a lock was not available, so they must be repeatable. With
// [Config.ApplicationDB] they run in the database of the applications, which is
// migrated last.
//
// On SQLite, and on a PostgreSQL database without tables, everything is one
// transaction. A PostgreSQL database that is in use is changed in steps that are
// committed one by one, and a run that was interrupted is completed by the next one.
// A step waits at most a fifth of a second for a lock, so that requests do not wait
// behind it, and tries again for about ten minutes. Indices, including those of the
// host, are created with CREATE INDEX CONCURRENTLY. The host's functions have the
// same lock_timeout, but may hold their locks for any time. Migrate uses one
// connection, on which it holds an advisory lock of the session. A pooler that uses
// several connections of the server for one session does not support this: Migrate
// then fails unless there is nothing to do.
//
// To start a program without migrating, open the database with OpenDB of package
// store/postgres or store/sqlite, and call [New] but not Migrate. [Store.Check]
// reports missing migrations.
func (s *Store[A]) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	applications := s.ApplicationTable.applicationRows
	halves := []half{ofApplications, ofCredentials}
	if !s.ApplicationTable.together() {
		if err := s.Credentials.Migrate(ctx); err != nil {
			return err
		}
		halves = []half{ofApplications}
	}
	return storeError("migrating", applications.migrate(ctx, &upgrade{database: applications.database, halves: halves, table: applications, own: own}))
}

// upgrade is the work of Migrate in one database.
type upgrade struct {
	*database
	halves []half
	table  *applicationRows // nil if the applications are in another database
	own    []func(tx *gorm.DB) error
}

// migrate executes the migrations that are due.
func (d *database) migrate(ctx context.Context, u *upgrade) error {
	due, err := u.isDue(ctx)
	if err != nil || !due {
		return err
	}
	return d.dialect.migrate(ctx, u)
}

// isDue reports whether there is anything to do, without a lock.
func (u *upgrade) isDue(ctx context.Context) (bool, error) {
	var exists bool
	if err := u.queryRow(ctx, u.pool(), u.dialect.hasMigrations, arguments{}, &exists); err != nil || !exists || len(u.own) > 0 {
		return true, err
	}
	done, err := u.queryStrings(ctx, u.pool(), selectMigrations, arguments{})
	if err != nil {
		return false, err
	}
	if len(u.dueVersions(done)) > 0 {
		return true, nil
	}
	if u.table == nil {
		return false, nil
	}
	return u.table.isDue(ctx, done)
}

// dueVersions returns the versions that are not in done.
func (u *upgrade) dueVersions(done []string) []migration {
	return slices.DeleteFunc(slices.Clone(u.dialect.migrations), func(version migration) bool { return slices.Contains(done, version.id) })
}

// runAtOnce executes everything in one transaction.
func (u *upgrade) runAtOnce(tx *gorm.DB) error {
	ctx, pool := tx.Statement.Context, tx.Statement.ConnPool
	done, err := u.queryStrings(ctx, pool, selectMigrations, arguments{})
	if err != nil {
		return err
	}
	for _, version := range u.dueVersions(done) {
		for _, step := range version.stepsOf(u.halves) {
			if err := u.executeEach(tx, step.all()); err != nil {
				return err
			}
		}
		if _, err := u.execute(ctx, pool, insertMigration, arguments{id: version.id}); err != nil {
			return err
		}
	}
	if u.table != nil {
		if err := u.table.addColumns(tx); err != nil {
			return err
		}
	}
	if err := u.runOwn(tx); err != nil || u.table == nil {
		return err
	}
	return u.table.addIndices(tx)
}

// runOwn calls the host's functions.
func (u *upgrade) runOwn(tx *gorm.DB) error {
	for _, own := range u.own {
		if err := own(tx); err != nil {
			return err
		}
	}
	return nil
}

func (d *database) executeEach(tx *gorm.DB, statements []string) error {
	for _, statement := range statements {
		if _, err := d.execute(tx.Statement.Context, tx.Statement.ConnPool, statement, arguments{}); err != nil {
			return err
		}
	}
	return nil
}

// PrintMigrations writes the statements that Migrate executes on an empty database,
// for a host whose operator executes them. Afterwards Migrate has nothing to do. With
// [Config.ApplicationDB] it writes a script for each database, below a comment that
// names it.
func (s *Store[A]) PrintMigrations(w io.Writer) error {
	extension, err := s.ApplicationTable.extension()
	if err != nil {
		return storeError("printing the migrations", err)
	}
	script := s.ApplicationTable.script(ofApplications, ofCredentials)
	if !s.ApplicationTable.together() {
		script = "-- In the database of the credentials:\n" + s.script(ofCredentials) +
			"-- In the database of the applications:\n" + s.ApplicationTable.script(ofApplications)
	}
	for _, statement := range extension {
		script += statement + ";\n"
	}
	_, err = io.WriteString(w, script)
	return err
}

// script returns the statements of every version, as they are executed on an empty
// database.
func (d *database) script(halves ...half) string {
	all := []string{createMigrations}
	for _, version := range d.dialect.migrations {
		for _, step := range version.stepsOf(halves) {
			all = append(all, step.all()...)
		}
		all = append(all, fmt.Sprintf("INSERT INTO {migrations} (id) VALUES ('%s')", version.id))
	}
	var script strings.Builder
	for _, statement := range all {
		fmt.Fprintf(&script, "%s;\n", d.sql(statement))
	}
	return script.String()
}

// errNoApplications is the error if only the halves of the credentials have run.
var errNoApplications = errors.New("the table of applications does not exist, although its migrations have run: it was removed, or this is the database of the credentials")
