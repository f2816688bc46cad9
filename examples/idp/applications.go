package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// operatorName is who the events of commands name: whoever may open the database.
const operatorName = "command line"

// managed are all applications, as who operates the provider may manage them. The scopes are those of a seed file.
func managed(database *database, keep time.Duration, scopes oauthkit.StaticScopes) (*oauthkit.Applications, *oauthkit.User, error) {
	provider, err := newOperator(database, scopes)
	if err != nil {
		return nil, nil, err
	}
	everyones := func(context.Context, *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: true}, nil
	}
	config := oauthkit.ApplicationsConfig{Owned: everyones, SecretOverlap: keep}
	applications, err := oauthkit.NewApplications(provider, database.store, config)
	return applications, &oauthkit.User{Subject: operatorName}, err
}

func listApplicationsCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		applications, operator, err := managed(database, 0, nil)
		if err != nil {
			return err
		}
		table := newTable(out)
		fmt.Fprintln(table, "CLIENT_ID\tTYPE\tGRANTS\tSTATE\tOWNER\tNAME")
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
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%q\t%q\n", app.ClientID, app.ClientType, joined(app.GrantTypes), state(app), app.UserID, app.Name)
				after = app.ClientID
			}
		}
	})
}

// state is what the operator has said of an application.
func state(app *application) string {
	var said []string
	for word, is := range map[string]bool{"disabled": app.Disabled, "verified": app.Verified, "trusted": app.SkipAuthorization} {
		if is {
			said = append(said, word)
		}
	}
	slices.Sort(said)
	return cmp.Or(strings.Join(said, ","), "-")
}

// shownApplication also says what an application is not.
type shownApplication struct {
	*application
	SkipAuthorization bool `json:"skip_authorization"`
	Verified          bool `json:"verified"`
	Disabled          bool `json:"disabled"`
}

func showApplicationCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := managed(database, 0, nil)
		if err != nil {
			return err
		}
		found, err := applications.Find(ctx, operator, arguments[0])
		if err != nil {
			return named(arguments[0], err)
		}
		app := oauthkit.Abstract(found)
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shownApplication{app, app.SkipAuthorization, app.Verified, app.Disabled})
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
		applications, operator, err := managed(database, *keep, nil)
		if err != nil {
			return err
		}
		secret, err := applications.RotateSecret(ctx, operator, arguments[0], *keep)
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
		applications, operator, err := managed(database, 0, nil)
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
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return fmt.Errorf("there is no application %q; idp applications list shows those that there are", clientID)
	case oauthkit.ReasonOf(err) == oauthkit.ReasonNoSecret:
		return fmt.Errorf("application %q: it is public and has no secret to replace", clientID)
	default:
		return fmt.Errorf("application %q: %w", clientID, err)
	}
}
