package gormstore

import (
	"context"
	"errors"

	"github.com/oauthkit/oauthkit"
)

// sharedSecret is the name of the only row of {secrets}.
const sharedSecret = "shared"

const (
	selectSecret = `SELECT value FROM {secrets} WHERE name = @name`
	insertSecret = `INSERT INTO {secrets} (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING`
)

// SharedSecret implements [oauthkit.Store]. One of several concurrent inserts
// succeeds, and every caller then reads the row again.
func (c *Credentials) SharedSecret(ctx context.Context, proposed string) (string, error) {
	secret, err := c.secret(ctx)
	if !errors.Is(err, oauthkit.ErrNotFound) {
		return secret, storeError("reading the shared secret", err)
	}
	if _, err := c.execute(ctx, c.pool(), insertSecret, arguments{name: sharedSecret, value: proposed}); err != nil {
		return "", storeError("saving the shared secret", err)
	}
	secret, err = c.secret(ctx)
	if errors.Is(err, oauthkit.ErrNotFound) {
		err = errors.New("the secret was removed after it was saved")
	}
	return secret, storeError("reading the shared secret again", err)
}

func (c *Credentials) secret(ctx context.Context) (secret string, err error) {
	err = c.queryRow(ctx, c.pool(), selectSecret, arguments{name: sharedSecret}, &secret)
	return secret, err
}
