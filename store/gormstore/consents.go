package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// consentColumns are the columns of a Consent, in the order of consentArgs and consentFields.
const consentColumns = `id, client_id, subject, scopes, created_at, updated_at, application_digest, resource_scopes`

const selectConsent = `SELECT ` + consentColumns + ` FROM {consents} WHERE client_id = $1 AND subject = $2`

// Consent implements [oauthkit.Store].
func (c *Credentials) Consent(ctx context.Context, clientID, subject string) (*oauthkit.Consent, error) {
	consent := &oauthkit.Consent{}
	if err := c.first(ctx, c.pool(), selectConsent, []any{clientID, subject}, consentFields(consent)...); err != nil {
		return nil, failed("finding a consent", err)
	}
	return consent, nil
}

// A consent is given anew by inserting it, or by replacing the scopes of the one that there is, whose id stays. What to
// insert stands between these two.
const (
	insertConsent = `INSERT INTO {consents} (` + consentColumns + `) `
	orReplace     = ` ON CONFLICT (client_id, subject)
	DO UPDATE SET scopes = excluded.scopes, updated_at = excluded.updated_at,
	application_digest = excluded.application_digest, resource_scopes = excluded.resource_scopes RETURNING id`
)

func (d *database) consentArgs(consent *oauthkit.Consent) []any {
	return []any{
		consent.ID, consent.ClientID, consent.Subject, consent.Scopes.String(), d.stamp(consent.CreatedAt), d.stamp(consent.UpdatedAt),
		consent.ApplicationDigest, document[map[string]oauthkit.Scopes]{&consent.ResourceScopes},
	}
}

func consentFields(consent *oauthkit.Consent) []any {
	return []any{
		&consent.ID, &consent.ClientID, &consent.Subject, words{&consent.Scopes}, moment{&consent.CreatedAt}, moment{&consent.UpdatedAt},
		&consent.ApplicationDigest, document[map[string]oauthkit.Scopes]{&consent.ResourceScopes},
	}
}

const (
	// holdConsent makes sure that there is a row to lock. Where the consent is just being given for the first time, it waits
	// for that to end, which a DELETE would not: it does not see the row yet.
	holdConsent   = insertConsent + `VALUES ($1, $2, $3, '', $4, $4, '', '{}')` + orReplace
	deleteConsent = `DELETE FROM {consents} WHERE client_id = $1 AND subject = $2`
	// revokeConsented locks in the order of the ids, as whatever locks several Authorizations does, so that two never wait
	// for each other.
	revokeConsented = `WITH held AS (
	SELECT id FROM {authorizations} WHERE client_id = $1 AND subject = $2 AND revoked_at IS NULL ORDER BY id LIMIT $4 FOR UPDATE
) UPDATE {authorizations} SET revoked_at = $3 WHERE id IN (SELECT id FROM held) RETURNING id`
	liveConsented = `SELECT id FROM {authorizations} WHERE client_id = $1 AND subject = $2 AND revoked_at IS NULL`
)

// RevokeConsent implements [oauthkit.Store]. The consent's row is the lock that decides between it and an approval
// that is just being saved: whoever comes second sees all that the first one did, because each statement sees what was
// committed before it began. A statement that did everything at once would wait for the lock and then not see it.
//
// More than a batch of Authorizations is listed in that transaction and revoked after it: an approval that comes second is not
// among them.
func (c *Credentials) RevokeConsent(ctx context.Context, clientID, subject string, now time.Time) ([]string, error) {
	revoked, more, err := c.revokeFirst(ctx, clientID, subject, now)
	if err == nil {
		err = inBatches(more, func(list string) error {
			done, err := c.boundedIDs(ctx, c.dialect.revokeListed()+" RETURNING id", list, c.stamp(now))
			revoked = append(revoked, done...)
			return err
		})
	}
	if err != nil {
		return nil, failed("revoking a consent", err)
	}
	return revoked, nil
}

// revokeFirst forgets the consent, revokes a batch, and lists what is more. It has a deadline of its own, as each statement after
// it has: ctx may have none.
func (c *Credentials) revokeFirst(ctx context.Context, clientID, subject string, now time.Time) (revoked, more []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	err = c.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if _, err := c.ids(ctx, tx, holdConsent, secret.NewID(), clientID, subject, c.stamp(now)); err != nil {
			return err
		}
		if _, err := c.execute(ctx, tx, deleteConsent, clientID, subject); err != nil {
			return err
		}
		revoked, err = c.ids(ctx, tx, revokeConsented, clientID, subject, c.stamp(now), batchRows)
		if err == nil && len(revoked) == batchRows {
			more, err = c.ids(ctx, tx, liveConsented, clientID, subject)
		}
		return err
	})
	return revoked, more, err
}

// ids returns the one column of a statement's answer.
func (d *database) ids(ctx context.Context, on gorm.ConnPool, statement string, args ...any) (ids []string, err error) {
	err = d.each(ctx, on, statement, args, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
