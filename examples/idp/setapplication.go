package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/oauthkit/oauthkit"
)

// setApplicationCommand changes the properties that flags are given for.
func setApplicationCommand(flags *flag.FlagSet) action {
	description := newApplicationFlags(flags)
	description.text("grant-types", "comma-separated grant `types`",
		func(app *application, list string) { app.GrantTypes = parseGrants(list) })
	description.bool("disabled", "disable it and revoke everything that was issued to it",
		func(app *application, yes bool) { app.Disabled = yes })
	check := func() string {
		if len(description.changes) == 0 {
			return "nothing to change; use a flag such as -verified"
		}
		return ""
	}
	return checkFirst(check, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := description.applications(ctx, database)
		if err != nil {
			return err
		}
		_, err = applications.Change(ctx, operator, arguments[0], func(app oauthkit.Application) error {
			description.apply(oauthkit.Abstract(app))
			return nil
		})
		if err != nil {
			return description.explain(applicationError(arguments[0], err))
		}
		_, err = fmt.Fprintf(out, "Changed %s.\n", arguments[0])
		return err
	}))
}
