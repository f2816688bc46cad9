package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/oauthkit/oauthkit"
)

// revokeCommand also accepts a user or an application that no longer exists.
func revokeCommand(flags *flag.FlagSet) action {
	user := flags.String("user", "", "`username` whose consent and tokens are revoked")
	application := flags.String("application", "", "client `id` of the application whose consent and tokens are revoked")
	check := func() string {
		if (*user == "") == (*application == "") {
			return "use either -user or -application"
		}
		return ""
	}
	return checkFirst(check, onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		provider, err := newOperator(database, nil)
		if err != nil {
			return err
		}
		authorizations := oauthkit.NewAuthorizations(provider, database.store)
		revoke, name := authorizations.RevokeUser, *user
		if *application != "" {
			revoke, name = authorizations.RevokeApplication, *application
		}
		revoked, err := revoke(ctx, name)
		if err != nil {
			return err
		}
		if revoked == 0 {
			_, err = fmt.Fprintf(out, "Removed the consent of %q. No authorization was valid; check the name.\n", name)
			return err
		}
		_, err = fmt.Fprintf(out, "Revoked %d authorizations and removed the consent.\n", revoked)
		return err
	}))
}
