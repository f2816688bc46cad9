package gormstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// migration is one version of the library's own tables. Its statements are separated by ";\n", and told apart by what they are
// about, since the applications may be in another database than the rest.
type migration struct {
	id                        string
	applications, credentials string
}

func (m migration) ofApplications() []string { return split(m.applications) }
func (m migration) ofCredentials() []string  { return split(m.credentials) }
func (m migration) ofBoth() []string         { return append(m.ofApplications(), m.ofCredentials()...) }

func split(statements string) []string {
	if statements == "" {
		return nil
	}
	return strings.Split(statements, ";\n")
}

const createMigrations = `CREATE TABLE IF NOT EXISTS {migrations} (id varchar(255) PRIMARY KEY)`

// Migrate brings the tables up to date, or creates them. Any number of instances may call it at the same time, and it does
// nothing where there is nothing to do. The table of applications gets a column for every field that the host's struct has and
// the table has not, each with the field's zero value for the applications that there are; no column is ever changed or removed.
//
// What the host needs beside it, such as GORM's AutoMigrate of its own tables, can be given too: it runs in the same
// transaction, while no other instance migrates, after the columns are added and before the host's indices are. So it can fill a
// column that is tagged uniqueIndex, of which no two applications may have the zero value; a pointer needs no filling, since NULL may be
// there many times. With [Config.Applications] that is a transaction in the database of the applications, and comes after the one in
// the other.
func (s *Store[A]) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	applications, statements := s.Applications, migration.ofBoth
	if !applications.together() {
		if err := s.Credentials.Migrate(ctx); err != nil {
			return err
		}
		statements = migration.ofApplications
	}
	steps := slices.Concat([]func(*gorm.DB) error{applications.addColumns}, own, []func(*gorm.DB) error{applications.addIndices})
	return failed("migrating", applications.migrate(ctx, statements, steps...))
}

// migrate executes the versions that the database has not, and then the further steps, in one transaction.
func (d *database) migrate(ctx context.Context, statements func(migration) []string, further ...func(tx *gorm.DB) error) error {
	return d.dialect.underLock(ctx, d, func(tx *gorm.DB) error {
		var migrations []*gormigrate.Migration
		for _, version := range d.dialect.migrations() {
			migrations = append(migrations, &gormigrate.Migration{ID: version.id, Migrate: func(tx *gorm.DB) error {
				return d.executeEach(tx, statements(version))
			}})
		}
		options := &gormigrate.Options{TableName: d.prefix + "migrations"}
		if err := gormigrate.New(tx, options, migrations).Migrate(); err != nil {
			return err
		}
		for _, step := range further {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *database) executeEach(tx *gorm.DB, statements []string) error {
	for _, statement := range statements {
		if _, err := d.execute(tx.Statement.Context, tx.Statement.ConnPool, statement); err != nil {
			return err
		}
	}
	return nil
}

// PrintMigrations writes what Migrate would execute on an empty database, for those who let somebody else do it. Migrate
// then finds nothing to do. With [Config.Applications] it is a script for each of the two databases, below a comment that says
// which.
func (s *Store[A]) PrintMigrations(w io.Writer) error {
	extension, err := s.Applications.extension()
	if err != nil {
		return failed("printing the migrations", err)
	}
	statements, before := migration.ofBoth, ""
	if !s.Applications.together() {
		statements = migration.ofApplications
		before = "-- In the database of the credentials:\n" + s.script(migration.ofCredentials) + "-- In the database of the applications:\n"
	}
	script := before + s.Applications.script(statements)
	for _, statement := range extension {
		script += statement + ";\n"
	}
	_, err = io.WriteString(w, script)
	return err
}

// script returns every version, as it is executed on an empty database.
func (d *database) script(statements func(migration) []string) string {
	all := []string{createMigrations}
	for _, version := range d.dialect.migrations() {
		all = append(all, statements(version)...)
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
