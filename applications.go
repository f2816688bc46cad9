package oauthkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// Applications manages applications for users: registering, changing, removing, and replacing the secret. An application that
// a user may not manage does not exist for him. It is safe for concurrent use.
type Applications struct {
	provider *Provider
	store    ApplicationManager
	config   ApplicationsConfig
}

// NewApplications returns the Applications of a provider. The store is the provider's, or one that has the same tables.
// The error is that a limit of config is negative.
func NewApplications(provider *Provider, store ApplicationManager, config ApplicationsConfig) (*Applications, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Applications{provider: provider, store: store, config: config}, nil
}

// GrantTypes returns the grant types that an owner may choose: those of the configuration that the provider has.
func (a *Applications) GrantTypes() []oauth2.GrantType {
	return slices.DeleteFunc(slices.Clone(a.config.GrantTypes), func(grant oauth2.GrantType) bool {
		_, known := a.provider.grants[grant]
		return !known
	})
}

// Scopes returns the scopes that an owner may choose, with what each means: those of the configuration that there are.
func (a *Applications) Scopes(ctx context.Context) (scopes Scopes, texts map[string]string, err error) {
	texts, err = a.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, nil, err
	}
	scopes = slices.DeleteFunc(slices.Clone(a.config.Scopes), func(scope string) bool {
		_, known := texts[scope]
		return !known
	})
	return scopes, texts, nil
}

// New returns an application of the host's type that is not stored yet, with the user as its owner, for an empty form.
func (a *Applications) New(user *User) Application {
	app := a.store.NewApplication()
	setOwner(app, user.Subject)
	return app
}

// List returns the applications that a user may manage, in the order of their client_id: at most 100 after the one named.
func (a *Applications) List(ctx context.Context, user *User, after string) ([]Application, error) {
	owned, err := a.owned(ctx, user)
	if err != nil {
		return nil, err
	}
	page := ApplicationPage{After: after, Size: 100}
	if !owned.Everyone {
		page.Owners = append([]string{}, owned.By...)
	}
	var apps []Application
	for {
		found, err := a.store.ListApplications(ctx, page)
		if err != nil {
			return nil, Unavailable(err)
		}
		for _, app := range found { // the store has compared a column; what the application says counts
			if owned.includes(app) {
				apps = append(apps, app)
			}
		}
		if len(found) < page.Size || len(apps) >= page.Size {
			return apps[:min(len(apps), page.Size)], nil
		}
		page.After = found[len(found)-1].GetID()
	}
}

// Find returns an application, usable or not, that the user may manage. One that he may not manage is ErrNotFound.
func (a *Applications) Find(ctx context.Context, user *User, clientID string) (Application, error) {
	if !isClientID(clientID) {
		return nil, ErrNotFound
	}
	owned, err := a.owned(ctx, user)
	if err != nil {
		return nil, err
	}
	app, err := storedApplication(ctx, a.store, clientID)
	switch {
	case err != nil:
		return nil, err
	case !owned.includes(app):
		return nil, ErrNotFound
	default:
		return app, nil
	}
}

func (a *Applications) owned(ctx context.Context, user *User) (Owned, error) {
	if a.config.Owned == nil {
		return Owned{By: []string{user.Subject}}, nil
	}
	owned, err := a.config.Owned(ctx, user)
	if err != nil {
		return Owned{}, Unavailable(fmt.Errorf("asking whose applications a user may manage: %w", err))
	}
	return owned, nil
}

// Create registers an application and returns it with its secret, which is shown this once; empty for a public application.
// The error holds [Problems] where the form is not valid, and is an [*Error] with [AccessDenied] where the user may not register
// applications, or the owner has as many as they may have ([ReasonTooManyApplications]).
func (a *Applications) Create(ctx context.Context, user *User, form ApplicationForm) (app Application, secret string, err error) {
	if err := a.MayRegister(ctx, user); err != nil {
		return nil, "", err
	}
	app = a.New(user)
	problems := a.fill(app, form)
	if abstract := Abstract(app); abstract != nil {
		abstract.ClientID, abstract.RegistrationSource = NewClientID(), RegisteredManually
	}
	if holder := secretOf(app); holder != nil {
		secret = holder.GenerateSecret()
	}
	if err := a.validated(app, problems); err != nil {
		return nil, "", err
	}
	if err := a.createWithin(ctx, app); err != nil {
		return nil, "", err
	}
	a.provider.recordOf(ctx, app, ApplicationCreated{ApplicationID: app.GetID(), By: user.Subject})
	return app, secret, nil
}

// MayRegister returns nil where the user may register applications, and otherwise the error that Create would return.
func (a *Applications) MayRegister(ctx context.Context, user *User) error {
	if a.config.MayRegister == nil {
		return nil
	}
	may, err := a.config.MayRegister(ctx, user)
	switch {
	case err != nil:
		return Unavailable(fmt.Errorf("asking whether a user may register applications: %w", err))
	case !may:
		return Errorf(AccessDenied, "you may not register applications").WithReason(ReasonMayNotRegister)
	default:
		return nil
	}
}

// Update changes an application as the form says, and returns it. With another name or other redirect URIs it is not verified or
// trusted any more, and with more scopes its users are asked. The error holds [Problems] where the form is not valid, and is an
// [*Error] with [TemporarilyUnavailable] where others have changed the application each of the five times that it was tried.
func (a *Applications) Update(ctx context.Context, user *User, clientID string, form ApplicationForm) (app Application, err error) {
	update, err := a.change(ctx, user, clientID, func(found Application) error {
		app = found
		return a.validated(found, a.fill(found, form))
	})
	if err != nil {
		return nil, err
	}
	a.provider.recordOf(ctx, app, update)
	return app, nil
}

// SecretOverlap returns ApplicationsConfig.SecretOverlap.
func (a *Applications) SecretOverlap() time.Duration { return a.config.SecretOverlap }

// RotateSecret gives an application a new secret and returns it, which is shown this once. The old one stays good for the time keep,
// but no longer than ApplicationsConfig.SecretOverlap; zero ends it at once. An application that is not valid by today's rules has to be
// corrected first.
func (a *Applications) RotateSecret(ctx context.Context, user *User, clientID string, keep time.Duration) (secret string, err error) {
	var app Application
	_, err = a.change(ctx, user, clientID, func(found Application) error {
		app = found
		holder := secretOf(found)
		if holder == nil {
			return Errorf(InvalidRequest, "this application has no secret").WithReason(ReasonNoSecret)
		}
		secret = holder.RotateSecret(a.provider.Now(), min(keep, a.config.SecretOverlap))
		return nil
	})
	var problems Problems
	if errors.As(err, &problems) { // from before the rules were as they are
		err = Errorf(InvalidRequest, "the application has to be corrected first: %v", problems).WithReason(ReasonApplicationInvalid)
	}
	if err != nil {
		return "", err
	}
	a.provider.recordOf(ctx, app, SecretRotated{ApplicationID: clientID, By: user.Subject})
	return secret, nil
}

// Delete removes an application and revokes all that it has, including what is issued at that moment. It goes on beyond the deadline of
// ctx, and after its end: an application may have very much. If it fails, the same call continues.
func (a *Applications) Delete(ctx context.Context, user *User, clientID string) error {
	app, err := a.Find(ctx, user, clientID)
	if err != nil {
		return err
	}
	if err := a.saved(a.store.DeleteApplication(context.WithoutCancel(ctx), clientID)); err != nil {
		return err
	}
	a.provider.recordOf(ctx, app, ApplicationDeleted{ApplicationID: clientID, By: user.Subject})
	return nil
}

// saved keeps the answers of a store apart from its failures.
func (a *Applications) saved(err error) error {
	var problems Problems
	switch {
	case err == nil, errors.As(err, &problems), errors.Is(err, ErrNotFound):
		return err
	default:
		return Unavailable(err)
	}
}
