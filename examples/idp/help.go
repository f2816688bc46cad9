package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const overviewHead = `idp is an identity provider for OAuth 2.0 and OpenID Connect.

Usage:
  idp [FLAGS]            serve
  idp COMMAND [FLAGS]    run a command
  idp help COMMAND       show the flags of a command

`

const overviewFoot = `
Environment:
  IDP_SECRET             encrypts the signing keys in the database: at least 32 bytes, the
                         same for every instance and for the commands; without it the keys
                         are stored unencrypted
  IDP_ACCEPT_SECRETS     other secrets that open what IDP_SECRET does not, while it is replaced
  IDP_ACCEPT_CLEAR_KEYS  ids of unencrypted keys, as idp keys list shows them, that stay in use
                         after IDP_SECRET was introduced, until they are rotated out
  IDP_ADMIN_TOKEN        what requests to -admin-addr must send as Authorization: Bearer TOKEN: at
                         least 32 bytes

The seed file is applied at every start of idp serve: to change or remove an application of the
file with a command, change the file too. Secrets are the exception. Each client_secret is set
only once, so a restart does not restore a rotated secret. To replace a secret from the file,
write a new one there. A new password ends the sessions of its user.

Flags follow the command, before or after its arguments, with one dash or two. Commands print
results to standard output and log their changes to standard error, as idp serve does.

Exit status:
  0  success
  1  failure, interrupted, or not found; for check: idp would not start
  2  invalid command line or invalid application; nothing was changed
`

// help prints the help of a command or a group of commands, or an overview.
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
	group := subcommands(name)
	if len(group) == 0 {
		return &usageError{message: "unknown command " + quoteArgument(name)}
	}
	fmt.Fprintf(out, "Commands:\n")
	if err := list(out, group); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nRun idp help %s COMMAND for the flags of a command.\n", name)
	return err
}

// subcommands returns the commands of two words that begin with first.
func subcommands(first string) []command {
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

// help prints the usage of a command.
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

const (
	serveDetails = `It creates missing tables, applies the seed file, and fails at once if check finds an error.
With -migrate=false it changes no table, and fails if one is not up to date. While it serves,
it removes expired rows, so cleartokens is not needed.

/livez responds 200 while idp serves. /readyz responds 200 if requests should go to this
instance: the database can be written to, and idp is not stopping.

On an interrupt /readyz responds 503, listening ends after -drain, and requests in flight are
finished, all within 10 seconds. The exit status is 1 if some were cut off. A second interrupt
ends idp at once.

-admin-addr serves POST /admin/rotate-keys, which adds signing keys as idp keys rotate does,
publishes them in this instance at once, and responds with all keys as JSON. It needs the
environment variable IDP_ADMIN_TOKEN.

While it serves, it also delivers logout tokens. They go to public https addresses; with
-allow-loopback-fetch also to http and https addresses of this machine, for tests.

Behind a proxy, set its network with -trusted-proxies. Otherwise all sign-ins have the address
of the proxy and share one budget of wrong passwords.`

	createDetails = `CLIENT_TYPE is confidential for a server that can keep a secret, and public for every other
program. GRANT_TYPE is authorization_code, refresh_token or client_credentials, or a
comma-separated list of them. The spelling of Django OAuth Toolkit, with dashes, is accepted.

The secret is generated and shown once. To import an existing secret, set client_secret in a
seed file. A redirect URI begins with https://, with http:// and a loopback address, or with a
private-use scheme that contains a dot.

Scopes must exist: the scopes of OpenID Connect do, and those of the file in -seed.`

	listDetails = `STATE lists the operator's settings: disabled, trusted (users are not asked for consent),
verified.`

	setDetails = `Only properties with a flag are changed; -NAME=false resets a boolean. Changes by an operator
keep an application trusted and verified, unlike changes by its owner on the pages. A public
application is trusted only if its redirect URI is https.

Use applications rotate-secret to replace the secret. For scopes see idp help
createapplication.`

	clearDetails = `It can run on a timer while idp serves. On an interrupt it stops after a transaction, or rolls
the current one back, and prints the rows that it removed. A dry run counts the rows that the
same command would remove, or a few more if -batches ends it early.`

	revokeDetails = `Use either -user or -application. Tokens are rejected at once, and users are asked for consent
again. The user or the application need not exist any more.`

	rotateDetails = `New keys are published at once and sign after an hour. Their predecessors stay published for 30
more days. No key is added while a new one does not sign yet. Running instances load the keys
within a minute. It needs their IDP_SECRET.`

	importDetails = `An announced key signs after an hour. An active one signs at once: import so the key of a
provider that this one replaces, whose clients know it. A retiring one only verifies, for 30 days.
It needs the IDP_SECRET of the running instances.`

	removeDetails = `Every ID token that the key signed becomes invalid. Running instances stop using it within a
minute. It needs their IDP_SECRET.`

	checkDetails = `It changes nothing. Each line starts with error or warning and the id of the check, and ends
with a hint. Only errors make it fail. It needs the IDP_SECRET of the running instances, or it
reports that the keys cannot be decrypted.`

	migrateDetails = `idp serve does the same at its start, unless it has -migrate=false. In that case run this
command first, with an account that may change tables. It can be repeated at any time.`
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

// newTable returns a writer that aligns tab-separated columns.
func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }
