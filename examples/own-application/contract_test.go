package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// databases returns, for each dialect, a function that can open the same database
// repeatedly.
func databases() map[string]func(t *testing.T) func() (*gorm.DB, error) {
	return map[string]func(t *testing.T) func() (*gorm.DB, error){
		"sqlite": func(t *testing.T) func() (*gorm.DB, error) {
			file := filepath.Join(t.TempDir(), "own.db")
			return func() (*gorm.DB, error) { return sqlite.OpenDB(file) }
		},
		"postgres": func(t *testing.T) func() (*gorm.DB, error) {
			address := oauthtest.Postgres(t)
			return func() (*gorm.DB, error) { return postgres.OpenDB(address) }
		},
	}
}

// TestContract runs the store contract on this program's table, with two instances for
// each database.
func TestContract(t *testing.T) {
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				open := database(t)
				store, second := openStore(t, open), openStore(t, open)
				return storetest.Subject{Store: store, Second: second, AddApplication: store.add, Fill: fill}
			})
		})
	}
}

func openStore(t *testing.T, open func() (*gorm.DB, error)) *Store {
	t.Helper()
	db, err := open()
	if err != nil {
		t.Fatal(err)
	}
	store, err := newStore(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// add stores an application of the contract as a Client. The contract needs only the
// client_id, the secrets and the state.
func (s *Store) add(ctx context.Context, app *oauthkit.AbstractApplication, _ time.Time) error {
	return s.db.WithContext(ctx).Create(&Client{
		Key: app.ClientID, Team: app.UserID, Title: app.Name, Device: app.IsPublic(), Suspended: app.Disabled,
		Secret: app.ClientSecret, OldSecret: app.PreviousSecret, OldSecretUntil: app.PreviousSecretExpiresAt,
	}).Error
}

// fill copies the contract's application into a Client.
func fill(app oauthkit.Application, with *oauthkit.AbstractApplication) {
	client := app.(*Client)
	client.Key, client.Team, client.Title, client.Device, client.Suspended = with.ClientID, with.UserID, with.Name, with.IsPublic(), with.Disabled
	client.Callback = strings.Join(with.RedirectURIs, " ")
}
