package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit/internal/secret"
)

// Register stores an application that the caller has filled in, for commands and
// migrations of an operator. Unlike Create it accepts every field, such as the
// client_id, the owner, and that users are not asked for consent. It returns the
// secret, which is generated and cannot be shown again. The secret is empty for a
// public application, and for one that is not a [SecretHolder].
//
// The error holds [Problems] if the application is not valid, if its client_id is taken,
// or if it has a grant type, a response type, a scope or an authentication method that
// the provider does not have: a command needs the same Grants, ResponseTypes,
// ClientAuthenticators, Extensions and Scopes as the server. The caller must check that
// by may register applications; the event names by.
func (a *Applications) Register(ctx context.Context, by *User, app Application) (clientSecret string, err error) {
	if by == nil {
		return "", errors.New("oauthkit: Register: user is nil")
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

// Change calls change with an application and stores it, for commands and pages of
// an operator. Like Register it accepts every field, except the client_id and the
// secret. Unlike Update it revokes no trust. It calls change again if the
// application was changed concurrently, up to five times, and then returns an error
// with [TemporarilyUnavailable]. If change returns an error, nothing is stored.
//
// The error holds [Problems] if the changed application is usable and not valid, or if it
// was given a grant type, a response type, a scope or an authentication method that the
// provider does not have. It is ErrNotFound if by may not manage the application. The
// caller must check that by may set operator-only fields.
func (a *Applications) Change(ctx context.Context, by *User, clientID string, change func(app Application) error) (app Application, err error) {
	if by == nil {
		return nil, errors.New("oauthkit: Change: user is nil")
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

// applyChange calls change and returns the problems of the changed application.
func (a *Applications) applyChange(ctx context.Context, app Application, change func(app Application) error) error {
	clientID, before := app.GetID(), FormOf(app)
	if err := change(app); err != nil {
		return err
	}
	if app.GetID() != clientID { // it would replace another application
		return fmt.Errorf("oauthkit: Change: client_id of application %q cannot be changed", clientID)
	}
	problems, err := a.provider.checkOffers(ctx, app, before)
	if err != nil {
		return err
	}
	removeSecrets(app)
	if len(problems) == 0 && !IsUsable(app) {
		return nil
	}
	return a.validate(app, problems)
}

// checkNew makes the checks that need more than the application itself.
func (a *Applications) checkNew(ctx context.Context, app Application) (problems Problems, err error) {
	problems, err = a.provider.Unsupported(ctx, app)
	if err != nil || !isClientID(app.GetID()) { // it will be generated, or rejected by the rules
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

// Unsupported returns the grant types, the response types, the scopes and the client
// authentication method of app that the provider does not have. Call it before you store
// an application without Register or Change, which check the same, for example one of a
// configuration file. The result is empty if app does not embed [AbstractApplication].
func (p *Provider) Unsupported(ctx context.Context, app Application) (Problems, error) {
	return p.checkOffers(ctx, app, ApplicationForm{})
}

// checkOffers finds grant types, response types, scopes and a client authentication
// method that the provider does not have and app did not have before.
func (p *Provider) checkOffers(ctx context.Context, app Application, before ApplicationForm) (problems Problems, err error) {
	abstract := Abstract(app)
	if abstract == nil {
		return nil, nil
	}
	for _, grant := range abstract.GrantTypes {
		if !p.supportsGrant(grant) && !slices.Contains(before.GrantTypes, grant) {
			problems.Add("grant_types", "%s is not one of %v", string(grant), p.grantTypes)
		}
	}
	p.checkResponseTypes(abstract, before, &problems)
	p.checkAuthMethod(app, before, &problems)
	if before.Scopes.ContainsAll(abstract.Scopes) { // saves a call of Config.Scopes
		return problems, nil
	}
	texts, err := p.ScopeTexts(ctx)
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

// supportsGrant reports whether requests can use a grant type: at the token endpoint, or,
// for [ImplicitGrant], with a response type that has no code (RFC 7591 §2.1).
func (p *Provider) supportsGrant(grant oauth2.GrantType) bool {
	if grant == ImplicitGrant {
		for responseType := range p.responseTypes {
			if !responseType.Contains(ResponseTypeCode) {
				return true
			}
		}
	}
	_, exists := p.grants[grant]
	return exists
}

func (p *Provider) checkResponseTypes(abstract *AbstractApplication, before ApplicationForm, problems *Problems) {
	supported := p.ResponseTypes()
	for _, t := range abstract.ResponseTypes {
		if !slices.Contains(supported, t) && !slices.Contains(before.ResponseTypes, t) {
			problems.Add("response_types", "%s is not one of %v", string(t), supported)
		}
	}
}

// missingScopes returns the scopes that do not exist, ignoring malformed ones.
func missingScopes(scopes Scopes, texts map[string]string) Scopes {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool {
		_, exists := texts[scope]
		return exists || scope == IntrospectionScope || !isScope(scope)
	})
}

// complete fills in the fields that every application must have.
func (a *AbstractApplication) complete() {
	if a.ClientID == "" {
		a.ClientID = NewClientID()
	}
	if a.RegistrationSource == "" {
		a.RegistrationSource = RegisteredManually
	}
}

// NewClientID returns a new client_id. It never starts with a dash, which a command
// line would take for an option.
func NewClientID() string {
	id := secret.NewID()
	for strings.HasPrefix(id, "-") {
		id = secret.NewID()
	}
	return id
}
