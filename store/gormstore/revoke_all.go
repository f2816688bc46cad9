package gormstore

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file revokes everything that an application or a user has, however many rows
// that are, while requests go on. It does so in four steps.
//
//  1. It commits a mark. The acts that insert an Authorization look for marks in the same
//     statement, so those that begin from now on are refused with [oauthkit.ErrEnded].
//  2. It waits until the acts have ended that began before and cannot have seen the mark.
//     Afterwards their rows are visible.
//  3. It revokes in batches, each in a transaction of its own, until no row is left.
//  4. It removes the mark, or leaves that to a later call.
//
// If it is interrupted, the same call continues. No lock is held for longer than a
// batch.

const (
	batchRows = 1000           // rows that one statement changes
	pageRows  = 20 * batchRows // ids that are read ahead
)

// batchTime is the deadline of each statement. The caller's context may have none,
// since a revocation should be completed once it has begun.
const batchTime = 10 * time.Second

// A mark has the name of an application or a user, and the id of the call that set
// it. The mark of a disabled or deleted application has no id. Marks expire by the
// clock of the database, so that the clocks of the instances do not matter.
const (
	markInForce      = `(expires_at IS NULL OR expires_at > clock_timestamp())`
	setPermanentMark = `INSERT INTO {endings} (name, id, expires_at) VALUES (@name, '', NULL)
ON CONFLICT (name, id) DO UPDATE SET expires_at = NULL`
	expirePermanentMark = `UPDATE {endings} SET expires_at = clock_timestamp() + interval '1 day'
WHERE name = @name AND id = '' AND expires_at IS NULL`
	selectPermanentMark = `SELECT name FROM {endings} WHERE name = @name AND id = '' AND ` + markInForce
	setMark             = `INSERT INTO {endings} (name, id, expires_at) VALUES (@name, @id, clock_timestamp() + interval '1 minute')`
	renewMark           = `UPDATE {endings} SET expires_at = clock_timestamp() + interval '1 minute'
WHERE name = @name AND id = @id AND expires_at > clock_timestamp()`
	removeMark = `DELETE FROM {endings} WHERE name = @name AND id = @id`
)

// owner is an application or a user whose Authorizations are all revoked.
type owner struct {
	arguments             // the name of the mark, and the client_id or the subject
	deleteConsents string // deletes a batch
	selectValid    string // returns ids of Authorizations that are not revoked
}

func applicationOwner(clientID string) owner {
	return owner{arguments{name: "application:" + clientID, clientID: clientID}, deleteConsents, validOfApplication}
}

func userOwner(subject string) owner {
	return owner{arguments{name: "user:" + subject, subject: subject}, deleteUserConsents, validOfUser}
}

// Consents are locked in the order of application and user, and Authorizations in the
// order of their ids, as in every statement that locks several of them. So no two
// wait for each other.
const (
	deleteConsents = `WITH held AS (SELECT subject FROM {consents} WHERE client_id = @client_id ORDER BY subject LIMIT @limit FOR UPDATE)
DELETE FROM {consents} WHERE client_id = @client_id AND subject IN (SELECT subject FROM held)`
	deleteUserConsents = `WITH held AS (SELECT client_id FROM {consents} WHERE subject = @subject ORDER BY client_id LIMIT @limit FOR UPDATE)
DELETE FROM {consents} WHERE subject = @subject AND client_id IN (SELECT client_id FROM held)`
	validOfApplication = `SELECT id FROM {authorizations} WHERE client_id = @client_id AND revoked_at IS NULL LIMIT @limit`
	validOfUser        = `SELECT id FROM {authorizations} WHERE subject = @subject` + signedIn + `
UNION ALL SELECT id FROM {authorizations} WHERE subject = @subject AND revoked_at IS NULL AND issued_at IS NULL LIMIT @limit`
	revokeListedPostgres = `WITH held AS (
	SELECT id FROM {authorizations} WHERE id = ANY (ARRAY(SELECT json_array_elements_text(@ids::text::json))) AND revoked_at IS NULL
	ORDER BY id FOR UPDATE
) UPDATE {authorizations} SET revoked_at = @now WHERE id IN (SELECT id FROM held)`
	revokeListedSQLite = `UPDATE {authorizations} SET revoked_at = @now
WHERE id IN (SELECT value FROM json_each(@ids)) AND revoked_at IS NULL`
)

// DisableApplication revokes every Authorization of an application. Until
// [Credentials.EnableApplication] is called, new ones are refused with
// [oauthkit.ErrEnded]. When it returns nil, no token of the application is valid,
// including those that concurrent requests issued. After an error, the same call
// continues.
//
// It is for a host whose applications are in a table of its own. Call it after the
// table says that the application is disabled. [ApplicationTable.Update] calls it.
func (c *Credentials) DisableApplication(ctx context.Context, clientID string, now time.Time) error {
	return storeError("disabling an application", c.revokeMarked(ctx, applicationOwner(clientID), now, false))
}

// EnableApplication completes an interrupted [Credentials.DisableApplication], and
// then accepts new Authorizations of the application. Call it before the table says
// that the application is enabled. [ApplicationTable.Update] calls it.
func (c *Credentials) EnableApplication(ctx context.Context, clientID string, now time.Time) error {
	if err := c.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return storeError("enabling an application", c.unmark(ctx, c.pool(), applicationOwner(clientID).name))
}

// ForgetApplication does the same as [Credentials.DisableApplication], and deletes
// all consent for the application. New Authorizations are refused for a day, by which
// every request has ended that had read the application. Call it before its row is
// removed, and again before one with the same client_id is added, followed by
// [Credentials.EnableApplication]. [ApplicationTable.Delete] and
// [ApplicationTable.Create] call it.
func (c *Credentials) ForgetApplication(ctx context.Context, clientID string, now time.Time) error {
	application := applicationOwner(clientID)
	err := c.revokeMarked(ctx, application, now, true)
	if err == nil {
		_, err = c.expireMark(ctx, c.pool(), application.name)
	}
	return storeError("forgetting an application", err)
}

// revokeMarked revokes everything of an application under a permanent mark.
func (c *Credentials) revokeMarked(ctx context.Context, o owner, now time.Time, consents bool) error {
	if err := c.changeMark(ctx, c.pool(), setPermanentMark, o.arguments); err != nil {
		return err
	}
	_, err := c.revokeAll(ctx, o, oauthkit.Revocation{Now: now}, consents, func() error { return nil })
	return err
}

// revokeOnce revokes everything of an application or a user under a mark that it
// removes. The mark expires by itself if the program ends before.
func (c *Credentials) revokeOnce(ctx context.Context, o owner, revocation oauthkit.Revocation) (revoked int, err error) {
	o.id = secret.NewID()
	if err := c.changeMark(ctx, c.pool(), setMark, o.arguments); err != nil {
		return 0, err
	}
	defer func() {
		removed := c.changeMark(context.WithoutCancel(ctx), c.pool(), removeMark, o.arguments)
		err = errors.Join(err, removed)
	}()
	due := time.NewTicker(batchTime)
	defer due.Stop()
	return c.revokeAll(ctx, o, revocation, true, func() error {
		select {
		case <-due.C:
		default:
			return nil
		}
		renewed, err := c.executeBounded(ctx, c.pool(), renewMark, o.arguments)
		if err == nil && renewed == 0 {
			err = errors.New("a statement took so long that the mark has expired")
		}
		return err
	})
}

// revokeAll waits for the acts that cannot have seen the mark, and then revokes. It
// calls renew between two statements.
func (c *Credentials) revokeAll(ctx context.Context, o owner, revocation oauthkit.Revocation, consents bool, renew func() error) (revoked int, err error) {
	if err := c.dialect.awaitActs(ctx, c.database, renew); err != nil {
		return 0, err
	}
	o.limit = batchRows
	for rows := batchRows; consents && rows == batchRows; {
		if rows, err = c.executeBounded(ctx, c.pool(), o.deleteConsents, o.arguments); err != nil {
			return 0, err
		}
		if err := renew(); err != nil {
			return 0, err
		}
	}
	o.limit = pageRows
	for {
		ids, err := c.queryBounded(ctx, o.selectValid, o.arguments)
		if err != nil || len(ids) == 0 {
			return revoked, err
		}
		err = inBatches(ids, func(ids string) error {
			rows, err := c.revokeListed(ctx, ids, revocation)
			revoked += rows
			if err == nil {
				err = renew()
			}
			return err
		})
		if err != nil {
			return revoked, err
		}
	}
}

// revokeListed revokes the Authorizations of a batch, whose ids are a JSON array.
func (c *Credentials) revokeListed(ctx context.Context, ids string, revocation oauthkit.Revocation) (rows int, err error) {
	a := arguments{ids: ids, now: revocation.Now, notice: noted(revocation, oauthkit.NoticeAccessRevoked)}
	if a.notice == nil {
		return c.executeBounded(ctx, c.pool(), c.dialect.revokeListed, a)
	}
	return c.dialect.revokeListedAndNote(ctx, c.database, a)
}

// inBatches calls revoke with the ids of each batch, as a JSON array.
func inBatches(ids []string, revoke func(ids string) error) error {
	slices.Sort(ids)
	for batch := range slices.Chunk(ids, batchRows) {
		list, err := json.Marshal(batch)
		if err == nil {
			err = revoke(string(list))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isMarked reports whether an application has a permanent mark.
func (c *Credentials) isMarked(ctx context.Context, name string) (bool, error) {
	names, err := c.queryBounded(ctx, selectPermanentMark, arguments{name: name})
	return len(names) > 0, err
}

// unmark removes the permanent mark of an application.
func (c *Credentials) unmark(ctx context.Context, conn gorm.ConnPool, name string) error {
	return c.changeMark(ctx, conn, removeMark, arguments{name: name})
}

// expireMark lets the permanent mark of a removed application expire. It reports
// whether there was one.
func (c *Credentials) expireMark(ctx context.Context, conn gorm.ConnPool, name string) (marked bool, err error) {
	rows, err := c.executeBounded(ctx, conn, expirePermanentMark, arguments{name: name})
	return rows > 0, err
}

// executeBounded executes a statement with a deadline, and returns the number of rows
// that it changed. Outside a transaction, a statement that waits for a lock begins
// again after batchTime, so that it does not hold a connection and a place in the
// queue of the lock for long. After a minute it fails.
func (d *database) executeBounded(ctx context.Context, conn gorm.ConnPool, statement string, a arguments) (rows int, err error) {
	for range longestWait / batchTime {
		rows, err = d.executeOnce(ctx, conn, statement, a)
		if conn != d.pool() || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	return rows, err
}

func (d *database) executeOnce(ctx context.Context, conn gorm.ConnPool, statement string, a arguments) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return d.execute(ctx, conn, statement, a)
}

func (d *database) changeMark(ctx context.Context, conn gorm.ConnPool, statement string, a arguments) error {
	_, err := d.executeBounded(ctx, conn, statement, a)
	return err
}

func (d *database) queryBounded(ctx context.Context, statement string, a arguments) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return d.queryStrings(ctx, d.pool(), statement, a)
}
