package gormstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Lists of sign-ins read the index on subject, from one application to the next, and
// only as many rows of each as are asked for. The index has no rows that are revoked
// or whose code is not redeemed, and tells which have expired but are not removed
// yet.
//
// A sign-in may have been refreshed very often, but only the last of its refresh
// tokens is in the index that is read. The tokens are found without EXISTS, for which
// PostgreSQL might read the tokens of all users first.
const (
	userApplications = `WITH RECURSIVE connected (client_id) AS (
	SELECT * FROM (SELECT client_id FROM {authorizations} WHERE subject = @subject` + signedIn + inOrder + `) first
	UNION ALL
	SELECT (SELECT client_id FROM {authorizations} WHERE subject = @subject` + signedIn + ` AND client_id > connected.client_id` + inOrder + `)
	FROM connected WHERE client_id IS NOT NULL
) SELECT a.[authorization]` + signInUses
	signedIn   = ` AND subject <> '' AND revoked_at IS NULL AND issued_at IS NOT NULL`
	inOrder    = ` ORDER BY client_id, created_at DESC, id DESC LIMIT 1` // an order that only that index has
	signInUses = `,
	(SELECT max(issued_at) FROM {access_tokens} WHERE authorization_id = a.id),
	(SELECT max(issued_at) FROM {refresh_tokens} WHERE authorization_id = a.id AND consumed_at IS NULL)
`
	newestSignIns = `
	WHERE subject = @subject AND client_id = connected.client_id` + signedIn + inUse + `
	ORDER BY created_at DESC, id DESC LIMIT @limit`
	inUse = ` AND a.expires_at > @now AND coalesce(
		(SELECT 1 FROM {refresh_tokens} WHERE authorization_id = a.id AND consumed_at IS NULL AND expires_at > @now LIMIT 1),
		(SELECT 1 FROM {access_tokens} WHERE authorization_id = a.id AND expires_at > @now LIMIT 1)) = 1`
	userAuthorizationsPostgres = userApplications + `FROM connected CROSS JOIN LATERAL (
	SELECT * FROM {authorizations} a` + newestSignIns + `
) a`
	// SQLite has no LATERAL, and finds the rows of a list by their primary key.
	userAuthorizationsSQLite = userApplications + `FROM connected CROSS JOIN {authorizations} a ON a.id IN (
	SELECT a.id FROM {authorizations} a` + newestSignIns + `
)`
	userAuthorization = `SELECT a.[authorization]` + signInUses + `FROM {authorizations} a
WHERE id = @id AND subject || '' = @subject` + signedIn + inUse  // does not use the index on subject
)

// UserAuthorizations implements [oauthkit.AuthorizationManager].
func (c *Credentials) UserAuthorizations(ctx context.Context, query oauthkit.AuthorizationQuery) ([]oauthkit.AuthorizationUse, error) {
	if query.Subject == "" { // the subject of tokens that were issued to an application itself
		return nil, storeError("listing authorizations", ctx.Err())
	}
	statement := c.dialect.userAuthorizations
	switch {
	case query.Limit <= 0:
		return nil, storeError("listing authorizations", ctx.Err())
	case query.ID != "":
		statement = userAuthorization
	}
	var uses []oauthkit.AuthorizationUse
	a := arguments{subject: query.Subject, now: query.Now, limit: query.Limit, id: query.ID}
	err := c.queryRows(ctx, c.pool(), statement, a, func(scan func(...any) error) error {
		authorization := &oauthkit.Authorization{}
		var access, refresh time.Time
		fields := c.tables.authorizations.fields(make([]any, 0, maxFields), authorization)
		err := scan(append(fields, timestamp{&access}, timestamp{&refresh})...)
		uses = append(uses, oauthkit.AuthorizationUse{Authorization: authorization, LastUsedAt: latest(access, refresh)})
		return err
	})
	if err != nil {
		return nil, storeError("listing authorizations", err)
	}
	slices.SortFunc(uses, func(one, other oauthkit.AuthorizationUse) int {
		return cmp.Or(other.CreatedAt.Compare(one.CreatedAt), strings.Compare(other.ID, one.ID))
	})
	return uses, nil
}

func latest(one, other time.Time) time.Time {
	if other.After(one) {
		return other
	}
	return one
}

const userConsents = `SELECT [consent] FROM {consents} WHERE subject = @subject`

// UserConsents implements [oauthkit.AuthorizationManager].
func (c *Credentials) UserConsents(ctx context.Context, subject string) ([]*oauthkit.Consent, error) {
	var consents []*oauthkit.Consent
	err := c.queryRows(ctx, c.pool(), userConsents, arguments{subject: subject}, func(scan func(...any) error) error {
		consent := &oauthkit.Consent{}
		consents = append(consents, consent)
		return scan(c.tables.consents.fields(make([]any, 0, maxFields), consent)...)
	})
	if err != nil {
		return nil, storeError("listing consents", err)
	}
	slices.SortFunc(consents, func(one, other *oauthkit.Consent) int {
		return strings.Compare(one.ClientID, other.ClientID)
	})
	return consents, nil
}

// RevokeUser implements [oauthkit.AuthorizationManager].
func (c *Credentials) RevokeUser(ctx context.Context, subject string, revocation oauthkit.Revocation) (revoked int, err error) {
	if subject == "" { // the subject of tokens that were issued to an application itself
		return 0, storeError("revoking a user", ctx.Err())
	}
	revoked, err = c.revokeOnce(ctx, userOwner(subject), revocation)
	return revoked, storeError("revoking a user", err)
}

// RevokeApplication implements [oauthkit.AuthorizationManager].
func (c *Credentials) RevokeApplication(ctx context.Context, clientID string, revocation oauthkit.Revocation) (revoked int, err error) {
	revoked, err = c.revokeOnce(ctx, applicationOwner(clientID), revocation)
	return revoked, storeError("revoking an application", err)
}
