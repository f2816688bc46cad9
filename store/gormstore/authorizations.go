package gormstore

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
)

// The columns of an Authorization, in the order of authorizationArgs and authorizationFields. Reading, it is "a".
const (
	authorizationColumns = `id, client_id, consent_id, subject, scopes, auth_time, acr, amr, session_id, params,
	created_at, expires_at, revoked_at, resources`
	authorizationSelected = `a.id, a.client_id, a.consent_id, a.subject, a.scopes, a.auth_time, a.acr, a.amr, a.session_id, a.params,
	a.created_at, a.expires_at, a.revoked_at, a.resources`
)

func (d *database) authorizationArgs(a *oauthkit.Authorization) []any {
	return []any{
		a.ID, a.ClientID, a.ConsentID, a.Subject, a.Scopes.String(),
		d.stampOrNull(a.AuthTime), a.ACR, document[[]string]{&a.AMR}, a.SessionID, document[map[string]string]{&a.Params},
		d.stamp(a.CreatedAt), d.stamp(a.ExpiresAt), d.stampOrNull(a.RevokedAt), a.Resources.String(),
	}
}

// maxFields is the number of fields of a credential together with its Authorization.
const maxFields = 24

// authorizationFields adds the fields of an Authorization to those of a credential.
func authorizationFields(fields []any, a *oauthkit.Authorization) []any {
	return append(fields,
		&a.ID, &a.ClientID, &a.ConsentID, &a.Subject, words{&a.Scopes},
		moment{&a.AuthTime}, &a.ACR, document[[]string]{&a.AMR}, &a.SessionID, document[map[string]string]{&a.Params},
		moment{&a.CreatedAt}, moment{&a.ExpiresAt}, moment{&a.RevokedAt}, &a.Resources,
	)
}

// RevokeAuthorization implements [oauthkit.TokenStore]. It waits for an act that holds the Authorization.
func (c *Credentials) RevokeAuthorization(ctx context.Context, id string, now time.Time) (changed bool, err error) {
	changed, err = c.dialect.revokeAuthorization(ctx, c.database, id, now)
	return changed, failed("revoking an authorization", err)
}
