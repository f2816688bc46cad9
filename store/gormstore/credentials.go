package gormstore

import (
	"context"
	"io"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Credentials stores everything except applications: Authorizations and consent,
// codes, tokens, pending requests, and signing keys. They are in one database,
// because each act is one transaction. Credentials is safe for concurrent use, and
// several of them in several processes can share a database.
//
// A [Store] embeds it. A host whose applications are in a table of its own embeds it
// in a store that finds those.
type Credentials struct{ *database }

// The interfaces that Credentials implements.
var _ interface {
	oauthkit.TokenStore
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
	oauthkit.KeyStore
	oauthkit.Cleaner
	oauthkit.AuthorizationManager
	oauthkit.NoticeStore
	oauthkit.Readier
	oauthkit.ConnectionPool
} = (*Credentials)(nil)

// NewCredentials returns Credentials on a database as [New] takes it. The prefix
// begins the name of every table, as [Config] describes. If it is empty, it is
// "oauth_". NewCredentials executes no statement. [Credentials.Migrate] creates the
// tables.
func NewCredentials(db *gorm.DB, tablePrefix string) (*Credentials, error) {
	database, err := newDatabase(db, tablePrefix)
	if err != nil {
		return nil, err
	}
	return &Credentials{database}, nil
}

// Migrate creates or updates the tables, as [Store.Migrate] does. The host's
// functions are called last.
func (c *Credentials) Migrate(ctx context.Context, own ...func(tx *gorm.DB) error) error {
	return storeError("migrating", c.migrate(ctx, &upgrade{database: c.database, halves: []half{ofCredentials}, own: own}))
}

// PrintMigrations writes the statements that Migrate executes on an empty database,
// for a host whose operator executes them. Afterwards Migrate has nothing to do.
func (c *Credentials) PrintMigrations(w io.Writer) error {
	_, err := io.WriteString(w, c.script(ofCredentials))
	return err
}

// Close closes the database, including the host's *gorm.DB.
func (c *Credentials) Close() error { return c.close() }

func codeColumns() columns[oauthkit.AuthorizationCode] {
	type row = oauthkit.AuthorizationCode
	return columns[row]{
		known("hash", func(r *row) *string { return &r.Hash }),
		plain("redirect_uri", func(r *row) *string { return &r.RedirectURI }),
		plain("code_challenge", func(r *row) *string { return &r.CodeChallenge }),
		plain("code_challenge_method", func(r *row) *string { return &r.CodeChallengeMethod }),
		confirmation(func(r *row) *oauthkit.Confirmation { return &r.Confirmation }),
		moment("issued_at", func(r *row) *time.Time { return &r.IssuedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
	}
}

// A code is consumed when the first tokens of its Authorization are issued, so one
// update of the row of the Authorization consumes the code, locks the Authorization
// and sets its expiry.
const (
	selectCode = `SELECT t.[code_rest], a.issued_at, a.[authorization]` + fromCode

	consumeCodePostgres = `WITH accepted AS (
	UPDATE {authorizations} SET issued_at = @now, expires_at = @authorization.expires_at
	WHERE id = (SELECT authorization_id FROM {authorization_codes} WHERE hash = @hash)
	AND issued_at IS NULL AND revoked_at IS NULL RETURNING id
), `
	consumeCodeSQLite = `UPDATE {authorizations} SET issued_at = @now, expires_at = @authorization.expires_at
WHERE id = (SELECT authorization_id FROM {authorization_codes} WHERE hash = @hash) AND issued_at IS NULL AND revoked_at IS NULL RETURNING id`

	codeConsumed = `SELECT a.issued_at IS NOT NULL, a.revoked_at IS NOT NULL` + fromCode

	fromCode = `
FROM {authorization_codes} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = @hash`
)

// Code implements [oauthkit.CodeStore].
func (c *Credentials) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code := &oauthkit.AuthorizationCode{Hash: hash, Authorization: &oauthkit.Authorization{}}
	err := readCredential(ctx, c.database, selectCode, hash, c.tables.codes, code, code.Authorization,
		timestamp{&code.ConsumedAt})
	if err != nil {
		return nil, storeError("finding a code", err)
	}
	return code, nil
}

// RedeemCode implements [oauthkit.CodeStore].
func (c *Credentials) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	code := consumable{postgres: consumeCodePostgres + issueTokens, sqlite: consumeCodeSQLite, consumed: codeConsumed}
	return storeError("redeeming a code", c.consume(ctx, code, tokens, arguments{hash: hash, now: now}))
}

func accessTokenColumns() columns[oauthkit.AccessToken] {
	type row = oauthkit.AccessToken
	return columns[row]{
		known("hash", func(r *row) *string { return &r.Hash }),
		scopes("scopes", func(r *row) *oauthkit.Scopes { return &r.Scopes }),
		uris("resources", func(r *row) *oauthkit.URIs { return &r.Resources }),
		confirmation(func(r *row) *oauthkit.Confirmation { return &r.Confirmation }),
		moment("issued_at", func(r *row) *time.Time { return &r.IssuedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
	}
}

// refreshTokenColumns are those that are written when a token is saved.
func refreshTokenColumns() columns[oauthkit.RefreshToken] {
	type row = oauthkit.RefreshToken
	return columns[row]{
		known("hash", func(r *row) *string { return &r.Hash }),
		confirmation(func(r *row) *oauthkit.Confirmation { return &r.Confirmation }),
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

const selectAccessToken = `SELECT t.[access_rest], a.[authorization]
FROM {access_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = @hash`

// AccessToken implements [oauthkit.TokenStore].
func (c *Credentials) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	var row struct { // one allocation
		token         oauthkit.AccessToken
		authorization oauthkit.Authorization
	}
	row.token.Hash, row.token.Authorization = hash, &row.authorization
	err := readCredential(ctx, c.database, selectAccessToken, hash, c.tables.accessTokens, &row.token, &row.authorization)
	if err != nil {
		return nil, storeError("finding an access token", err)
	}
	return &row.token, nil
}

// Rotating a refresh token also removes the sealed responses of the earlier tokens of
// its Authorization.
const (
	selectRefreshToken = `SELECT t.[refresh_rest], t.consumed_at, t.sealed, a.[authorization]` + fromRefreshToken

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
	token := &oauthkit.RefreshToken{Hash: hash, Authorization: &oauthkit.Authorization{}}
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

// RevokeAuthorization implements [oauthkit.TokenStore]. It waits for an act that
// holds the Authorization.
func (c *Credentials) RevokeAuthorization(ctx context.Context, id string, revocation oauthkit.Revocation) (changed bool, err error) {
	a := arguments{id: id, now: revocation.Now, notice: noted(revocation, oauthkit.NoticeAccessRevoked)}
	changed, err = c.dialect.revokeAuthorization(ctx, c.database, a)
	return changed, storeError("revoking an authorization", err)
}
