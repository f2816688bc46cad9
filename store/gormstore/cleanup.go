package gormstore

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/oauthkit/oauthkit"
)

// replayWindow is how long a code is kept after its expiry, so that its replay is
// recognized.
const replayWindow = time.Hour

// noticeLife is how long a notice is kept that is due and that no instance claims: its
// receiver was removed, or no program runs oauthkit.Run.
const noticeLife = 7 * 24 * time.Hour

// expiring are rows of a table that Cleanup removes. The statements that remove and
// count them are made of the same parts.
type expiring struct {
	name   string // in the result
	key    string // the columns of the primary key
	from   string // the table, and the condition that a row has expired
	order  string // by which an index finds the rows; empty: any
	change string // what happens to the rows
	before time.Time
}

// expiredRows returns the rows of a table that expired by a time.
func expiredRows(table, key string, before time.Time) expiring {
	return expiring{
		name: table, key: key, before: before,
		from: "{" + table + "} WHERE expires_at <= @before", order: " ORDER BY expires_at", change: "DELETE FROM {" + table + "}",
	}
}

// clean returns the statement that changes a batch. It skips rows that another
// transaction holds. The rows are selected in a part of their own, because PostgreSQL
// might otherwise select them again for each row that it removes.
func (e expiring) clean() string {
	return "WITH expired AS (SELECT " + e.key + " FROM " + e.from + e.order + " LIMIT @limit FOR UPDATE SKIP LOCKED)\n" +
		e.change + " WHERE (" + e.key + ") IN (SELECT " + e.key + " FROM expired)"
}

// count returns the statement that counts the rows.
func (e expiring) count() string {
	return "SELECT COUNT(*) FROM (SELECT 1 FROM " + e.from + " LIMIT @limit) expired"
}

// Cleanup implements [oauthkit.Cleaner].
func (c *Credentials) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (removed map[string]int, err error) {
	if limits.Now.IsZero() {
		return nil, errors.New("gormstore: Cleanup: limits.Now is zero")
	}
	if limits.Batch <= 0 {
		limits.Batch = 1000
	}
	operation, run := "removing expired ", c.clean
	if limits.DryRun {
		operation, run = "counting expired ", c.count
	}
	removed = map[string]int{}
	for _, e := range c.expiring(limits.Now) {
		removed[e.name], err = run(ctx, e, limits)
		if err != nil {
			return removed, storeError(operation+e.name, err)
		}
	}
	return removed, nil
}

// expiring returns the rows that are removed, in this order.
func (c *Credentials) expiring(now time.Time) []expiring {
	sealed := expiring{
		name: "refresh_tokens.sealed", key: "hash", before: now,
		from: c.dialect.sealedOver, change: "UPDATE {refresh_tokens} SET sealed = NULL",
	}
	// An Authorization is kept as long as it has codes, the only credentials that are
	// kept after its expiry.
	authorizations := expiredRows("authorizations", "id", now)
	authorizations.from = `{authorizations} a WHERE expires_at <= @before AND NOT EXISTS (
	SELECT 1 FROM {authorization_codes} WHERE authorization_id = a.id AND expires_at > @kept)`
	// Marks expire by the clock of the database.
	endings := expiredRows("endings", "name, id", now)
	endings.from += " AND expires_at <= clock_timestamp()"
	endings.order = ""
	notices := expiring{
		name: "notices", key: "id", before: now.Add(-noticeLife),
		from: "{notices} WHERE due_at <= @before", order: " ORDER BY due_at", change: "DELETE FROM {notices}",
	}
	return []expiring{
		sealed,
		expiredRows("interactions", "hash", now),
		expiredRows("authorization_codes", "hash", now.Add(-replayWindow)),
		expiredRows("access_tokens", "hash", now),
		expiredRows("refresh_tokens", "hash", now),
		notices,
		authorizations,
		endings,
	}
}

// clean removes batches until one is not full. An Authorization with any code is kept.
func (c *Credentials) clean(ctx context.Context, e expiring, limits oauthkit.CleanupLimits) (removed int, err error) {
	a := arguments{before: e.before, limit: limits.Batch}
	for batch := 0; limits.Batches == 0 || batch < limits.Batches; batch++ {
		rows, err := c.execute(ctx, c.pool(), e.clean(), a)
		removed += rows
		report(limits, e.name, rows)
		if err != nil || rows < limits.Batch {
			return removed, err
		}
	}
	return removed, nil
}

// count returns the number of rows that clean would remove, as if it had removed all
// codes that are not kept.
func (c *Credentials) count(ctx context.Context, e expiring, limits oauthkit.CleanupLimits) (rows int, err error) {
	a := arguments{before: e.before, kept: limits.Now.Add(-replayWindow), limit: math.MaxInt}
	if limits.Batches > 0 && limits.Batches < math.MaxInt/limits.Batch {
		a.limit = limits.Batches * limits.Batch
	}
	err = c.queryRow(ctx, c.pool(), e.count(), a, &rows)
	report(limits, e.name, rows)
	return rows, err
}

func report(limits oauthkit.CleanupLimits, table string, rows int) {
	if limits.Progress != nil && rows > 0 {
		limits.Progress(table, rows)
	}
}
