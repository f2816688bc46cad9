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

// operatorName is the user in the events of commands. Anyone who can open the database
// is an operator.
const operatorName = "command line"

// operatorApplications returns the applications service for an operator, who may manage
// all applications. The scopes are those of a seed file.
func operatorApplications(database *database, keep time.Duration, scopes oauthkit.StaticScopes) (*oauthkit.Applications, *oauthkit.User, error) {
	provider, err := newOperator(database, scopes)
	if err != nil {
		return nil, nil, err
	}
	all := func(context.Context, *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: true}, nil
	}
	config := oauthkit.ApplicationsConfig{Owned: all, SecretOverlap: keep}
	applications, err := oauthkit.NewApplications(provider, database.store, config)
	return applications, &oauthkit.User{Subject: operatorName}, err
}

func listApplicationsCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, _ []string, out io.Writer) error {
		applications, operator, err := operatorApplications(database, 0, nil)
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
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%q\t%q\n", app.ClientID, app.ClientType, joinGrants(app.GrantTypes), applicationState(app), app.UserID, app.Name)
				after = app.ClientID
			}
		}
	})
}

// applicationState returns the operator's settings for an application.
func applicationState(app *application) string {
	var set []string
	for word, is := range map[string]bool{"disabled": app.Disabled, "verified": app.Verified, "trusted": app.SkipAuthorization} {
		if is {
			set = append(set, word)
		}
	}
	slices.Sort(set)
	return cmp.Or(strings.Join(set, ","), "-")
}

// applicationDocument is the JSON form of an application. It includes the operator's
// settings even if they are false.
type applicationDocument struct {
	*application
	SkipAuthorization bool `json:"skip_authorization"`
	Verified          bool `json:"verified"`
	Disabled          bool `json:"disabled"`
}

func showApplicationCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := operatorApplications(database, 0, nil)
		if err != nil {
			return err
		}
		found, err := applications.Find(ctx, operator, arguments[0])
		if err != nil {
			return applicationError(arguments[0], err)
		}
		app := oauthkit.Abstract(found)
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(applicationDocument{app, app.SkipAuthorization, app.Verified, app.Disabled})
	})
}

func rotateSecretCommand(flags *flag.FlagSet) action {
	keep := flags.Duration("keep", 0, "`time` that the previous secret stays valid, such as 24h (default: not at all)")
	check := func() string {
		if *keep < 0 {
			return "-keep must not be negative"
		}
		return ""
	}
	return checkFirst(check, onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := operatorApplications(database, *keep, nil)
		if err != nil {
			return err
		}
		secret, err := applications.RotateSecret(ctx, operator, arguments[0], *keep)
		if err != nil {
			return applicationError(arguments[0], err)
		}
		previous := "is no longer valid"
		if *keep > 0 {
			previous = "stays valid for " + keep.String()
		}
		_, err = fmt.Fprintf(out, "client_secret  %s\nStore the secret now: it is not shown again. The previous one %s.\n", secret, previous)
		return err
	}))
}

func deleteApplicationCommand(flags *flag.FlagSet) action {
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		applications, operator, err := operatorApplications(database, 0, nil)
		if err != nil {
			return err
		}
		if err := applications.Delete(ctx, operator, arguments[0]); err != nil {
			return applicationError(arguments[0], err)
		}
		_, err = fmt.Fprintf(out, "Deleted %s and revoked everything that was issued to it.\n", arguments[0])
		return err
	})
}

// applicationError adds the application to an error.
func applicationError(clientID string, err error) error {
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return fmt.Errorf("application %q not found; run idp applications list to see all", clientID)
	case oauthkit.ReasonOf(err) == oauthkit.ReasonNoSecret:
		return fmt.Errorf("application %q is public and has no secret", clientID)
	default:
		return fmt.Errorf("application %q: %w", clientID, err)
	}
}
