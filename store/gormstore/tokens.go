package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

func accessTokenColumns() columns[oauthkit.AccessToken] {
	type row = oauthkit.AccessToken
	return columns[row]{
		plain("hash", func(r *row) *string { return &r.Hash }),
		scopes("scopes", func(r *row) *oauthkit.Scopes { return &r.Scopes }),
		uris("resources", func(r *row) *oauthkit.URIs { return &r.Resources }),
		moment("issued_at", func(r *row) *time.Time { return &r.IssuedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
	}
}

// refreshTokenColumns are those that are written when a token is saved.
func refreshTokenColumns() columns[oauthkit.RefreshToken] {
	type row = oauthkit.RefreshToken
	return columns[row]{
		plain("hash", func(r *row) *string { return &r.Hash }),
		moment("issued_at", func(r *row) *time.Time { return &r.IssuedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
	}
}

// SaveTokens implements [oauthkit.TokenStore].
func (c *Credentials) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	return storeError("saving tokens", c.dialect.saveTokens(ctx, c.database, arguments{
		authorization: authorization, access: tokens.Access, refresh: tokens.Refresh,
	}))
}

const selectAccessToken = `SELECT t.[access], a.[authorization]
FROM {access_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = @hash`

// AccessToken implements [oauthkit.TokenStore].
func (c *Credentials) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	var row struct { // one allocation
		token         oauthkit.AccessToken
		authorization oauthkit.Authorization
	}
	row.token.Authorization = &row.authorization
	err := readCredential(ctx, c.database, selectAccessToken, hash, c.tables.accessTokens, &row.token, &row.authorization)
	if err != nil {
		return nil, storeError("finding an access token", err)
	}
	return &row.token, nil
}

// Rotating a refresh token also removes the sealed responses of the earlier tokens of
// its Authorization.
const (
	selectRefreshToken = `SELECT t.[refresh], t.consumed_at, t.sealed, a.[authorization]` + fromRefreshToken

	// The clock is read last: presented waits for the row of the token, and counting
	// the rows of unsealed executes that part before accepted. Two parts of a
	// statement must not change the same row, so unsealed leaves out the presented
	// token.
	consumeRefreshTokenPostgres = `WITH held AS (
	SELECT id FROM {authorizations}
	WHERE id = (SELECT authorization_id FROM {refresh_tokens} WHERE hash = @hash) AND revoked_at IS NULL FOR UPDATE
), presented AS (
	SELECT held.id FROM held CROSS JOIN {refresh_tokens} t WHERE t.hash = @hash AND t.consumed_at IS NULL FOR UPDATE OF t
), unsealed AS (
	UPDATE {refresh_tokens} AS earlier SET sealed = NULL FROM presented
	WHERE earlier.authorization_id = presented.id AND earlier.sealed IS NOT NULL AND earlier.hash <> @hash RETURNING 1
), accepted AS (
	UPDATE {refresh_tokens} AS t SET consumed_at = clock_timestamp(), sealed = @sealed,
		sealed_until = clock_timestamp() + @window::bigint * interval '1 microsecond'
	FROM presented WHERE t.hash = @hash AND t.consumed_at IS NULL AND (SELECT count(*) FROM unsealed) >= 0 RETURNING presented.id
), `
	unsealEarlierSQLite = unsealSQLite + `(SELECT authorization_id FROM {refresh_tokens} WHERE hash = @hash) AND hash <> @hash`
	unsealAllSQLite     = unsealSQLite + `@id`
	// Without the name of the index, SQLite would read all tokens of the Authorization.
	unsealSQLite = `UPDATE {refresh_tokens} INDEXED BY {refresh_tokens}_sealed SET sealed = NULL
WHERE sealed IS NOT NULL AND authorization_id = `
	consumeRefreshTokenSQLite = `UPDATE {refresh_tokens} SET consumed_at = @now, sealed = @sealed, sealed_until = @sealed_until
WHERE hash = @hash AND consumed_at IS NULL
AND EXISTS (SELECT 1 FROM {authorizations} WHERE id = authorization_id AND revoked_at IS NULL) RETURNING authorization_id`

	refreshTokenConsumed = `SELECT t.consumed_at IS NOT NULL, a.revoked_at IS NOT NULL` + fromRefreshToken

	fromRefreshToken = `
FROM {refresh_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = @hash`
)

// RefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token := &oauthkit.RefreshToken{Authorization: &oauthkit.Authorization{}}
	err := readCredential(ctx, c.database, selectRefreshToken, hash, c.tables.refreshTokens, token, token.Authorization,
		timestamp{&token.ConsumedAt}, &token.Sealed)
	if err != nil {
		return nil, storeError("finding a refresh token", err)
	}
	return token, nil
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	token := consumable{
		postgres: consumeRefreshTokenPostgres + issueTokens,
		prepare:  unsealEarlierSQLite, clock: rotation.Now, sqlite: consumeRefreshTokenSQLite,
		consumed: refreshTokenConsumed,
	}
	return storeError("rotating a refresh token", c.consume(ctx, token, rotation.Successors, arguments{
		hash: rotation.Hash, sealed: rotation.Sealed, window: rotation.Window,
	}))
}

// RepeatRefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeats, err := c.dialect.repeatRefreshToken(ctx, c.database, repeat)
	if err != nil {
		return oauthkit.Repeats{}, storeError("repeating a refresh token", err)
	}
	return repeats, nil
}
