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

// ApplicationsConfig configures [Applications]. With the zero value every user may
// register applications and manage their own.
type ApplicationsConfig struct {
	// Owned returns the owners whose applications a user may manage, for teams and
	// staff. If nil, users manage their own.
	Owned func(ctx context.Context, user *User) (Owned, error)
	// MayRegister reports whether a user may register applications. If
	// nil, every user may.
	MayRegister func(ctx context.Context, user *User) (bool, error)
	// GrantTypes are the grant types that an owner may choose. If nil, they are
	// authorization_code and refresh_token.
	GrantTypes []oauth2.GrantType
	// ResponseTypes are the response types that an owner may choose. If nil, they are
	// those of Config.ResponseTypes without an access token (RFC 9700 §2.1.2).
	ResponseTypes []ResponseType
	// Scopes are the scopes that an owner may choose. If nil, they are
	// the scopes of OpenID Connect.
	Scopes Scopes
	// SecretOverlap is how long at most the previous secret is valid after a
	// rotation. If zero, it is invalid at once.
	SecretOverlap time.Duration
	// MaxPerOwner is the maximum number of applications of one owner.
	// [Applications.Create] registers no further one; existing ones stay. Applications
	// that the operator registered for an owner count, but the operator is not limited.
	// Applications without an owner are not limited. If zero, it is 100.
	MaxPerOwner int
	// MaxApplicationBytes is the maximum size of the texts of an [ApplicationForm]
	// together. [Applications.Create] and [Applications.Update] reject a larger form,
	// unless the application was larger before and does not grow. If zero, it is 16384.
	MaxApplicationBytes int
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

// Owned selects the applications that a user may manage.
type Owned struct {
	// Everyone means all applications, including those without an owner.
	Everyone bool
	// By lists owners, as in AbstractApplication.UserID. It must contain the user
	// for the user's own applications.
	By []string
}

// includes reports whether app is selected. An application without an owner is
// selected only by Everyone.
func (o Owned) includes(app Application) bool {
	owner := app.GetUserID()
	return o.Everyone || owner != "" && slices.Contains(o.By, owner)
}

// Applications registers and manages applications. Create, Update, RotateSecret and
// Delete are for owners, Register and Change for operators. An application that a
// user may not manage is reported as not found. It is safe for concurrent use.
type Applications struct {
	provider *Provider
	store    ApplicationManager
	config   ApplicationsConfig
}

// NewApplications returns the Applications of a provider. The store is the provider's, or
// one with the same tables. It returns an error if a limit of config is negative.
func NewApplications(provider *Provider, store ApplicationManager, config ApplicationsConfig) (*Applications, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Applications{provider: provider, store: store, config: config}, nil
}

// GrantTypes returns the grant types that an owner may choose, without those that
// the provider does not have.
func (a *Applications) GrantTypes() []oauth2.GrantType {
	return slices.DeleteFunc(slices.Clone(a.config.GrantTypes), func(grant oauth2.GrantType) bool {
		_, exists := a.provider.grants[grant]
		return !exists
	})
}

// ResponseTypes returns the response types that an owner may choose, without those that
// the provider does not support.
func (a *Applications) ResponseTypes() []ResponseType {
	return slices.DeleteFunc(a.provider.ResponseTypes(), func(t ResponseType) bool {
		if a.config.ResponseTypes == nil {
			return t.Contains(ResponseTypeToken)
		}
		return !slices.Contains(a.config.ResponseTypes, t)
	})
}

// Scopes returns the scopes that an owner may choose, without those that do not
// exist, and the descriptions of all scopes.
func (a *Applications) Scopes(ctx context.Context) (scopes Scopes, texts map[string]string, err error) {
	texts, err = a.provider.ScopeTexts(ctx)
	if err != nil {
		return nil, nil, err
	}
	scopes = slices.DeleteFunc(slices.Clone(a.config.Scopes), func(scope string) bool {
		_, exists := texts[scope]
		return !exists
	})
	return scopes, texts, nil
}

// SecretOverlap returns ApplicationsConfig.SecretOverlap.
func (a *Applications) SecretOverlap() time.Duration { return a.config.SecretOverlap }

// MayRegister returns nil if the user may register applications, and otherwise the
// error that Create would return.
func (a *Applications) MayRegister(ctx context.Context, user *User) error {
	if a.config.MayRegister == nil {
		return nil
	}
	allowed, err := a.config.MayRegister(ctx, user)
	switch {
	case err != nil:
		return Unavailable(fmt.Errorf("calling ApplicationsConfig.MayRegister: %w", err))
	case !allowed:
		return Errorf(AccessDenied, "you may not register applications").WithReason(ReasonMayNotRegister)
	default:
		return nil
	}
}

// New returns a new application of the host's type with the user as its owner, for
// an empty form. It is not stored.
func (a *Applications) New(user *User) Application {
	app := a.store.NewApplication()
	setOwner(app, user.Subject)
	return app
}

// List returns at most 100 applications that a user may manage, in the order of
// their client_id, starting after the client_id after.
func (a *Applications) List(ctx context.Context, user *User, after string) ([]Application, error) {
	owned, err := a.owned(ctx, user)
	if err != nil {
		return nil, err
	}
	query := ApplicationQuery{After: after, Size: 100}
	if !owned.Everyone {
		query.Owners = append([]string{}, owned.By...)
	}
	var apps []Application
	for {
		found, err := a.store.ListApplications(ctx, query)
		if err != nil {
			return nil, Unavailable(err)
		}
		for _, app := range found { // the store compared a column, but GetUserID decides
			if owned.includes(app) {
				apps = append(apps, app)
			}
		}
		if len(found) < query.Size || len(apps) >= query.Size {
			return apps[:min(len(apps), query.Size)], nil
		}
		query.After = found[len(found)-1].GetID()
	}
}

// Find returns an application, usable or not. It returns ErrNotFound if
// the user may not manage it.
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
		return Owned{}, Unavailable(fmt.Errorf("calling ApplicationsConfig.Owned: %w", err))
	}
	return owned, nil
}

// Create registers an application and returns it with its secret, which cannot be
// shown again. The secret is empty for a public application. The error holds
// [Problems] if the form is not valid. It is an [*Error] with [AccessDenied] if the
// user may not register applications, or if the owner has the maximum number of them
// ([ReasonTooManyApplications]).
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

// createWithin stores app unless its owner has too many applications. If the store
// is not an OwnerLimiter, parallel requests may exceed the limit by a few.
func (a *Applications) createWithin(ctx context.Context, app Application) (err error) {
	limit := a.config.MaxPerOwner
	limiter, ok := a.store.(OwnerLimiter)
	if ok {
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

// Update changes an application and returns it. A new name or new redirect URIs
// revoke its verification and its trust; with more scopes or response types its users
// are asked for consent. The error holds [Problems] if the form is not valid. It is an
// [*Error] with [TemporarilyUnavailable] if the application was changed
// concurrently in each of five attempts.
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

// RotateSecret gives an application a new secret and returns it. It cannot be shown
// again. The previous secret is valid for the time keep, but at most for
// ApplicationsConfig.SecretOverlap. If keep is zero, it is invalid at once. An
// application that breaks the current rules must be corrected first.
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
	if errors.As(err, &problems) { // it was stored under other rules
		err = Errorf(InvalidRequest, "the application has to be corrected first: %v", problems).WithReason(ReasonApplicationInvalid)
	}
	if err != nil {
		return "", err
	}
	a.provider.recordFor(ctx, app, SecretRotated{ClientID: clientID, By: user.Subject})
	return secret, nil
}

// Delete removes an application and revokes everything that it has, including tokens
// that are issued concurrently. It ignores the deadline and the cancellation of ctx,
// because an application may have many tokens. If it fails, the same call continues.
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

// modify reads an application, changes it and stores it. It repeats that if the
// application was changed concurrently, up to five times, and then returns the failure of
// a store, so that the caller may try again. It returns the event of the change.
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
		storeCtx := ctx
		if !usable || !IsUsable(app) { // revoking everything may take long
			storeCtx = context.WithoutCancel(ctx)
		}
		err = a.store.UpdateApplication(storeCtx, app, a.provider.Now())
		if attempt == attempts || !errors.Is(err, ErrConflict) {
			return update, storeError(err)
		}
	}
}

// members returns the JSON members of an application, which hold no secrets, or nil
// if it cannot be encoded.
func members(app Application) (members map[string]json.RawMessage) {
	document, err := json.Marshal(app)
	if err != nil || json.Unmarshal(document, &members) != nil {
		return nil
	}
	return members
}

// changedMembers returns the names of the members that differ, sorted.
func changedMembers(before, after map[string]json.RawMessage) []string {
	names := map[string]json.RawMessage{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	maps.DeleteFunc(names, func(name string, _ json.RawMessage) bool { return bytes.Equal(before[name], after[name]) })
	return slices.Sorted(maps.Keys(names))
}
