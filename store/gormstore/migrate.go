package gormstore

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// migration is one version of the library's own tables.
type migration struct {
	id         string
	statements string // separated by ";\n"
}

const createMigrations = `CREATE TABLE IF NOT EXISTS {migrations} (id varchar(255) PRIMARY KEY)`

// Migrate brings the tables up to date, or creates them. Any number of instances may call it at the same time, and it does
// nothing where there is nothing to do. The table of applications gets a column for every field that the host's struct has and
// the table has not, each with the field's zero value for the applications that there are; no column is ever changed or removed.
//
// What the host needs beside it, such as GORM's AutoMigrate of its own tables, can be given too: it runs in the same
// transaction, while no other instance migrates.
func (d *database) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	return failed("migrating", d.dialect.underLock(ctx, d, func(tx *gorm.DB) error {
		var migrations []*gormigrate.Migration
		for _, version := range d.dialect.migrations() {
			migrations = append(migrations, &gormigrate.Migration{ID: version.id, Migrate: func(tx *gorm.DB) error {
				return d.executeEach(tx, version.statements)
			}})
		}
		options := &gormigrate.Options{TableName: d.prefix + "migrations"}
		if err := gormigrate.New(tx, options, migrations).Migrate(); err != nil {
			return err
		}
		if err := d.extendApplications(tx); err != nil {
			return err
		}
		for _, migrate := range own {
			if err := migrate(tx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (d *database) executeEach(tx *gorm.DB, statements string) error {
	for _, statement := range split(statements) {
		if _, err := d.execute(tx.Statement.Context, tx.Statement.ConnPool, statement); err != nil {
			return err
		}
	}
	return nil
}

// PrintMigrations writes what Migrate would execute on an empty database, for those who let somebody else do it. Migrate
// then finds nothing to do.
func (d *database) PrintMigrations(w io.Writer) error {
	statements := []string{createMigrations}
	for _, version := range d.dialect.migrations() {
		statements = append(statements, split(version.statements)...)
		statements = append(statements, fmt.Sprintf("INSERT INTO {migrations} (id) VALUES ('%s')", version.id))
	}
	var script strings.Builder
	for _, statement := range statements {
		fmt.Fprintf(&script, "%s;\n", d.sql(statement))
	}
	extension, err := d.extension()
	if err != nil {
		return failed("printing the migrations", err)
	}
	for _, statement := range extension {
		fmt.Fprintf(&script, "%s;\n", statement)
	}
	_, err = io.WriteString(w, script.String())
	return err
}

func split(statements string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimSpace(statements), ";"), ";\n")
}
