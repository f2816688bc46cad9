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

// application holds the properties of an application that an operator can set.
type application = oauthkit.AbstractApplication

// applicationFlags are the flags that describe an application: the properties that its
// owner can set on the pages, and those that only an operator can set.
type applicationFlags struct {
	set     *flag.FlagSet
	seed    string                   // the seed file
	changes []func(app *application) // one for each flag on the command line
}

// newApplicationFlags defines the flags that createapplication and applications set
// share.
func newApplicationFlags(flags *flag.FlagSet) *applicationFlags {
	a := &applicationFlags{set: flags}
	flags.StringVar(&a.seed, "seed", "", "JSON `file` that idp serve uses; only its scopes are read")
	a.text("name", "`name` that users see", func(app *application, name string) { app.Name = name })
	a.text("user", "`username` of the owner; empty if the application belongs to the provider",
		func(app *application, owner string) { app.UserID = owner })
	a.text("response-types", "comma-separated response `types` that it may request, such as code,'code id_token'; empty for code",
		func(app *application, list string) { app.ResponseTypes = parseResponseTypes(list) })
	a.list("redirect-uris", "space-separated redirect `uris`",
		func(app *application, uris []string) { app.RedirectURIs = uris })
	a.list("post-logout-redirect-uris", "space-separated `uris` to return to after a logout",
		func(app *application, uris []string) { app.PostLogoutRedirectURIs = uris })
	a.text("backchannel-logout-uri", "`uri` that receives a logout token when a session ends; empty for none",
		func(app *application, uri string) { app.BackChannelLogoutURI = uri })
	a.bool("backchannel-logout-session-required", "it needs a sid in each logout token",
		func(app *application, yes bool) { app.BackChannelLogoutSessionRequired = yes })
	a.text("frontchannel-logout-uri", "`uri` that is loaded in a frame when a user signs out; empty for none",
		func(app *application, uri string) { app.FrontChannelLogoutURI = uri })
	a.bool("frontchannel-logout-session-required", "it needs iss and sid in that frame",
		func(app *application, yes bool) { app.FrontChannelLogoutSessionRequired = yes })
	a.list("allowed-origins", "space-separated `origins` whose pages may call the token endpoint (CORS)",
		func(app *application, origins []string) { app.AllowedOrigins = origins })
	a.list("scopes", "space-separated `scopes` that it may request; empty for none",
		func(app *application, scopes []string) { app.Scopes = scopes })
	a.text("pkce", "`policy`: required, nonce (an OpenID Connect request may have a nonce instead) or optional; empty for required",
		func(app *application, policy string) { app.PKCE = oauthkit.PKCEPolicy(policy) })
	a.text("algorithm", "`algorithm` of its ID tokens: RS256, ES256, PS256 or EdDSA; empty for RS256",
		func(app *application, algorithm string) { app.Algorithm = algorithm })
	a.bool("id-token-claims", "put the claims about the user into its ID tokens, for a client that never calls user info",
		func(app *application, yes bool) { app.IDTokenClaims = &yes })
	a.bool("omit-iss-in-errors", "leave iss out of its authorization error responses, for mod_auth_openidc",
		func(app *application, yes bool) { app.OmitIssInErrors = &yes })
	a.seconds("default-max-age", "`seconds` after which its users must sign in again, unless a request has max_age; empty for no limit",
		func(app *application, seconds *int) { app.DefaultMaxAge = seconds })
	a.list("resources", "space-separated `uris` of the APIs that it may name in a request (RFC 8707); empty for all",
		func(app *application, uris []string) { app.Resources = uris })
	a.list("default-resources", "space-separated `uris` of the APIs that its tokens are for if a request names none",
		func(app *application, uris []string) { app.DefaultResources = uris })
	a.bool("skip-authorization", "do not ask users for consent", func(app *application, yes bool) { app.SkipAuthorization = yes })
	a.bool("verified", "confirm its name; the consent page warns about unverified applications", func(app *application, yes bool) { app.Verified = yes })
	return a
}

func (a *applicationFlags) text(name, usage string, set func(app *application, value string)) {
	a.set.Func(name, usage, func(value string) error {
		a.changes = append(a.changes, func(app *application) { set(app, value) })
		return nil
	})
}

func (a *applicationFlags) list(name, usage string, set func(app *application, values []string)) {
	a.text(name, usage, func(app *application, value string) { set(app, strings.Fields(value)) })
}

// seconds defines a flag with a number, which is nil if the value is empty.
func (a *applicationFlags) seconds(name, usage string, set func(app *application, seconds *int)) {
	a.set.Func(name, usage, func(value string) error {
		var seconds *int
		if value != "" {
			number, err := strconv.Atoi(value)
			if err != nil {
				return errors.New("must be a number of seconds")
			}
			seconds = &number
		}
		a.changes = append(a.changes, func(app *application) { set(app, seconds) })
		return nil
	})
}

// bool defines a flag that is true if no value is given, and false with -NAME=false.
func (a *applicationFlags) bool(name, usage string, set func(app *application, yes bool)) {
	a.set.BoolFunc(name, usage, func(value string) error {
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return errors.New("must be true or false")
		}
		a.changes = append(a.changes, func(app *application) { set(app, yes) })
		return nil
	})
}

// apply changes only the properties that a flag was given for.
func (a *applicationFlags) apply(app *application) {
	for _, change := range a.changes {
		change(app)
	}
}

// applications returns the applications for an operator, with the scopes of the seed
// file. It fails if the named owner is not a user.
func (a *applicationFlags) applications(ctx context.Context, database *database) (*oauthkit.Applications, *oauthkit.User, error) {
	seed, err := readSeed(a.seed)
	if err != nil {
		return nil, nil, err
	}
	app := &application{}
	a.apply(app)
	if err := checkOwner(ctx, database, app.UserID); err != nil {
		return nil, nil, err
	}
	return operatorApplications(database, 0, seed.Scopes)
}

func checkOwner(ctx context.Context, database *database, username string) error {
	if username == "" {
		return nil
	}
	_, err := database.user(ctx, username)
	if errors.Is(err, errNoUser) {
		return fmt.Errorf("owner: user %q does not exist; users are defined in the seed file", username)
	}
	return err
}

// parseGrants parses a comma-separated list of grant types. It also accepts the
// spelling of Django OAuth Toolkit, with dashes.
func parseGrants(list string) (grants oauthkit.GrantTypes) {
	for name := range strings.SplitSeq(strings.ReplaceAll(list, "-", "_"), ",") {
		grants = append(grants, oauth2.GrantType(name))
	}
	return grants
}

// parseResponseTypes parses a comma-separated list of response types, each of which may
// have several words in any order.
func parseResponseTypes(list string) (types oauthkit.ResponseTypes) {
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text != "" {
			types = append(types, oauthkit.ParseResponseType(text))
		}
	}
	return types
}

// explain lists the problems of an invalid application, one on each line.
func (a *applicationFlags) explain(err error) error {
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		return err
	}
	message := "invalid application:"
	for _, problem := range problems {
		message += "\n  " + problem.Field + ": " + problem.Message
	}
	if a.seed == "" && len(problems.Of("scopes")) > 0 {
		message += "\nUse -seed FILE for the scopes of a seed file."
	}
	return &usageError{message: message}
}
