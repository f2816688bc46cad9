package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

func codeColumns() columns[oauthkit.AuthorizationCode] {
	type row = oauthkit.AuthorizationCode
	return columns[row]{
		plain("hash", func(r *row) *string { return &r.Hash }),
		plain("redirect_uri", func(r *row) *string { return &r.RedirectURI }),
		plain("code_challenge", func(r *row) *string { return &r.CodeChallenge }),
		plain("code_challenge_method", func(r *row) *string { return &r.CodeChallengeMethod }),
		moment("issued_at", func(r *row) *time.Time { return &r.IssuedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
	}
}

// SaveCode implements [oauthkit.CodeStore].
func (c *Credentials) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	consentID, err := c.dialect.saveCode(ctx, c.database, approval, code)
	if err != nil {
		return storeError("saving a code", err)
	}
	approval.Authorization.ConsentID = consentID
	return nil
}

// A code is consumed when the first tokens of its Authorization are issued, so one
// update of the row of the Authorization consumes the code, locks the Authorization
// and sets its expiry.
const (
	selectCode = `SELECT t.[code], a.issued_at, a.[authorization]` + fromCode

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
	code := &oauthkit.AuthorizationCode{Authorization: &oauthkit.Authorization{}}
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
