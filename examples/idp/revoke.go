package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/oauthkit/oauthkit"
)

// revokeCommand also takes a user or an application that is not there any more.
func revokeCommand(flags *flag.FlagSet) action {
	user := flags.String("user", "", "`username` whose approvals end")
	application := flags.String("application", "", "client `id` of the application whose approvals and tokens end")
	wrong := func() string {
		if (*user == "") == (*application == "") {
			return "say one of -user and -application"
		}
		return ""
	}
	return checked(wrong, onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		provider, err := newOperator(database, nil)
		if err != nil {
			return err
		}
		authorizations := oauthkit.NewAuthorizations(provider, database.store)
		revoke, whose := authorizations.RevokeUser, *user
		if *application != "" {
			revoke, whose = authorizations.RevokeApplication, *application
		}
		revoked, err := revoke(ctx, whose)
		if err != nil {
			return err
		}
		if revoked == 0 {
			_, err = fmt.Fprintf(out, "Nothing of %q was still good, and what was approved is forgotten. See whether the name is right.\n", whose)
			return err
		}
		_, err = fmt.Fprintf(out, "Revoked %d authorizations that were still good. What was approved is forgotten.\n", revoked)
		return err
	}))
}
