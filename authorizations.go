package oauthkit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Authorizations lists and revokes the access that users have approved, for pages on
// which users see it and for operators. It is safe for concurrent use.
type Authorizations struct {
	provider *Provider
	store    AuthorizationManager
}

// NewAuthorizations returns the Authorizations of a provider. The store is the
// provider's, or one with the same tables.
func NewAuthorizations(provider *Provider, store AuthorizationManager) *Authorizations {
	return &Authorizations{provider: provider, store: store}
}

// Connection is an application that a user has approved, with
// everything that it has from them.
type Connection struct {
	// ClientID is the client_id of the application. Application is nil if it was
	// removed or is not usable.
	ClientID    string
	Application Application
	// Consent is the remembered consent. If nil, there is none.
	Consent *Consent
	// Authorizations are its valid sign-ins, one for each device or session, the
	// newest first. At most 100 are listed.
	Authorizations []AuthorizationUse
	// More means that there are older ones, which can be revoked but are not listed.
	More bool
}

// Scopes returns the scopes of the remembered consent and of the listed Authorizations.
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

// Since returns when the user first approved the remembered consent or a listed
// Authorization, whichever is earlier.
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

// LastUsedAt returns when the application last got a token. It is zero if there is
// no valid Authorization.
func (c *Connection) LastUsedAt() time.Time {
	var last time.Time
	for _, authorization := range c.Authorizations {
		if authorization.LastUsedAt.After(last) {
			last = authorization.LastUsedAt
		}
	}
	return last
}

// maxSignIns is the maximum number of listed Authorizations of an application.
const maxSignIns = 100

// Connections returns all applications that a user has approved, the last used first.
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

// Find returns a valid Authorization of a user, whether Connections lists it or not.
// It returns ErrNotFound if it does not exist or belongs to another user.
func (a *Authorizations) Find(ctx context.Context, subject, id string) (AuthorizationUse, error) {
	if id == "" || !isText(id) { // empty would match any, and NUL is an error in some databases
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

// Revoke revokes one Authorization of a user, for example of one device. It returns
// ErrNotFound if it does not exist or belongs to another user.
func (a *Authorizations) Revoke(ctx context.Context, subject, id string) error {
	found, err := a.Find(ctx, subject, id)
	if err != nil {
		return err
	}
	return a.provider.revoke(ctx, found.Authorization, RevokedByUser)
}

// Disconnect deletes the user's consent to an application and revokes everything
// that it has from the user.
func (a *Authorizations) Disconnect(ctx context.Context, subject, clientID string) error {
	return a.provider.RevokeConsent(ctx, clientID, subject)
}

// EndSession ends a session of a user from outside their browser, as
// [Provider.EndSession] does, for example after a change of the password or on a page
// that lists sessions. The sessionID is the host's, the [User].SessionID of the session.
// It returns the client_ids of the applications that were in it.
func (a *Authorizations) EndSession(ctx context.Context, subject, sessionID string) (clientIDs []string, err error) {
	id := a.provider.SessionID(&User{Subject: subject, SessionID: sessionID})
	return a.provider.EndSession(ctx, Session{Subject: subject, ID: id})
}

// RevokeUser deletes every consent of a user and revokes everything that
// applications have from the user. It ignores the deadline and the cancellation of
// ctx. It returns the number of revoked Authorizations.
func (a *Authorizations) RevokeUser(ctx context.Context, subject string) (revoked int, err error) {
	if subject == "" {
		return 0, errors.New("oauthkit: RevokeUser: subject is empty")
	}
	revoked, err = a.store.RevokeUser(context.WithoutCancel(ctx), subject, a.provider.revocation())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, UserRevoked{Subject: subject, Authorizations: revoked})
	a.provider.wakeDelivery()
	return revoked, nil
}

// RevokeApplication deletes every consent to an application and revokes everything
// that it has. It ignores the deadline and the cancellation of ctx. It returns the
// number of revoked Authorizations.
func (a *Authorizations) RevokeApplication(ctx context.Context, clientID string) (revoked int, err error) {
	if clientID == "" {
		return 0, errors.New("oauthkit: RevokeApplication: client_id is empty")
	}
	revoked, err = a.store.RevokeApplication(context.WithoutCancel(ctx), clientID, a.provider.revocation())
	if err != nil {
		return 0, Unavailable(err)
	}
	a.provider.Record(ctx, ApplicationRevoked{ClientID: clientID, Authorizations: revoked})
	a.provider.wakeDelivery()
	return revoked, nil
}
