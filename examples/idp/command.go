package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is a command of this program.
type command struct {
	name      string // one word, or two
	arguments string // names of the positional arguments, separated by spaces
	summary   string
	details   string // further help text; may be empty
	define    func(flags *flag.FlagSet) action
}

// action runs a command after its flags were parsed.
type action func(ctx context.Context, arguments []string, out io.Writer) error

// usageError reports an invalid command line and names the help page.
type usageError struct {
	command, message string
}

func (e *usageError) Error() string {
	return e.message + "\nRun " + strings.TrimSpace("idp help "+e.command) + " for usage."
}

// run parses the flags and arguments, in any order, and runs the command.
func (c command) run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says enough
	act := c.define(flags)
	arguments, err := parseArguments(flags, args)
	wanted := strings.Fields(c.arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.help(out)
	case err != nil:
		return &usageError{c.name, explainFlagError(err, wanted[min(len(arguments), len(wanted)):])}
	case len(arguments) < len(wanted):
		return &usageError{c.name, wanted[len(arguments)] + " is missing"}
	case len(arguments) > len(wanted):
		return &usageError{c.name, "unexpected argument " + quoteArgument(arguments[len(wanted)]) + "; flags must follow the command"}
	}
	err = act(ctx, arguments, out)
	var usage *usageError
	if errors.As(err, &usage) {
		usage.command = c.name
	}
	return err
}

// explainFlagError rewords an error of package flag. An id may begin with a dash, so it
// mentions -- if the next missing argument is an id.
func explainFlagError(err error, missing []string) string {
	unknown, found := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	switch {
	case location(err.Error()).isInvalid(): // "bad flag syntax: " followed by an argument that may hold a password
		return "bad flag syntax; use -NAME VALUE or -NAME=VALUE"
	case !found:
		return err.Error()
	case len(missing) > 0 && strings.HasSuffix(missing[0], "ID"):
		return fmt.Sprintf("unknown flag %s; if it is the %s, put -- before it", unknown, missing[0])
	default:
		return "unknown flag " + unknown
	}
}

// parseArguments parses the flags and returns the other arguments. After "--" there are
// no flags.
func parseArguments(flags *flag.FlagSet, args []string) (arguments []string, err error) {
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

// databaseFlag defines the flag -db, which every command has.
func databaseFlag(flags *flag.FlagSet) *location {
	at := location("idp.db")
	flags.StringVar((*string)(&at), "db", string(at), "SQLite `file` or postgres:// URL")
	return &at
}

// onDatabase returns an action that opens an existing database for act.
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

// checkFirst returns an action that runs act only if check returns no complaint about
// the flags.
func checkFirst(check func() string, act action) action {
	return func(ctx context.Context, arguments []string, out io.Writer) error {
		if message := check(); message != "" {
			return &usageError{message: message}
		}
		return act(ctx, arguments, out)
	}
}
