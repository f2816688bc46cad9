// Package gormstore stores the data of a provider in PostgreSQL or SQLite, through
// GORM. It is generic over the host's type of application, so that the host's own
// columns come back typed.
//
// Package store/sqlite and package store/postgres open a database. A host that has a
// *gorm.DB passes it to [New]. GORM's chained calls serve the applications, whose columns
// the host defines, except for the statement that finds one. The other statements are
// SQL: on PostgreSQL each act is one statement, on SQLite one transaction. [Credentials]
// is this part alone, for a host whose applications are in a table of its own.
package gormstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/oauthkit/oauthkit"
)

// ApplicationTable is the table of applications, in the host's type. It calls the
// type's hooks for GORM. Its methods check no permissions and send no events; use
// [oauthkit.Applications] for acts of users.
type ApplicationTable[A oauthkit.Application] struct {
	*applicationRows
	credentials *Credentials
	rules       oauthkit.ApplicationRules
}

// together reports whether applications and credentials are in the same database.
func (a *ApplicationTable[A]) together() bool { return a.database == a.credentials.database }

// Find returns the application with this client_id, or an error wrapping
// [oauthkit.ErrNotFound].
func (a *ApplicationTable[A]) Find(ctx context.Context, clientID string) (A, error) {
	var app, none A
	var exists bool
	err := a.attempt(ctx, false, func() (err error) {
		if a.finder == nil {
			result := a.query(ctx).Raw(a.selectOne, clientID).Find(&app)
			exists = result.RowsAffected > 0
			return result.Error
		}
		row := reflect.New(a.schema.ModelType)
		exists, err = a.finder.find(ctx, a.pool(), clientID, row.Elem())
		app = row.Interface().(A)
		return err
	})
	switch {
	case err != nil:
		return none, storeError("finding an application", err)
	case !exists:
		return none, fmt.Errorf("gormstore: finding an application: %q: %w", clientID, oauthkit.ErrNotFound)
	default:
		return app, nil
	}
}

// Create prepares app with the rules of the Config, which generate a missing client_id,
// and stores it. It returns an error if an application with its client_id exists. If
// another application has the same value in a column of the host that is tagged
// uniqueIndex, the error holds [oauthkit.Problems] for the field, under its JSON name
// or else its column name.
//
// Create revokes everything left of an earlier application with the same client_id,
// whose row was removed without the library or which a user approved during its
// deletion.
func (a *ApplicationTable[A]) Create(ctx context.Context, app A, now time.Time) error {
	return a.create(ctx, app, now, func(*gorm.DB) error { return nil })
}

// CreateWithin is Create for an owner, in the column user_id, with fewer than limit
// applications. Otherwise it returns an error wrapping [oauthkit.ErrTooMany]. It counts
// in the transaction that stores app, and runs one such transaction per owner at a
// time. An app without an owner is not limited.
func (a *ApplicationTable[A]) CreateWithin(ctx context.Context, app A, limit int, now time.Time) error {
	return a.create(ctx, app, now, func(tx *gorm.DB) error { return a.checkOwner(ctx, tx, app.GetUserID(), limit) })
}

// checkOwner returns ErrTooMany if the owner has limit applications. Until tx ends, no
// other transaction creates an application for the owner.
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

// create validates and stores app, unless check returns an error. It calls check in the
// transaction.
func (a *ApplicationTable[A]) create(ctx context.Context, app A, now time.Time, check func(tx *gorm.DB) error) error {
	if err := a.rules.Prepare(app); err != nil {
		return err
	}
	return storeError("creating an application", a.uniqueProblems(ctx, app, a.insert(ctx, app, now, check)))
}

func (a *ApplicationTable[A]) insert(ctx context.Context, app A, now time.Time, check func(tx *gorm.DB) error) error {
	if err := a.revokeEarlier(ctx, app.GetID(), now); err != nil {
		return err
	}
	return a.withLifted(ctx, app.GetID(), now, func(tx *gorm.DB) error {
		if err := check(tx); err != nil {
			return err
		}
		unlessExists := clause.OnConflict{Columns: []clause.Column{{Name: "client_id"}}, DoNothing: true}
		created := at(tx, now).Clauses(unlessExists).Create(app)
		if created.Error == nil && created.RowsAffected == 0 {
			return errExists(app.GetID())
		}
		return created.Error
	})
}

// revokeEarlier revokes everything left of an earlier application with this client_id
// before a new one could use it. If nothing is left, not even the mark of a deletion,
// it does not wait for running acts.
func (a *ApplicationTable[A]) revokeEarlier(ctx context.Context, clientID string, now time.Time) error {
	there, err := a.exists(ctx, a.pool(), clientID)
	if err != nil {
		return err
	}
	if there { // do not revoke its Authorizations
		return errExists(clientID)
	}
	ended := applicationOwner(clientID)
	left, err := a.credentials.queryBounded(ctx, leftOfApplication, ended.arguments)
	if err == nil && len(left) > 0 {
		_, err = a.credentials.revokeOnce(ctx, ended, oauthkit.Revocation{Now: now})
	}
	return err
}

const leftOfApplication = `SELECT 'left' WHERE EXISTS (SELECT 1 FROM {endings} WHERE name = @name AND id = '')
	OR EXISTS (SELECT 1 FROM {consents} WHERE client_id = @client_id)
	OR EXISTS (SELECT 1 FROM {authorizations} WHERE client_id = @client_id AND revoked_at IS NULL)`

// exists reports whether there is an application with this client_id.
func (a *ApplicationTable[A]) exists(ctx context.Context, conn gorm.ConnPool, clientID string) (bool, error) {
	found, err := a.queryStrings(ctx, conn, `SELECT client_id FROM {applications} WHERE client_id = @client_id`, arguments{clientID: clientID})
	return len(found) > 0, err
}

func errExists(clientID string) error {
	return fmt.Errorf("the client_id %q already exists", clientID)
}

// Update validates app and replaces the application with its client_id, except
// CreatedAt. It returns an error wrapping [oauthkit.ErrNotFound] if there is none, and
// [oauthkit.ErrConflict] if the application was changed since app was read. Values of
// unique columns that another application has are problems as in Create.
//
// If app is not usable, it need not be valid, and Update revokes all its
// Authorizations, including those that concurrent requests save. They stay revoked
// after the application is enabled again. Update stores the change before it revokes.
// If revoking fails, the same call continues.
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
			abstract.UpdatedAt = read // GORM changed it in the previous attempt
		}
		return a.update(ctx, at(tx, changedAt), app)
	}
	change := a.disable
	if oauthkit.IsUsable(app) {
		change = a.enable
	}
	return storeError("updating an application", a.uniqueProblems(ctx, app, change(ctx, app.GetID(), now, update)))
}

// disable stores the application first, so that no new request succeeds, and then
// revokes its Authorizations.
func (a *ApplicationTable[A]) disable(ctx context.Context, clientID string, now time.Time, update func(tx *gorm.DB) error) error {
	if err := a.change(ctx, update); err != nil {
		return err
	}
	if err := a.credentials.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return a.settle(ctx, clientID, now)
}

// enable stores a usable application. If it was disabled, enable first completes an
// interrupted revocation.
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

// settle makes mark and row agree after concurrent calls that enabled and disabled an
// application. Each call writes its half before it reads the other's, so at least one
// of them sees both.
func (a *ApplicationTable[A]) settle(ctx context.Context, clientID string, now time.Time) error {
	marked, err := a.credentials.isMarked(ctx, applicationOwner(clientID).name)
	if err != nil || !marked {
		return err
	}
	switch stored, err := a.stored(ctx, clientID); {
	case errors.Is(err, oauthkit.ErrNotFound): // deleted concurrently, or never created
		_, err = a.credentials.expireMark(ctx, a.credentials.pool(), applicationOwner(clientID).name)
		return err
	case err != nil || !oauthkit.IsUsable(stored):
		return err
	default:
		return a.credentials.EnableApplication(ctx, clientID, now)
	}
}

// stored is Find with a deadline.
func (a *ApplicationTable[A]) stored(ctx context.Context, clientID string) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return a.Find(ctx, clientID)
}

// change runs a short change of the row in a transaction with a deadline.
func (a *ApplicationTable[A]) change(ctx context.Context, change func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return a.applicationRows.change(ctx, change)
}

// withLifted changes the row and lifts the mark that refuses new Authorizations. With
// two databases it lifts the mark first, so that a crash in between does not leave a
// usable application that is refused everything. If the change then fails, it sets the
// mark again and revokes the Authorizations saved in between, unless another call has
// enabled the application.
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

// putBack sets a mark again after a failed change, and revokes the Authorizations saved
// in between.
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

// notUpdated returns the reason why no row was updated.
func (a *ApplicationTable[A]) notUpdated(ctx context.Context, tx *gorm.DB, clientID string, unchanged bool) error {
	there, err := a.exists(ctx, tx.Statement.ConnPool, clientID)
	switch {
	case err != nil:
		return err
	case there && unchanged:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrConflict)
	default:
		return fmt.Errorf("%q: %w", clientID, oauthkit.ErrNotFound)
	}
}

// Delete removes the application with this client_id, its scopes of [ScopeTable.Allow]
// and every Consent for it, and revokes its Authorizations, including those that
// concurrent requests save. If there is no such application, it revokes everything left
// of an earlier one and returns an error wrapping [oauthkit.ErrNotFound]. Delete
// revokes before it removes the row. If revoking fails, the application still exists
// but gets no tokens, and the same call continues.
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
			_, err = a.execute(ctx, tx.Statement.ConnPool, deleteApplicationScopes, arguments{clientID: clientID})
		}
		if err == nil && a.together() {
			gone, err = a.credentials.expireMark(ctx, tx.Statement.ConnPool, ended.name)
		}
		return err
	})
	if err == nil && !a.together() {
		gone, err = a.credentials.expireMark(ctx, a.credentials.pool(), ended.name)
	}
	if err == nil && !gone { // a concurrent call enabled it; none can do so now
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

// List returns applications in the order of their client_id. The column user_id has the
// owner. The owner "" matches no application.
func (a *ApplicationTable[A]) List(ctx context.Context, page oauthkit.ApplicationQuery) ([]A, error) {
	if page.Size <= 0 {
		page.Size = 100
	}
	query := a.query(ctx).Where("client_id > ?", page.After)
	if page.Owners != nil {
		query = query.Where("user_id IN ? AND user_id <> ''", page.Owners)
	}
	var apps []A
	query = query.Order("client_id").Limit(page.Size).Session(&gorm.Session{}) // reusable for further attempts
	err := a.attempt(ctx, false, func() error { return query.Find(&apps).Error })
	return apps, storeError("listing applications", err)
}

// Application implements [oauthkit.ApplicationStore]. It returns an A.
func (s *Store[A]) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	app, err := s.ApplicationTable.Find(ctx, clientID)
	if err != nil {
		return nil, err
	}
	return app, nil
}
