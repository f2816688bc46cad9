package main

import (
	"context"
	"flag"
	"fmt"
	"io"
)

// migrateCommand migrates the tables like serve does at its start, for deployments in
// which another account does that.
func migrateCommand(flags *flag.FlagSet) action {
	at := databaseFlag(flags)
	printSQL := flags.Bool("print", false, "print the SQL that creates the provider's tables in an empty database, and change nothing")
	return func(ctx context.Context, _ []string, out io.Writer) error {
		if *printSQL {
			return printMigrations(*at, out)
		}
		database, err := openDatabase(ctx, *at)
		if err != nil {
			return err
		}
		defer database.Close()
		_, err = fmt.Fprintln(out, "The tables are up to date.")
		return err
	}
}

// printMigrations needs the location only for the SQL dialect. It creates no SQLite
// file.
func printMigrations(at location, out io.Writer) error {
	if !at.isPostgres() && !at.isInvalid() {
		at = ":memory:"
	}
	database, err := connect(at)
	if err != nil {
		return err
	}
	defer database.Close()
	return database.store.PrintMigrations(out)
}
