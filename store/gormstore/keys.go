package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

func signingKeyColumns() columns[oauthkit.SigningKey] {
	type row = oauthkit.SigningKey
	return columns[row]{
		plain("id", func(r *row) *string { return &r.ID }),
		plain("algorithm", func(r *row) *string { return &r.Algorithm }),
		plain("generation", func(r *row) *int { return &r.Generation }),
		plain("private", func(r *row) *[]byte { return &r.Private }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		moment("active_at", func(r *row) *time.Time { return &r.ActiveAt }),
	}
}

const (
	selectSigningKeys = `SELECT [key] FROM {signing_keys}`
	insertSigningKey  = `INSERT INTO {signing_keys} ([key]) VALUES (@[key]) ON CONFLICT (algorithm, generation) DO NOTHING`
	updatePrivateKey  = `UPDATE {signing_keys} SET private = @private WHERE id = @id AND private = @sealed`
)

// SigningKeys implements [oauthkit.KeyStore].
func (c *Credentials) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	var keys []*oauthkit.SigningKey
	err := c.queryRows(ctx, c.pool(), selectSigningKeys, arguments{}, func(scan func(...any) error) error {
		key := &oauthkit.SigningKey{}
		keys = append(keys, key)
		return scan(c.tables.signingKeys.fields(nil, key)...)
	})
	if err != nil {
		return nil, storeError("reading the signing keys", err)
	}
	return keys, nil
}

// AddSigningKey implements [oauthkit.KeyStore].
func (c *Credentials) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	rows, err := c.execute(ctx, c.pool(), insertSigningKey, arguments{key: key})
	if err == nil && rows == 0 {
		err = oauthkit.ErrReplayed
	}
	return storeError("adding a signing key", err)
}

// RemoveSigningKey implements [oauthkit.KeyStore].
func (c *Credentials) RemoveSigningKey(ctx context.Context, id string) (removed bool, err error) {
	rows, err := c.execute(ctx, c.pool(), `DELETE FROM {signing_keys} WHERE id = @id`, arguments{id: id})
	return rows == 1, storeError("removing a signing key", err)
}

// ReplacePrivateKey implements [oauthkit.KeyStore].
func (c *Credentials) ReplacePrivateKey(ctx context.Context, id string, old, private []byte) (replaced bool, err error) {
	rows, err := c.execute(ctx, c.pool(), updatePrivateKey, arguments{id: id, sealed: old, private: private})
	return rows == 1, storeError("replacing a private key", err)
}
