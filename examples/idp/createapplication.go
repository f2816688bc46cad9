package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// createApplicationCommand registers an application. It has the options of Django OAuth
// Toolkit's command, except those that choose a secret. An operator may set properties
// that an owner cannot set on the pages, such as the client_id and whether users are
// asked for consent.
func createApplicationCommand(flags *flag.FlagSet) action {
	description, refusal := newApplicationFlags(flags), ""
	description.text("client-id", "client `id` (default: generated)", func(app *application, id string) { app.ClientID = id })
	flags.Func("client-secret", "not supported: the `secret` is generated", func(string) error {
		refusal = "the secret is always generated; to import one, set client_secret in a seed file"
		return nil
	})
	flags.BoolFunc("no-hash-client-secret", "not supported: only the hash of a secret is stored", func(string) error {
		refusal = "only the hash of a secret is stored; the secret is printed once"
		return nil
	})
	return checkFirst(func() string { return refusal }, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		app := &storedApplication{}
		app.ClientType, app.GrantTypes = oauthkit.ClientType(arguments[0]), parseGrants(arguments[1])
		description.apply(&app.AbstractApplication)
		applications, operator, err := description.applications(ctx, database)
		if err != nil {
			return err
		}
		secret, err := applications.Register(ctx, operator, app)
		if err != nil {
			return description.explain(err)
		}
		return printCreated(out, app.ClientID, secret)
	}))
}

func printCreated(out io.Writer, clientID, secret string) error {
	if secret == "" {
		_, err := fmt.Fprintf(out, "client_id      %s\n", clientID)
		return err
	}
	_, err := fmt.Fprintf(out, "client_id      %s\nclient_secret  %s\nStore the secret now: it is not shown again.\n", clientID, secret)
	return err
}

func joinGrants(grants oauthkit.GrantTypes) string {
	var names []string
	for _, grant := range grants {
		names = append(names, string(grant))
	}
	return strings.Join(names, ",")
}
