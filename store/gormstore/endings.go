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

// An ending revokes all that an application or a user has, however much that is, while requests go on. It does so in four steps.
//
//  1. It commits a mark. The acts that insert an Authorization look for one in their own statement, so those that begin from now
//     on are refused with [oauthkit.ErrEnded].
//  2. It waits until the acts have ended that began before and cannot have seen the mark. What they saved is visible then.
//  3. It revokes in batches, each of which is a transaction of its own, until it finds nothing more.
//  4. It lifts the mark, or leaves it to what follows.
//
// Whatever is interrupted on the way is continued by the same call. Nothing is locked for longer than a batch.

const (
	batchRows = 1000           // rows that a statement of an ending changes
	pageRows  = 20 * batchRows // ids that it reads ahead
)

// batchTime bounds each statement of an ending: the caller's context may have no deadline, since what was begun should be completed.
const batchTime = 10 * time.Second

// A mark has the name of what is ended and the id of the call, or no id: that is the mark of an application that is disabled or
// deleted. Its time is the database's, whatever the clocks of the instances say.
const (
	markInForce = `(expires_at IS NULL OR expires_at > clock_timestamp())`
	markOff     = `INSERT INTO {endings} (name, id, expires_at) VALUES ($1, '', NULL) ON CONFLICT (name, id) DO UPDATE SET expires_at = NULL`
	markGone    = `UPDATE {endings} SET expires_at = clock_timestamp() + interval '1 day' WHERE name = $1 AND id = '' AND expires_at IS NULL`
	markPassing = `INSERT INTO {endings} (name, id, expires_at) VALUES ($1, $2, clock_timestamp() + interval '1 minute')`
	renewMark   = `UPDATE {endings} SET expires_at = clock_timestamp() + interval '1 minute'
WHERE name = $1 AND id = $2 AND expires_at > clock_timestamp()`
	liftMark = `DELETE FROM {endings} WHERE name = $1 AND id = $2`
)

// target is what an ending is about.
type target struct {
	name     string // of its mark
	value    string // the client_id or the subject
	consents string // deletes a batch of consents
	live     string // returns ids of Authorizations that are not revoked
}

func applicationTarget(clientID string) target {
	return target{"application:" + clientID, clientID, deleteConsents, liveOfApplication}
}

func userTarget(subject string) target {
	return target{"user:" + subject, subject, deleteUserConsents, liveOfUser}
}

// Consents are locked in the order of application and user, Authorizations in that of their ids, as whatever locks several of
// them does, so that two never wait for each other.
const (
	deleteConsents = `WITH held AS (SELECT subject FROM {consents} WHERE client_id = $1 ORDER BY subject LIMIT $2 FOR UPDATE)
DELETE FROM {consents} WHERE client_id = $1 AND subject IN (SELECT subject FROM held)`
	deleteUserConsents = `WITH held AS (SELECT client_id FROM {consents} WHERE subject = $1 ORDER BY client_id LIMIT $2 FOR UPDATE)
DELETE FROM {consents} WHERE subject = $1 AND client_id IN (SELECT client_id FROM held)`
	liveOfApplication = `SELECT id FROM {authorizations} WHERE client_id = $1 AND revoked_at IS NULL LIMIT $2`
	liveOfUser        = `SELECT id FROM {authorizations} WHERE subject = $1` + signedIn + `
UNION ALL SELECT id FROM {authorizations} WHERE subject = $1 AND revoked_at IS NULL AND issued_at IS NULL LIMIT $2`
	revokeListedPostgres = `WITH held AS (
	SELECT id FROM {authorizations} WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::text::json))) AND revoked_at IS NULL ORDER BY id FOR UPDATE
) UPDATE {authorizations} SET revoked_at = $2 WHERE id IN (SELECT id FROM held)`
	revokeListedSQLite = `UPDATE {authorizations} SET revoked_at = $2 WHERE id IN (SELECT value FROM json_each($1)) AND revoked_at IS NULL`
)

func (postgresDialect) revokeListed() string { return revokeListedPostgres }

func (sqliteDialect) revokeListed() string { return revokeListedSQLite }

// DisableApplication revokes every Authorization of an application and, until [Credentials.EnableApplication] is called, refuses
// new ones with [oauthkit.ErrEnded]. When it returns nil, nothing that was issued to the application is valid, including what
// requests issued at the same time. After an error, the same call continues.
//
// It is for a host whose applications are in a table of its own. Call it when the table says that the application may not be used.
// [ApplicationTable.Update] does so itself.
func (c *Credentials) DisableApplication(ctx context.Context, clientID string, now time.Time) error {
	return failed("disabling an application", c.endMarked(ctx, applicationTarget(clientID), now, false))
}

// EnableApplication completes what [Credentials.DisableApplication] may have left undone, and then accepts new Authorizations of the
// application. Call it before the table says that the application may be used again. [ApplicationTable.Update] does so itself.
func (c *Credentials) EnableApplication(ctx context.Context, clientID string, now time.Time) error {
	if err := c.DisableApplication(ctx, clientID, now); err != nil {
		return err
	}
	return failed("enabling an application", c.lift(ctx, c.pool(), applicationTarget(clientID).name))
}

// ForgetApplication removes all consent for an application as well, and refuses new Authorizations for a day, by which every
// request has ended that knew the application. Call it before its row is removed, and again before one with the same client_id is
// added, followed by [Credentials.EnableApplication]. [ApplicationTable.Delete] and [ApplicationTable.Create] do so themselves.
func (c *Credentials) ForgetApplication(ctx context.Context, clientID string, now time.Time) error {
	ended := applicationTarget(clientID)
	err := c.endMarked(ctx, ended, now, true)
	if err == nil {
		_, err = c.markedGone(ctx, c.pool(), ended.name)
	}
	return failed("forgetting an application", err)
}

// endMarked ends what an application has, under a mark that stays.
func (c *Credentials) endMarked(ctx context.Context, ended target, now time.Time, consents bool) error {
	if err := c.batch(ctx, c.pool(), markOff, ended.name); err != nil {
		return err
	}
	_, err := c.sweep(ctx, ended, now, consents, func() error { return nil })
	return err
}

// endPassing ends what an application or a user has, under a mark that expires by itself if the program ends.
func (c *Credentials) endPassing(ctx context.Context, ended target, now time.Time) (revoked int, err error) {
	id := secret.NewID()
	if err := c.batch(ctx, c.pool(), markPassing, ended.name, id); err != nil {
		return 0, err
	}
	defer func() {
		lifted := c.batch(context.WithoutCancel(ctx), c.pool(), liftMark, ended.name, id)
		err = errors.Join(err, lifted)
	}()
	due := time.NewTicker(batchTime)
	defer due.Stop()
	return c.sweep(ctx, ended, now, true, func() error {
		select {
		case <-due.C:
		default:
			return nil
		}
		renewed, err := c.bounded(ctx, c.pool(), renewMark, ended.name, id)
		if err == nil && renewed == 0 {
			err = errors.New("a statement took so long that the mark has expired")
		}
		return err
	})
}

// sweep waits for the acts that cannot have seen the mark, and then revokes. It calls renew between two statements.
func (c *Credentials) sweep(ctx context.Context, ended target, now time.Time, consents bool, renew func() error) (revoked int, err error) {
	if err := c.dialect.awaitActs(ctx, c.database, renew); err != nil {
		return 0, err
	}
	for rows := batchRows; consents && rows == batchRows; {
		if rows, err = c.bounded(ctx, c.pool(), ended.consents, ended.value, batchRows); err != nil {
			return 0, err
		}
		if err := renew(); err != nil {
			return 0, err
		}
	}
	for {
		ids, err := c.boundedIDs(ctx, ended.live, ended.value, pageRows)
		if err != nil || len(ids) == 0 {
			return revoked, err
		}
		err = inBatches(ids, func(list string) error {
			done, err := c.bounded(ctx, c.pool(), c.dialect.revokeListed(), list, c.stamp(now))
			revoked += done
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

// inBatches calls revoke with the ids of each batch, as a JSON array.
func inBatches(ids []string, revoke func(list string) error) error {
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

// marked reports whether an application has a mark that stays.
func (c *Credentials) marked(ctx context.Context, name string) (bool, error) {
	ids, err := c.boundedIDs(ctx, `SELECT name FROM {endings} WHERE name = $1 AND id = '' AND `+markInForce, name)
	return len(ids) > 0, err
}

func (c *Credentials) lift(ctx context.Context, on gorm.ConnPool, name string) error {
	return c.batch(ctx, on, liftMark, name, "")
}

// markedGone lets the mark of an application expire whose row is removed. It reports whether the mark was there.
func (c *Credentials) markedGone(ctx context.Context, on gorm.ConnPool, name string) (marked bool, err error) {
	rows, err := c.bounded(ctx, on, markGone, name)
	return rows > 0, err
}

// bounded runs one statement of an ending, and returns how many rows it changed. Outside a transaction, a
// statement that waits for the lock of another program is begun again, so that it keeps no connection and
// no place in the queue of the lock for long; after a minute the ending fails.
func (d *database) bounded(ctx context.Context, on gorm.ConnPool, statement string, args ...any) (rows int, err error) {
	for range longestWait / batchTime {
		rows, err = d.once(ctx, on, statement, args...)
		if on != d.pool() || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	return rows, err
}

func (d *database) once(ctx context.Context, on gorm.ConnPool, statement string, args ...any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return d.execute(ctx, on, statement, args...)
}

func (d *database) batch(ctx context.Context, on gorm.ConnPool, statement string, args ...any) error {
	_, err := d.bounded(ctx, on, statement, args...)
	return err
}

func (d *database) boundedIDs(ctx context.Context, statement string, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	return d.ids(ctx, d.pool(), statement, args...)
}

// actsRunning returns the transactions that could insert an Authorization: PostgreSQL locks a table that a statement may insert
// into before it takes the snapshot that the statement sees, and until its transaction ends. So a statement that had not locked the
// table when this was asked sees the mark that was committed before. Those that wait for another lock in their midst are among
// them. To ask costs the acts nothing.
const (
	actsRunning = `SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = '{authorizations}'::regclass
AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'`
	actsStillRunning = actsRunning + ` AND virtualtransaction IN (SELECT json_array_elements_text($1::text::json))`
)

// longestWait is how long an ending waits for acts that began before it. They end within the deadline of their requests.
const longestWait = time.Minute

func (postgresDialect) awaitActs(ctx context.Context, d *database, renew func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longestWait, errors.New("transactions that may insert an authorization have not ended"))
	defer cancel()
	running, err := d.boundedIDs(ctx, actsRunning)
	for longest := time.Millisecond; err == nil && len(running) > 0; longest = min(2*longest, 100*time.Millisecond) {
		if !pause(ctx, longest) {
			return context.Cause(ctx)
		}
		var list []byte
		if list, err = json.Marshal(running); err != nil {
			break
		}
		if running, err = d.boundedIDs(ctx, actsStillRunning, string(list)); err == nil {
			err = renew()
		}
	}
	return err
}

// awaitActs has nothing to wait for: there is one writer at a time, so the mark was committed between two acts.
func (sqliteDialect) awaitActs(context.Context, *database, func() error) error { return nil }

// refusedByMark is the answer of an act that inserted no Authorization.
func refusedByMark(err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return oauthkit.ErrEnded
	}
	return err
}
