package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/oauthkit/oauthkit"
)

// managed are all applications, as who operates the provider may manage them.
func managed(database *database, keep time.Duration) (*oauthkit.Applications, *oauthkit.User, error) {
	provider, err := newOperator(database)
	if err != nil {
		return nil, nil, err
	}
	everyones := func(context.Context, *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: true}, nil
	}
	config := oauthkit.ApplicationsConfig{Owned: everyones, SecretOverlap: keep}
	return oauthkit.NewApplications(provider, database.store, config), &oauthkit.User{}, nil
}

func listApplicationsCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		applications, operator, err := managed(database, 0)
		if err != nil {
			return err
		}
		table := newTable(out)
		fmt.Fprintln(table, "CLIENT_ID\tTYPE\tGRANTS\tOWNER\tNAME")
		for after := ""; ; {
			page, err := applications.List(ctx, operator, after)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				return table.Flush()
			}
			for _, one := range page {
				app := oauthkit.Abstract(one)
				fmt.Fprintf(table, "%s\t%s\t%s\t%q\t%q\n", app.ClientID, app.ClientType, joined(app.GrantTypes), app.UserID, app.Name)
				after = app.ClientID
			}
		}
	})
}

func showApplicationCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := managed(database, 0)
		if err != nil {
			return err
		}
		app, err := applications.Find(ctx, operator, arguments[0])
		if err != nil {
			return named(arguments[0], err)
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(app)
	})
}

func rotateSecretCommand(flags *flag.FlagSet) action {
	keep := flags.Duration("keep", 0, "`time` that the secret before stays good, such as 24h (default: it ends at once)")
	wrong := func() string {
		if *keep < 0 {
			return "-keep cannot be negative"
		}
		return ""
	}
	return checked(wrong, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := managed(database, *keep)
		if err != nil {
			return err
		}
		secret, err := applications.RotateSecret(ctx, operator, arguments[0])
		if err != nil {
			return named(arguments[0], err)
		}
		before := "ended"
		if *keep > 0 {
			before = "stays good for " + keep.String()
		}
		_, err = fmt.Fprintf(out, "client_secret  %s\nThe secret is shown this once. The one before %s.\n", secret, before)
		return err
	}))
}

func deleteApplicationCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := managed(database, 0)
		if err != nil {
			return err
		}
		if err := applications.Delete(ctx, operator, arguments[0]); err != nil {
			return named(arguments[0], err)
		}
		_, err = fmt.Fprintf(out, "Removed %s, and ended all that it had.\n", arguments[0])
		return err
	})
}

// named says which application an error is about.
func named(clientID string, err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return fmt.Errorf("there is no application %q; idp applications list shows those that there are", clientID)
	}
	return fmt.Errorf("application %q: %w", clientID, err)
}
