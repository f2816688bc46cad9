package gormstore_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestContract runs the contract of every store, with two instances on each database.
func TestContract(t *testing.T) {
	for name, opener := range quickOpeners() {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				open := opener(t)
				store := migrated[*oauthkit.AbstractApplication](t, open())
				second := migrated[*oauthkit.AbstractApplication](t, open())
				return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create, Hold: hold(open())}
			})
		})
	}
}

// TestIsolation RL-12 runs the contract on connections of other isolation levels than
// READ COMMITTED, as a pool of the host may have. The loser of a race gets the same
// answer, and the store does not fail. Revoking everything of a user or an application
// is left out: at these levels the snapshot of an act can be older than the lock that
// the revocation looks for (W005).
func TestIsolation(t *testing.T) {
	for _, level := range []string{"serializable", "repeatable read"} {
		t.Run(level, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				server := withSetting(t, oauthtest.Postgres(t), "default_transaction_isolation", level)
				store := migrated[*oauthkit.AbstractApplication](t, opened(t, server, postgres.OpenDB))
				second := migrated[*oauthkit.AbstractApplication](t, opened(t, server, postgres.OpenDB))
				type withoutManagement struct{ storetest.Store }
				return storetest.Subject{
					Store: withoutManagement{store}, Second: withoutManagement{second}, AddApplication: store.ApplicationTable.Create,
				}
			})
		})
	}
}

// withSetting returns the URL of a server whose connections begin with a setting.
func withSetting(t *testing.T, server, setting, value string) string {
	t.Helper()
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set(setting, value)
	address.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // pgx knows no plus sign
	return address.String()
}

// hold returns a function that locks the row of an Authorization. On SQLite it would
// block every write.
func hold(db *gorm.DB) func(ctx context.Context, authorization *oauthkit.Authorization) (func() error, error) {
	if db.Name() == "sqlite" {
		return nil
	}
	return func(ctx context.Context, authorization *oauthkit.Authorization) (func() error, error) {
		tx := db.WithContext(ctx).Begin()
		err := tx.Exec("SELECT 1 FROM oauth_authorizations WHERE id = ? FOR UPDATE", authorization.ID).Error
		return func() error { return tx.Rollback().Error }, err
	}
}
