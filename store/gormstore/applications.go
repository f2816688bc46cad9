package gormstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/oauthkit/oauthkit"
)

// Applications are the applications in the host's type. Hooks that the type has for GORM are called.
type Applications[A oauthkit.Application] struct {
	database *database
	rules    oauthkit.ApplicationRules
}

// Find returns the application with this client_id, or an error wrapping [oauthkit.ErrNotFound].
func (a *Applications[A]) Find(ctx context.Context, clientID string) (A, error) {
	var app, none A
	switch found := a.table(ctx).Raw(a.database.selectApplication, clientID).Find(&app); {
	case found.Error != nil:
		return none, failed("finding an application", found.Error)
	case found.RowsAffected == 0:
		return none, fmt.Errorf("gormstore: finding an application: %q: %w", clientID, oauthkit.ErrNotFound)
	default:
		return app, nil
	}
}

// Create makes app ready by the rules of the Config, which gives it a client_id if it has none, and stores it. It is an error
// if there is one with its client_id.
func (a *Applications[A]) Create(ctx context.Context, app A) error {
	if err := a.rules.Prepare(app); err != nil {
		return err
	}
	unlessExists := clause.OnConflict{Columns: []clause.Column{{Name: "client_id"}}, DoNothing: true}
	created := a.table(ctx).Clauses(unlessExists).Create(app)
	if created.Error == nil && created.RowsAffected == 0 {
		return fmt.Errorf("gormstore: there is an application %q already", app.GetID())
	}
	return failed("creating an application", created.Error)
}

// Update validates app and stores it in the place of the one with its client_id, except for the time of its creation. If it
// is not usable any more, every Authorization that it has is revoked. Without one it returns an error wrapping
// [oauthkit.ErrNotFound], and [oauthkit.ErrConflict] where somebody has changed it since app was read.
func (a *Applications[A]) Update(ctx context.Context, app A) error {
	if err := a.rules.Validate(app); err != nil {
		return err
	}
	d := a.database
	return failed("updating an application", a.table(ctx).Transaction(func(tx *gorm.DB) error {
		query, unchanged := tx.Where("client_id = ?", app.GetID()), false
		if abstract := oauthkit.Abstract(app); abstract != nil && !abstract.UpdatedAt.IsZero() {
			query, unchanged = query.Where("updated_at = ?", abstract.UpdatedAt), true
		}
		updated := query.Select("*").Omit("client_id", "created_at").Updates(app)
		if updated.Error == nil && updated.RowsAffected == 0 {
			return a.notUpdated(ctx, d, tx, app.GetID(), unchanged)
		}
		if updated.Error != nil || oauthkit.IsUsable(app) {
			return updated.Error
		}
		_, err := d.execute(ctx, tx.Statement.ConnPool, revokeIssued, app.GetID(), d.stamp(d.db.NowFunc()))
		return err
	}))
}

// notUpdated returns why no row was updated.
func (a *Applications[A]) notUpdated(ctx context.Context, d *database, tx *gorm.DB, clientID string, unchanged bool) error {
	there, err := d.ids(ctx, tx.Statement.ConnPool, `SELECT client_id FROM {applications} WHERE client_id = $1`, clientID)
	switch {
	case err != nil:
		return err
	case len(there) > 0 && unchanged:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrConflict)
	default:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
}

// Delete removes the application with this client_id, and with it all consent for it; it revokes every Authorization that
// the application has. Without one it returns an error wrapping [oauthkit.ErrNotFound].
func (a *Applications[A]) Delete(ctx context.Context, clientID string) error {
	d := a.database
	return failed("deleting an application", d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		rows, err := d.execute(ctx, tx, `DELETE FROM {applications} WHERE client_id = $1`, clientID)
		if err != nil {
			return err
		}
		if rows == 0 {
			return fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
		}
		if _, err := d.execute(ctx, tx, deleteConsents, clientID); err != nil {
			return err
		}
		_, err = d.execute(ctx, tx, revokeIssued, clientID, d.stamp(d.db.NowFunc()))
		return err
	}))
}

// Both lock in an order, for the reason that revokeConsented has.
const (
	deleteConsents = `WITH held AS (SELECT subject FROM {consents} WHERE application_id = $1 ORDER BY subject FOR UPDATE)
DELETE FROM {consents} WHERE application_id = $1 AND subject IN (SELECT subject FROM held)`
	revokeIssued = `WITH held AS (SELECT id FROM {authorizations} WHERE application_id = $1 AND revoked_at IS NULL ORDER BY id FOR UPDATE)
UPDATE {authorizations} SET revoked_at = $2 WHERE id IN (SELECT id FROM held)`
)

// List returns applications in the order of their client_id. An application's owner is in the column user_id; who asks for the
// owner "" gets none.
func (a *Applications[A]) List(ctx context.Context, page oauthkit.ApplicationPage) ([]A, error) {
	if page.Size <= 0 {
		page.Size = 100
	}
	query := a.table(ctx).Where("client_id > ?", page.After)
	if page.Owners != nil {
		query = query.Where("user_id IN ? AND user_id <> ''", page.Owners)
	}
	var apps []A
	err := query.Order("client_id").Limit(page.Size).Find(&apps).Error
	return apps, failed("listing applications", err)
}

// table begins a query of the applications. The setting is the one with which GORM's plug-in for replicas is told to ask the
// primary: a secret that was just changed must not be compared with the one before.
func (a *Applications[A]) table(ctx context.Context) *gorm.DB {
	return a.database.db.WithContext(ctx).Table(a.database.prefix+"applications").Set("gorm:db_resolver:write", struct{}{})
}
