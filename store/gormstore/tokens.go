package gormstore

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

// SaveTokens implements [oauthkit.TokenStore].
func (c *Credentials) SaveTokens(ctx context.Context, authorization *oauthkit.Authorization, tokens oauthkit.Tokens) error {
	return failed("saving tokens", c.dialect.saveTokens(ctx, c.database, authorization, tokens))
}

const selectAccessToken = `SELECT t.hash, t.scopes, t.resources, t.issued_at, t.expires_at, ` + authorizationSelected + `
FROM {access_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`

// AccessToken implements [oauthkit.TokenStore].
func (c *Credentials) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	var found struct {
		token         oauthkit.AccessToken
		authorization oauthkit.Authorization
	}
	token := &found.token
	token.Authorization = &found.authorization
	columns := authorizationFields(append(make([]any, 0, maxFields),
		&token.Hash, words{&token.Scopes}, &token.Resources, moment{&token.IssuedAt}, moment{&token.ExpiresAt},
	), token.Authorization)
	if err := c.first(ctx, c.pool(), selectAccessToken, []any{hash}, columns...); err != nil {
		return nil, failed("finding an access token", err)
	}
	return token, nil
}

const selectRefreshToken = `SELECT t.hash, t.issued_at, t.expires_at, t.consumed_at, t.sealed, ` + authorizationSelected + `
FROM {refresh_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`

// RefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	token := &oauthkit.RefreshToken{Authorization: &oauthkit.Authorization{}}
	columns := authorizationFields(append(make([]any, 0, maxFields),
		&token.Hash, moment{&token.IssuedAt}, moment{&token.ExpiresAt}, moment{&token.ConsumedAt}, &token.Sealed,
	), token.Authorization)
	if err := c.first(ctx, c.pool(), selectRefreshToken, []any{hash}, columns...); err != nil {
		return nil, failed("finding a refresh token", err)
	}
	return token, nil
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	return failed("rotating a refresh token", c.dialect.rotateRefreshToken(ctx, c.database, rotation))
}

// RepeatRefreshToken implements [oauthkit.RefreshTokenStore].
func (c *Credentials) RepeatRefreshToken(ctx context.Context, repeat oauthkit.Repeat) (oauthkit.Repeats, error) {
	repeats, err := c.dialect.repeatRefreshToken(ctx, c.database, repeat)
	if err != nil {
		return oauthkit.Repeats{}, failed("repeating a refresh token", err)
	}
	return repeats, nil
}

func (d *database) accessTokenArgs(token *oauthkit.AccessToken) []any {
	return []any{token.Hash, token.Scopes.String(), token.Resources.String(), d.stamp(token.IssuedAt), d.stamp(token.ExpiresAt)}
}

func (d *database) refreshTokenArgs(token *oauthkit.RefreshToken) []any {
	return []any{token.Hash, d.stamp(token.IssuedAt), d.stamp(token.ExpiresAt)}
}
