package gormstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/oauthkit/oauthkit"
)

// postgresDialect does each act in one statement, so that it costs one round trip and no lock outlives it.
//
// The parts of a statement all see the database as it was when the statement began; what makes the acts right is that a part
// which waits for a row's lock looks at the row again afterwards. So each statement first locks and then changes the rows
// that decide, in the order Interaction, Consent, Authorization, credential, which is the order of every other statement
// too; and what it inserts it selects from the rows that it changed, so that a loser inserts nothing.
type postgresDialect struct{}

func (postgresDialect) write(statement string) string { return statement }

func (postgresDialect) stamp(t time.Time) any { return t.UTC().Truncate(time.Microsecond) }

// insertTokens saves the tokens for the Authorization whose id is in the part before; $3 to $7 are the access token, $8 to
// $10 the refresh token, or NULL where there is none.
const insertTokens = `access AS (
	INSERT INTO {access_tokens} (hash, authorization_id, scopes, resources, issued_at, expires_at)
	SELECT $3, id, $4, $5, $6, $7 FROM accepted
), refresh AS (
	INSERT INTO {refresh_tokens} (hash, authorization_id, issued_at, expires_at)
	SELECT $8, id, $9, $10 FROM accepted WHERE $8::text IS NOT NULL
)`

// tokensArgs returns the arguments of insertTokens.
func (postgresDialect) tokensArgs(d *database, tokens oauthkit.Tokens) []any {
	args := d.accessTokenArgs(tokens.Access)
	if tokens.Refresh == nil {
		return append(args, nil, nil, nil)
	}
	return append(args, d.refreshTokenArgs(tokens.Refresh)...)
}

const saveTokensPostgres = `WITH accepted AS (
	INSERT INTO {authorizations} (` + authorizationColumns + `, issued_at)
	SELECT $1, $2, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $6
	WHERE NOT EXISTS (SELECT 1 FROM {endings} WHERE name IN ('application:' || $2::text, 'user:' || $12::text) AND ` + markInForce + `)
	RETURNING id
), ` + insertTokens + `
SELECT id FROM accepted`

func (p postgresDialect) saveTokens(ctx context.Context, d *database, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	columns := d.authorizationArgs(authorization)
	args := append(append(columns[:2:2], p.tokensArgs(d, tokens)...), columns[2:]...)
	var id string
	return refusedByMark(d.first(ctx, d.pool(), saveTokensPostgres, args, &id))
}

// The acts that consume a credential. $1 is its hash.
const (
	redeemCodePostgres = `WITH accepted AS (
	UPDATE {authorizations} SET issued_at = $2, expires_at = $11
	WHERE id = (SELECT authorization_id FROM {authorization_codes} WHERE hash = $1)
	AND issued_at IS NULL AND revoked_at IS NULL RETURNING id
), ` + insertTokens + tellOutcome

	// Reading the clock comes last: presented waits for the token's row, and what is counted of
	// forgotten makes that part come before accepted. Two parts of a statement must not change one
	// row, so forgotten leaves out the presented token. $2 is the window in microseconds, or NULL.
	rotateRefreshTokenPostgres = `WITH held AS (
	SELECT id FROM {authorizations}
	WHERE id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = $1) AND revoked_at IS NULL FOR UPDATE
), presented AS (
	SELECT held.id FROM held CROSS JOIN {refresh_tokens} t WHERE t.hash = $1 AND t.consumed_at IS NULL FOR UPDATE OF t
), forgotten AS (
	UPDATE {refresh_tokens} AS earlier SET sealed = NULL FROM presented
	WHERE earlier.authorization_id = presented.id AND earlier.sealed IS NOT NULL AND earlier.hash <> $1 RETURNING 1
), accepted AS (
	UPDATE {refresh_tokens} AS t SET consumed_at = clock_timestamp(), sealed = $11,
		sealed_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
	FROM presented WHERE t.hash = $1 AND t.consumed_at IS NULL AND (SELECT count(*) FROM forgotten) >= 0 RETURNING presented.id
), ` + insertTokens + tellOutcome

	tellOutcome = `
SELECT EXISTS (SELECT 1 FROM accepted)`
)

func (p postgresDialect) redeemCode(ctx context.Context, d *database, hash string, tokens oauthkit.Tokens, now time.Time) error {
	args := append([]any{hash, d.stamp(now)}, p.tokensArgs(d, tokens)...)
	args = append(args, d.stamp(tokens.Access.Authorization.ExpiresAt))
	return p.consume(ctx, d, redeemCodePostgres, codeConsumed, hash, args)
}

func (p postgresDialect) rotateRefreshToken(ctx context.Context, d *database, rotation oauthkit.Rotation) error {
	var window any
	if len(rotation.Sealed) > 0 {
		window = rotation.Window.Microseconds()
	}
	args := append([]any{rotation.Hash, window}, p.tokensArgs(d, rotation.Successors)...)
	return p.consume(ctx, d, rotateRefreshTokenPostgres, refreshTokenConsumed, rotation.Hash, append(args, bytesOrNull(rotation.Sealed)))
}

// windowOpenPostgres says that the retry window of a token is open.
const windowOpenPostgres = `t.sealed IS NOT NULL AND t.sealed_until >= clock_timestamp()
	AND t.consumed_at <= clock_timestamp() + interval '1 minute'`

// $1 is the hash of the presented token, and $2 that of its successor. What is counted of successor
// makes that part wait for the rows before accepted reads the clock. $3 is the limit, and $4 to $8
// are the access token, or NULL if there is none.
const (
	repeatRefreshTokenPostgres = `WITH held AS (
	SELECT id FROM {authorizations}
	WHERE id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = $1) AND revoked_at IS NULL FOR UPDATE
), presented AS (
	SELECT held.id, t.repeated_generations + 1 AS generations FROM held CROSS JOIN {refresh_tokens} t WHERE t.hash = $1 FOR UPDATE OF t
), successor AS (
	SELECT presented.id, presented.generations FROM presented JOIN {refresh_tokens} s ON s.authorization_id = presented.id
	WHERE s.hash = $2 AND s.consumed_at IS NULL FOR UPDATE OF s
), accepted AS (
	UPDATE {refresh_tokens} AS t SET repeats = t.repeats + 1 FROM successor
	WHERE t.hash = $1 AND t.repeats < $3 AND (SELECT count(*) FROM successor) > 0 AND ` + windowOpenPostgres + `
	RETURNING successor.id, t.repeats, successor.generations
), counted AS (
	UPDATE {refresh_tokens} AS s SET repeated_generations = accepted.generations FROM accepted WHERE s.hash = $2
), access AS (
	INSERT INTO {access_tokens} (hash, authorization_id, scopes, resources, issued_at, expires_at)
	SELECT $4, id, $5, $6, $7, $8 FROM accepted WHERE $4::text IS NOT NULL
)
SELECT (SELECT repeats FROM accepted), (SELECT generations FROM accepted)`

	repeatRefusedPostgres = repeatRefused + windowOpenPostgres + ofRefused
)

func (p postgresDialect) repeatRefreshToken(ctx context.Context, d *database, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	args := []any{repeat.Hash, repeat.Successor, repeat.Limit}
	if repeat.Access != nil {
		args = append(args, d.accessTokenArgs(repeat.Access)...)
	} else {
		args = append(args, nil, nil, nil, nil, nil)
	}
	var token, generations sql.NullInt64
	err := d.first(ctx, d.pool(), repeatRefreshTokenPostgres, args, &token, &generations)
	if err != nil {
		return oauthkit.Repeats{}, err
	}
	if !token.Valid {
		return oauthkit.Repeats{}, d.repeatRefusal(ctx, d.pool(), repeatRefusedPostgres, repeat.Hash, repeat.Successor, repeat.Limit)
	}
	return oauthkit.Repeats{Token: int(token.Int64), Generations: int(generations.Int64)}, nil
}

// sealedOver wants both clocks to say so. The subquery is read once, so that the index is used.
func (postgresDialect) sealedOver() string {
	return `{refresh_tokens} WHERE sealed IS NOT NULL AND sealed_until < (SELECT LEAST($1, clock_timestamp()))`
}

const revokeAuthorizationPostgres = `WITH revoked AS (
	UPDATE {authorizations} SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id
), forgotten AS (
	UPDATE {refresh_tokens} AS t SET sealed = NULL FROM revoked WHERE t.authorization_id = revoked.id AND t.sealed IS NOT NULL
)
SELECT id FROM revoked`

func (postgresDialect) revokeAuthorization(ctx context.Context, d *database, id string, now time.Time) (changed bool, err error) {
	rows, err := d.execute(ctx, d.pool(), revokeAuthorizationPostgres, id, d.stamp(now))
	return rows == 1, err
}

// consume runs the act, and asks why if it was refused.
func (postgresDialect) consume(ctx context.Context, d *database, act, consumed, hash string, args []any) error {
	var accepted bool
	if err := d.first(ctx, d.pool(), act, args, &accepted); err != nil || accepted {
		return err
	}
	return d.refusal(ctx, d.pool(), consumed, hash)
}

// saveCodePostgres changes nothing unless nothing is being ended, the Interaction is open and the consent there, and its one
// row tells how far it came. $1 is the hash of the Interaction or empty, $2 the time, $3 what to do about the consent, $4 to $11 the consent; then
// come the Authorization and the code.
const saveCodePostgres = `WITH waiting AS (
	SELECT hash FROM {interactions} WHERE hash = $1 AND consumed_at IS NULL FOR UPDATE
), ended AS (
	SELECT 1 FROM {endings} WHERE name IN ('application:' || $13::text, 'user:' || $14::text) AND ` + markInForce + `
), ready AS (
	SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ended) AND ($1 = '' OR EXISTS (SELECT 1 FROM waiting))
), anew AS (
	` + insertConsent + `SELECT $4, $5, $6, $7, $8, $9, $10, $11 FROM ready WHERE $3 = 'anew'` + orReplace + `
), widened AS (
	UPDATE {consents} SET scopes = $7, updated_at = $9, application_digest = $10, resource_scopes = $11
	WHERE id = $4 AND client_id = $5 AND subject = $6 AND $3 = 'widened' AND EXISTS (SELECT 1 FROM ready) RETURNING id
), remembered AS (
	SELECT id FROM {consents} WHERE id = $4 AND client_id = $5 AND subject = $6 AND $3 = 'remembered' AND EXISTS (SELECT 1 FROM ready)
	FOR SHARE
), consent AS (
	SELECT id FROM anew UNION ALL SELECT id FROM widened UNION ALL SELECT id FROM remembered
	UNION ALL SELECT '' FROM ready WHERE $3 = 'none'
), consumed AS (
	UPDATE {interactions} SET consumed_at = $2 WHERE hash = $1 AND EXISTS (SELECT 1 FROM consent)
), accepted AS (
	INSERT INTO {authorizations} (` + authorizationColumns + `)
	SELECT $12, $13, consent.id, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24 FROM consent RETURNING id, consent_id
), code AS (
	INSERT INTO {authorization_codes} (authorization_id, hash, redirect_uri, code_challenge, code_challenge_method, issued_at, expires_at)
	SELECT accepted.id, $25, $26, $27, $28, $29, $30 FROM accepted
)
SELECT (SELECT consent_id FROM accepted), CASE
	WHEN EXISTS (SELECT 1 FROM ended) THEN 'ended' WHEN EXISTS (SELECT 1 FROM ready) THEN 'ready'
	WHEN EXISTS (SELECT 1 FROM {interactions} WHERE hash = $1) THEN 'known' ELSE '' END`

func (postgresDialect) saveCode(ctx context.Context, d *database, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) (string, error) {
	mode, consent := "none", &oauthkit.Consent{}
	if approval.Consent != nil {
		mode, consent = consentMode(approval.ConsentUse), approval.Consent
	}
	authorization := d.authorizationArgs(approval.Authorization)
	args := []any{approval.InteractionHash, d.stamp(code.IssuedAt), mode}
	args = append(args, d.consentArgs(consent)...)
	args = append(args, authorization[:2]...)
	args = append(args, authorization[3:]...) // the consent's id is found
	args = append(args, d.codeArgs(code)...)

	var consentID sql.NullString
	var came string
	err := d.first(ctx, d.pool(), saveCodePostgres, args, &consentID, &came)
	switch {
	case err != nil:
		return "", err
	case consentID.Valid:
		return consentID.String, nil
	case came == "ended":
		return "", oauthkit.ErrEnded
	case came == "ready":
		return "", oauthkit.ErrRevoked
	case came == "known":
		return "", oauthkit.ErrReplayed
	default:
		return "", oauthkit.ErrNotFound
	}
}

// saveInteractionPostgres removes what is beyond the limit by its index, and passes over rows that another
// transaction holds. The parts do not see the new row: $8 is how many may be left beside it.
const saveInteractionPostgres = `WITH saved AS (
	INSERT INTO {interactions} (` + interactionColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING RETURNING hash
), surplus AS (
	(SELECT hash FROM {interactions} WHERE browser_hash = $2 AND consumed_at IS NULL ORDER BY created_at DESC OFFSET $8)
	UNION ALL
	(SELECT hash FROM {interactions} WHERE subject = $3 AND consumed_at IS NULL ORDER BY created_at DESC OFFSET $8)
), held AS (
	SELECT hash FROM {interactions}
	WHERE hash IN (SELECT hash FROM surplus) AND consumed_at IS NULL AND EXISTS (SELECT 1 FROM saved) FOR UPDATE SKIP LOCKED
), removed AS (
	DELETE FROM {interactions} WHERE hash IN (SELECT hash FROM held)
)
SELECT EXISTS (SELECT 1 FROM saved)`

func (postgresDialect) saveInteraction(ctx context.Context, d *database, interaction *oauthkit.Interaction, limit int) error {
	var saved bool
	err := d.first(ctx, d.pool(), saveInteractionPostgres, append(d.interactionArgs(interaction), limit-1), &saved)
	if err == nil && !saved {
		return oauthkit.ErrReplayed
	}
	return err
}

// consentMode returns the name of a use in saveCodePostgres.
func consentMode(use oauthkit.ConsentUse) string {
	switch use {
	case oauthkit.ConsentNew:
		return "anew"
	case oauthkit.ConsentWidened:
		return "widened"
	default:
		return "remembered"
	}
}

// applicationColumns finds the table as every other statement does, by the search path.
func (postgresDialect) applicationColumns() string {
	return `SELECT attname FROM pg_attribute WHERE attrelid = '{applications}'::regclass AND attnum > 0 AND NOT attisdropped`
}

func (postgresDialect) applicationIndices() string {
	return `SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '{applications}'::regclass AND i.indisvalid`
}

// transactionOptions makes a statement see what was committed before it began, whatever default_transaction_isolation is.
func (postgresDialect) transactionOptions() []*sql.TxOptions {
	return []*sql.TxOptions{{Isolation: sql.LevelReadCommitted}}
}
