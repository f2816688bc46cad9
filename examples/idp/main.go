// Command idp is a complete identity provider: users and applications from a seed file or the command line, a login page and
// sessions of its own, and oauthkit for everything else. It is small enough to read and to copy.
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
	context.AfterFunc(ctx, stop) // who interrupts it again does not wait for it
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "idp:", err)
		var wrong *usageError
		if errors.As(err, &wrong) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// commands are all that this program can do. Each is thin over what a host can call in its own program.
func commands() []command {
	return []command{
		{"serve", "", "serve; also what idp does without a command", serveDetails, serveCommand},
		{"createapplication", "CLIENT_TYPE GRANT_TYPE[,GRANT_TYPE...]", "register an application and print its secret", createDetails, createApplicationCommand},
		{"applications list", "", "list all applications", listDetails, listApplicationsCommand},
		{"applications show", "CLIENT_ID", "print an application as JSON, without its secret", "", showApplicationCommand},
		{"applications set", "CLIENT_ID", "change an application, or what you say of it", setDetails, setApplicationCommand},
		{"applications rotate-secret", "CLIENT_ID", "give an application a new secret and print it", "", rotateSecretCommand},
		{"applications delete", "CLIENT_ID", "remove an application and end all that it has", "", deleteApplicationCommand},
		{"cleartokens", "", "remove expired rows", clearDetails, clearTokensCommand},
		{"revoke", "", "end all that a user has approved, or all that an application has", revokeDetails, revokeCommand},
		{"keys list", "", "list the signing keys", "", listKeysCommand},
		{"keys rotate", "", "add new signing keys, and remove those that are not of use any more", rotateDetails, rotateKeysCommand},
		{"keys remove", "KID", "remove a signing key that has become known to somebody", removeDetails, removeKeyCommand},
		{"check", "", "list what is weaker than recommended, or does not work", checkDetails, checkCommand},
		{"migrate", "", "create the tables or bring them up to date", migrateDetails, migrateCommand},
	}
}

// run does what the command line says, and writes what it asked for to out.
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
	group := below(args[0])
	switch {
	case len(group) == 0:
		return &usageError{message: "there is no command " + quoted(args[0])}
	case len(args) == 1:
		return &usageError{command: args[0], message: args[0] + " needs to be told what to do"}
	case isHelp(args[1]):
		return help(args[:1], out)
	default:
		return &usageError{command: args[0], message: "there is no command " + quoted(args[0]+" "+args[1])}
	}
}

func isHelp(arg string) bool {
	return arg == "help" || arg == "-h" || arg == "-help" || arg == "--help"
}
