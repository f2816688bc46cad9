package gormstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestApplicationAtOnce runs all acts on an application concurrently, with one database
// and with two: no act deadlocks, late acts get the right error, and no rows are left.
func TestApplicationAtOnce(t *testing.T) {
	for name, opener := range openers() {
		for where, second := range map[string]func(t *testing.T, first *gorm.DB) *gorm.DB{
			"one database":  func(_ *testing.T, first *gorm.DB) *gorm.DB { return first },
			"two databases": func(t *testing.T, _ *gorm.DB) *gorm.DB { return opener(t)() },
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				credentials := opener(t)()
				testApplicationAtOnce(t, credentials, second(t, credentials))
			})
		}
	}
}

func testApplicationAtOnce(t *testing.T, credentials, applications *gorm.DB) {
	store := apart(t, credentials, applications)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := store.ScopeTable.Set(ctx, gormstore.Scope{Name: "read"}); err != nil {
		t.Fatal(err)
	}
	often := func(act func() error) func() {
		return func() {
			for range 20 {
				err := act()
				late := errors.Is(err, oauthkit.ErrNotFound) || errors.Is(err, oauthkit.ErrConflict)
				if err != nil && !late && !strings.Contains(err.Error(), "already") {
					t.Error(err)
				}
			}
		}
	}
	create := func() error { return store.ApplicationTable.Create(ctx, newApplication(), now) }
	race(often(create), often(create),
		often(func() error { return store.ApplicationTable.Delete(ctx, "client", now) }),
		often(func() error {
			app, err := store.ApplicationTable.Find(ctx, "client")
			if err == nil {
				app.Disabled = true
				err = store.ApplicationTable.Update(ctx, app, now)
			}
			return err
		}),
		often(func() error { return store.ScopeTable.Allow(ctx, "client", oauthkit.Scopes{"read"}, nil) }),
		often(func() error {
			_, err := store.RevokeApplication(ctx, "client", oauthkit.Revocation{Now: now})
			return err
		}),
	)
	if err := store.ApplicationTable.Delete(ctx, "client", now); err != nil && !errors.Is(err, oauthkit.ErrNotFound) {
		t.Error(err)
	}
	var left int64
	if err := applications.Raw("SELECT count(*) FROM oauth_application_scopes").Scan(&left).Error; err != nil || left != 0 {
		t.Errorf("got %d scopes of a deleted application (%v), want none", left, err)
	}
}
