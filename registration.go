package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Register stores an application that the program has filled in itself, for commands and migrations of those who operate the
// provider: unlike the form of Create it can say everything, such as the client_id, the owner, and that users are not asked. It
// returns the secret, which is shown this once and cannot be chosen; empty for a public application, and for one that is no
// [SecretHolder]. The error holds [Problems] where the application is not valid, or has a client_id that is taken, or a
// grant type or a scope that the provider has not: a command needs the Grants, Extensions and Scopes of the program that
// serves. Whether by may do this, the caller has to know; the event names him.
func (a *Applications) Register(ctx context.Context, by *User, app Application) (clientSecret string, err error) {
	if by == nil {
		return "", errors.New("oauthkit: nobody is named who registers an application")
	}
	problems, err := a.checkNew(ctx, app)
	if err != nil {
		return "", err
	}
	if abstract := Abstract(app); abstract != nil {
		abstract.complete()
	}
	if holder := secretOf(app); holder != nil {
		clientSecret = holder.GenerateSecret()
	}
	if err := a.validate(app, problems); err != nil {
		return "", err
	}
	if err := storeError(a.store.CreateApplication(ctx, app, a.provider.Now())); err != nil {
		return "", err
	}
	a.provider.recordFor(ctx, app, ApplicationCreated{ClientID: app.GetID(), By: by.Subject})
	return clientSecret, nil
}

// Change changes an application as change does, for commands and pages of those who operate the provider, and returns it: like
// Register it can say everything but the client_id and the secret. What is said stands, so unlike Update it takes no trust back.
// change is called again where somebody else has changed the application meanwhile, up to five times before the error has
// [TemporarilyUnavailable], and nothing is stored where change returns an error. The error holds [Problems] where the application is
// not valid any more, unless that switches it off, or was given a grant type or a scope that the provider has not. An application
// that by may not manage is ErrNotFound; whether he may say what no owner can, the caller has to know.
func (a *Applications) Change(ctx context.Context, by *User, clientID string, change func(app Application) error) (app Application, err error) {
	if by == nil {
		return nil, errors.New("oauthkit: nobody is named who changes an application")
	}
	update, err := a.modify(ctx, by, clientID, func(found Application) error {
		app = found
		return a.applyChange(ctx, found, change)
	})
	if err != nil {
		return nil, err
	}
	a.provider.recordFor(ctx, app, update)
	return app, nil
}

// changed changes app and returns what is wrong with it then.
func (a *Applications) applyChange(ctx context.Context, app Application, change func(app Application) error) error {
	clientID, before := app.GetID(), FormOf(app)
	if err := change(app); err != nil {
		return err
	}
	if app.GetID() != clientID { // it would be stored in the place of another one
		return fmt.Errorf("oauthkit: the client_id of application %q cannot be changed", clientID)
	}
	problems, err := a.checkKnown(ctx, app, before)
	if err != nil {
		return err
	}
	forgetSecrets(app)
	if len(problems) == 0 && !IsUsable(app) {
		return nil
	}
	return a.validate(app, problems)
}

// checkNew finds what the rules for one application cannot know.
func (a *Applications) checkNew(ctx context.Context, app Application) (problems Problems, err error) {
	problems, err = a.checkKnown(ctx, app, ApplicationForm{})
	if err != nil || !isClientID(app.GetID()) { // it is generated, or refused by the rules
		return problems, err
	}
	_, err = storedApplication(ctx, a.store, app.GetID())
	switch {
	case err == nil:
		problems.Add("client_id", "%s is taken", app.GetID())
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	return problems, nil
}

// checkKnown finds grant types and scopes that the provider has not, among those that app did not have before.
func (a *Applications) checkKnown(ctx context.Context, app Application, before ApplicationForm) (problems Problems, err error) {
	abstract := Abstract(app)
	if abstract == nil {
		return nil, nil
	}
	for _, grant := range abstract.GrantTypes {
		if _, known := a.provider.grants[grant]; !known && !slices.Contains(before.GrantTypes, grant) {
			problems.Add("grant_types", "%s is not one of %v", string(grant), a.provider.grantTypes)
		}
	}
	if before.Scopes.ContainsAll(abstract.Scopes) { // nobody has to be asked
		return problems, nil
	}
	texts, err := a.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, err
	}
	for _, scope := range missingScopes(abstract.Scopes, texts) {
		if !before.Scopes.Contains(scope) {
			problems.Add("scopes", "%s is not one of %v", scope, slices.Sorted(maps.Keys(texts)))
		}
	}
	return problems, nil
}

// missingScopes returns those that there are not, and leaves out what is no scope by the rules.
func missingScopes(scopes Scopes, texts map[string]string) Scopes {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool {
		_, known := texts[scope]
		return known || scope == IntrospectionScope || !isScope(scope)
	})
}

// complete fills in what every application has and nobody needs to choose.
func (a *AbstractApplication) complete() {
	if a.ClientID == "" {
		a.ClientID = NewClientID()
	}
	if a.RegistrationSource == "" {
		a.RegistrationSource = RegisteredManually
	}
}

// NewClientID returns a client_id that nobody has. It never begins with a dash, which a command line would take for an option.
func NewClientID() string {
	id := secret.NewID()
	for strings.HasPrefix(id, "-") {
		id = secret.NewID()
	}
	return id
}
