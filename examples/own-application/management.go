package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// The methods in this file implement [oauthkit.ApplicationManager] for the management
// pages.

// NewApplication returns an empty client for the registration form.
func (s *Store) NewApplication() oauthkit.Application { return new(Client) }

// ValidateApplication calls [Client.Validate].
func (s *Store) ValidateApplication(app oauthkit.Application) error {
	return oauthkit.ValidateApplication(app)
}

// CreateApplication stores a client, with a new key if it has none. It revokes
// everything that was issued to an earlier client with this key.
func (s *Store) CreateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	client := app.(*Client)
	if client.Key == "" {
		client.Key = oauthkit.NewClientID()
	}
	if err := s.ValidateApplication(client); err != nil {
		return err
	}
	switch _, err := s.Application(ctx, client.Key); {
	case err == nil:
		return fmt.Errorf("client %q already exists", client.Key)
	case !errors.Is(err, oauthkit.ErrNotFound):
		return err
	}
	if err := s.ForgetApplication(ctx, client.Key, now); err != nil { // before the client exists and could use it
		return err
	}
	if err := s.EnableApplication(ctx, client.Key, now); err != nil {
		return err
	}
	if err := s.db.WithContext(ctx).Create(client).Error; err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	return nil
}

// UpdateApplication stores a client unless it was changed since it was read.
//
// A client that is not valid can be suspended but not changed otherwise. Suspending
// changes the table first, so that no request begins, and then revokes everything
// issued to the client. If that fails, repeating the update completes it. A client that
// resumes is enabled in the library first.
func (s *Store) UpdateApplication(ctx context.Context, app oauthkit.Application, now time.Time) error {
	client := *app.(*Client)
	if err := s.ValidateApplication(app); err != nil && !client.Suspended {
		return err
	}
	if !client.Suspended {
		if err := s.resume(ctx, client.Key, now); err != nil {
			return err
		}
	}
	client.Version++
	updated := s.db.WithContext(ctx).Model(new(Client)).Where(`"key" = ? AND version = ?`, client.Key, client.Version-1).
		Select("*").Omit("id", "key").Updates(&client)
	switch {
	case updated.Error != nil:
		return fmt.Errorf("updating a client: %w", updated.Error)
	case updated.RowsAffected == 0:
		_, err := s.Application(ctx, client.Key)
		if err == nil {
			err = oauthkit.ErrConflict
		}
		return err
	case client.Suspended:
		return s.DisableApplication(ctx, client.Key, now)
	default:
		return nil
	}
}

// resume enables a suspended client in the library, so that it can get tokens again.
func (s *Store) resume(ctx context.Context, key string, now time.Time) error {
	stored, err := s.Application(ctx, key)
	if err != nil || oauthkit.IsUsable(stored) {
		return err
	}
	return s.EnableApplication(ctx, key, now)
}

// DeleteApplication revokes everything issued to the client before it deletes the row.
// A failed call can therefore be repeated.
func (s *Store) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	if err := s.ForgetApplication(ctx, clientID, now); err != nil {
		return err
	}
	deleted := s.db.WithContext(ctx).Where(`"key" = ?`, clientID).Delete(new(Client))
	if deleted.Error != nil {
		return fmt.Errorf("deleting a client: %w", deleted.Error)
	}
	if deleted.RowsAffected == 0 {
		return oauthkit.ErrNotFound
	}
	return nil
}

// ListApplications returns a page of the clients of some owners.
func (s *Store) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	if page.Size <= 0 {
		page.Size = 100
	}
	query := s.db.WithContext(ctx).Where(`"key" > ?`, page.After).Order(`"key"`).Limit(page.Size)
	if page.Owners != nil {
		query = query.Where("team IN ? AND team <> ''", page.Owners)
	}
	var clients []*Client
	if err := query.Find(&clients).Error; err != nil {
		return nil, fmt.Errorf("listing clients: %w", err)
	}
	apps := make([]oauthkit.Application, len(clients))
	for i, client := range clients {
		apps[i] = client
	}
	return apps, nil
}
