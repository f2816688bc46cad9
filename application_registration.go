package oauthkit

import (
	"context"
	"errors"
	"strings"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Register stores an application that the program has filled in itself, for commands and migrations of those who operate the
// provider: unlike the form of Create it can say everything, such as the client_id, the owner, and that users are not asked. It
// returns the secret, which is shown this once and cannot be chosen; empty for a public application, and for one that is no
// [SecretHolder]. The error holds [Problems] where the application is not valid, or has a client_id that is taken or a
// grant type that the provider has not. Whether by may do this, the caller has to know; the event names him.
func (a *Applications) Register(ctx context.Context, by *User, app Application) (secret string, err error) {
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
		secret = holder.GenerateSecret()
	}
	if err := a.validated(app, problems); err != nil {
		return "", err
	}
	if err := a.saved(a.store.CreateApplication(ctx, app)); err != nil {
		return "", err
	}
	a.provider.recordOf(ctx, app, ApplicationCreated{ApplicationID: app.GetID(), By: by.Subject})
	return secret, nil
}

// checkNew finds what the rules for one application cannot know.
func (a *Applications) checkNew(ctx context.Context, app Application) (problems Problems, err error) {
	if abstract := Abstract(app); abstract != nil {
		for _, grant := range abstract.GrantTypes {
			if _, known := a.provider.grants[grant]; !known {
				problems.Add("grant_types", "%s is not one of %v", string(grant), a.provider.grantTypes)
			}
		}
	}
	if !isClientID(app.GetID()) { // it is generated, or refused by the rules
		return problems, nil
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
