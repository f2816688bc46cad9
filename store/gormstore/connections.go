package gormstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

// userAuthorizations walks the index on subject, which has the order in which those of each application are numbered, and looks up
// whether there is anything of each that can be used, and the last token of those that are returned.
const (
	userAuthorizations = numbered + upToLimit
	userAuthorization  = numbered + ` AND a.id = $4` + upToLimit
	numbered           = `SELECT ` + authorizationColumns + `,
	(SELECT max(issued_at) FROM {access_tokens} WHERE authorization_id = newest.id),
	(SELECT max(issued_at) FROM {refresh_tokens} WHERE authorization_id = newest.id)
FROM (SELECT ` + authorizationSelected + `,
	row_number() OVER (PARTITION BY a.application_id ORDER BY a.created_at DESC, a.id DESC) AS number FROM {authorizations} a
	WHERE a.subject = $1 AND a.revoked_at IS NULL AND a.expires_at > $2
	AND (EXISTS (SELECT 1 FROM {access_tokens} WHERE authorization_id = a.id AND expires_at > $2)
		OR EXISTS (SELECT 1 FROM {refresh_tokens} WHERE authorization_id = a.id AND consumed_at IS NULL AND expires_at > $2)
		OR EXISTS (SELECT 1 FROM {authorization_codes} WHERE authorization_id = a.id AND consumed_at IS NULL AND expires_at > $2))`
	upToLimit = `) newest WHERE number <= $3`
)

// UserAuthorizations implements [oauthkit.AuthorizationManager].
func (c *Credentials) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	if query.Subject == "" { // what an application has for itself is no user's
		return nil, failed("listing authorizations", ctx.Err())
	}
	statement, args := userAuthorizations, []any{query.Subject, c.stamp(query.Now), query.Limit}
	if query.ID != "" {
		statement, args = userAuthorization, append(args, query.ID)
	}
	var uses []oauthkit.AuthorizationUse
	err := c.each(ctx, c.pool(), statement, args, func(scan func(...any) error) error {
		authorization := &oauthkit.Authorization{}
		var access, refresh time.Time
		err := scan(append(authorizationFields(authorization), moment{&access}, moment{&refresh})...)
		uses = append(uses, oauthkit.AuthorizationUse{Authorization: authorization, LastUsedAt: lastUsed(authorization, access, refresh)})
		return err
	})
	if err != nil {
		return nil, failed("listing authorizations", err)
	}
	slices.SortFunc(uses, func(one, other oauthkit.AuthorizationUse) int {
		return cmp.Or(other.CreatedAt.Compare(one.CreatedAt), strings.Compare(other.ID, one.ID))
	})
	return uses, nil
}

// lastUsed returns when an Authorization was last used, by when its last tokens were issued; when it was made where there is none.
func lastUsed(authorization *oauthkit.Authorization, access, refresh time.Time) time.Time {
	switch {
	case access.After(refresh):
		return access
	case !refresh.IsZero():
		return refresh
	default:
		return authorization.CreatedAt
	}
}

const userConsents = `SELECT ` + consentColumns + ` FROM {consents} WHERE subject = $1`

// UserConsents implements [oauthkit.AuthorizationManager].
func (c *Credentials) UserConsents(ctx context.Context, subject string) ([]*oauthkit.Consent, error) {
	var consents []*oauthkit.Consent
	err := c.each(ctx, c.pool(), userConsents, []any{subject}, func(scan func(...any) error) error {
		consent := &oauthkit.Consent{}
		consents = append(consents, consent)
		return scan(consentFields(consent)...)
	})
	if err != nil {
		return nil, failed("listing consents", err)
	}
	slices.SortFunc(consents, func(one, other *oauthkit.Consent) int {
		return strings.Compare(one.ApplicationID, other.ApplicationID)
	})
	return consents, nil
}

// Both forget consents first and then revoke what stands under none that is left. Consents are locked in the order of
// application and user, Authorizations in that of their ids, for the reason that revokeConsented has.
//
// An approval under consent that is remembered, or is widened, holds the consent's row: it is saved before, and its Authorization
// revoked, or it is refused. One that gives consent for the first time has no row that could be locked here. It may be saved
// between the two statements, and then comes wholly after them: its consent was not forgotten, so its Authorization is left alone.
const (
	deleteConsents = `WITH held AS (SELECT subject FROM {consents} WHERE application_id = $1 ORDER BY subject FOR UPDATE)
DELETE FROM {consents} WHERE application_id = $1 AND subject IN (SELECT subject FROM held)`
	deleteUserConsents = `WITH held AS (SELECT application_id FROM {consents} WHERE subject = $1 ORDER BY application_id FOR UPDATE)
DELETE FROM {consents} WHERE subject = $1 AND application_id IN (SELECT application_id FROM held)`
	revokeUser        = `WITH held AS (SELECT id FROM {authorizations} a WHERE subject = $1` + standsAlone
	revokeApplication = `WITH held AS (SELECT id FROM {authorizations} a WHERE application_id = $1` + standsAlone
	standsAlone       = ` AND revoked_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM {consents} WHERE application_id = a.application_id AND subject = a.subject AND id = a.consent_id)
	ORDER BY id FOR UPDATE
) UPDATE {authorizations} SET revoked_at = $2 WHERE id IN (SELECT id FROM held)`
)

// RevokeUser implements [oauthkit.AuthorizationManager].
func (c *Credentials) RevokeUser(ctx context.Context, subject string, now time.Time) (revoked int, err error) {
	if subject == "" { // what an application has for itself is no user's
		return 0, failed("revoking a user", ctx.Err())
	}
	revoked, err = c.forget(ctx, deleteUserConsents, revokeUser, subject, now)
	return revoked, failed("revoking a user", err)
}

// RevokeApplication implements [oauthkit.AuthorizationManager].
func (c *Credentials) RevokeApplication(ctx context.Context, applicationID string, now time.Time) (revoked int, err error) {
	revoked, err = c.forget(ctx, deleteConsents, revokeApplication, applicationID, now)
	return revoked, failed("revoking an application", err)
}

func (c *Credentials) forget(ctx context.Context, consents, authorizations, whose string, now time.Time) (revoked int, err error) {
	err = c.inTransaction(ctx, func(tx gorm.ConnPool) error {
		if _, err := c.execute(ctx, tx, consents, whose); err != nil {
			return err
		}
		revoked, err = c.execute(ctx, tx, authorizations, whose, c.stamp(now))
		return err
	})
	if err != nil {
		return 0, err
	}
	return revoked, nil
}

const revokeIssued = `WITH held AS (SELECT id FROM {authorizations} WHERE application_id = $1 AND revoked_at IS NULL ORDER BY id FOR UPDATE)
UPDATE {authorizations} SET revoked_at = $2 WHERE id IN (SELECT id FROM held)`

// revokeIssued ends everything that an application has, what it has for itself included. It locks in an order, for the reason
// that revokeConsented has.
func (c *Credentials) revokeIssued(ctx context.Context, tx gorm.ConnPool, clientID string, now time.Time) error {
	_, err := c.execute(ctx, tx, revokeIssued, clientID, c.stamp(now))
	return err
}

// forgetIssued forgets all consent for an application and revokes everything that it has.
func (c *Credentials) forgetIssued(ctx context.Context, tx gorm.ConnPool, clientID string, now time.Time) error {
	if _, err := c.execute(ctx, tx, deleteConsents, clientID); err != nil {
		return err
	}
	return c.revokeIssued(ctx, tx, clientID, now)
}
