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

// Migrate brings the tables up to date, or creates them. Any number of instances may call it at the same time, and it only reads
// if there is nothing to do. The table of applications gets a column for every field that the host's struct has and
// the table has not, each with the field's zero value for the applications that exist; no column is ever changed or removed.
//
// What the host needs beside it, such as GORM's AutoMigrate of its own tables, can be given too: these functions run in one
// transaction, while no other instance migrates, after the columns are added and before the host's indices are. So they can fill a
// column that is tagged uniqueIndex, of which no two applications may have the zero value; a pointer needs no filling, since NULL may be
// there many times. They run at each call, and again if a lock could not be had, so they must be repeatable. With
// [Config.Applications] all of this is done in the database of the applications, after the other one.
//
// On SQLite, and on a PostgreSQL database without tables, everything is one transaction. A PostgreSQL database that is in use is changed
// in steps that are committed one by one; a run that was interrupted is completed by the next one. No step waits for a lock longer
// than a fifth of a second: it gives up and tries again for about ten minutes, so that requests never wait behind it. Indices,
// the host's included, are created with CREATE INDEX CONCURRENTLY. The host's functions have the same lock_timeout, but how long they hold
// the locks that they got is up to them. Migrate uses one connection, on which it holds an advisory lock of the session, so a
// pooler that gives each transaction another connection of the server does not do: Migrate then fails unless there is nothing to do.
//
// To start a program without migrating, open the database with OpenDB of package store/postgres or store/sqlite, and call [New] but not
// Migrate. [Store.Check] reports what is missing.
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

// upgrade is what Migrate has to do in one database.
type upgrade struct {
	*database
	halves []half
	table  *applicationRows // nil: the applications are not here
	own    []func(tx *gorm.DB) error
}

// migrate does what is due.
func (d *database) migrate(ctx context.Context, u *upgrade) error {
	due, err := u.isDue(ctx)
	if err != nil || !due {
		return err
	}
	return d.dialect.migrate(ctx, u)
}

// isDue reports whether there is anything to do, without a lock.
func (u *upgrade) isDue(ctx context.Context) (bool, error) {
	var there bool
	if err := u.queryRow(ctx, u.pool(), u.dialect.hasMigrations, arguments{}, &there); err != nil || !there || len(u.own) > 0 {
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

// dueVersions returns the versions that are not among those that were done.
func (u *upgrade) dueVersions(done []string) []migration {
	return slices.DeleteFunc(slices.Clone(u.dialect.migrations), func(version migration) bool { return slices.Contains(done, version.id) })
}

// runAtOnce does everything in one transaction.
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

// PrintMigrations writes what Migrate executes on an empty database, for those who let somebody else do it. Migrate
// then finds nothing to do. With [Config.Applications] it is a script for each of the two databases, below a comment that says
// which.
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

// script returns every version, as it is executed on an empty database.
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

// errNoApplications says that the versions have run here for the credentials alone.
var errNoApplications = errors.New("the table of applications is not there, although its migrations have run: it was removed, or this is the database of the credentials alone")
