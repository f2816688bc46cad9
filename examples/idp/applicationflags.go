package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// application is what an operator can say of one of this program's applications.
type application = oauthkit.AbstractApplication

// applicationFlags are the flags with which an operator says what an application is like: everything that its owner may say on the
// pages, and what he may not.
type applicationFlags struct {
	set  *flag.FlagSet
	seed string                   // the file
	said []func(app *application) // what the flags that are given say
}

// describe defines the flags that an application can be created and changed with.
func describe(flags *flag.FlagSet) *applicationFlags {
	a := &applicationFlags{set: flags}
	flags.StringVar(&a.seed, "seed", "", "JSON `file` that idp is served with, for its scopes; nothing of it is stored")
	a.text("name", "`name` that people are shown", func(app *application, name string) { app.Name = name })
	a.text("user", "`username` of the owner (empty: nobody, the application is the provider's own)",
		func(app *application, owner string) { app.UserID = owner })
	a.list("redirect-uris", "redirect `uris`, separated by spaces",
		func(app *application, uris []string) { app.RedirectURIs = uris })
	a.list("post-logout-redirect-uris", "`uris` to return to after a logout, separated by spaces",
		func(app *application, uris []string) { app.PostLogoutRedirectURIs = uris })
	a.list("allowed-origins", "`origins` whose pages may call the token endpoint (CORS), separated by spaces",
		func(app *application, origins []string) { app.AllowedOrigins = origins })
	a.list("scopes", "`scopes` that it may ask for, separated by spaces (empty: none)",
		func(app *application, scopes []string) { app.Scopes = scopes })
	a.text("algorithm", "`algorithm` of its ID tokens: RS256 or ES256 (empty: RS256)",
		func(app *application, algorithm string) { app.Algorithm = algorithm })
	a.choice("skip-authorization", "do not ask users for consent", func(app *application, yes bool) { app.SkipAuthorization = yes })
	a.choice("verified", "vouch for its name; the consent page warns where nobody does", func(app *application, yes bool) { app.Verified = yes })
	return a
}

func (a *applicationFlags) text(name, usage string, say func(app *application, value string)) {
	a.set.Func(name, usage, func(value string) error {
		a.said = append(a.said, func(app *application) { say(app, value) })
		return nil
	})
}

func (a *applicationFlags) list(name, usage string, say func(app *application, values []string)) {
	a.text(name, usage, func(app *application, value string) { say(app, strings.Fields(value)) })
}

// choice is yes where no value is given, and no with -NAME=false.
func (a *applicationFlags) choice(name, usage string, say func(app *application, yes bool)) {
	a.set.BoolFunc(name, usage, func(value string) error {
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("must be true or false")
		}
		a.said = append(a.said, func(app *application) { say(app, yes) })
		return nil
	})
}

// apply changes nothing that no flag was given for.
func (a *applicationFlags) apply(app *application) {
	for _, say := range a.said {
		say(app)
	}
}

// applications are what an operator manages, with the scopes of the seed file, if the owner that is named is a user.
func (a *applicationFlags) applications(ctx context.Context, database *database) (*oauthkit.Applications, *oauthkit.User, error) {
	seed, err := readSeed(a.seed)
	if err != nil {
		return nil, nil, err
	}
	described := &application{}
	a.apply(described)
	if err := checkOwner(ctx, database, described.UserID); err != nil {
		return nil, nil, err
	}
	return managed(database, 0, seed.Scopes)
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
func parseGrants(list string) (grants oauthkit.GrantTypes) {
	for name := range strings.SplitSeq(strings.ReplaceAll(list, "-", "_"), ",") {
		grants = append(grants, oauth2.GrantType(name))
	}
	return grants
}

// invalid puts every problem of an application into a line of its own.
func (a *applicationFlags) invalid(err error) error {
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		return err
	}
	message := "the application is not valid:"
	for _, problem := range problems {
		message += "\n  " + problem.Field + ": " + problem.Message
	}
	if a.seed == "" && len(problems.Of("scopes")) > 0 {
		message += "\nThe scopes of a seed file are known with -seed FILE."
	}
	return &usageError{message: message}
}
