package gormstore

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// A repeat needs a refresh token whose retry window is open, its successor not
// consumed, and fewer repeats than the limit.
const (
	windowOpenPostgres = `t.sealed IS NOT NULL AND t.sealed_until >= clock_timestamp()
	AND t.consumed_at <= clock_timestamp() + interval '1 minute'`
	windowOpenSQLite = `t.sealed IS NOT NULL AND t.sealed_until >= @now AND t.consumed_at <= @now + interval '1 minute'`

	// Counting the rows of successor waits for their locks before accepted reads the
	// clock.
	repeatRefreshTokenPostgres = `WITH held AS (
	SELECT id FROM {authorizations}
	WHERE id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = @hash) AND revoked_at IS NULL FOR UPDATE
), presented AS (
	SELECT held.id, t.repeated_generations + 1 AS generations FROM held CROSS JOIN {refresh_tokens} t WHERE t.hash = @hash FOR UPDATE OF t
), successor AS (
	SELECT presented.id, presented.generations FROM presented JOIN {refresh_tokens} s ON s.authorization_id = presented.id
	WHERE s.hash = @successor AND s.consumed_at IS NULL FOR UPDATE OF s
), accepted AS (
	UPDATE {refresh_tokens} AS t SET repeats = t.repeats + 1 FROM successor
	WHERE t.hash = @hash AND t.repeats < @limit AND (SELECT count(*) FROM successor) > 0 AND ` + windowOpenPostgres + `
	RETURNING successor.id, t.repeats, successor.generations
), counted AS (
	UPDATE {refresh_tokens} AS s SET repeated_generations = accepted.generations FROM accepted WHERE s.hash = @successor
), access AS (
	INSERT INTO {access_tokens} ([access], authorization_id) SELECT @[access], id FROM accepted WHERE @access.hash::text IS NOT NULL
)
SELECT (SELECT repeats FROM accepted), (SELECT generations FROM accepted)`

	countGenerationSQLite = `UPDATE {refresh_tokens} SET
	repeated_generations = (SELECT repeated_generations + 1 FROM {refresh_tokens} WHERE hash = @hash)
WHERE hash = @successor AND consumed_at IS NULL AND authorization_id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = @hash)`
	countRepeatSQLite = `UPDATE {refresh_tokens} AS t SET repeats = repeats + 1 WHERE hash = @hash AND repeats < @limit AND ` + windowOpenSQLite + `
AND EXISTS (SELECT 1 FROM {authorizations} WHERE id = authorization_id AND revoked_at IS NULL)
RETURNING repeats, repeated_generations + 1, authorization_id`

	// These return whether the Authorization is revoked, and whether only the limit
	// refuses the repeat.
	repeatRefusedPostgres = repeatRefused + windowOpenPostgres + fromRefreshToken
	repeatRefusedSQLite   = repeatRefused + windowOpenSQLite + fromRefreshToken
	repeatRefused         = `SELECT a.revoked_at IS NOT NULL, t.repeats >= @limit AND EXISTS (SELECT 1 FROM {refresh_tokens} s
		WHERE s.hash = @successor AND s.authorization_id = t.authorization_id AND s.consumed_at IS NULL) AND `
)

func repeatArguments(repeat oauthkit.Repeat) arguments {
	return arguments{hash: repeat.Hash, successor: repeat.Successor, limit: repeat.Limit, access: repeat.Access}
}

func (postgresDialect) repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	a := repeatArguments(repeat)
	var token, generations sql.NullInt64
	err := d.queryRow(ctx, d.pool(), repeatRefreshTokenPostgres, a, &token, &generations)
	if err != nil {
		return oauthkit.Repeats{}, err
	}
	if !token.Valid {
		return oauthkit.Repeats{}, d.repeatRefusal(ctx, d.pool(), repeatRefusedPostgres, a)
	}
	return oauthkit.Repeats{Token: int(token.Int64), Generations: int(generations.Int64)}, nil
}

// repeatRefreshToken reads the clock after the first statement has taken the write lock.
func (s sqliteDialect) repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (repeats oauthkit.Repeats, err error) {
	a := repeatArguments(repeat)
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		unused, err := d.execute(ctx, tx, countGenerationSQLite, a)
		if err != nil {
			return err
		}
		a.now = repeat.Now()
		if unused == 0 {
			return d.repeatRefusal(ctx, tx, repeatRefusedSQLite, a)
		}
		err = d.queryRow(ctx, tx, countRepeatSQLite, a, &repeats.Token, &repeats.Generations, &a.id)
		switch {
		case errors.Is(err, oauthkit.ErrNotFound):
			return d.repeatRefusal(ctx, tx, repeatRefusedSQLite, a)
		case err != nil || repeat.Access == nil:
			return err
		}
		return s.insertTokens(ctx, d, tx, a)
	})
	return repeats, err
}

// repeatRefusal returns the reason why a token was not repeated.
func (d *database) repeatRefusal(ctx context.Context, conn gorm.ConnPool, statement string, a arguments) error {
	var revoked, exhausted bool
	err := d.queryRow(ctx, conn, statement, a, &revoked, &exhausted)
	switch {
	case err != nil:
		return err
	case revoked:
		return oauthkit.ErrRevoked
	case exhausted:
		return oauthkit.ErrExhausted
	default:
		return oauthkit.ErrReplayed
	}
}
