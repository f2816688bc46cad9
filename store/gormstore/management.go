package gormstore

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/oauthkit/oauthkit"
)

// NewApplication implements [oauthkit.ApplicationManager]. It returns an A.
func (s *Store[A]) NewApplication() oauthkit.Application {
	return reflect.New(reflect.TypeFor[A]().Elem()).Interface().(A)
}

// ValidateApplication implements [oauthkit.ApplicationManager], with [Config.Rules].
func (s *Store[A]) ValidateApplication(app oauthkit.Application) error {
	return s.ApplicationTable.rules.Validate(app)
}

// CreateApplication implements [oauthkit.ApplicationManager] as
// [ApplicationTable.Create] does. The app must be an A.
func (s *Store[A]) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	own, err := s.own(app)
	if err != nil {
		return err
	}
	return s.ApplicationTable.Create(ctx, own, now)
}

// CreateApplicationWithin implements [oauthkit.OwnerLimiter] as
// [ApplicationTable.CreateWithin] does. The app must be an A.
func (s *Store[A]) CreateApplicationWithin(ctx context.Context, app oauthkit.Application, limit int, now time.Time) error {
	own, err := s.own(app)
	if err != nil {
		return err
	}
	return s.ApplicationTable.CreateWithin(ctx, own, limit, now)
}

// UpdateApplication implements [oauthkit.ApplicationManager] as
// [ApplicationTable.Update] does. The app must be an A.
func (s *Store[A]) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	own, err := s.own(app)
	if err != nil {
		return err
	}
	return s.ApplicationTable.Update(ctx, own, now)
}

func (s *Store[A]) own(app oauthkit.Application) (A, error) {
	own, ok := app.(A)
	if !ok {
		return own, fmt.Errorf("gormstore: the application is a %T, but the store has %v", app, reflect.TypeFor[A]())
	}
	return own, nil
}

// DeleteApplication implements [oauthkit.ApplicationManager] as
// [ApplicationTable.Delete] does.
func (s *Store[A]) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	return s.ApplicationTable.Delete(ctx, clientID, now)
}

// ListApplications implements [oauthkit.ApplicationManager] as
// [ApplicationTable.List] does. Each one is an A.
func (s *Store[A]) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	listed, err := s.ApplicationTable.List(ctx, page)
	if err != nil {
		return nil, err
	}
	apps := make([]oauthkit.Application, len(listed))
	for i, app := range listed {
		apps[i] = app
	}
	return apps, nil
}
