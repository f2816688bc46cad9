package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// createApplicationCommand has the options of Django OAuth Toolkit's command of this name, but for those that choose a secret. Who
// calls it is the operator, so it may decide what an owner on the pages may not, such as the client_id and that users are not asked.
func createApplicationCommand(flags *flag.FlagSet) action {
	described, refusal := describe(flags), ""
	described.text("client-id", "client `id` (default: one that is generated)", func(app *application, id string) { app.ClientID = id })
	flags.Func("client-secret", "refused: the `secret` is generated", func(string) error {
		refusal = "secrets are only generated; to bring one along, write it as client_secret into a seed file"
		return nil
	})
	flags.BoolFunc("no-hash-client-secret", "refused: only the hash of a secret is stored", func(string) error {
		refusal = "only the hash of a secret is stored; it is printed once"
		return nil
	})
	return checked(func() string { return refusal }, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		app := &storedApplication{}
		app.ClientType, app.GrantTypes = oauthkit.ClientType(arguments[0]), parseGrants(arguments[1])
		described.apply(&app.AbstractApplication)
		applications, operator, err := described.applications(ctx, database)
		if err != nil {
			return err
		}
		secret, err := applications.Register(ctx, operator, app)
		if err != nil {
			return described.invalid(err)
		}
		return printCreated(out, app.ClientID, secret)
	}))
}

func printCreated(out io.Writer, clientID, secret string) error {
	if secret == "" {
		_, err := fmt.Fprintf(out, "client_id      %s\n", clientID)
		return err
	}
	_, err := fmt.Fprintf(out, "client_id      %s\nclient_secret  %s\nThe secret is shown this once: only its hash is stored.\n", clientID, secret)
	return err
}

func joined(grants oauthkit.GrantTypes) string {
	var names []string
	for _, grant := range grants {
		names = append(names, string(grant))
	}
	return strings.Join(names, ",")
}
