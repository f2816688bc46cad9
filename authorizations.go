package oauthkit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// AuthorizationUse is an [Authorization] with when it was last used.
type AuthorizationUse struct {
	*Authorization
	// LastUsedAt is when the last of its tokens was issued that the store still has; CreatedAt where it has none.
	LastUsedAt time.Time
}

// AuthorizationManager is what managing what users have approved needs of a store beyond [Store]. An empty subject is no user:
// what applications have for themselves must not be returned or revoked for it.
type AuthorizationManager interface {
	// UserAuthorizations returns those of a user that are valid at now and can still be used, the newest first, and at most limit:
	// there is an access token that has not expired, or a code or refresh token that has neither expired nor been used.
	UserAuthorizations(ctx context.Context, subject string, now time.Time, limit int) ([]AuthorizationUse, error)
	// UserConsents returns what a user has approved, in the order of the client_ids, compared byte by byte.
	UserConsents(ctx context.Context, subject string) ([]*Consent, error)
	// RevokeUser forgets everything that a user has approved and revokes every Authorization of his. It returns the number of
	// those that were not revoked before.
	RevokeUser(ctx context.Context, subject string, now time.Time) (revoked int, err error)
	// RevokeApplication forgets everything that was approved for an application and revokes every Authorization that it has. It
	// returns the number of those that were not revoked before.
	RevokeApplication(ctx context.Context, applicationID string, now time.Time) (revoked int, err error)
}

// Authorizations are what users have approved: for pages on which they see and withdraw it, and for operators who end what
// a user or an application has. It is safe for concurrent use.
type Authorizations struct {
	provider *Provider
	store    AuthorizationManager
}

// NewAuthorizations returns the Authorizations of a provider. The store is the provider's, or one that has the same tables.
func NewAuthorizations(provider *Provider, store AuthorizationManager) *Authorizations {
	return &Authorizations{provider: provider, store: store}
}

// Connection is an application that a user has approved, with all that it has from him.
type Connection struct {
	// ApplicationID is the client_id, and Application what it names; nil if it was removed meanwhile or is not usable.
	ApplicationID string
	Application   Application
	// Consent is what is remembered; nil: nothing.
	Consent *Consent
	// Authorizations are its sign-ins that are still good, the newest first: one for each device or session.
	Authorizations []AuthorizationUse
}

// Scopes returns all that the application was allowed.
func (c *Connection) Scopes() Scopes {
	var scopes Scopes
	if c.Consent != nil {
		scopes = scopes.Union(c.Consent.Scopes)
	}
	for _, authorization := range c.Authorizations {
		scopes = scopes.Union(authorization.Scopes)
	}
	return scopes
}

// Since returns when the user first approved something that is still good.
func (c *Connection) Since() time.Time {
	var since time.Time
	if c.Consent != nil {
		since = c.Consent.CreatedAt
	}
	for _, authorization := range c.Authorizations {
		if since.IsZero() || authorization.CreatedAt.Before(since) {
			since = authorization.CreatedAt
		}
	}
	return since
}

// LastUsedAt returns when the application last got a token; zero where it has none that is good.
func (c *Connection) LastUsedAt() time.Time {
	var last time.Time
	for _, authorization := range c.Authorizations {
		if authorization.LastUsedAt.After(last) {
			last = authorization.LastUsedAt
		}
	}
	return last
}

// maxConnections is the number of Authorizations of a user that are looked at. What is beyond it is revoked all the same.
const maxConnections = 1000

// Connections returns the applications that a user has approved, the last used first.
func (a *Authorizations) Connections(ctx context.Context, subject string) ([]*Connection, error) {
	authorizations, err := a.store.UserAuthorizations(ctx, subject, a.provider.Now(), maxConnections)
	if err != nil {
		return nil, Unavailable(err)
	}
	consents, err := a.store.UserConsents(ctx, subject)
	if err != nil {
		return nil, Unavailable(err)
	}
	byID := map[string]*Connection{}
	connection := func(applicationID string) *Connection {
		if byID[applicationID] == nil {
			byID[applicationID] = &Connection{ApplicationID: applicationID}
		}
		return byID[applicationID]
	}
	for _, consent := range consents {
		connection(consent.ApplicationID).Consent = consent
	}
	for _, authorization := range authorizations {
		found := connection(authorization.ApplicationID)
		found.Authorizations = append(found.Authorizations, authorization)
	}
	return a.withApplications(ctx, byID)
}

func (a *Authorizations) withApplications(ctx context.Context, byID map[string]*Connection) ([]*Connection, error) {
	var connections []*Connection
	for _, connection := range byID {
		app, err := a.provider.Application(ctx, connection.ApplicationID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		connection.Application = app
		connections = append(connections, connection)
	}
	slices.SortFunc(connections, func(one, other *Connection) int {
		if order := other.LastUsedAt().Compare(one.LastUsedAt()); order != 0 {
			return order
		}
		return strings.Compare(one.ApplicationID, other.ApplicationID)
	})
	return connections, nil
}

// Revoke ends one Authorization of a user, such as one device. One that does not exist, or is another user's, is ErrNotFound.
func (a *Authorizations) Revoke(ctx context.Context, subject, id string) error {
	authorizations, err := a.store.UserAuthorizations(ctx, subject, a.provider.Now(), maxConnections)
	if err != nil {
		return Unavailable(err)
	}
	i := slices.IndexFunc(authorizations, func(authorization AuthorizationUse) bool { return authorization.ID == id })
	if i < 0 {
		return ErrNotFound
	}
	return a.provider.revoke(ctx, authorizations[i].Authorization, RevokedByUser)
}

// Disconnect forgets what a user approved for an application and ends all that it has from him.
func (a *Authorizations) Disconnect(ctx context.Context, subject, applicationID string) error {
	return a.provider.RevokeConsent(ctx, applicationID, subject)
}

// RevokeUser forgets everything that a user has approved and ends all that applications have from him, at once and for ever.
func (a *Authorizations) RevokeUser(ctx context.Context, subject string) (revoked int, err error) {
	if subject == "" {
		return 0, errors.New("oauthkit: the subject is empty")
	}
	revoked, err = a.store.RevokeUser(ctx, subject, a.provider.Now())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, UserRevoked{Subject: subject, Authorizations: revoked})
	return revoked, nil
}

// RevokeApplication forgets everything that was approved for an application and ends all that it has, at once and for ever.
func (a *Authorizations) RevokeApplication(ctx context.Context, applicationID string) (revoked int, err error) {
	if applicationID == "" {
		return 0, errors.New("oauthkit: the client_id is empty")
	}
	revoked, err = a.store.RevokeApplication(ctx, applicationID, a.provider.Now())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, ApplicationRevoked{ApplicationID: applicationID, Authorizations: revoked})
	return revoked, nil
}
