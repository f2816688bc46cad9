package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// createApplicationCommand has the options of Django OAuth Toolkit's command of this name. Who calls it is the operator, so it
// may decide what an owner on the pages may not, such as the client_id and that users are not asked.
func createApplicationCommand(flags *flag.FlagSet) action {
	app := &oauthkit.AbstractApplication{}
	var redirects, logouts, scopes string
	flags.StringVar(&app.Name, "name", "", "`name` that people are shown")
	flags.StringVar(&app.ClientID, "client-id", "", "client `id` (default: one that is generated)")
	flags.StringVar(&app.UserID, "user", "", "`username` of the owner (default: nobody, the application is the provider's own)")
	flags.StringVar(&redirects, "redirect-uris", "", "redirect `uris`, separated by spaces")
	flags.StringVar(&logouts, "post-logout-redirect-uris", "", "`uris` to return to after a logout, separated by spaces")
	flags.StringVar(&scopes, "scopes", "", "`scopes` that it may ask for, separated by spaces (default: none)")
	flags.BoolVar(&app.SkipAuthorization, "skip-authorization", false, "do not ask users for consent")
	flags.StringVar(&app.Algorithm, "algorithm", "", "`algorithm` of its ID tokens: RS256 or ES256 (default RS256)")
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		app.ClientType = oauthkit.ClientType(arguments[0])
		app.RedirectURIs, app.PostLogoutRedirectURIs = strings.Fields(redirects), strings.Fields(logouts)
		app.Scopes = strings.Fields(scopes)
		var err error
		if app.GrantTypes, err = parseGrants(database, arguments[1]); err != nil {
			return err
		}
		if err := checkOwner(ctx, database, app.UserID); err != nil {
			return err
		}
		return createApplication(ctx, database, app, out)
	})
}

func checkOwner(ctx context.Context, database *database, username string) error {
	if username == "" {
		return nil
	}
	_, err := database.user(ctx, username)
	if errors.Is(err, errNoUser) {
		return fmt.Errorf("there is no user %q to own the application; users come from the seed file", username)
	}
	return err
}

// parseGrants also takes Django OAuth Toolkit's spelling, with dashes.
func parseGrants(database *database, list string) (oauthkit.GrantTypes, error) {
	provider, err := newOperator(database)
	if err != nil {
		return nil, err
	}
	var grants oauthkit.GrantTypes
	known := provider.GrantTypes()
	for name := range strings.SplitSeq(strings.ReplaceAll(list, "-", "_"), ",") {
		grant := oauth2.GrantType(name)
		if !slices.Contains(known, grant) {
			return nil, &usageError{message: fmt.Sprintf("there is no grant type %q; there are %s", name, joined(known))}
		}
		grants = append(grants, grant)
	}
	return grants, nil
}

func createApplication(ctx context.Context, database *database, app *oauthkit.AbstractApplication, out io.Writer) error {
	secret := ""
	if !app.IsPublic() {
		secret = app.GenerateSecret()
	}
	err := database.store.Applications.Create(ctx, app)
	var problems oauthkit.Problems
	if errors.As(err, &problems) {
		message := "the application is not valid:"
		for _, problem := range problems {
			message += "\n  " + problem.Field + ": " + problem.Message
		}
		return &usageError{message: message}
	}
	if err != nil {
		return err
	}
	if secret == "" {
		_, err = fmt.Fprintf(out, "client_id      %s\n", app.ClientID)
		return err
	}
	_, err = fmt.Fprintf(out, "client_id      %s\nclient_secret  %s\nThe secret is shown this once: only its hash is stored.\n", app.ClientID, secret)
	return err
}

func joined(grants oauthkit.GrantTypes) string {
	var names []string
	for _, grant := range grants {
		names = append(names, string(grant))
	}
	return strings.Join(names, ",")
}
