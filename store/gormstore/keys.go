package gormstore

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

const selectSigningKeys = `SELECT id, algorithm, generation, private, created_at, active_at FROM {signing_keys}`

// SigningKeys implements [oauthkit.KeyStore].
func (c *Credentials) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	var keys []*oauthkit.SigningKey
	err := c.each(ctx, c.pool(), selectSigningKeys, nil, func(scan func(...any) error) error {
		key := &oauthkit.SigningKey{}
		keys = append(keys, key)
		return scan(&key.ID, &key.Algorithm, &key.Generation, &key.Private, moment{&key.CreatedAt}, moment{&key.ActiveAt})
	})
	if err != nil {
		return nil, failed("reading the signing keys", err)
	}
	return keys, nil
}

const insertSigningKey = `INSERT INTO {signing_keys} (id, algorithm, generation, private, created_at, active_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (algorithm, generation) DO NOTHING`

// AddSigningKey implements [oauthkit.KeyStore].
func (c *Credentials) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	rows, err := c.execute(ctx, c.pool(), insertSigningKey,
		key.ID, key.Algorithm, key.Generation, key.Private, c.stamp(key.CreatedAt), c.stamp(key.ActiveAt))
	if err == nil && rows == 0 {
		err = oauthkit.ErrReplayed
	}
	return failed("adding a signing key", err)
}

// RemoveSigningKey implements [oauthkit.KeyStore].
func (c *Credentials) RemoveSigningKey(ctx context.Context, id string) (removed bool, err error) {
	rows, err := c.execute(ctx, c.pool(), `DELETE FROM {signing_keys} WHERE id = $1`, id)
	return rows == 1, failed("removing a signing key", err)
}
