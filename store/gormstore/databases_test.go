package gormstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// store is the type that most tests use.
type store = gormstore.Store[*oauthkit.AbstractApplication]

// now is the time of the tests.
var now = time.Date(2026, 11, 25, 12, 30, 0, 123456000, time.UTC)

// each runs a test on every database. The first call of open opens an empty database,
// and further calls open the same one again.
func each(t *testing.T, test func(t *testing.T, open func() *gorm.DB)) {
	for name, opener := range openers() {
		t.Run(name, func(t *testing.T) { test(t, opener(t)) })
	}
}

func openers() map[string]func(testing.TB) func() *gorm.DB {
	return map[string]func(testing.TB) func() *gorm.DB{
		"sqlite": func(tb testing.TB) func() *gorm.DB {
			path := filepath.Join(tb.TempDir(), "oauth.db")
			return func() *gorm.DB { return opened(tb, path, sqlite.OpenDB) }
		},
		"postgres": func(tb testing.TB) func() *gorm.DB {
			url := oauthtest.Postgres(tb)
			return func() *gorm.DB { return opened(tb, url, postgres.OpenDB) }
		},
	}
}

// quickOpeners are openers whose SQLite files do not wait for the disk, for tests
// with thousands of commits that no power failure can interrupt.
func quickOpeners() map[string]func(testing.TB) func() *gorm.DB {
	quick := openers()
	quick["sqlite"] = func(tb testing.TB) func() *gorm.DB {
		path := filepath.Join(tb.TempDir(), "oauth.db")
		return func() *gorm.DB {
			return opened(tb, path, func(path string) (*gorm.DB, error) {
				return sqlite.OpenDBWith(path, sqlite.Options{SynchronousNormal: true})
			})
		}
	}
	return quick
}

func opened(tb testing.TB, location string, open func(string) (*gorm.DB, error)) *gorm.DB {
	tb.Helper()
	db, err := open(location)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		pool, err := db.DB()
		if err != nil {
			tb.Fatal(err)
		}
		if err := pool.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// migrated returns a store with tables.
func migrated[A oauthkit.Application](tb testing.TB, db *gorm.DB) *gormstore.Store[A] {
	tb.Helper()
	store, err := gormstore.New[A](db, gormstore.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := store.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return store
}

func newAuthorization() *oauthkit.Authorization {
	return &oauthkit.Authorization{
		ID: secret.NewID(), ClientID: "client", Subject: "alice", Scopes: oauthkit.Scopes{"openid", "read"},
		AuthTime: now.Add(-time.Hour), AMR: []string{"pwd"}, Params: map[string]string{"nonce": "n"},
		CreatedAt: now, ExpiresAt: now.Add(90 * 24 * time.Hour),
	}
}

func newTokens(authorization *oauthkit.Authorization) oauthkit.Tokens {
	return oauthkit.Tokens{
		Access: &oauthkit.AccessToken{
			Hash: secret.Hash(secret.NewID()), Authorization: authorization, Scopes: authorization.Scopes,
			IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute),
		},
		Refresh: &oauthkit.RefreshToken{
			Hash: secret.Hash(secret.NewID()), Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(30 * 24 * time.Hour),
		},
	}
}

// rotation returns the use of a refresh token, at the time now in a store without a
// clock.
func rotation(hash string, successors oauthkit.Tokens, sealed []byte) oauthkit.Rotation {
	return oauthkit.Rotation{
		Hash: hash, Successors: successors, Sealed: sealed, Window: time.Minute, Now: func() time.Time { return now },
	}
}

func newCode(authorization *oauthkit.Authorization) *oauthkit.AuthorizationCode {
	return &oauthkit.AuthorizationCode{
		Hash: secret.Hash(secret.NewID()), Authorization: authorization, RedirectURI: "https://client.example/callback",
		CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", CodeChallengeMethod: "S256",
		IssuedAt: now, ExpiresAt: now.Add(time.Minute),
	}
}

// newApproval returns an approval under a remembered Consent, with a code, tokens, both
// or neither.
func newApproval(consent *oauthkit.Consent, code, tokens bool) *oauthkit.Approval {
	approval := &oauthkit.Approval{Authorization: newAuthorization(), Consent: consent}
	if code {
		approval.Code = newCode(approval.Authorization)
	}
	if tokens {
		issued := newTokens(approval.Authorization)
		approval.Tokens = &issued
	}
	return approval
}

func newApplication() *oauthkit.AbstractApplication {
	return &oauthkit.AbstractApplication{
		ClientID: "client", Name: "Client", ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"openid", "read"},
		GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
		RedirectURIs: oauthkit.URIs{"https://client.example/callback"},
	}
}
