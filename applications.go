package oauthkit

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
)

// ApplicationsConfig says who may manage which applications, and what their owners may decide. With the zero value every
// user may register applications and manage his own.
type ApplicationsConfig struct {
	// Owned returns whose applications a user may manage, for teams and staff. Nil: his own.
	Owned func(ctx context.Context, user *User) (Owned, error)
	// MayRegister reports whether a user may register applications. Nil: every user may.
	MayRegister func(ctx context.Context, user *User) (bool, error)
	// GrantTypes are those that an owner may choose. Nil: authorization_code and refresh_token.
	GrantTypes []oauth2.GrantType
	// Scopes are those that an owner may choose. Nil: the scopes of OpenID Connect.
	Scopes Scopes
	// SecretOverlap is how long the secret before a rotation may stay good, if its owner does not end it at once. Zero: it always
	// ends at once.
	SecretOverlap time.Duration
	// MaxPerOwner is the number of applications that one owner may have. With as many or more,
	// [Applications.Create] registers no other; those that exist stay. Applications of an owner that the
	// operator registered count too, but the operator is not limited. An application without an owner is
	// not limited. Zero: 100.
	MaxPerOwner int
	// MaxApplicationBytes is the size of all that the owner of an application decides, which is the
	// texts of its [ApplicationForm] together. [Applications.Create] and [Applications.Update] refuse
	// more, except that an application which was larger before may stay so and shrink. Zero: 16384.
	MaxApplicationBytes int
}

// Owned says whose applications a user may manage.
type Owned struct {
	// Everyone says that he may manage all, those without an owner included.
	Everyone bool
	// By lists the owners, as in AbstractApplication.UserID. The user himself has to be among them if he may manage his own.
	By []string
}

// includes reports whether app may be managed. One without an owner is nobody's.
func (o Owned) includes(app Application) bool {
	owner := app.GetUserID()
	return o.Everyone || owner != "" && slices.Contains(o.By, owner)
}

const (
	defaultMaxPerOwner         = 100
	defaultMaxApplicationBytes = 16 << 10
)

func (c ApplicationsConfig) withDefaults() (ApplicationsConfig, error) {
	if c.MaxPerOwner < 0 || c.MaxApplicationBytes < 0 {
		return c, errors.New("oauthkit: NewApplications: MaxPerOwner or MaxApplicationBytes is negative")
	}
	if c.GrantTypes == nil {
		c.GrantTypes = []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Refreshing}
	}
	if c.Scopes == nil {
		c.Scopes = Scopes{"openid", "profile", "email", "address", "phone", "offline_access"}
	}
	c.MaxPerOwner = cmp.Or(c.MaxPerOwner, defaultMaxPerOwner)
	c.MaxApplicationBytes = cmp.Or(c.MaxApplicationBytes, defaultMaxApplicationBytes)
	return c, nil
}

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
	page := ApplicationQuery{After: after, Size: 100}
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
	if err := a.validate(app, problems); err != nil {
		return nil, "", err
	}
	if err := a.createWithin(ctx, app); err != nil {
		return nil, "", err
	}
	a.provider.recordFor(ctx, app, ApplicationCreated{ClientID: app.GetID(), By: user.Subject})
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
	update, err := a.modify(ctx, user, clientID, func(found Application) error {
		app = found
		return a.validate(found, a.fill(found, form))
	})
	if err != nil {
		return nil, err
	}
	a.provider.recordFor(ctx, app, update)
	return app, nil
}

// SecretOverlap returns ApplicationsConfig.SecretOverlap.
func (a *Applications) SecretOverlap() time.Duration { return a.config.SecretOverlap }

// RotateSecret gives an application a new secret and returns it, which is shown this once. The old one stays good for the time keep,
// but no longer than ApplicationsConfig.SecretOverlap; zero ends it at once. An application that is not valid by today's rules has to be
// corrected first.
func (a *Applications) RotateSecret(ctx context.Context, user *User, clientID string, keep time.Duration) (secret string, err error) {
	var app Application
	_, err = a.modify(ctx, user, clientID, func(found Application) error {
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
	a.provider.recordFor(ctx, app, SecretRotated{ClientID: clientID, By: user.Subject})
	return secret, nil
}

// Delete removes an application and revokes all that it has, including what is issued at that moment. It goes on beyond the deadline of
// ctx, and after its end: an application may have very much. If it fails, the same call continues.
func (a *Applications) Delete(ctx context.Context, user *User, clientID string) error {
	app, err := a.Find(ctx, user, clientID)
	if err != nil {
		return err
	}
	if err := storeError(a.store.DeleteApplication(context.WithoutCancel(ctx), clientID, a.provider.Now())); err != nil {
		return err
	}
	a.provider.recordFor(ctx, app, ApplicationDeleted{ClientID: clientID, By: user.Subject})
	return nil
}

// change reads an application, changes it, and stores it, anew where somebody else has changed it meanwhile. It returns the event that
// tells of it. The last attempt that somebody else was faster than is answered like a store that failed: the caller may try again.
func (a *Applications) modify(ctx context.Context, user *User, clientID string, change func(Application) error) (update ApplicationUpdated, err error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		app, err := a.Find(ctx, user, clientID)
		if err != nil {
			return update, err
		}
		before, usable := members(app), IsUsable(app)
		if err := change(app); err != nil {
			return update, err
		}
		update = ApplicationUpdated{
			ClientID: clientID, By: user.Subject, Changed: changedMembers(before, members(app)), Disabled: usable && !IsUsable(app),
		}
		storing := ctx
		if !usable || !IsUsable(app) { // which revokes what it has, however much that is
			storing = context.WithoutCancel(ctx)
		}
		err = a.store.UpdateApplication(storing, app, a.provider.Now())
		if attempt == attempts || !errors.Is(err, ErrConflict) {
			return update, storeError(err)
		}
	}
}

// members returns what an application is as JSON, which holds no secrets; nil: it cannot be written so.
func members(app Application) (members map[string]json.RawMessage) {
	document, err := json.Marshal(app)
	if err != nil || json.Unmarshal(document, &members) != nil {
		return nil
	}
	return members
}

// differing returns the names of the members that are not the same, in their order.
func changedMembers(before, after map[string]json.RawMessage) []string {
	names := map[string]json.RawMessage{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	maps.DeleteFunc(names, func(name string, _ json.RawMessage) bool { return bytes.Equal(before[name], after[name]) })
	return slices.Sorted(maps.Keys(names))
}

// This file limits what the owners of applications can store, in number and in size.

// createWithin stores app unless its owner has too many applications. If the store is no OwnerLimiter,
// parallel requests may exceed the limit by a few.
func (a *Applications) createWithin(ctx context.Context, app Application) (err error) {
	limit := a.config.MaxPerOwner
	limiter, counts := a.store.(OwnerLimiter)
	if counts {
		err = limiter.CreateApplicationWithin(ctx, app, limit, a.provider.Now())
	} else if err = a.checkOwner(ctx, app.GetUserID(), limit); err == nil {
		err = a.store.CreateApplication(ctx, app, a.provider.Now())
	}
	if errors.Is(err, ErrTooMany) {
		return Errorf(AccessDenied, "the owner has %d applications, which is the limit", limit).
			WithReason(ReasonTooManyApplications)
	}
	return storeError(err)
}

// checkOwner returns ErrTooMany if the owner has limit applications.
func (a *Applications) checkOwner(ctx context.Context, owner string, limit int) error {
	if owner == "" {
		return nil
	}
	found, err := a.store.ListApplications(ctx, ApplicationQuery{Owners: []string{owner}, Size: limit})
	if err == nil && len(found) >= limit {
		err = ErrTooMany
	}
	return err
}
