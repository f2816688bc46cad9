package gormstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/oauthkit/oauthkit"
)

// ApplicationTable are the applications in the host's type. Hooks that the type has for GORM are called. Nobody is asked who may call these
// methods, and no event is sent: what people do goes through [oauthkit.ApplicationTable].
type ApplicationTable[A oauthkit.Application] struct {
	*applicationRows
	credentials *Credentials
	rules       oauthkit.ApplicationRules
}

// together reports whether the applications are in the database of what is issued to them.
func (a *ApplicationTable[A]) together() bool { return a.database == a.credentials.database }

// Find returns the application with this client_id, or an error wrapping [oauthkit.ErrNotFound].
func (a *ApplicationTable[A]) Find(ctx context.Context, clientID string) (A, error) {
	var app, none A
	var rows int64
	err := a.attempt(ctx, false, func() error {
		found := a.query(ctx).Raw(a.selectOne, clientID).Find(&app)
		rows = found.RowsAffected
		return found.Error
	})
	switch {
	case err != nil:
		return none, storeError("finding an application", err)
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
func (a *ApplicationTable[A]) Create(ctx context.Context, app A, now time.Time) error {
	return a.create(ctx, app, now, func(*gorm.DB) error { return nil })
}

// CreateWithin does the same as Create if the owner of app, in its column user_id, has fewer than limit
// applications. Otherwise it returns an error wrapping [oauthkit.ErrTooMany]. It counts in the
// transaction that stores app, one transaction of an owner at a time. An app without an owner is not
// limited.
func (a *ApplicationTable[A]) CreateWithin(ctx context.Context, app A, limit int, now time.Time) error {
	return a.create(ctx, app, now, func(tx *gorm.DB) error { return a.checkOwner(ctx, tx, app.GetUserID(), limit) })
}

// checkOwner returns ErrTooMany if the owner has limit applications, and lets no other transaction
// create one for them before this one has ended.
func (a *ApplicationTable[A]) checkOwner(ctx context.Context, tx *gorm.DB, owner string, limit int) error {
	if owner == "" {
		return nil
	}
	if err := a.dialect.lockOwner(ctx, a.database, tx.Statement.ConnPool, owner); err != nil {
		return err
	}
	var number int64
	err := tx.Model(a.model).Where("user_id = ?", owner).Count(&number).Error
	if err == nil && number >= int64(limit) {
		err = fmt.Errorf("%q: %w", owner, oauthkit.ErrTooMany)
	}
	return err
}

// create stores app if it is valid, unless allowed, which is called in the transaction, returns an error.
func (a *ApplicationTable[A]) create(ctx context.Context, app A, now time.Time, allowed func(tx *gorm.DB) error) error {
	if err := a.rules.Prepare(app); err != nil {
		return err
	}
	return storeError("creating an application", a.refused(ctx, app, a.insert(ctx, app, now, allowed)))
}

func (a *ApplicationTable[A]) insert(ctx context.Context, app A, now time.Time, allowed func(tx *gorm.DB) error) error {
	if err := a.endEarlier(ctx, app.GetID(), now); err != nil {
		return err
	}
	return a.withLifted(ctx, app.GetID(), now, func(tx *gorm.DB) error {
		if err := allowed(tx); err != nil {
			return err
		}
		unlessExists := clause.OnConflict{Columns: []clause.Column{{Name: "client_id"}}, DoNothing: true}
		created := at(tx, now).Clauses(unlessExists).Create(app)
		if created.Error == nil && created.RowsAffected == 0 {
			return exists(app.GetID())
		}
		return created.Error
	})
}

// endEarlier ends what is left of an application with this client_id whose row is gone, before there is a new one that could
// use it. Where nothing is left, and no mark that one was deleted, there is nothing to wait for either.
func (a *ApplicationTable[A]) endEarlier(ctx context.Context, clientID string, now time.Time) error {
	there, err := a.queryStrings(ctx, a.pool(), `SELECT client_id FROM {applications} WHERE client_id = @client_id`, arguments{clientID: clientID})
	if err != nil {
		return err
	}
	if len(there) > 0 { // what it has is not touched
		return exists(clientID)
	}
	ended := applicationOwner(clientID)
	left, err := a.credentials.boundedStrings(ctx, leftOfApplication, ended.arguments)
	if err == nil && len(left) > 0 {
		_, err = a.credentials.revokeOnce(ctx, ended, now)
	}
	return err
}

const leftOfApplication = `SELECT 'left' WHERE EXISTS (SELECT 1 FROM {endings} WHERE name = @name AND id = '')
	OR EXISTS (SELECT 1 FROM {consents} WHERE client_id = @client_id)
	OR EXISTS (SELECT 1 FROM {authorizations} WHERE client_id = @client_id AND revoked_at IS NULL)`

func exists(clientID string) error {
	return fmt.Errorf("there is one with the client_id %q already", clientID)
}

// Update validates app, and stores it in the place of the one with its client_id, except for the time of its creation. If it
// is not usable any more, it need not be valid either, and is disabled: when Update returns nil, no Authorization of it is valid,
// those included that requests saved at the same time. They stay revoked when it is usable again. Without one it returns an error
// wrapping [oauthkit.ErrNotFound], and [oauthkit.ErrConflict] if it was changed since app was read. What another application has
// in a unique column is a problem as in Create.
//
// A change is stored before what the application has is ended. If the latter fails, the same change, made again, continues.
func (a *ApplicationTable[A]) Update(ctx context.Context, app A, now time.Time) error {
	if err := a.rules.Validate(app); err != nil && oauthkit.IsUsable(app) {
		return err
	}
	abstract, read, changedAt := oauthkit.Abstract(app), time.Time{}, now
	if abstract != nil {
		read = abstract.UpdatedAt
		if !now.After(read) { // each change has its own time, even if the clock stands still
			changedAt = read.Add(time.Microsecond)
		}
	}
	update := func(tx *gorm.DB) error {
		if abstract != nil {
			abstract.UpdatedAt = read // GORM has changed it if this is another attempt
		}
		return a.update(ctx, at(tx, changedAt), app)
	}
	change := a.disable
	if oauthkit.IsUsable(app) {
		change = a.enable
	}
	return storeError("updating an application", a.refused(ctx, app, change(ctx, app.GetID(), now, update)))
}

// disable stores the application first, so that no request begins any more, and then ends what it has.
func (a *ApplicationTable[A]) disable(ctx context.Context, clientID string, now time.Time, update func(tx *gorm.DB) error) error {
	if err := a.change(ctx, update); err != nil {
		return err
	}
	if err := a.credentials.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return a.settle(ctx, clientID, now)
}

// enable stores an application that is usable. If it was not before, what disabling it has left undone is done first.
func (a *ApplicationTable[A]) enable(ctx context.Context, clientID string, now time.Time, update func(tx *gorm.DB) error) error {
	name := applicationOwner(clientID).name
	stored, err := a.stored(ctx, clientID)
	if err != nil {
		return err
	}
	marked, err := a.credentials.isMarked(ctx, name)
	switch {
	case err != nil:
		return err
	case !marked && oauthkit.IsUsable(stored):
		if err := a.change(ctx, update); err != nil {
			return err
		}
		return a.settle(ctx, clientID, now)
	}
	if err := a.credentials.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return a.withLifted(ctx, clientID, now, update)
}

// settle lifts the mark of an application that another call has enabled while this one disabled it, or the other way round: each
// writes its half first and then reads the other's, so at least one of them sees both.
func (a *ApplicationTable[A]) settle(ctx context.Context, clientID string, now time.Time) error {
	marked, err := a.credentials.isMarked(ctx, applicationOwner(clientID).name)
	if err != nil || !marked {
		return err
	}
	switch stored, err := a.stored(ctx, clientID); {
	case errors.Is(err, oauthkit.ErrNotFound): // deleted meanwhile, or never created
		_, err = a.credentials.expireMark(ctx, a.credentials.pool(), applicationOwner(clientID).name)
		return err
	case err != nil || !oauthkit.IsUsable(stored):
		return err
	default:
		return a.credentials.EnableApplication(ctx, clientID, now)
	}
}

// stored is Find with a deadline of its own.
func (a *ApplicationTable[A]) stored(ctx context.Context, clientID string) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return a.Find(ctx, clientID)
}

// change runs a change of the row, which is short, in a transaction that has a deadline of its own.
func (a *ApplicationTable[A]) change(ctx context.Context, change func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return a.applicationRows.change(ctx, change)
}

// withLifted changes the row together with lifting the mark that nothing is issued to the application. In two databases the mark is
// lifted first: a program that ends in between leaves no application that is refused everything. If the change is refused, the mark
// is put back, with what was issued meanwhile revoked, unless another call has made the application usable.
func (a *ApplicationTable[A]) withLifted(ctx context.Context, clientID string, now time.Time, change func(tx *gorm.DB) error) error {
	name := applicationOwner(clientID).name
	if a.together() {
		return a.change(ctx, func(tx *gorm.DB) error {
			if err := change(tx); err != nil {
				return err
			}
			return a.credentials.unmark(ctx, tx.Statement.ConnPool, name)
		})
	}
	marked, err := a.credentials.isMarked(ctx, name)
	if err == nil {
		err = a.credentials.unmark(ctx, a.credentials.pool(), name)
	}
	if err != nil {
		return err
	}
	err = a.change(ctx, change)
	if err != nil && marked {
		err = errors.Join(err, a.putBack(context.WithoutCancel(ctx), clientID, now))
	}
	return err
}

// putBack ends what was issued to an application since its mark was lifted in vain.
func (a *ApplicationTable[A]) putBack(ctx context.Context, clientID string, now time.Time) error {
	if err := a.credentials.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return a.settle(ctx, clientID, now)
}

func (a *ApplicationTable[A]) update(ctx context.Context, tx *gorm.DB, app A) error {
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

// notUpdated returns why no row was updated.
func (a *ApplicationTable[A]) notUpdated(ctx context.Context, tx *gorm.DB, clientID string, unchanged bool) error {
	there, err := a.queryStrings(ctx, tx.Statement.ConnPool, `SELECT client_id FROM {applications} WHERE client_id = @client_id`, arguments{clientID: clientID})
	switch {
	case err != nil:
		return err
	case len(there) > 0 && unchanged:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrConflict)
	default:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
}

// Delete removes the application with this client_id, and with it what [ScopeTable.Allow] said of it and all consent for it; it
// revokes every Authorization that the application has, those included that requests save at the same time. Without one it returns
// an error wrapping [oauthkit.ErrNotFound], and ends what may be left of it.
//
// What the application has is ended before its row is removed. If that fails, the application is still there, with nothing that is
// issued to it any more, and the same call continues.
func (a *ApplicationTable[A]) Delete(ctx context.Context, clientID string, now time.Time) error {
	ended := applicationOwner(clientID)
	if err := a.credentials.revokeMarked(ctx, ended, now, true); err != nil {
		return storeError("deleting an application", err)
	}
	var removed int
	var gone bool
	err := a.change(ctx, func(tx *gorm.DB) (err error) {
		removed, err = a.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {applications} WHERE client_id = @client_id`, arguments{clientID: clientID})
		if err == nil {
			_, err = a.execute(ctx, tx.Statement.ConnPool, forgetApplicationScopes, arguments{clientID: clientID})
		}
		if err == nil && a.together() {
			gone, err = a.credentials.expireMark(ctx, tx.Statement.ConnPool, ended.name)
		}
		return err
	})
	if err == nil && !a.together() {
		gone, err = a.credentials.expireMark(ctx, a.credentials.pool(), ended.name)
	}
	if err == nil && !gone { // another call has enabled it meanwhile, which none can any more
		err = a.credentials.ForgetApplication(ctx, clientID, now)
		if err == nil {
			err = a.settle(ctx, clientID, now)
		}
	}
	if err == nil && removed == 0 {
		err = fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
	return storeError("deleting an application", err)
}

// List returns applications in the order of their client_id. An application's owner is in the column user_id; who asks for the
// owner "" gets none.
func (a *ApplicationTable[A]) List(ctx context.Context, page oauthkit.ApplicationQuery) ([]A, error) {
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
	return apps, storeError("listing applications", err)
}
