package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/oauthkit/oauthkit"
)

// setApplicationCommand changes what flags are given for, and leaves everything else.
func setApplicationCommand(flags *flag.FlagSet) action {
	described := describe(flags)
	described.text("grant-types", "grant `types`, with commas between",
		func(app *application, list string) { app.GrantTypes = parseGrants(list) })
	described.choice("disabled", "switch it off, which ends all that was issued to it",
		func(app *application, yes bool) { app.Disabled = yes })
	wrong := func() string {
		if len(described.said) == 0 {
			return "say what to change, such as -verified"
		}
		return ""
	}
	return checked(wrong, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := described.applications(ctx, database)
		if err != nil {
			return err
		}
		_, err = applications.Change(ctx, operator, arguments[0], func(app oauthkit.Application) error {
			described.apply(oauthkit.Abstract(app))
			return nil
		})
		if err != nil {
			return described.invalid(named(arguments[0], err))
		}
		_, err = fmt.Fprintf(out, "Changed %s.\n", arguments[0])
		return err
	}))
}
