// Command idp is a complete identity provider. Users and applications come from a seed
// file or the command line; the login page and the sessions are its own; oauthkit does
// everything else. It is small enough to read and to copy.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "idp:", err)
		var usage *usageError
		if errors.As(err, &usage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// commands returns all commands. Each is a thin layer over functions that a host can
// call itself.
func commands() []command {
	return []command{
		{"serve", "", "serve; the default command", serveDetails, serveCommand},
		{"createapplication", "CLIENT_TYPE GRANT_TYPE[,GRANT_TYPE...]", "register an application and print its secret", createDetails, createApplicationCommand},
		{"applications list", "", "list all applications", listDetails, listApplicationsCommand},
		{"applications show", "CLIENT_ID", "print an application as JSON, without its secret", "", showApplicationCommand},
		{"applications set", "CLIENT_ID", "change an application or the operator's settings for it", setDetails, setApplicationCommand},
		{"applications rotate-secret", "CLIENT_ID", "give an application a new secret and print it", "", rotateSecretCommand},
		{"applications delete", "CLIENT_ID", "delete an application and revoke everything issued to it", "", deleteApplicationCommand},
		{"cleartokens", "", "remove expired rows", clearDetails, clearTokensCommand},
		{"revoke", "", "revoke all access of a user's applications, or of one application", revokeDetails, revokeCommand},
		{"keys list", "", "list the signing keys", "", listKeysCommand},
		{"keys rotate", "", "announce new signing keys and delete outdated ones", rotateDetails, rotateKeysCommand},
		{"keys import", "FILE", "import a private key in PEM; - reads standard input", importDetails, importKeyCommand},
		{"keys remove", "KID", "remove a compromised signing key", removeDetails, removeKeyCommand},
		{"check", "", "check the configuration and the database", checkDetails, checkCommand},
		{"migrate", "", "create or update the tables", migrateDetails, migrateCommand},
	}
}

// run executes the command line and writes its output to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) == 0 || strings.HasPrefix(args[0], "-") && !isHelp(args[0]):
		args = append([]string{"serve"}, args...)
	case isHelp(args[0]):
		return help(args[1:], out)
	}
	for _, candidate := range commands() {
		words := strings.Fields(candidate.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == candidate.name {
			return candidate.run(ctx, args[len(words):], out)
		}
	}
	group := subcommands(args[0])
	switch {
	case len(group) == 0:
		return &usageError{message: "unknown command " + quoteArgument(args[0])}
	case len(args) == 1:
		return &usageError{command: args[0], message: args[0] + " needs a subcommand"}
	case isHelp(args[1]):
		return help(args[:1], out)
	default:
		return &usageError{command: args[0], message: "unknown command " + quoteArgument(args[0]+" "+args[1])}
	}
}

func isHelp(arg string) bool {
	return arg == "help" || arg == "-h" || arg == "-help" || arg == "--help"
}
