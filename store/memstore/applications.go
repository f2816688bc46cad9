package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Application implements [oauthkit.ApplicationStore]. The result has the type of the
// stored application.
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

// NewApplication implements [oauthkit.ApplicationManager] with NewModel.
func (s *Store) NewApplication() oauthkit.Application {
	if s.NewModel == nil {
		return &oauthkit.AbstractApplication{}
	}
	return s.NewModel()
}

// ValidateApplication implements [oauthkit.ApplicationManager].
func (s *Store) ValidateApplication(app oauthkit.Application) error { return s.Rules.Validate(app) }

// CreateApplication implements [oauthkit.ApplicationManager]. If app has no client_id,
// it gets one. Anything left of an earlier application with the same client_id is
// revoked.
func (s *Store) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	return s.createApplication(ctx, app, now, func() error { return nil })
}

// CreateApplicationWithin implements [oauthkit.OwnerLimiter].
func (s *Store) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, limit int, now time.Time) error {
	return s.createApplication(ctx, app, now, func() error { return s.checkOwner(app.GetUserID(), limit) })
}

// checkOwner returns ErrTooMany if the owner has limit applications.
func (s *Store) checkOwner(owner string, limit int) error {
	number := 0
	for _, app := range s.applications {
		if isOwned(app, []string{owner}) {
			number++
		}
	}
	if owner != "" && number >= limit {
		return oauthkit.ErrTooMany
	}
	return nil
}

// createApplication stores app, unless check returns an error. It calls check under the
// lock.
func (s *Store) createApplication(ctx context.Context, app oauthkit.Application, now time.Time, check func() error) error {
	if err := s.Rules.Prepare(app); err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, exists := s.applications[app.GetID()]; exists {
		return fmt.Errorf("application %q: %w", app.GetID(), errExists)
	}
	if err := check(); err != nil {
		return err
	}
	if abstract := oauthkit.Abstract(app); abstract != nil && abstract.CreatedAt.IsZero() {
		abstract.CreatedAt = now
		abstract.UpdatedAt = abstract.CreatedAt
	}
	s.applications[app.GetID()] = copyApplication(app)
	s.revokeApplication(app.GetID(), oauthkit.Revocation{Now: now})
	delete(s.ended, app.GetID())
	return nil
}

// UpdateApplication implements [oauthkit.ApplicationManager]. It keeps CreatedAt.
func (s *Store) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	if err := s.Rules.Validate(app); err != nil && oauthkit.IsUsable(app) {
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
		if !abstract.UpdatedAt.IsZero() && !abstract.UpdatedAt.Equal(before.UpdatedAt) {
			return fmt.Errorf("application %q: %w", app.GetID(), oauthkit.ErrConflict)
		}
		abstract.CreatedAt, abstract.UpdatedAt = before.CreatedAt, now
		if !abstract.UpdatedAt.After(before.UpdatedAt) { // every change needs its own time
			abstract.UpdatedAt = before.UpdatedAt.Add(time.Microsecond)
		}
	}
	s.applications[app.GetID()] = copyApplication(app)
	if oauthkit.IsUsable(app) {
		delete(s.ended, app.GetID())
	} else {
		s.ended[app.GetID()] = now
		s.revokeWhere(oauthkit.Revocation{Now: now}, ofApplication(app.GetID()))
	}
	return nil
}

// DeleteApplication implements [oauthkit.ApplicationManager].
func (s *Store) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mutex.Unlock()
	if _, exists := s.applications[clientID]; !exists {
		return fmt.Errorf("application %q: %w", clientID, oauthkit.ErrNotFound)
	}
	delete(s.applications, clientID)
	s.ended[clientID] = now
	s.revokeApplication(clientID, oauthkit.Revocation{Now: now})
	return nil
}

// ListApplications implements [oauthkit.ApplicationManager].
func (s *Store) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	if page.Size <= 0 {
		page.Size = 100
	}
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mutex.Unlock()
	var apps []oauthkit.Application
	for _, clientID := range slices.Sorted(maps.Keys(s.applications)) {
		app := s.applications[clientID]
		if clientID > page.After && isOwned(app, page.Owners) {
			apps = append(apps, copyApplication(app))
		}
		if len(apps) == page.Size {
			break
		}
	}
	return apps, nil
}

// isOwned reports whether app belongs to one of the owners, or owners is nil. An
// application without an owner belongs to none.
func isOwned(app oauthkit.Application, owners []string) bool {
	return owners == nil || app.GetUserID() != "" && slices.Contains(owners, app.GetUserID())
}
