package main

import (
	"context"
	"flag"
	"fmt"
	"io"
)

// migrateCommand does to the tables what serving does first, for those who let another account do it.
func migrateCommand(flags *flag.FlagSet) action {
	at := databaseFlag(flags)
	printed := flags.Bool("print", false, "change nothing: print the SQL that makes the provider's tables in an empty database")
	return func(ctx context.Context, _ []string, out io.Writer) error {
		if *printed {
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

// printMigrations needs the location only to know which database it is, and leaves no SQLite file behind.
func printMigrations(at location, out io.Writer) error {
	if !at.isPostgres() && !at.isMistaken() {
		at = ":memory:"
	}
	database, err := connect(at)
	if err != nil {
		return err
	}
	defer database.Close()
	return database.store.PrintMigrations(out)
}
