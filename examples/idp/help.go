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
  IDP_SECRET             encrypts the signing keys in the database: at least 32 bytes, the
                         same for every instance and for the commands; without it they are
                         stored in clear
  IDP_ACCEPT_CLEAR_KEYS  ids of keys, as idp keys list shows them, that were stored before
                         there was an IDP_SECRET and still sign until they are rotated

What a seed file says is done again whenever idp serves with it: to change or remove an
application of the file with a command, change the file too. Secrets are the exception. Each
client_secret is given to its application once, so a restart does not bring a rotated secret
back: to give the application another one from the file, write a new one there. A new password
of a user ends the sessions of that user.

Flags may be written with one dash or two, behind the command, before or after its arguments.
What a command was asked for goes to the standard output; what it changed is also logged to the
standard error, as idp does when it serves.

Exit status:
  0  everything was done
  1  something failed, was interrupted, or is not there; check: idp would not serve
  2  the command line is wrong, or the application that it describes, and nothing was done
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
		return &usageError{message: "there is no command " + quoted(name)}
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
	fmt.Fprintf(out, "%s.\n\nUsage:\n  %s\n", strings.ToUpper(c.summary[:1])+c.summary[1:],
		strings.Join(strings.Fields("idp "+c.name+" "+c.arguments+" [FLAGS]"), " "))
	if c.details != "" {
		fmt.Fprintf(out, "\n%s\n", c.details)
	}
	fmt.Fprint(out, "\nFlags:\n")
	if err := listFlags(out, c); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, "\nRun idp help for the environment and the exit status.\n")
	return err
}

// The details of the commands.
const (
	serveDetails = `It creates the tables where there are none, does what the seed file says, and stops at once
if check finds an error. With -migrate=false it changes no table, and stops at once if one is
not up to date. While it serves it removes what has expired, so cleartokens is not needed.

/livez answers 200 while idp serves, and /readyz 200 if requests should come to this instance:
the database can be written to, and idp is not stopping.

On an interrupt /readyz says no, listening ends after -drain, and the requests that have begun
are finished, all within 10 seconds. If some had to be cut off, the exit status is 1. A second
interrupt ends idp at once.

Behind a proxy name its network with -trusted-proxies. Without it all sign-ins seem to come from
one address, and share its budget of wrong passwords.`

	createDetails = `CLIENT_TYPE is confidential for a server that can keep a secret, and public for every other
program. GRANT_TYPE is authorization_code, refresh_token or client_credentials, or several
with commas between. Django OAuth Toolkit's spelling, with dashes, is understood too.

The secret is generated and shown once. One that exists already can only be brought along in a
seed file, as client_secret. A redirect URI begins with https://, or with http:// on a loopback
address, or with a scheme of the program's own that has a dot.

A scope has to be there: those of OpenID Connect are, and those of a file that -seed names.`

	listDetails = `STATE is what was said with applications set: disabled, trusted (its users are not asked for
consent), verified.`

	setDetails = `Only what a flag is given for is changed; -NAME=false takes a yes back. Whatever is changed,
trust stays until you take it back, which is not so on the pages of its owner. A public
application is trusted only where its redirect URI is https.

The secret is replaced with applications rotate-secret. Scopes as in idp help createapplication.`

	clearDetails = `It may run beside idp that serves, and on a timer. On an interrupt it ends between two
transactions, or undoes the one that it is in, and says what was removed. A dry run counts
what the same command would remove; where -batches ends it early, somewhat more than that.`

	revokeDetails = `Say one of -user and -application. What was issued is refused at once, and the user is asked
for consent again. Neither has to be there any more.`

	rotateDetails = `New keys are published at once and sign after an hour; the keys before them stay published
for 30 days more. While a new key waits for its hour, no other is added. Instances that serve
take the keys over within a minute. It needs the IDP_SECRET that they have.`

	removeDetails = `Every ID token that the key has signed becomes invalid. Instances that serve forget it within
a minute. It needs the IDP_SECRET that they have.`

	checkDetails = `It changes nothing. Each line begins with error or warning and the id of the check, and ends
with what to do. Only an error is a failure. Give it the IDP_SECRET of idp that serves, or it
tells that the keys cannot be opened.`

	migrateDetails = `idp does the same before it serves, unless it is told -migrate=false: then this command, run by
an account that may change tables, comes first. It may run at any time, any number of times.`
)

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
