package memstore

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Application implements [oauthkit.ApplicationStore]. What it returns has the type that was added.
func (s *Store) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	app, exists := s.applications[clientID]
	if !exists {
		return nil, oauthkit.ErrNotFound
	}
	return copyApplication(app), nil
}

// AddApplication makes app ready with [oauthkit.PrepareApplication], which gives it a client_id if it has none, and adds it.
// A client_id that is taken is an error.
func (s *Store) AddApplication(ctx context.Context, app oauthkit.Application) error {
	if err := oauthkit.PrepareApplication(app); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, exists := s.applications[app.GetID()]; exists {
		return fmt.Errorf("application %q: %w", app.GetID(), errExists)
	}
	if abstract := oauthkit.Abstract(app); abstract != nil && abstract.CreatedAt.IsZero() {
		abstract.CreatedAt = now()
		abstract.UpdatedAt = abstract.CreatedAt
	}
	s.applications[app.GetID()] = copyApplication(app)
	return nil
}

// UpdateApplication validates app and puts it in the place of the one with its client_id, except for the time of its creation.
// If it is not usable any more, every Authorization that it has is revoked. Without one it returns an error wrapping
// [oauthkit.ErrNotFound].
func (s *Store) UpdateApplication(ctx context.Context, app oauthkit.Application) error {
	if err := oauthkit.ValidateApplication(app); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	existing, exists := s.applications[app.GetID()]
	if !exists {
		return fmt.Errorf("application %q: %w", app.GetID(), oauthkit.ErrNotFound)
	}
	if abstract, before := oauthkit.Abstract(app), oauthkit.Abstract(existing); abstract != nil && before != nil {
		abstract.CreatedAt, abstract.UpdatedAt = before.CreatedAt, now()
	}
	s.applications[app.GetID()] = copyApplication(app)
	if !oauthkit.IsUsable(app) {
		for _, authorization := range s.authorizations {
			if authorization.ApplicationID == app.GetID() && authorization.RevokedAt.IsZero() {
				authorization.RevokedAt = now()
			}
		}
	}
	return nil
}

// RemoveApplication removes an application and all that was issued to it or approved for it. An unknown one is not an error.
func (s *Store) RemoveApplication(ctx context.Context, clientID string) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	delete(s.applications, clientID)
	issued := func(authorization *oauthkit.Authorization) bool { return authorization.ApplicationID == clientID }
	maps.DeleteFunc(s.codes, func(_ string, code *oauthkit.AuthorizationCode) bool { return issued(code.Authorization) })
	maps.DeleteFunc(s.accessTokens, func(_ string, token *oauthkit.AccessToken) bool { return issued(token.Authorization) })
	maps.DeleteFunc(s.refreshTokens, func(_ string, token *oauthkit.RefreshToken) bool { return issued(token.Authorization) })
	maps.DeleteFunc(s.authorizations, func(_ string, authorization *oauthkit.Authorization) bool { return issued(authorization) })
	maps.DeleteFunc(s.consents, func(key approver, _ *oauthkit.Consent) bool { return key.applicationID == clientID })
	return nil
}

// now is the clock of what is told no time, as precise as every store keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
