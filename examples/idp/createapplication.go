package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// createApplicationCommand has the options of Django OAuth Toolkit's command of this name, but for those that choose a secret. Who
// calls it is the operator, so it may decide what an owner on the pages may not, such as the client_id and that users are not asked.
func createApplicationCommand(flags *flag.FlagSet) action {
	app := &oauthkit.AbstractApplication{}
	flags.StringVar(&app.Name, "name", "", "`name` that people are shown")
	flags.StringVar(&app.ClientID, "client-id", "", "client `id` (default: one that is generated)")
	flags.StringVar(&app.UserID, "user", "", "`username` of the owner (default: nobody, the application is the provider's own)")
	redirects := listFlag(flags, "redirect-uris", "redirect `uris`, separated by spaces")
	logouts := listFlag(flags, "post-logout-redirect-uris", "`uris` to return to after a logout, separated by spaces")
	origins := listFlag(flags, "allowed-origins", "`origins` whose pages may call the token endpoint (CORS), separated by spaces")
	scopes := listFlag(flags, "scopes", "`scopes` that it may ask for, separated by spaces (default: none)")
	flags.BoolVar(&app.SkipAuthorization, "skip-authorization", false, "do not ask users for consent")
	flags.StringVar(&app.Algorithm, "algorithm", "", "`algorithm` of its ID tokens: RS256 or ES256 (default RS256)")
	return onDatabase(flags, func(ctx context.Context, database *database, arguments []string, out io.Writer) error {
		app.ClientType, app.GrantTypes = oauthkit.ClientType(arguments[0]), parseGrants(arguments[1])
		app.RedirectURIs, app.PostLogoutRedirectURIs, app.AllowedOrigins = *redirects, *logouts, *origins
		app.Scopes = *scopes
		if err := checkOwner(ctx, database, app.UserID); err != nil {
			return err
		}
		applications, operator, err := managed(database, 0)
		if err != nil {
			return err
		}
		secret, err := applications.Register(ctx, operator, app)
		if err != nil {
			return invalid(err)
		}
		return printCreated(out, app.ClientID, secret)
	})
}

// listFlag defines a flag whose value is a list, separated by spaces.
func listFlag(flags *flag.FlagSet, name, usage string) *[]string {
	var list []string
	flags.Func(name, usage, func(value string) error {
		list = strings.Fields(value)
		return nil
	})
	return &list
}

// parseGrants also takes Django OAuth Toolkit's spelling, with dashes.
func parseGrants(list string) (grants oauthkit.GrantTypes) {
	for name := range strings.SplitSeq(strings.ReplaceAll(list, "-", "_"), ",") {
		grants = append(grants, oauth2.GrantType(name))
	}
	return grants
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

// invalid puts every problem of an application into a line of its own.
func invalid(err error) error {
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		return err
	}
	message := "the application is not valid:"
	for _, problem := range problems {
		message += "\n  " + problem.Field + ": " + problem.Message
	}
	return &usageError{message: message}
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
