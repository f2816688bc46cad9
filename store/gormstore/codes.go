package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// SaveCode implements [oauthkit.CodeStore].
func (c *Credentials) SaveCode(ctx context.Context, approval *oauthkit.Approval, code *oauthkit.AuthorizationCode) error {
	consentID, err := c.dialect.saveCode(ctx, c.database, approval, code)
	if err != nil {
		return failed("saving a code", err)
	}
	approval.Authorization.ConsentID = consentID
	return nil
}

// A code is consumed when the first tokens of its Authorization are issued, which that row tells: consuming it, locking the
// Authorization and moving its end are one update of one row.
const selectCode = `SELECT t.hash, t.redirect_uri, t.code_challenge, t.code_challenge_method, t.issued_at, t.expires_at, a.issued_at,
` + authorizationSelected + `
FROM {authorization_codes} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`

// Code implements [oauthkit.CodeStore].
func (c *Credentials) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code := &oauthkit.AuthorizationCode{Authorization: &oauthkit.Authorization{}}
	columns := authorizationFields(append(make([]any, 0, maxFields),
		&code.Hash, &code.RedirectURI, &code.CodeChallenge, &code.CodeChallengeMethod,
		moment{&code.IssuedAt}, moment{&code.ExpiresAt}, moment{&code.ConsumedAt},
	), code.Authorization)
	if err := c.first(ctx, c.pool(), selectCode, []any{hash}, columns...); err != nil {
		return nil, failed("finding a code", err)
	}
	return code, nil
}

// RedeemCode implements [oauthkit.CodeStore].
func (c *Credentials) RedeemCode(ctx context.Context, hash string, tokens oauthkit.Tokens, now time.Time) error {
	return failed("redeeming a code", c.dialect.redeemCode(ctx, c.database, hash, tokens, now))
}

func (d *database) codeArgs(code *oauthkit.AuthorizationCode) []any {
	return []any{
		code.Hash, code.RedirectURI, code.CodeChallenge, code.CodeChallengeMethod, d.stamp(code.IssuedAt), d.stamp(code.ExpiresAt),
	}
}
