package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
)

// This file makes the Store an [oauthkit.ApplicationManager], for the pages of applications.

// NewApplication returns an empty form's client.
func (s *Store) NewApplication() oauthkit.Application { return new(Client) }

// ValidateApplication asks the client, by [Client.Validate].
func (s *Store) ValidateApplication(app oauthkit.Application) error {
	return oauthkit.ValidateApplication(app)
}

// CreateApplication gives the client its key. What an earlier client with that key may have left is ended.
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
		return fmt.Errorf("there is a client %q already", client.Key)
	case !errors.Is(err, oauthkit.ErrNotFound):
		return err
	}
	if err := s.ForgetApplication(ctx, client.Key, now); err != nil { // first: a client that is there could use it
		return err
	}
	if err := s.EnableApplication(ctx, client.Key, now); err != nil {
		return err
	}
	if err := s.db.WithContext(ctx).Create(client).Error; err != nil {
		return fmt.Errorf("adding a client: %w", err)
	}
	return nil
}

// UpdateApplication changes the client that was read, if nobody has changed it meanwhile. Whatever is wrong with one, it can be
// suspended: first in the table, so that no request begins, and then in the library's, which revokes what was issued to it. If
// that fails, the same change, made again, continues. A client that goes on is accepted by the library first.
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
		return fmt.Errorf("changing a client: %w", updated.Error)
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

// resume lets the library issue again to a client that is suspended.
func (s *Store) resume(ctx context.Context, key string, now time.Time) error {
	stored, err := s.Application(ctx, key)
	if err != nil || oauthkit.IsUsable(stored) {
		return err
	}
	return s.EnableApplication(ctx, key, now)
}

// DeleteApplication ends what was issued to the client, and then removes it: in this order, so that a client of which something
// is left can still be found and deleted again.
func (s *Store) DeleteApplication(ctx context.Context, clientID string, now time.Time) error {
	if err := s.ForgetApplication(ctx, clientID, now); err != nil {
		return err
	}
	deleted := s.db.WithContext(ctx).Where(`"key" = ?`, clientID).Delete(new(Client))
	if deleted.Error != nil {
		return fmt.Errorf("removing a client: %w", deleted.Error)
	}
	if deleted.RowsAffected == 0 {
		return oauthkit.ErrNotFound
	}
	return nil
}

// ListApplications returns a page of the clients of some teams.
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
