package gormstore_test

import (
	"net/url"
	"testing"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestScopesApart shows that scopes are stored in the database of the applications.
func TestScopesApart(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		credentials, applications := open(), openers()[open().Name()](t)()
		store := apart(t, credentials, applications)
		if err := store.ScopeTable.Set(t.Context(), gormstore.Scope{Name: "read", Default: true}); err != nil {
			t.Fatal(err)
		}
		expectScopes(t, store, "client", "read", "read")
		if credentials.Migrator().HasTable("oauth_scopes") || !applications.Migrator().HasTable("oauth_scopes") {
			t.Error("got scopes in the other database, want them in the database of the applications")
		}
	})
}

// TestScopesGranted grants scopes by the tables. If they cannot be read, the provider
// returns an error and grants neither fewer nor more scopes.
func TestScopesGranted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store := newScopes(t, db)
		if err := store.ScopeTable.Allow(t.Context(), "client", oauthkit.Scopes{"read", "admin"}, oauthkit.Scopes{"read", "admin"}); err != nil {
			t.Fatal(err)
		}
		provider, err := oauthkit.New("https://as.test", store, oauthkit.Config{Grants: grants.Standard(store), Scopes: store.ScopeTable})
		if err != nil {
			t.Fatal(err)
		}
		app := newApplication() // its own list does not have admin
		app.Scopes, app.GrantTypes = oauthkit.Scopes{"read", "write"}, oauthkit.GrantTypes{oauth2.ClientCredentials}
		ask := func(scope string) (string, error) {
			response, err := provider.Exchange(t.Context(), oauthkit.TokenRequest{Application: app, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}})
			if err != nil {
				return "", err
			}
			return response.Scope, nil
		}
		for _, scope := range []string{"", "read"} {
			if got, err := ask(scope); err != nil || got != "read" {
				t.Errorf("scope %q: got %q, %v, want read", scope, got, err)
			}
		}
		for _, scope := range []string{"write", "admin", "nonsense"} {
			if got, err := ask(scope); oauthkit.CodeOf(err) != oauthkit.InvalidScope {
				t.Errorf("scope %q: got %q, %v, want an error", scope, got, err)
			}
		}
		for _, table := range []string{"oauth_application_scopes", "oauth_scopes"} {
			if err := db.Exec("DROP TABLE " + table).Error; err != nil {
				t.Fatal(err)
			}
			for _, scope := range []string{"", "read"} {
				if got, err := ask(scope); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
					t.Errorf("scope %q without %s: got %q, %v, want %s", scope, table, got, err, oauthkit.TemporarilyUnavailable)
				}
			}
		}
	})
}

// TestScopesStatements shows that the methods used in requests need one statement each.
func TestScopesStatements(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		statements := oauthtest.CountStatements(db)
		store, ctx := newScopes(t, db), t.Context()
		for name, ask := range map[string]func() error{
			"All": func() error { _, err := store.ScopeTable.All(ctx); return err },
			"Available": func() error {
				_, err := store.ScopeTable.Available(ctx, newApplication(), oauthkit.ScopeRequest{})
				return err
			},
			"Default": func() error {
				_, err := store.ScopeTable.Default(ctx, newApplication(), oauthkit.ScopeRequest{})
				return err
			},
		} {
			statements.Take()
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			if got := statements.Take(); len(got.Statements) != 1 || got.Commits != 0 {
				t.Errorf("%s: got %d statements and %d commits, want 1 and none", name, len(got.Statements), got.Commits)
			}
		}
	})
}
