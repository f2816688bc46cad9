package gormstore

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

func consentColumns() columns[oauthkit.Consent] {
	type row = oauthkit.Consent
	return columns[row]{
		plain("id", func(r *row) *string { return &r.ID }),
		known("client_id", func(r *row) *string { return &r.ClientID }),
		known("subject", func(r *row) *string { return &r.Subject }),
		scopes("scopes", func(r *row) *oauthkit.Scopes { return &r.Scopes }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		moment("updated_at", func(r *row) *time.Time { return &r.UpdatedAt }),
		plain("application_digest", func(r *row) *string { return &r.ApplicationDigest }),
		document("resource_scopes", func(r *row) *map[string]oauthkit.Scopes { return &r.ResourceScopes }),
	}
}

const selectConsent = `SELECT [consent_rest] FROM {consents} WHERE client_id = @client_id AND subject = @subject`

// Consent implements [oauthkit.Store].
func (c *Credentials) Consent(ctx context.Context, clientID, subject string) (*oauthkit.Consent, error) {
	consent := &oauthkit.Consent{ClientID: clientID, Subject: subject}
	fields := c.tables.consents.rest(make([]any, 0, maxFields), consent)
	err := c.queryRow(ctx, c.pool(), selectConsent, arguments{clientID: clientID, subject: subject}, fields...)
	if err != nil {
		return nil, storeError("finding a consent", err)
	}
	return consent, nil
}

// A consent is given by inserting it, or by replacing the scopes of an existing one,
// which keeps its id. The values stand between these two.
const (
	insertConsent = `INSERT INTO {consents} ([consent]) `
	orReplace     = ` ON CONFLICT (client_id, subject)
	DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at,
	application_digest = excluded.application_digest, resource_scopes = excluded.resource_scopes RETURNING id`
)

const (
	// lockConsent makes sure that there is a row to lock. If another transaction is
	// inserting the row, it waits for that transaction, while a DELETE would not see
	// the row.
	lockConsent   = insertConsent + `VALUES (@[consent])` + orReplace
	deleteConsent = `DELETE FROM {consents} WHERE client_id = @client_id AND subject = @subject`
	// revokeConsented locks in the order of the ids, as every statement that locks
	// several Authorizations does, so that none waits for each other.
	revokeConsented = `WITH held AS (
	SELECT id FROM {authorizations} WHERE client_id = @client_id AND subject = @subject AND revoked_at IS NULL
	ORDER BY id LIMIT @limit FOR UPDATE
) UPDATE {authorizations} SET revoked_at = @now WHERE id IN (SELECT id FROM held) RETURNING id, session_id`
	validConsented = `SELECT id, session_id FROM {authorizations} WHERE client_id = @client_id AND subject = @subject AND revoked_at IS NULL`
)

// RevokeConsent implements [oauthkit.Store]. The row of the consent is the lock
// between it and an approval that is saved at the same time. The second one sees all
// changes of the first, because each statement sees every row that was committed
// before it began. A single statement would wait for the lock and then not see them.
//
// If there are more Authorizations than a batch, the others are listed in that
// transaction and revoked after it. They do not include those of an approval that
// came second.
func (c *Credentials) RevokeConsent(ctx context.Context, clientID, subject string, revocation oauthkit.Revocation) ([]string, error) {
	now := revocation.Now
	revoked, others, err := c.revokeBatch(ctx, arguments{
		clientID: clientID, subject: subject, now: now, limit: batchRows, notice: noted(revocation, oauthkit.NoticeAccessRevoked),
		consent: &oauthkit.Consent{ID: secret.NewID(), ClientID: clientID, Subject: subject, CreatedAt: now, UpdatedAt: now},
	})
	if err == nil {
		err = inBatches(others, func(ids string) error {
			batch, err := c.queryBounded(ctx, c.dialect.revokeListed+" RETURNING id", arguments{ids: ids, now: now})
			revoked = append(revoked, batch...)
			return err
		})
	}
	if err != nil {
		return nil, storeError("revoking a consent", err)
	}
	return revoked, nil
}

// revokeBatch deletes the consent, revokes a batch, saves the notices, and lists the
// other Authorizations. It has a deadline of its own, as each later statement has,
// because ctx may have none.
func (c *Credentials) revokeBatch(ctx context.Context, a arguments) (revoked, others []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	err = c.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if _, err := c.queryStrings(ctx, tx, lockConsent, a); err != nil {
			return err
		}
		if _, err := c.execute(ctx, tx, deleteConsent, a); err != nil {
			return err
		}
		sessions := map[string]bool{}
		revoked, err = c.queryConsented(ctx, tx, revokeConsented, a, sessions)
		if err == nil && len(revoked) == batchRows {
			others, err = c.queryConsented(ctx, tx, validConsented, a, sessions)
		}
		if err != nil || len(revoked) == 0 || a.notice == nil {
			return err
		}
		list, err := json.Marshal(slices.Sorted(maps.Keys(sessions)))
		if err != nil {
			return err
		}
		noting := a
		noting.ids = string(list)
		_, err = c.execute(ctx, tx, noteConsent, noting)
		return err
	})
	return revoked, others, err
}

// queryConsented returns the ids of Authorizations, and adds their sessions.
func (c *Credentials) queryConsented(
	ctx context.Context, tx gorm.ConnPool, statement string, a arguments, sessions map[string]bool,
) (ids []string, err error) {
	err = c.queryRows(ctx, tx, statement, a, func(scan func(...any) error) error {
		var id, session string
		err := scan(&id, &session)
		ids, sessions[session] = append(ids, id), true
		return err
	})
	return ids, err
}
