package gormstore

import (
	"context"
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

// Cleanup implements [oauthkit.Cleaner].
func (c *Credentials) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (removed map[string]int, err error) {
	if limits.Now.IsZero() {
		limits.Now = c.db.NowFunc()
	}
	if limits.Batch <= 0 {
		limits.Batch = 1000
	}
	removed = map[string]int{}
	for _, table := range []struct {
		name, statement string
		kept            time.Duration // after the expiry
	}{ // Authorizations last: each is kept as long as a credential of it.
		{"interactions", cleanInteractions, 0},
		{"authorization_codes", cleanCodes, replayWindow},
		{"access_tokens", cleanAccessTokens, 0},
		{"refresh_tokens", cleanRefreshTokens, 0},
		{"authorizations", cleanAuthorizations, 0},
	} {
		removed[table.name], err = c.clean(ctx, table.statement, limits.Now.Add(-table.kept), limits)
		if err != nil {
			return removed, failed("removing expired "+table.name, err)
		}
	}
	return removed, nil
}

// clean removes batch after batch, until one is not full any more.
func (c *Credentials) clean(ctx context.Context, statement string, before time.Time, limits oauthkit.CleanupLimits) (removed int, err error) {
	for batch := 0; limits.Batches == 0 || batch < limits.Batches; batch++ {
		rows, err := c.execute(ctx, c.pool(), statement, c.stamp(before), limits.Batch)
		removed += rows
		if err != nil || rows < limits.Batch {
			return removed, err
		}
	}
	return removed, nil
}
