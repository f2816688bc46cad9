package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const overviewHead = `idp is an identity provider: OAuth 2.0 and OpenID Connect.

Usage:
  idp [FLAGS]            serve
  idp COMMAND [FLAGS]    do something else
  idp help COMMAND       show the flags of a command

`

const overviewFoot = `
Environment:
  IDP_SECRET  encrypts the signing keys in the database: at least 32 bytes, the same for
              every instance and for the commands; without it they are stored in clear

What a seed file says is done again whenever idp serves with it: whoever changes or removes
an application that is in the file with a command has to change the file too.

Flags may be written with one dash or two, before or after the arguments. The exit status
is 2 where the command line is wrong, and 1 where something failed.
`

// help prints what is known of a command or of a group of them; of everything where none is named.
func help(words []string, out io.Writer) error {
	if len(words) == 0 {
		return overview(out)
	}
	name := strings.Join(words, " ")
	for _, candidate := range commands() {
		if candidate.name == name {
			return candidate.help(out)
		}
	}
	group := below(name)
	if len(group) == 0 {
		return &usageError{message: fmt.Sprintf("there is no command %q", name)}
	}
	fmt.Fprintf(out, "Commands:\n")
	if err := list(out, group); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nRun idp help %s COMMAND to see the flags of one.\n", name)
	return err
}

// below returns the commands of two words that begin with this one.
func below(first string) []command {
	var group []command
	for _, candidate := range commands() {
		if strings.HasPrefix(candidate.name, first+" ") {
			group = append(group, candidate)
		}
	}
	return group
}

func overview(out io.Writer) error {
	fmt.Fprint(out, overviewHead, "Commands:\n")
	if err := list(out, commands()); err != nil {
		return err
	}
	fmt.Fprint(out, "\nFlags of serve:\n")
	if err := listFlags(out, commands()[0]); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, overviewFoot)
	return err
}

func list(out io.Writer, group []command) error {
	table := newTable(out)
	for _, one := range group {
		fmt.Fprintf(table, "  %s\t%s\n", one.name, one.summary)
	}
	return table.Flush()
}

// help prints how a command is called.
func (c command) help(out io.Writer) error {
	fmt.Fprintf(out, "%s.\n\nUsage:\n  %s\n\nFlags:\n", strings.ToUpper(c.summary[:1])+c.summary[1:],
		strings.Join(strings.Fields("idp "+c.name+" "+c.arguments+" [FLAGS]"), " "))
	return listFlags(out, c)
}

func listFlags(out io.Writer, c command) error {
	flags, table := flag.NewFlagSet(c.name, flag.ContinueOnError), newTable(out)
	c.define(flags)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  -%s\t%s\n", strings.TrimSpace(f.Name+" "+strings.ToUpper(value)), usage)
	})
	return table.Flush()
}

// newTable aligns columns that are separated by tabs.
func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }
