package gormstore_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestApart runs the contract of every store with the applications and the
// credentials in two databases.
func TestApart(t *testing.T) {
	for name, opener := range openers() {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				credentials, applications := opener(t), opener(t)
				store, second := apart(t, credentials(), applications()), apart(t, credentials(), applications())
				return storetest.Subject{Store: store, Second: second, AddApplication: store.ApplicationTable.Create, Hold: hold(credentials())}
			})
		})
	}
}

// TestApartInOne shows that a host that passes the same database twice has one
// database.
func TestApartInOne(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store := apart(t, db, db.Session(&gorm.Session{}))
		token := issue(t, store)
		if err := store.ApplicationTable.Delete(t.Context(), "client", now); err != nil { // SQLite has one write lock
			t.Fatal(err)
		}
		if found, err := store.AccessToken(t.Context(), token); err != nil || found.Authorization.RevokedAt.IsZero() {
			t.Errorf("got %+v (%v), want a token that is revoked", found, err)
		}
	})
}

// apart returns a store with tables in two databases.
func apart(t *testing.T, credentials, applications *gorm.DB) *store {
	t.Helper()
	store, err := gormstore.New[*oauthkit.AbstractApplication](credentials, gormstore.Config{ApplicationDB: applications})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestApartPrinted executes the scripts that are printed for the two databases.
// Afterwards nothing is left to migrate.
func TestApartPrinted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		opener := openers()[open().Name()](t)
		credentials, applications := open(), opener()
		printing, err := gormstore.New[*oauthkit.AbstractApplication](credentials, gormstore.Config{ApplicationDB: applications})
		if err != nil {
			t.Fatal(err)
		}
		var script strings.Builder
		if err := printing.PrintMigrations(&script); err != nil {
			t.Fatal(err)
		}
		first, second, found := strings.Cut(script.String(), "-- In the database of the applications:\n")
		first, both := strings.CutPrefix(first, "-- In the database of the credentials:\n")
		if !found || !both || strings.Contains(first, "oauth_applications") || strings.Contains(second, "oauth_authorizations") {
			t.Fatalf("got %s, want each database's own tables below its name", script.String())
		}
		for db, statements := range map[*gorm.DB]string{credentials: first, applications: second} {
			for statement := range strings.SplitSeq(strings.TrimSuffix(statements, ";\n"), ";\n") {
				if err := db.Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}
		}
		store := apart(t, credentials, applications)
		if err := store.ApplicationTable.Create(t.Context(), newApplication(), now); err != nil {
			t.Error(err)
		}
	})
}

// TestApartWithoutApplications uses the database of the credentials for everything,
// and expects an error that says so.
func TestApartWithoutApplications(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		apart(t, open(), openers()[open().Name()](t)())
		together, err := gormstore.New[*oauthkit.AbstractApplication](open(), gormstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := together.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "applications") {
			t.Errorf("got error %v, want one that says that the applications are missing", err)
		}
	})
}

// TestApartRefused shows that a refused change revokes nothing, in either database.
func TestApartRefused(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store := apart(t, open(), openers()[open().Name()](t)())
		token := issue(t, store)
		stale, err := store.ApplicationTable.Find(t.Context(), "client")
		if err != nil {
			t.Fatal(err)
		}
		fresh := *stale
		if err := store.ApplicationTable.Update(t.Context(), &fresh, now); err != nil {
			t.Fatal(err)
		}
		stale.Disabled = true
		if err := store.ApplicationTable.Update(t.Context(), stale, now); !errors.Is(err, oauthkit.ErrConflict) {
			t.Errorf("got error %v, want %v", err, oauthkit.ErrConflict)
		}
		if found, err := store.AccessToken(t.Context(), token); err != nil || !found.Authorization.RevokedAt.IsZero() {
			t.Errorf("got %+v (%v), want a valid token", found, err)
		}
	})
}

// TestApartConflict RL-54 changes an application by another call while one enables it
// and has removed the mark. If the other call enabled it, it must not be refused for
// ever. If it is still disabled, tokens that it got in between must be revoked.
func TestApartConflict(t *testing.T) {
	for name, disabled := range map[string]bool{"RL-54 enabled by another": false, "RL-54 changed by another": true} {
		t.Run(name, func(t *testing.T) {
			ctx, applications := t.Context(), openers()["postgres"](t)()
			store := apart(t, openers()["postgres"](t)(), applications)
			if err := errors.Join(store.ApplicationTable.Create(ctx, newApplication(), now), setDisabled(ctx, store, true)); err != nil {
				t.Fatal(err)
			}
			other := applications.Begin()
			defer other.Rollback()
			change := "UPDATE oauth_applications SET disabled = ?, updated_at = updated_at + interval '1 second'"
			if err := other.Exec(change, disabled).Error; err != nil {
				t.Fatal(err)
			}
			enabled := make(chan error, 1)
			go func() { enabled <- setDisabled(ctx, store, false) }()
			until(t, applications, "the call waits", "SELECT count(*) FROM pg_locks WHERE NOT granted")
			meanwhile := newAuthorization() // of a request from before
			tokens := newTokens(meanwhile)
			if err := errors.Join(store.SaveTokens(ctx, meanwhile, tokens), other.Commit().Error); err != nil {
				t.Fatal(err)
			}
			if err := <-enabled; !errors.Is(err, oauthkit.ErrConflict) {
				t.Errorf("got %v, want ErrConflict", err)
			}
			again := newAuthorization()
			err := store.SaveTokens(ctx, again, newTokens(again))
			if !disabled && err != nil {
				t.Errorf("tokens of an enabled application: got %v, want none", err)
			}
			if disabled && !errors.Is(err, oauthkit.ErrEnded) {
				t.Errorf("tokens of a disabled application: got %v, want ErrEnded", err)
			}
			found, err := store.AccessToken(ctx, tokens.Access.Hash)
			if err != nil || disabled && found.Authorization.RevokedAt.IsZero() {
				t.Errorf("got %+v (%v), want a token that is revoked", found, err)
			}
		})
	}
}

// TestApartInterrupted interrupts a deletion. The application still exists and gets
// no tokens, and the same call completes it.
func TestApartInterrupted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		credentials := open()
		interrupted := &losingPool{ConnPool: credentials.ConnPool}
		credentials.ConnPool, credentials.Statement.ConnPool = interrupted, interrupted
		store := apart(t, credentials, openers()[open().Name()](t)())
		token := issue(t, store)

		interrupted.lose = "SET revoked_at"
		if err := store.ApplicationTable.Delete(t.Context(), "client", now); !errors.Is(err, errLost) {
			t.Fatalf("got error %v, want %v", err, errLost)
		}
		interrupted.lose = ""
		if _, err := store.ApplicationTable.Find(t.Context(), "client"); err != nil {
			t.Errorf("the application: got error %v, want it to exist", err)
		}
		if found, err := store.AccessToken(t.Context(), token); err != nil || !found.Authorization.RevokedAt.IsZero() {
			t.Errorf("its token: got %+v (%v), want a valid one, since the deletion was interrupted", found, err)
		}
		authorization := newAuthorization()
		if err := store.SaveTokens(t.Context(), authorization, newTokens(authorization)); !errors.Is(err, oauthkit.ErrEnded) {
			t.Errorf("new tokens: got error %v, want %v", err, oauthkit.ErrEnded)
		}
		if err := store.ApplicationTable.Delete(t.Context(), "client", now); err != nil {
			t.Errorf("again: %v", err)
		}
		if found, err := store.AccessToken(t.Context(), token); err != nil || found.Authorization.RevokedAt.IsZero() {
			t.Errorf("its token afterwards: got %+v (%v), want one that is revoked", found, err)
		}
	})
}

// TestApartCreateInterrupted does the same for a new application with the client_id
// of an earlier one. The new one does not exist while tokens of the earlier one are
// valid. The same call creates it, without those tokens.
func TestApartCreateInterrupted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		credentials, applications := open(), openers()[open().Name()](t)()
		interrupted := &losingPool{ConnPool: credentials.ConnPool}
		credentials.ConnPool, credentials.Statement.ConnPool = interrupted, interrupted
		store := apart(t, credentials, applications)
		token := issue(t, store)
		if err := applications.Exec("DELETE FROM oauth_applications").Error; err != nil { // past the library
			t.Fatal(err)
		}

		interrupted.lose = "SET revoked_at"
		if err := store.ApplicationTable.Create(t.Context(), newApplication(), now); !errors.Is(err, errLost) {
			t.Fatalf("got error %v, want %v", err, errLost)
		}
		interrupted.lose = ""
		if _, err := store.ApplicationTable.Find(t.Context(), "client"); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("the application: got error %v, want %v", err, oauthkit.ErrNotFound)
		}
		if err := store.ApplicationTable.Create(t.Context(), newApplication(), now); err != nil {
			t.Errorf("again: %v", err)
		}
		if found, err := store.AccessToken(t.Context(), token); err != nil || found.Authorization.RevokedAt.IsZero() {
			t.Errorf("the token of the earlier application: got %+v (%v), want one that is revoked", found, err)
		}
	})
}

// issue stores an application and returns the hash of an access token of it.
func issue(t *testing.T, store *store) string {
	t.Helper()
	if err := store.ApplicationTable.Create(t.Context(), newApplication(), now); err != nil {
		t.Fatal(err)
	}
	authorization := newAuthorization()
	tokens := newTokens(authorization)
	if err := store.SaveTokens(t.Context(), authorization, tokens); err != nil {
		t.Fatal(err)
	}
	return tokens.Access.Hash
}

var errLost = errors.New("the connection was lost")

// losingPool loses the connection at statements that contain a text. If the text is
// empty, it loses none.
type losingPool struct {
	gorm.ConnPool
	lose string
}

// BeginTx implements [gorm.ConnPoolBeginner].
func (p *losingPool) BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error) {
	return p.ConnPool.(gorm.TxBeginner).BeginTx(ctx, options)
}

// GetDBConn implements [gorm.GetDBConnector], so that the pool can be closed.
func (p *losingPool) GetDBConn() (*sql.DB, error) { return p.ConnPool.(*sql.DB), nil }

// QueryContext implements [gorm.ConnPool].
func (p *losingPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if p.lose != "" && strings.Contains(query, p.lose) {
		return nil, errLost
	}
	return p.ConnPool.QueryContext(ctx, query, args...)
}

// ExecContext implements [gorm.ConnPool].
func (p *losingPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if p.lose != "" && strings.Contains(query, p.lose) {
		return nil, errLost
	}
	return p.ConnPool.ExecContext(ctx, query, args...)
}
