package gormstore

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/oauthkit/oauthkit"
)

// Applications are the applications in the host's type. Hooks that the type has for GORM are called. Nobody is asked who may call these
// methods, and no event is sent: what people do goes through [oauthkit.Applications].
type Applications[A oauthkit.Application] struct {
	*applicationTable
	credentials *Credentials
	rules       oauthkit.ApplicationRules
}

// together reports whether the applications are in the database of what is issued to them.
func (a *Applications[A]) together() bool { return a.database == a.credentials.database }

// Find returns the application with this client_id, or an error wrapping [oauthkit.ErrNotFound].
func (a *Applications[A]) Find(ctx context.Context, clientID string) (A, error) {
	var app, none A
	var rows int64
	err := a.attempt(ctx, false, func() error {
		found := a.query(ctx).Raw(a.selectOne, clientID).Find(&app)
		rows = found.RowsAffected
		return found.Error
	})
	switch {
	case err != nil:
		return none, failed("finding an application", err)
	case rows == 0:
		return none, fmt.Errorf("gormstore: finding an application: %q: %w", clientID, oauthkit.ErrNotFound)
	default:
		return app, nil
	}
}

// Create makes app ready by the rules of the Config, which gives it a client_id if it has none, and stores it. It is an error
// if there is one with its client_id. If another has what app has in a column of the host's that is tagged uniqueIndex, the error
// holds [oauthkit.Problems] at the field's name in JSON, or at the column's where no tag says one. What is left of an earlier
// application, whose row was removed past the library or whose users just approved it while it was deleted, is ended.
func (a *Applications[A]) Create(ctx context.Context, app A) error {
	if err := a.rules.Prepare(app); err != nil {
		return err
	}
	create := func(tx *gorm.DB) error {
		unlessExists := clause.OnConflict{Columns: []clause.Column{{Name: "client_id"}}, DoNothing: true}
		created := tx.Clauses(unlessExists).Create(app)
		if created.Error == nil && created.RowsAffected == 0 {
			return exists(app.GetID())
		}
		return created.Error
	}
	var err error
	if a.together() {
		err = a.ending(ctx, app.GetID(), create, a.credentials.forgetIssued)
	} else {
		err = a.createApart(ctx, app.GetID(), create)
	}
	return failed("creating an application", a.refused(ctx, app, err))
}

// createApart ends what is left of an earlier application, and commits that, before there is a new one that could use it.
func (a *Applications[A]) createApart(ctx context.Context, clientID string, create func(tx *gorm.DB) error) error {
	there, err := a.ids(ctx, a.pool(), `SELECT client_id FROM {applications} WHERE client_id = $1`, clientID)
	if err != nil {
		return err
	}
	if len(there) > 0 { // what it has is not touched
		return exists(clientID)
	}
	err = a.credentials.inTransaction(ctx, func(tx gorm.ConnPool) error {
		return a.credentials.forgetIssued(ctx, tx, clientID, a.db.NowFunc())
	})
	if err != nil {
		return err
	}
	return a.change(ctx, create)
}

func exists(clientID string) error {
	return fmt.Errorf("there is one with the client_id %q already", clientID)
}

// Update validates app, and stores it in the place of the one with its client_id, except for the time of its creation. If it
// is not usable any more, it need not be valid either, and every Authorization that it has is revoked. Without one it returns an error wrapping
// [oauthkit.ErrNotFound], and [oauthkit.ErrConflict] where somebody has changed it since app was read. What another application has in
// a unique column is a problem as in Create.
func (a *Applications[A]) Update(ctx context.Context, app A) error {
	if err := a.rules.Validate(app); err != nil && oauthkit.IsUsable(app) {
		return err
	}
	abstract, read := oauthkit.Abstract(app), time.Time{}
	if abstract != nil {
		read = abstract.UpdatedAt
	}
	update := func(tx *gorm.DB) error {
		if abstract != nil {
			abstract.UpdatedAt = read // GORM has changed it if this is another attempt
		}
		return a.update(ctx, tx, app)
	}
	var err error
	if oauthkit.IsUsable(app) {
		err = a.change(ctx, update)
	} else {
		err = a.ending(ctx, app.GetID(), update, a.credentials.revokeIssued)
	}
	return failed("updating an application", a.refused(ctx, app, err))
}

func (a *Applications[A]) update(ctx context.Context, tx *gorm.DB, app A) error {
	query, unchanged := tx.Where("client_id = ?", app.GetID()), false
	if abstract := oauthkit.Abstract(app); abstract != nil && !abstract.UpdatedAt.IsZero() {
		query, unchanged = query.Where("updated_at = ?", abstract.UpdatedAt), true
	}
	updated := query.Select("*").Omit("client_id", "created_at").Updates(app)
	if updated.Error == nil && updated.RowsAffected == 0 {
		return a.notUpdated(ctx, tx, app.GetID(), unchanged)
	}
	return updated.Error
}

// ending changes an application and ends what it has. In one database that is one transaction. In two, what it has is ended first
// and committed last: if the change is refused, nothing has happened, and no token can be refreshed in between.
func (a *Applications[A]) ending(ctx context.Context, clientID string, change func(tx *gorm.DB) error,
	end func(ctx context.Context, tx gorm.ConnPool, clientID string, now time.Time) error,
) error {
	if a.together() {
		return a.change(ctx, func(tx *gorm.DB) error {
			if err := change(tx); err != nil {
				return err
			}
			return end(ctx, tx.Statement.ConnPool, clientID, a.db.NowFunc())
		})
	}
	return a.credentials.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if err := end(ctx, tx, clientID, a.db.NowFunc()); err != nil {
			return err
		}
		return a.change(ctx, change)
	})
}

// notUpdated returns why no row was updated.
func (a *Applications[A]) notUpdated(ctx context.Context, tx *gorm.DB, clientID string, unchanged bool) error {
	there, err := a.ids(ctx, tx.Statement.ConnPool, `SELECT client_id FROM {applications} WHERE client_id = $1`, clientID)
	switch {
	case err != nil:
		return err
	case len(there) > 0 && unchanged:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrConflict)
	default:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
}

// Delete removes the application with this client_id, and with it what [Scopes.Allow] said of it and all consent for it; it
// revokes every Authorization that the application has. Without one it returns an error wrapping [oauthkit.ErrNotFound], and
// ends what may be left of it.
func (a *Applications[A]) Delete(ctx context.Context, clientID string) error {
	var removed int
	err := a.ending(ctx, clientID, func(tx *gorm.DB) (err error) {
		removed, err = a.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {applications} WHERE client_id = $1`, clientID)
		if err != nil {
			return err
		}
		_, err = a.execute(ctx, tx.Statement.ConnPool, forgetApplicationScopes, clientID)
		return err
	}, a.credentials.forgetIssued)
	if err == nil && removed == 0 {
		err = fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
	return failed("deleting an application", err)
}

// List returns applications in the order of their client_id. An application's owner is in the column user_id; who asks for the
// owner "" gets none.
func (a *Applications[A]) List(ctx context.Context, page oauthkit.ApplicationPage) ([]A, error) {
	if page.Size <= 0 {
		page.Size = 100
	}
	query := a.query(ctx).Where("client_id > ?", page.After)
	if page.Owners != nil {
		query = query.Where("user_id IN ? AND user_id <> ''", page.Owners)
	}
	var apps []A
	query = query.Order("client_id").Limit(page.Size).Session(&gorm.Session{}) // for any number of attempts
	err := a.attempt(ctx, false, func() error { return query.Find(&apps).Error })
	return apps, failed("listing applications", err)
}
