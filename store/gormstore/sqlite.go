package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// sqliteDialect does each act in one transaction. Its first statement always writes: that takes SQLite's one write lock
// even where the host's transactions begin without it, and whoever reads first may be told later that what it read is old.
type sqliteDialect struct{}

// write numbers the arguments as SQLite does, and leaves out row locks: the transaction is one.
func (sqliteDialect) write(statement string) string {
	return strings.NewReplacer("$", "?", " FOR UPDATE SKIP LOCKED", "", " FOR UPDATE", "",
		"clock_timestamp()", "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000)",
		"interval '1 minute'", "60000000", "interval '1 day'", "86400000000",
	).Replace(statement)
}

// stamp returns microseconds since 1970, which compare as times do and keep all that is promised.
func (sqliteDialect) stamp(t time.Time) any { return t.UnixMicro() }

const (
	insertAuthorizationSQLite = `INSERT INTO {authorizations} (` + authorizationColumns + `, issued_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
WHERE NOT EXISTS (SELECT 1 FROM {endings} WHERE name IN ('application:' || $2, 'user:' || $4) AND ` + markInForce + `)`
	insertAccessTokenSQLite = `INSERT INTO {access_tokens} (hash, scopes, resources, issued_at, expires_at, authorization_id)
VALUES ($1, $2, $3, $4, $5, $6)`
	insertRefreshTokenSQLite = `INSERT INTO {refresh_tokens} (hash, issued_at, expires_at, authorization_id) VALUES ($1, $2, $3, $4)`
	insertCodeSQLite         = `INSERT INTO {authorization_codes}
(hash, redirect_uri, code_challenge, code_challenge_method, issued_at, expires_at, authorization_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

func (s sqliteDialect) saveTokens(ctx context.Context, d *database, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if err := s.insertAuthorization(ctx, d, tx, d.authorizationArgs(authorization), d.stamp(tokens.Access.IssuedAt)); err != nil {
			return err
		}
		return s.insertTokens(ctx, d, tx, authorization.ID, tokens)
	})
}

// insertAuthorization returns ErrEnded if the application or the user is marked.
func (sqliteDialect) insertAuthorization(ctx context.Context, d *database, tx gorm.ConnPool, columns []any, issuedAt any) error {
	rows, err := d.execute(ctx, tx, insertAuthorizationSQLite, append(columns, issuedAt)...)
	if err == nil && rows == 0 {
		err = oauthkit.ErrEnded
	}
	return err
}

func (sqliteDialect) insertTokens(ctx context.Context, d *database, tx gorm.ConnPool, authorizationID string, tokens oauthkit.Tokens) error {
	_, err := d.execute(ctx, tx, insertAccessTokenSQLite, append(d.accessTokenArgs(tokens.Access), authorizationID)...)
	if err != nil || tokens.Refresh == nil {
		return err
	}
	_, err = d.execute(ctx, tx, insertRefreshTokenSQLite, append(d.refreshTokenArgs(tokens.Refresh), authorizationID)...)
	return err
}

// A credential is consumed if it was not consumed before and its Authorization is not revoked.
const (
	consumeCodeSQLite = `UPDATE {authorizations} SET issued_at = $2, expires_at = $3
WHERE id = (SELECT authorization_id FROM {authorization_codes} WHERE hash = $1) AND issued_at IS NULL AND revoked_at IS NULL RETURNING id`
	consumeRefreshTokenSQLite = `UPDATE {refresh_tokens} SET consumed_at = $2, sealed = $3, sealed_until = $4 WHERE hash = $1 AND consumed_at IS NULL
AND EXISTS (SELECT 1 FROM {authorizations} WHERE id = authorization_id AND revoked_at IS NULL) RETURNING authorization_id`
)

// These drop what is sealed with tokens of an Authorization: with all but the token $1, and with all.
// They name the index because SQLite, knowing no numbers, would rather read all tokens of the
// Authorization.
const (
	forgetEarlierSQLite = forgetSealed + `(SELECT authorization_id FROM {refresh_tokens} WHERE hash = $1) AND hash <> $1`
	forgetAllSQLite     = forgetSealed + `$1`
	forgetSealed        = `UPDATE {refresh_tokens} INDEXED BY {refresh_tokens}_sealed SET sealed = NULL
WHERE sealed IS NOT NULL AND authorization_id = `
)

func (s sqliteDialect) redeemCode(ctx context.Context, d *database, hash string, tokens oauthkit.Tokens, now time.Time) error {
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		end := tokens.Access.Authorization.ExpiresAt
		authorizationID, err := s.consume(ctx, d, tx, consumeCodeSQLite, codeConsumed, hash, d.stamp(now), d.stamp(end))
		if err != nil {
			return err
		}
		return s.insertTokens(ctx, d, tx, authorizationID, tokens)
	})
}

// rotateRefreshToken reads the clock only after the first statement has taken the write lock.
func (s sqliteDialect) rotateRefreshToken(ctx context.Context, d *database, rotation oauthkit.Rotation) error {
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if _, err := d.execute(ctx, tx, forgetEarlierSQLite, rotation.Hash); err != nil {
			return err
		}
		now := rotation.Now()
		authorizationID, err := s.consume(ctx, d, tx, consumeRefreshTokenSQLite, refreshTokenConsumed, rotation.Hash,
			d.stamp(now), bytesOrNull(rotation.Sealed), d.stamp(now.Add(rotation.Window)))
		if err != nil {
			return err
		}
		return s.insertTokens(ctx, d, tx, authorizationID, rotation.Successors)
	})
}

// The parts of a repeat of the token $1, whose successor is $2, up to the limit $3. The time is $4, and
// $5 the latest time at which the token may have been consumed.
const (
	countGenerationSQLite = `UPDATE {refresh_tokens} SET
	repeated_generations = (SELECT repeated_generations + 1 FROM {refresh_tokens} WHERE hash = $1)
WHERE hash = $2 AND consumed_at IS NULL AND authorization_id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = $1)`
	countRepeatSQLite = `UPDATE {refresh_tokens} AS t SET repeats = repeats + 1 WHERE hash = $1 AND repeats < $3 AND ` + windowOpenSQLite + `
AND EXISTS (SELECT 1 FROM {authorizations} WHERE id = authorization_id AND revoked_at IS NULL)
RETURNING repeats, repeated_generations + 1, authorization_id`
	windowOpenSQLite    = `t.sealed IS NOT NULL AND t.sealed_until >= $4 AND t.consumed_at <= $5`
	repeatRefusedSQLite = repeatRefused + windowOpenSQLite + ofRefused
)

// clockTolerance is how far in the future a token may have been consumed.
const clockTolerance = time.Minute

// repeatRefreshToken reads the clock only after the first statement has taken the write lock.
func (s sqliteDialect) repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (repeats oauthkit.Repeats, err error) {
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		unused, err := d.execute(ctx, tx, countGenerationSQLite, repeat.Hash, repeat.Successor)
		if err != nil {
			return err
		}
		now := repeat.Now()
		args := []any{repeat.Hash, repeat.Successor, repeat.Limit, d.stamp(now), d.stamp(now.Add(clockTolerance))}
		if unused == 0 {
			return d.repeatRefusal(ctx, tx, repeatRefusedSQLite, args...)
		}
		var authorizationID string
		err = d.first(ctx, tx, countRepeatSQLite, args, &repeats.Token, &repeats.Generations, &authorizationID)
		switch {
		case errors.Is(err, oauthkit.ErrNotFound):
			return d.repeatRefusal(ctx, tx, repeatRefusedSQLite, args...)
		case err != nil || repeat.Access == nil:
			return err
		}
		return s.insertTokens(ctx, d, tx, authorizationID, oauthkit.Tokens{Access: repeat.Access})
	})
	return repeats, err
}

func (sqliteDialect) sealedOver() string {
	return `{refresh_tokens} INDEXED BY {refresh_tokens}_sealed WHERE sealed IS NOT NULL AND sealed_until < $1`
}

const revokeAuthorizationSQLite = `UPDATE {authorizations} SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`

func (sqliteDialect) revokeAuthorization(ctx context.Context, d *database, id string, now time.Time) (changed bool, err error) {
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		rows, err := d.execute(ctx, tx, revokeAuthorizationSQLite, id, d.stamp(now))
		if changed = err == nil && rows == 1; !changed {
			return err
		}
		_, err = d.execute(ctx, tx, forgetAllSQLite, id)
		return err
	})
	return changed && err == nil, err
}

// consume consumes the credential whose hash is the first of args, or asks why that was refused.
func (sqliteDialect) consume(ctx context.Context, d *database, tx gorm.ConnPool, act, consumed string, args ...any) (authorizationID string, err error) {
	err = d.first(ctx, tx, act, args, &authorizationID)
	if errors.Is(err, oauthkit.ErrNotFound) {
		err = d.refusal(ctx, tx, consumed, args[0])
	}
	return authorizationID, err
}

const (
	insertInteractionSQLite = `INSERT INTO {interactions} (` + interactionColumns + `)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING`
	trimInteractionsSQLite = `DELETE FROM {interactions} WHERE hash IN (
	SELECT hash FROM (SELECT hash FROM {interactions} WHERE browser_hash = $2 AND consumed_at IS NULL AND hash <> $1
		ORDER BY created_at DESC LIMIT -1 OFFSET $4)
	UNION ALL
	SELECT hash FROM (SELECT hash FROM {interactions} WHERE subject = $3 AND consumed_at IS NULL AND hash <> $1
		ORDER BY created_at DESC LIMIT -1 OFFSET $4))`
)

func (sqliteDialect) saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error {
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		rows, err := d.execute(ctx, tx, insertInteractionSQLite, d.interactionArgs(interaction)...)
		if err == nil && rows == 0 {
			err = oauthkit.ErrReplayed
		}
		if err != nil {
			return err
		}
		_, err = d.execute(ctx, tx, trimInteractionsSQLite, interaction.Hash, interaction.BrowserHash, interaction.Subject, limit-1)
		return err
	})
}

// What is done about a consent, by its use. Each returns the id of the one that is there afterwards, if any.
const (
	giveConsentSQLite  = insertConsent + `VALUES ($1, $2, $3, $4, $5, $6, $7, $8)` + orReplace
	widenConsentSQLite = `UPDATE {consents} SET scopes = $4, updated_at = $5, application_digest = $6, resource_scopes = $7
WHERE id = $1 AND client_id = $2 AND subject = $3 RETURNING id`
	holdConsentSQLite = `UPDATE {consents} SET id = id WHERE id = $1 AND client_id = $2 AND subject = $3 RETURNING id`
)

func (s sqliteDialect) saveCode(ctx context.Context, d *database, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) (consentID string, err error) {
	err = d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if approval.InteractionHash != "" {
			if err := d.consumeInteraction(ctx, tx, approval.InteractionHash, code.IssuedAt); err != nil {
				return err
			}
		}
		if consentID, err = s.consentID(ctx, d, tx, approval); err != nil {
			return err
		}
		columns := d.authorizationArgs(approval.Authorization)
		columns[2] = consentID
		if err := s.insertAuthorization(ctx, d, tx, columns, nil); err != nil {
			return err
		}
		_, err := d.execute(ctx, tx, insertCodeSQLite, append(d.codeArgs(code), approval.Authorization.ID)...)
		return err
	})
	return consentID, err
}

// consentID does about the consent what its use says, and returns the id of the one that the approval stands under.
func (sqliteDialect) consentID(ctx context.Context, d *database, tx gorm.ConnPool, approval *oauthkit.Approval) (id string, err error) {
	consent := approval.Consent
	if consent == nil {
		return "", nil
	}
	statement, args := holdConsentSQLite, []any{consent.ID, consent.ClientID, consent.Subject}
	switch approval.ConsentUse {
	case oauthkit.ConsentNew:
		statement, args = giveConsentSQLite, d.consentArgs(consent)
	case oauthkit.ConsentWidened:
		columns := d.consentArgs(consent)
		statement, args = widenConsentSQLite, append(args, columns[3], columns[5], columns[6], columns[7])
	}
	err = d.first(ctx, tx, statement, args, &id)
	if errors.Is(err, oauthkit.ErrNotFound) {
		err = oauthkit.ErrRevoked
	}
	return id, err
}

func (sqliteDialect) applicationColumns() string {
	return `SELECT name FROM pragma_table_info('{applications}')`
}

func (sqliteDialect) applicationIndices() string {
	return `SELECT name FROM pragma_index_list('{applications}')`
}

// underLock takes the write lock by a statement that would write. The table it would write to is made beforehand, because
// making it where it is already would only read.
func (sqliteDialect) underLock(ctx context.Context, d *database, migrate func(tx *gorm.DB) error) error {
	if _, err := d.execute(ctx, d.pool(), createMigrations); err != nil {
		return err
	}
	return d.transaction(ctx, func(tx *gorm.DB) error {
		if _, err := d.execute(ctx, tx.Statement.ConnPool, `DELETE FROM {migrations} WHERE id IS NULL`); err != nil {
			return err
		}
		return migrate(tx)
	})
}

// lockOwner takes the write lock by a statement that would write.
func (sqliteDialect) lockOwner(ctx context.Context, d *database, tx gorm.ConnPool, _ string) error {
	_, err := d.execute(ctx, tx, `DELETE FROM {applications} WHERE client_id IS NULL`)
	return err
}

func (sqliteDialect) transactionOptions() []*sql.TxOptions { return nil }

func (sqliteDialect) hasMigrations() string {
	return `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '{migrations}')`
}

// migrate implements dialect.
func (s sqliteDialect) migrate(ctx context.Context, u *upgrade) error {
	return s.underLock(ctx, u.database, u.runAtOnce)
}
