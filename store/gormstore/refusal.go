package gormstore

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// Whether a credential was consumed, and whether its Authorization was revoked.
const (
	codeConsumed = `SELECT a.issued_at IS NOT NULL, a.revoked_at IS NOT NULL
FROM {authorization_codes} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`
	refreshTokenConsumed = `SELECT t.consumed_at IS NOT NULL, a.revoked_at IS NOT NULL
FROM {refresh_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`
)

// refusal asks why a credential was not consumed. That it was used before is worse news than that it was revoked.
func (d *database) refusal(ctx context.Context, on gorm.ConnPool, statement string, hash any) error {
	var consumed, revoked bool
	err := d.first(ctx, on, statement, []any{hash}, &consumed, &revoked)
	switch {
	case err != nil:
		return err
	case consumed:
		return oauthkit.ErrReplayed
	case revoked:
		return oauthkit.ErrRevoked
	default:
		return errors.New("a credential was refused for no reason") // which cannot be: what refuses one is never undone
	}
}

// What repeatRefusal asks, around the condition that the window is open: whether the Authorization
// was revoked, and whether the token could be repeated but for the limit $3.
const (
	repeatRefused = `SELECT a.revoked_at IS NOT NULL, t.repeats >= $3 AND EXISTS (SELECT 1 FROM {refresh_tokens} s
		WHERE s.hash = $2 AND s.authorization_id = t.authorization_id AND s.consumed_at IS NULL) AND `
	ofRefused = ` FROM {refresh_tokens} t JOIN {authorizations} a ON a.id = t.authorization_id WHERE t.hash = $1`
)

// repeatRefusal asks why a token was not repeated.
func (d *database) repeatRefusal(ctx context.Context, on gorm.ConnPool, statement string, args ...any) error {
	var revoked, exhausted bool
	err := d.first(ctx, on, statement, args, &revoked, &exhausted)
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
