package gormstore

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/oauthkit/oauthkit"
)

// replayWindow is how long after its expiry a code is kept, so that a replay can be told from nonsense.
const replayWindow = time.Hour

// Each statement finds its rows through the index on expires_at, and passes over those that another transaction holds. The
// rows are picked in a part of their own because PostgreSQL might otherwise pick them again for each row that it removes.
const (
	cleanInteractions = `WITH expired AS (
	SELECT hash FROM {interactions} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {interactions} WHERE hash IN (SELECT hash FROM expired)`
	cleanCodes = `WITH expired AS (
	SELECT hash FROM {authorization_codes} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {authorization_codes} WHERE hash IN (SELECT hash FROM expired)`
	cleanAccessTokens = `WITH expired AS (
	SELECT hash FROM {access_tokens} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {access_tokens} WHERE hash IN (SELECT hash FROM expired)`
	cleanRefreshTokens = `WITH expired AS (
	SELECT hash FROM {refresh_tokens} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {refresh_tokens} WHERE hash IN (SELECT hash FROM expired)`
	// A code is the only credential that is kept after its Authorization expired.
	cleanAuthorizations = `WITH expired AS (
	SELECT id FROM {authorizations} a WHERE expires_at <= $1
	AND NOT EXISTS (SELECT 1 FROM {authorization_codes} WHERE authorization_id = a.id)
	ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {authorizations} WHERE id IN (SELECT id FROM expired)`
)

// Marks expire by the clock of the database.
const (
	cleanEndings = `WITH expired AS (
	SELECT name, id FROM {endings} WHERE expires_at <= $1 AND expires_at <= clock_timestamp() LIMIT $2 FOR UPDATE SKIP LOCKED
) DELETE FROM {endings} WHERE (name, id) IN (SELECT name, id FROM expired)`
	countEndings = `SELECT COUNT(*) FROM (SELECT 1 FROM {endings} WHERE expires_at <= $1 AND expires_at <= clock_timestamp() LIMIT $2) expired`
)

// What a run would remove, found through the same indices. An Authorization is kept for the codes that are kept themselves.
const (
	countInteractions   = `SELECT COUNT(*) FROM (SELECT 1 FROM {interactions} WHERE expires_at <= $1 LIMIT $2) expired`
	countCodes          = `SELECT COUNT(*) FROM (SELECT 1 FROM {authorization_codes} WHERE expires_at <= $1 LIMIT $2) expired`
	countAccessTokens   = `SELECT COUNT(*) FROM (SELECT 1 FROM {access_tokens} WHERE expires_at <= $1 LIMIT $2) expired`
	countRefreshTokens  = `SELECT COUNT(*) FROM (SELECT 1 FROM {refresh_tokens} WHERE expires_at <= $1 LIMIT $2) expired`
	countAuthorizations = `SELECT COUNT(*) FROM (SELECT 1 FROM {authorizations} a WHERE expires_at <= $1
	AND NOT EXISTS (SELECT 1 FROM {authorization_codes} WHERE authorization_id = a.id AND expires_at > $3) LIMIT $2) expired`
)

// cleanSealed and countSealed are about the column of refresh tokens whose retry window is over. The
// tokens stay.
func cleanSealed(over string) string {
	return `WITH expired AS (SELECT hash FROM ` + over + ` LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE {refresh_tokens} SET sealed = NULL WHERE hash IN (SELECT hash FROM expired)`
}

func countSealed(over string) string {
	return `SELECT COUNT(*) FROM (SELECT 1 FROM ` + over + ` LIMIT $2) expired`
}

// Cleanup implements [oauthkit.Cleaner].
func (c *Credentials) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (removed map[string]int, err error) {
	if limits.Now.IsZero() {
		return nil, errors.New("gormstore: Cleanup: limits.Now is zero")
	}
	if limits.Batch <= 0 {
		limits.Batch = 1000
	}
	now, codesBefore := c.stamp(limits.Now), c.stamp(limits.Now.Add(-replayWindow))
	removed = map[string]int{}
	over := c.dialect.sealedOver()
	for _, table := range []expiringTable{ // Authorizations last: each is kept as long as a credential of it.
		{"refresh_tokens.sealed", cleanSealed(over), countSealed(over), now, nil},
		{"interactions", cleanInteractions, countInteractions, now, nil},
		{"authorization_codes", cleanCodes, countCodes, codesBefore, nil},
		{"access_tokens", cleanAccessTokens, countAccessTokens, now, nil},
		{"refresh_tokens", cleanRefreshTokens, countRefreshTokens, now, nil},
		{"authorizations", cleanAuthorizations, countAuthorizations, now, []any{codesBefore}},
		{"endings", cleanEndings, countEndings, now, nil},
	} {
		doing := "removing expired "
		if limits.DryRun {
			doing = "counting expired "
			removed[table.name], err = c.count(ctx, table, limits)
		} else {
			removed[table.name], err = c.clean(ctx, table, limits)
		}
		if err != nil {
			return removed, failed(doing+table.name, err)
		}
	}
	return removed, nil
}

type expiringTable struct {
	name, clean, count string
	before             any   // rows that expired by then go
	counted            []any // further arguments of count
}

// clean removes batch after batch, until one is not full any more.
func (c *Credentials) clean(ctx context.Context, table expiringTable, limits oauthkit.CleanupLimits) (removed int, err error) {
	for batch := 0; limits.Batches == 0 || batch < limits.Batches; batch++ {
		rows, err := c.execute(ctx, c.pool(), table.clean, table.before, limits.Batch)
		removed += rows
		report(limits, table.name, rows)
		if err != nil || rows < limits.Batch {
			return removed, err
		}
	}
	return removed, nil
}

// count returns how many rows clean would remove.
func (c *Credentials) count(ctx context.Context, table expiringTable, limits oauthkit.CleanupLimits) (rows int, err error) {
	most := math.MaxInt
	if limits.Batches > 0 && limits.Batches < most/limits.Batch {
		most = limits.Batches * limits.Batch
	}
	err = c.first(ctx, c.pool(), table.count, append([]any{table.before, most}, table.counted...), &rows)
	report(limits, table.name, rows)
	return rows, err
}

func report(limits oauthkit.CleanupLimits, table string, rows int) {
	if limits.Progress != nil && rows > 0 {
		limits.Progress(table, rows)
	}
}
