package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// authorizationColumns are those of the table except issued_at. It is the time at
// which the first tokens were issued, which consumes a code.
func authorizationColumns() columns[oauthkit.Authorization] {
	type row = oauthkit.Authorization
	return columns[row]{
		plain("id", func(r *row) *string { return &r.ID }),
		plain("client_id", func(r *row) *string { return &r.ClientID }),
		plain("consent_id", func(r *row) *string { return &r.ConsentID }),
		plain("subject", func(r *row) *string { return &r.Subject }),
		scopes("scopes", func(r *row) *oauthkit.Scopes { return &r.Scopes }),
		optionalMoment("auth_time", func(r *row) *time.Time { return &r.AuthTime }),
		plain("acr", func(r *row) *string { return &r.ACR }),
		document("amr", func(r *row) *[]string { return &r.AMR }),
		plain("session_id", func(r *row) *string { return &r.SessionID }),
		document("params", func(r *row) *map[string]string { return &r.Params }),
		moment("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		moment("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
		optionalMoment("revoked_at", func(r *row) *time.Time { return &r.RevokedAt }),
		uris("resources", func(r *row) *oauthkit.URIs { return &r.Resources }),
	}
}

// maxFields is the number of fields of a credential together with its Authorization.
const maxFields = 24

// readCredential reads the one row of a statement: the columns of a credential, then
// further fields, then the columns of its Authorization.
func readCredential[T any](
	ctx context.Context, d *database, text, hash string, columns columns[T], row *T, a *oauthkit.Authorization, further ...any,
) error {
	fields := columns.fields(make([]any, 0, maxFields), row)
	fields = d.tables.authorizations.fields(append(fields, further...), a)
	return d.queryRow(ctx, d.pool(), text, arguments{hash: hash}, fields...)
}

// RevokeAuthorization implements [oauthkit.TokenStore]. It waits for an act that
// holds the Authorization.
func (c *Credentials) RevokeAuthorization(ctx context.Context, id string, now time.Time) (changed bool, err error) {
	changed, err = c.dialect.revokeAuthorization(ctx, c.database, id, now)
	return changed, storeError("revoking an authorization", err)
}
