package gormstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// consumable describes a kind of credential that is exchanged for tokens. A new kind
// defines only these fields. Its statements accept a credential @hash that is not
// consumed and whose Authorization is not revoked, and consume it.
type consumable struct {
	// postgres begins with common table expressions and ends with issueTokens. The
	// expression named "accepted" returns the id of the Authorization of an accepted
	// credential.
	postgres string
	// sqlite returns the id of the Authorization of an accepted credential.
	sqlite string
	// prepare, if not empty, is executed first on SQLite.
	prepare string
	// clock returns the time of the act on SQLite, after prepare has taken the write
	// lock. If it is nil, the caller's time is used.
	clock func() time.Time
	// consumed returns whether the credential is consumed and its Authorization revoked.
	consumed string
}

// consume consumes a credential and saves tokens for its Authorization.
func (c *Credentials) consume(ctx context.Context, kind consumable, tokens oauthkit.Tokens, a arguments) error {
	a.access, a.refresh, a.authorization = tokens.Access, tokens.Refresh, tokens.Access.Authorization
	return c.dialect.consume(ctx, c.database, kind, a)
}

const (
	// insertTokens saves tokens for the Authorization in accepted.
	insertTokens = `access AS (
	INSERT INTO {access_tokens} ([access], authorization_id) SELECT @[access], id FROM accepted
), refresh AS (
	INSERT INTO {refresh_tokens} ([refresh], authorization_id) SELECT @[refresh], id FROM accepted WHERE @refresh.hash::text IS NOT NULL
)`
	// issueTokens also returns whether a credential was accepted.
	issueTokens = insertTokens + `
SELECT EXISTS (SELECT 1 FROM accepted)`
)

// consume executes one statement, and a second one only to find the reason of a
// refusal.
func (postgresDialect) consume(ctx context.Context, d *database, kind consumable, a arguments) error {
	var accepted bool
	if err := d.queryRow(ctx, d.pool(), kind.postgres, a, &accepted); err != nil || accepted {
		return err
	}
	return d.refusal(ctx, d.pool(), kind, a)
}

// consume runs in one transaction, whose first statement takes the write lock.
func (s sqliteDialect) consume(ctx context.Context, d *database, kind consumable, a arguments) error {
	return d.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if kind.prepare != "" {
			if _, err := d.execute(ctx, tx, kind.prepare, a); err != nil {
				return err
			}
		}
		if kind.clock != nil {
			a.now = kind.clock()
		}
		err := d.queryRow(ctx, tx, kind.sqlite, a, &a.id)
		switch {
		case errors.Is(err, oauthkit.ErrNotFound):
			return d.refusal(ctx, tx, kind, a)
		case err != nil:
			return err
		default:
			return s.insertTokens(ctx, d, tx, a)
		}
	})
}

// refusal returns the reason why a credential was not accepted. A replay is reported
// even if the Authorization is revoked, because it may be an attack.
func (d *database) refusal(ctx context.Context, conn gorm.ConnPool, kind consumable, a arguments) error {
	var consumed, revoked bool
	err := d.queryRow(ctx, conn, kind.consumed, a, &consumed, &revoked)
	switch {
	case err != nil:
		return err
	case consumed:
		return oauthkit.ErrReplayed
	case revoked:
		return oauthkit.ErrRevoked
	default: // neither is ever undone
		return errors.New("unreachable: no row was updated, but the credential is not consumed")
	}
}
