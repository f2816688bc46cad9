package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one of the things that this program can do.
type command struct {
	name      string // one word, or two
	arguments string // what has to be said beside the flags, separated by spaces
	summary   string
	details   string // more than the summary, in lines; empty: there is nothing to add
	define    func(flags *flag.FlagSet) action
}

// action is what a command does once its flags have their values.
type action func(ctx context.Context, arguments []string, out io.Writer) error

// usageError says that the command line is wrong, and where to read what is right.
type usageError struct {
	command, message string
}

func (e *usageError) Error() string {
	return e.message + "\nRun " + strings.TrimSpace("idp help "+e.command) + " to see what is possible."
}

// run parses the flags, which may stand before and after the arguments, and acts.
func (c command) run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is in the error
	act := c.define(flags)
	arguments, err := parse(flags, args)
	wanted := strings.Fields(c.arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.help(out)
	case err != nil:
		return &usageError{c.name, misread(err, wanted[min(len(arguments), len(wanted)):])}
	case len(arguments) < len(wanted):
		return &usageError{c.name, wanted[len(arguments)] + " is missing"}
	case len(arguments) > len(wanted):
		return &usageError{c.name, "unexpected argument " + quoted(arguments[len(wanted)]) + "; a command stands before its flags"}
	}
	err = act(ctx, arguments, out)
	var wrong *usageError
	if errors.As(err, &wrong) {
		wrong.command = c.name
	}
	return err
}

// misread says what is wrong with the flags, as long as these arguments were missing. Only an id may begin with a dash.
func misread(err error, missing []string) string {
	unknown, found := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	switch {
	case location(err.Error()).isMistaken(): // "bad flag syntax: " and the argument
		return "a flag is written as -NAME VALUE or -NAME=VALUE"
	case !found:
		return err.Error()
	case len(missing) > 0 && strings.HasSuffix(missing[0], "ID"):
		return fmt.Sprintf("there is no flag %s; if it is the %s, write -- before it", unknown, missing[0])
	default:
		return "there is no flag " + unknown
	}
}

// parse returns what is no flag. Behind "--" nothing is.
func parse(flags *flag.FlagSet, args []string) (arguments []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return arguments, err
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return arguments, nil
		}
		if parsed := len(args) - len(rest); parsed > 0 && args[parsed-1] == "--" {
			return append(arguments, rest...), nil
		}
		arguments, args = append(arguments, rest[0]), rest[1:]
	}
}

// databaseFlag is the flag that every command has.
func databaseFlag(flags *flag.FlagSet) *location {
	at := location("idp.db")
	flags.StringVar((*string)(&at), "db", string(at), "SQLite `file` or postgres:// URL")
	return &at
}

// onDatabase is an action on the tables that there are.
func onDatabase(flags *flag.FlagSet, act func(ctx context.Context, database *database, arguments []string, out io.Writer) error) action {
	at := databaseFlag(flags)
	return func(ctx context.Context, arguments []string, out io.Writer) error {
		database, err := openExisting(ctx, *at)
		if err != nil {
			return err
		}
		defer database.Close()
		return act(ctx, database, arguments, out)
	}
}

// checked is an action that is not begun where wrong returns what is wrong with the flags.
func checked(wrong func() string, act action) action {
	return func(ctx context.Context, arguments []string, out io.Writer) error {
		if message := wrong(); message != "" {
			return &usageError{message: message}
		}
		return act(ctx, arguments, out)
	}
}
