package attacktest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
	storepostgres "github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// person is a user in the table of the host.
type person struct {
	Subject string `gorm:"primaryKey"`
	Name    string
	Active  bool
}

// TestThreeDatabases has the applications in one database, their credentials in
// another and the users in a third.
func TestThreeDatabases(t *testing.T) {
	applications, credentials, people := oauthtest.Postgres(t), oauthtest.Postgres(t), openPostgres(t, oauthtest.Postgres(t))
	if err := people.AutoMigrate(&person{}); err != nil {
		t.Fatal(err)
	}
	alice := person{Subject: "alice", Name: "Alice of the third database", Active: true}
	open := func(t *testing.T) *fixture.OwnStore {
		return migrated(t, openPostgres(t, credentials), gormstore.Config{ApplicationDB: openPostgres(t, applications)})
	}
	fixture.RunOn(t, func(*testing.T) func(*testing.T) *fixture.OwnStore { return open }, []fixture.Case{{
		Name: "everything works and is revoked at once",
		Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.UserIsActive = func(ctx context.Context, subject string) (bool, error) {
				var found person
				err := people.WithContext(ctx).First(&found, "subject = ?", subject).Error
				return found.Active, err
			}
		},
		ConfigureHandler: func(config *oauthhttp.Config) {
			signedIn := config.CurrentUser
			config.CurrentUser = func(r *http.Request) (*oauthkit.User, error) {
				user, err := signedIn(r)
				if user == nil || err != nil {
					return nil, err
				}
				var found person
				err = people.WithContext(r.Context()).First(&found, "subject = ?", user.Subject).Error
				named := *user
				named.Name = found.Name
				return &named, err
			}
		},
		Test: func(t *testing.T, s *fixture.Server) {
			if err := people.Save(&alice).Error; err != nil {
				t.Fatal(err)
			}
			liveInThreeDatabases(t, s, people)
			wantTables(t, openPostgres(t, applications), []string{"oauth_applications", "oauth_migrations"}, "oauth_authorizations", "people")
			wantTables(t, openPostgres(t, credentials), []string{"oauth_authorizations", "oauth_access_tokens", "oauth_consents", "oauth_migrations"}, "oauth_applications", "people")
			wantTables(t, people, []string{"people"}, "oauth_migrations")
		},
	}})
}

func liveInThreeDatabases(t *testing.T, s *fixture.Server, people *gorm.DB) {
	second := s.SecondInstance()
	alice := s.Browser("alice")
	if page := alice.Open(s.Web.AuthorizeRequest()).Consent(); !strings.Contains(page.Body, "Alice of the third database") {
		t.Error("got a consent page without the user's name in the third database, want it")
	}
	first := alice.Tokens(s.Web)
	s.Bearer("/o/userinfo", first.Access).OK()
	refreshed := second.Web.Refresh(first.Refresh).Tokens()
	second.RS.Introspect(refreshed.Access).Active()
	second.Bearer("/api/read", refreshed.Access).OK()
	alice.Authorize(s.Web.AuthorizeRequest()).Code() // consent is remembered

	code := alice.Authorize(s.Web.AuthorizeRequest()).Code()
	redeemed := s.Web.Redeem(code).Tokens()
	second.Web.Redeem(code).ErrorJSON(400, "invalid_grant") // a replay, which revokes the tokens
	ended(s, s.Web, redeemed)

	own := s.Service.ClientCredentials().Tokens()
	s.UpdateApplication("svc", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	second.RS.Introspect(own.Access).Inactive()
	second.Service.ClientCredentials().Unauthorized()

	other, others := s.Browser("alice"), alice.Tokens(s.WebPost)
	s.RemoveApplication("webp")
	second.RS.Introspect(others.Access).Inactive()
	other.Open(s.WebPost.AuthorizeRequest()).ErrorPage(400)

	if err := people.Model(&person{}).Where("subject = 'alice'").Update("active", false).Error; err != nil {
		t.Fatal(err)
	}
	second.RS.Introspect(refreshed.Access).Inactive()
	second.Web.Refresh(refreshed.Refresh).ErrorJSON(400, "invalid_grant")
}

// wantTables expects some tables in a database and not others, and no foreign key.
func wantTables(t *testing.T, db *gorm.DB, want []string, without ...string) {
	t.Helper()
	tables, err := db.Migrator().GetTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range want {
		if !slices.Contains(tables, table) {
			t.Errorf("got tables %v, want %s among them", tables, table)
		}
	}
	for _, table := range without {
		if slices.Contains(tables, table) {
			t.Errorf("got tables %v, want no %s", tables, table)
		}
	}
	var keys int64
	if err := db.Raw("SELECT count(*) FROM pg_constraint WHERE contype = 'f'").Scan(&keys).Error; err != nil || keys != 0 {
		t.Errorf("got %d foreign keys (%v), want none", keys, err)
	}
}

// TestLateReplica sends the host's own queries to a streaming replica that stops
// applying the changes of the primary. If the store read from the replica, it would
// decide by outdated data.
func TestLateReplica(t *testing.T) {
	replica := oauthtest.Replicated(t)
	var db *gorm.DB // the host's database of the first instance
	open := func(t *testing.T) *fixture.OwnStore {
		db = openPostgres(t, replica.URL)
		replicas := dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(replica.ReplicaURL)}}
		if err := db.Use(dbresolver.Register(replicas)); err != nil {
			t.Fatal(err)
		}
		return migrated(t, db, gormstore.Config{})
	}
	fixture.RunOn(t, func(*testing.T) func(*testing.T) *fixture.OwnStore { return open }, []fixture.Case{{
		Name: "no decision reads from the replica",
		Test: func(t *testing.T, s *fixture.Server) {
			decideBesideReplica(t, s, replica)
			disabled := func() (disabled bool) {
				err := db.Raw("SELECT disabled FROM oauth_applications WHERE client_id = 'svc'").Scan(&disabled).Error
				if err != nil {
					t.Fatal(err)
				}
				return disabled
			}
			if disabled() {
				t.Error("got the change in the host's own query, want it to read from the late replica")
			}
			replica.CatchUp(t)
			if !disabled() {
				t.Error("caught up: got no change in the host's own query, want it")
			}
		},
	}})
}

// decideBesideReplica changes everything that decisions depend on after the replica
// has stopped.
func decideBesideReplica(t *testing.T, s *fixture.Server, replica *oauthtest.Replica) {
	alice := s.Browser("alice")
	revoked, rotated, code := alice.Tokens(s.Web), alice.Tokens(s.Web), alice.Authorize(s.Web.AuthorizeRequest()).Code()
	own, deleted := s.Service.ClientCredentials().Tokens(), alice.Tokens(s.WebPost)
	bob := s.Browser("bob")
	waiting := bob.Open(s.Web.AuthorizeRequest()).Consent()
	replica.Pause(t)

	bob.Decide(waiting, "allow").Code()
	bob.Decide(waiting, "allow").ErrorPage(409)
	fresh := alice.Tokens(s.SPA) // newer than the replica
	s.RS.Introspect(fresh.Access).Active()
	s.Bearer("/api/read", s.SPA.Refresh(fresh.Refresh).Tokens().Access).OK()

	s.Web.Revoke(revoked.Access).OK()
	ended(s, s.Web, revoked)
	s.Web.Refresh(rotated.Refresh).Tokens()
	redeemed := s.Web.Redeem(code).Tokens()
	s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, redeemed)

	secret := s.Web.Secret
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { s.Web.Secret = app.GenerateSecret() })
	s.RS.Introspect(rotated.Access).Active()
	s.Web.Refresh("nonsense").ErrorJSON(400, "invalid_grant") // the new secret is accepted
	s.Web.Secret = secret
	s.Web.Refresh("nonsense").Unauthorized()

	s.UpdateApplication("svc", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	s.RS.Introspect(own.Access).Inactive()
	s.Service.ClientCredentials().Unauthorized()
	s.RemoveApplication("webp")
	s.RS.Introspect(deleted.Access).Inactive()
	alice.Open(s.WebPost.AuthorizeRequest()).ErrorPage(400)

	if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
		t.Fatal(err)
	}
	alice.Open(s.Web.AuthorizeRequest()).Consent()
	if _, err := s.Provider.Application(t.Context(), "webp"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("a deleted application: got %v, want %v", err, oauthkit.ErrNotFound)
	}
}

func openPostgres(t *testing.T, url string) *gorm.DB {
	t.Helper()
	db, err := storepostgres.OpenDB(url)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() }) // the database is about to be removed
	return db
}

func migrated(t *testing.T, db *gorm.DB, config gormstore.Config) *fixture.OwnStore {
	t.Helper()
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}
