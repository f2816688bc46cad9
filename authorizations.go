package oauthkit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

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
	// ClientID is the client_id, and Application what it names; nil if it was removed meanwhile or is not usable.
	ClientID    string
	Application Application
	// Consent is what is remembered; nil: nothing.
	Consent *Consent
	// Authorizations are its sign-ins that are still good, the newest first: one for each device or session. They are at most 100.
	Authorizations []AuthorizationUse
	// More says that there are older ones, which can be ended as well but are not listed.
	More bool
}

// Scopes returns all that the application was allowed, as far as it is remembered or of a sign-in that is listed.
func (c *Connection) Scopes() Scopes {
	var scopes Scopes
	if c.Consent != nil {
		scopes = scopes.Union(c.Consent.allScopes())
	}
	for _, authorization := range c.Authorizations {
		scopes = scopes.Union(authorization.Scopes)
	}
	return scopes
}

// Since returns when the user first approved something that is still good, as far as it is remembered or of a sign-in that is listed.
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

// LastUsedAt returns when the application last got a token; zero where it has no sign-in that is valid.
func (c *Connection) LastUsedAt() time.Time {
	var last time.Time
	for _, authorization := range c.Authorizations {
		if authorization.LastUsedAt.After(last) {
			last = authorization.LastUsedAt
		}
	}
	return last
}

// maxSignIns is the number of Authorizations of an application that are listed for a user.
const maxSignIns = 100

// Connections returns the applications that a user has approved, the last used first. None is left out.
func (a *Authorizations) Connections(ctx context.Context, subject string) ([]*Connection, error) {
	authorizations, err := a.store.UserAuthorizations(ctx, AuthorizationQuery{Subject: subject, Now: a.provider.Now(), Limit: maxSignIns + 1})
	if err != nil {
		return nil, Unavailable(err)
	}
	consents, err := a.store.UserConsents(ctx, subject)
	if err != nil {
		return nil, Unavailable(err)
	}
	byID := map[string]*Connection{}
	connection := func(clientID string) *Connection {
		if byID[clientID] == nil {
			byID[clientID] = &Connection{ClientID: clientID}
		}
		return byID[clientID]
	}
	for _, consent := range consents {
		connection(consent.ClientID).Consent = consent
	}
	for _, authorization := range authorizations {
		found := connection(authorization.ClientID)
		if found.More = len(found.Authorizations) == maxSignIns; !found.More {
			found.Authorizations = append(found.Authorizations, authorization)
		}
	}
	return a.withApplications(ctx, byID)
}

func (a *Authorizations) withApplications(ctx context.Context, byID map[string]*Connection) ([]*Connection, error) {
	var connections []*Connection
	for _, connection := range byID {
		app, err := a.provider.Application(ctx, connection.ClientID)
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
		return strings.Compare(one.ClientID, other.ClientID)
	})
	return connections, nil
}

// Find returns one Authorization of a user that is still good, whether Connections lists it or not. One that does not exist, or is
// another user's, is ErrNotFound.
func (a *Authorizations) Find(ctx context.Context, subject, id string) (AuthorizationUse, error) {
	if id == "" || !validText(id) { // any, for the store, and what no database can look for
		return AuthorizationUse{}, ErrNotFound
	}
	found, err := a.store.UserAuthorizations(ctx, AuthorizationQuery{Subject: subject, ID: id, Now: a.provider.Now(), Limit: 1})
	switch {
	case err != nil:
		return AuthorizationUse{}, Unavailable(err)
	case len(found) == 0:
		return AuthorizationUse{}, ErrNotFound
	default:
		return found[0], nil
	}
}

// Revoke ends one Authorization of a user, such as one device. One that does not exist, or is another user's, is ErrNotFound.
func (a *Authorizations) Revoke(ctx context.Context, subject, id string) error {
	found, err := a.Find(ctx, subject, id)
	if err != nil {
		return err
	}
	return a.provider.revoke(ctx, found.Authorization, RevokedByUser)
}

// Disconnect forgets what a user approved for an application and ends all that it has from him.
func (a *Authorizations) Disconnect(ctx context.Context, subject, clientID string) error {
	return a.provider.RevokeConsent(ctx, clientID, subject)
}

// RevokeUser forgets everything that a user has approved and revokes all that applications have from the user. It goes on beyond the
// deadline of ctx, and after its end.
func (a *Authorizations) RevokeUser(ctx context.Context, subject string) (revoked int, err error) {
	if subject == "" {
		return 0, errors.New("oauthkit: the subject is empty")
	}
	revoked, err = a.store.RevokeUser(context.WithoutCancel(ctx), subject, a.provider.Now())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, UserRevoked{Subject: subject, Authorizations: revoked})
	return revoked, nil
}

// RevokeApplication forgets everything that was approved for an application and revokes all that it has. It goes on beyond the
// deadline of ctx, and after its end.
func (a *Authorizations) RevokeApplication(ctx context.Context, clientID string) (revoked int, err error) {
	if clientID == "" {
		return 0, errors.New("oauthkit: the client_id is empty")
	}
	revoked, err = a.store.RevokeApplication(context.WithoutCancel(ctx), clientID, a.provider.Now())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, ApplicationRevoked{ClientID: clientID, Authorizations: revoked})
	return revoked, nil
}
