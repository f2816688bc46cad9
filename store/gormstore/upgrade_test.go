package gormstore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestUpgrade brings a database of version 0001 that is in use up to date, and goes on with what was in it.
func TestUpgrade(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		old := oldDatabase(t, db)
		store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
		var versions []string
		if err := db.Table("oauth_migrations").Order("id").Pluck("id", &versions).Error; err != nil || !slices.Equal(versions, []string{"0001", "0002", "0003", "0004"}) {
			t.Errorf("got versions %q, %v, want 0001 to 0004", versions, err)
		}
		app, err := store.Applications.Find(ctx, "client")
		if err != nil || app.Name != "Client" || app.PreviousSecret != "" || app.PreviousSecretExpiresAt != nil {
			t.Errorf("got the application %+v, %v, want it without a previous secret", app, err)
		}
		consent, err := store.Consent(ctx, "client", "alice")
		if err != nil || consent.ApplicationDigest != "" || len(consent.ResourceScopes) != 0 || !slices.Equal(consent.Scopes, oauthkit.Scopes{"openid"}) {
			t.Errorf("got the consent %+v, %v, want it without a digest", consent, err)
		}
		token, err := store.AccessToken(ctx, old.Access.Hash)
		if err != nil || len(token.Resources) != 0 || len(token.Authorization.Resources) != 0 || token.Authorization.Subject != "alice" {
			t.Errorf("got the token %+v, %v, want alice's, for every API", token, err)
		}
		uses, err := store.UserAuthorizations(ctx, oauthkit.AuthorizationQuery{Subject: "alice", Now: now, Limit: 10})
		if err != nil || len(uses) != 1 || !uses[0].LastUsedAt.Equal(now.Add(time.Second)) {
			t.Errorf("got %+v, %v, want the one Authorization, last used a second after %v", uses, err, now)
		}
		if err := store.RotateRefreshToken(ctx, old.Refresh.Hash, newTokens(token.Authorization), nil, now); err != nil {
			t.Errorf("RotateRefreshToken: %v", err)
		}
		if revoked, err := store.RevokeUser(ctx, "alice", now); err != nil || revoked != 1 {
			t.Errorf("RevokeUser: got %d, %v, want 1", revoked, err)
		}
		if _, err := store.Consent(ctx, "client", "alice"); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("Consent, after RevokeUser: got %v, want ErrNotFound", err)
		}
	})
}

// oldDatabase makes the tables of version 0001, as a host that prints migrations has made them, puts rows into them, and
// returns the tokens.
func oldDatabase(t *testing.T, db *gorm.DB) oauthkit.Tokens {
	t.Helper()
	printing, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	if err := printing.PrintMigrations(&script); err != nil {
		t.Fatal(err)
	}
	first := "INSERT INTO oauth_migrations (id) VALUES ('0001');\n"
	made, _, found := strings.Cut(script.String(), first)
	if !found {
		t.Fatalf("got no version 0001 in\n%s", script.String())
	}
	tokens := newTokens(newAuthorization())
	stamp := func(at time.Time) string { return at.Format("'2006-01-02 15:04:05.999999Z07:00'") }
	applicationStamp := stamp(now)
	if db.Name() == "sqlite" {
		stamp = func(at time.Time) string { return db.Dialector.Explain("?", at.UnixMicro()) }
	}
	rows := `INSERT INTO oauth_applications (client_id, name, client_type, scopes, created_at, updated_at)
VALUES ('client', 'Client', 'confidential', 'openid read', ` + applicationStamp + `, ` + applicationStamp + `);
INSERT INTO oauth_consents (id, application_id, subject, scopes, created_at, updated_at)
VALUES ('consent', 'client', 'alice', 'openid', NOW, NOW);
INSERT INTO oauth_authorizations (id, application_id, consent_id, subject, scopes, acr, amr, session_id, params, created_at, expires_at)
VALUES ('authorization', 'client', 'consent', 'alice', 'openid', '', '[]', '', '{}', NOW, LATER);
INSERT INTO oauth_access_tokens (hash, authorization_id, scopes, issued_at, expires_at)
VALUES ('` + tokens.Access.Hash + `', 'authorization', 'openid', NOW, LATER);
INSERT INTO oauth_refresh_tokens (hash, authorization_id, issued_at, expires_at)
VALUES ('` + tokens.Refresh.Hash + `', 'authorization', SOON, LATER)`
	rows = strings.NewReplacer("NOW", stamp(now), "SOON", stamp(now.Add(time.Second)), "LATER", stamp(now.Add(time.Hour))).Replace(rows)
	if err := db.Exec(made + first + rows).Error; err != nil {
		t.Fatalf("%v in\n%s", err, rows)
	}
	return tokens
}
