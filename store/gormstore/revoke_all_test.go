package gormstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// end is a call that revokes everything of an application or a user.
type end struct {
	name string
	end  func(ctx context.Context, store *store) error
}

func ends() []end {
	return []end{
		{"disable", func(ctx context.Context, store *store) error { return setDisabled(ctx, store, true) }},
		{"delete", func(ctx context.Context, store *store) error {
			return store.ApplicationTable.Delete(ctx, "client", now)
		}},
		{"RevokeUser", func(ctx context.Context, store *store) error {
			_, err := store.RevokeUser(ctx, "alice", oauthkit.Revocation{Now: now})
			return err
		}},
		{"RevokeApplication", func(ctx context.Context, store *store) error {
			_, err := store.RevokeApplication(ctx, "client", oauthkit.Revocation{Now: now})
			return err
		}},
	}
}

func setDisabled(ctx context.Context, store *store, disabled bool) error {
	app, err := store.ApplicationTable.Find(ctx, "client")
	if err != nil {
		return err
	}
	app.Disabled = disabled
	return store.ApplicationTable.Update(ctx, app, now)
}

// act is a call that inserts an Authorization. It waits for the lock that hold holds.
type act struct {
	name string
	hold func(tx *gorm.DB) error
	do   func(ctx context.Context, store *store) error
}

// acts returns the calls for one Authorization.
func acts(authorization *oauthkit.Authorization) []act {
	remembered := func(tx *gorm.DB) error {
		return tx.Exec("SELECT 1 FROM oauth_consents WHERE subject = 'alice' FOR UPDATE").Error
	}
	approve := func(consent string, use oauthkit.ConsentUse) func(context.Context, *store) error {
		return func(ctx context.Context, store *store) error {
			approval := &oauthkit.Approval{Authorization: authorization, Code: newCode(authorization), ConsentUse: use, Consent: &oauthkit.Consent{
				ID: consent, ClientID: "client", Subject: authorization.Subject, CreatedAt: now, UpdatedAt: now,
			}}
			return store.SaveApproval(ctx, approval)
		}
	}
	return []act{
		{"remembered", remembered, approve("consent", oauthkit.ConsentRemembered)},
		{"widened", remembered, approve("consent", oauthkit.ConsentWidened)},
		{"anew", remembered, approve("another", oauthkit.ConsentNew)},
		{"tokens", func(tx *gorm.DB) error { // of the same id, which is then rolled back
			return tx.Exec(`INSERT INTO oauth_authorizations
				(id, client_id, consent_id, subject, scopes, resources, acr, amr, session_id, params, created_at, expires_at)
				VALUES (?, '', '', '', '', '', '', '', '', '', ?, ?)`, authorization.ID, now, now).Error
		}, func(ctx context.Context, store *store) error {
			return store.SaveTokens(ctx, authorization, newTokens(authorization))
		}},
	}
}

// endingStore returns a store with the application "client", the consent of alice,
// and its tokens.
func endingStore(t *testing.T, db *gorm.DB) (*store, oauthkit.Tokens) {
	t.Helper()
	store, ctx := migrated[*oauthkit.AbstractApplication](t, db), t.Context()
	authorization := newAuthorization()
	tokens, code := newTokens(authorization), newCode(newAuthorization())
	consent := &oauthkit.Consent{ID: "consent", ClientID: "client", Subject: "alice", CreatedAt: now, UpdatedAt: now}
	err := errors.Join(store.ApplicationTable.Create(ctx, newApplication(), now), store.SaveTokens(ctx, authorization, tokens),
		store.SaveApproval(ctx, &oauthkit.Approval{Authorization: code.Authorization, Consent: consent, ConsentUse: oauthkit.ConsentNew, Code: code}))
	if err != nil {
		t.Fatal(err)
	}
	return store, tokens
}

// TestRevokeAllAwaitsActs blocks an act by a lock, for which it waits with a snapshot
// from before the mark. A revocation that begins then waits for the act, and revokes
// the Authorization that it saves.
func TestRevokeAllAwaitsActs(t *testing.T) {
	for _, end := range ends() {
		for i, name := range []string{"remembered", "widened", "anew", "tokens"} {
			t.Run(end.name+", "+name, func(t *testing.T) {
				open := openers()["postgres"](t)
				db, counted := open(), open()
				statements := oauthtest.CountStatements(counted)
				store, _ := endingStore(t, counted)
				authorization := newAuthorization()
				act := acts(authorization)[i]
				held := db.Begin()
				defer held.Rollback()
				if err := act.hold(held); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				acted, ended := make(chan error, 1), make(chan error, 1)
				go func() { acted <- act.do(ctx, store) }()
				until(t, db, "an act waits", "SELECT count(*) FROM pg_locks WHERE NOT granted")
				go func() { ended <- end.end(ctx, store) }()
				until(t, db, "there is a mark", "SELECT count(*) FROM oauth_endings")
				for awaits := 0; awaits < 2; runtime.Gosched() {
					for _, statement := range statements.Take().Statements {
						if strings.Contains(statement, "pg_locks") && strings.Contains(statement, "json_array_elements_text") {
							awaits++
						}
					}
					select {
					case err := <-ended:
						t.Fatalf("the revocation did not wait for the act (%v)", err)
					case err := <-acted:
						t.Fatalf("the act did not wait for the lock (%v)", err)
					case <-ctx.Done():
						t.Fatal("the revocation does not wait for the act")
					default:
					}
				}
				if err := held.Rollback().Error; err != nil {
					t.Fatal(err)
				}
				if err := <-ended; err != nil {
					t.Errorf("the revocation: %v", err)
				}
				if err := <-acted; err != nil {
					t.Errorf("the earlier act: %v", err)
				}
				noneValid(t, db, authorization.ID)
			})
		}
	}
}

// TestRevokeAllRefusesActs blocks a revocation by a lock on one of its rows. Acts
// that begin then are refused.
func TestRevokeAllRefusesActs(t *testing.T) {
	for _, end := range ends() {
		t.Run(end.name, func(t *testing.T) {
			db := openers()["postgres"](t)()
			store, tokens := endingStore(t, db)
			ctx := t.Context()
			held := db.Begin()
			defer held.Rollback()
			if err := held.Exec("SELECT 1 FROM oauth_authorizations WHERE id = ? FOR UPDATE", tokens.Access.Authorization.ID).Error; err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- end.end(ctx, store) }()
			until(t, db, "the revocation waits", "SELECT count(*) FROM pg_locks WHERE NOT granted")
			for _, act := range acts(newAuthorization()) {
				if err := act.do(ctx, store); !errors.Is(err, oauthkit.ErrEnded) {
					t.Errorf("%s: got %v, want ErrEnded", act.name, err)
				}
			}
			if err := held.Rollback().Error; err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Errorf("the revocation: %v", err)
			}
			noneValid(t, db)
		})
	}
}

// deadlines is a pool that counts calls without a deadline.
type deadlines struct {
	*sql.DB
	none atomic.Int64
}

func (d *deadlines) see(ctx context.Context) {
	if _, limited := ctx.Deadline(); !limited {
		d.none.Add(1)
	}
}

func (d *deadlines) BeginTx(ctx context.Context, options *sql.TxOptions) (*sql.Tx, error) {
	d.see(ctx)
	return d.DB.BeginTx(ctx, options)
}

func (d *deadlines) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	d.see(ctx)
	return d.DB.ExecContext(ctx, query, args...)
}

func (d *deadlines) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	d.see(ctx)
	return d.DB.QueryContext(ctx, query, args...)
}

func (d *deadlines) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	d.see(ctx)
	return d.DB.QueryRowContext(ctx, query, args...)
}

// TestRevokeAllDeadlines RL-53 shows that no statement that continues after the
// deadline of its request waits for ever for a locked table, while it holds its turn
// and its connection.
func TestRevokeAllDeadlines(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		for _, end := range append(ends(),
			end{"RevokeConsent", func(ctx context.Context, store *store) error {
				_, err := store.RevokeConsent(ctx, "client", "alice", oauthkit.Revocation{Now: now})
				return err
			}},
			end{"update", func(ctx context.Context, store *store) error {
				app := newApplication()
				app.Name = "Another"
				return store.ApplicationTable.Update(ctx, app, now)
			}},
		) {
			db := open()
			for _, table := range []string{"applications", "authorizations", "consents", "endings"} {
				_ = db.Exec("DELETE FROM oauth_" + table).Error
			}
			endingStore(t, db)
			pool, err := db.DB()
			if err != nil {
				t.Fatal(err)
			}
			watched := &deadlines{DB: pool}
			session := db.Session(&gorm.Session{NewDB: true, Context: t.Context()})
			session.ConnPool, session.Statement.ConnPool = watched, watched
			store, err := gormstore.New[*oauthkit.AbstractApplication](session, gormstore.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.ApplicationTable.Find(t.Context(), "client"); err != nil || watched.none.Load() == 0 {
				t.Fatalf("got %d without a deadline (%v), want the one of Find", watched.none.Load(), err)
			}
			watched.none.Store(0)
			if err := end.end(context.Background(), store); err != nil {
				t.Errorf("%s: %v", end.name, err)
			}
			found := int64(0)
			if end.name == "disable" {
				found = 1 // by the test
			}
			if none := watched.none.Load(); none != found {
				t.Errorf("%s: got %d statements without a deadline, want %d", end.name, none, found)
			}
		}
	})
}

// TestDeleteWhileEnabled RL-52 enables an application while it is deleted. Tokens
// that it gets in between are revoked.
func TestDeleteWhileEnabled(t *testing.T) {
	db := openers()["postgres"](t)()
	store, _ := endingStore(t, db)
	ctx := t.Context()
	held := db.Begin()
	defer held.Rollback()
	if err := held.Exec("SELECT 1 FROM oauth_applications WHERE client_id = 'client' FOR UPDATE").Error; err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- store.ApplicationTable.Delete(ctx, "client", now) }()
	until(t, db, "the deletion waits", "SELECT count(*) FROM pg_locks WHERE NOT granted")
	authorization := newAuthorization()
	if err := errors.Join(store.EnableApplication(ctx, "client", now), store.SaveTokens(ctx, authorization, newTokens(authorization))); err != nil {
		t.Fatal(err)
	}
	if err := held.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the deletion: %v", err)
	}
	noneValid(t, db, authorization.ID)
	if err := store.SaveTokens(ctx, authorization, newTokens(authorization)); !errors.Is(err, oauthkit.ErrEnded) {
		t.Errorf("tokens afterwards: got %v, want ErrEnded", err)
	}
	if err := store.ApplicationTable.Create(ctx, newApplication(), now); err != nil {
		t.Fatal(err)
	}
	again := newAuthorization()
	if err := store.SaveTokens(ctx, again, newTokens(again)); err != nil {
		t.Errorf("tokens of a new application with its client_id: got %v, want none", err)
	}
}

// TestRevokeAllInterrupted interrupts the disabling of an application at each step.
// Enabling it afterwards revives nothing.
func TestRevokeAllInterrupted(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		for _, statement := range []string{
			"UPDATE oauth_applications SET disabled = true", // and nothing else
			"UPDATE oauth_applications SET disabled = true; INSERT INTO oauth_endings (name, id) VALUES ('application:client', '')",
			"INSERT INTO oauth_endings (name, id) VALUES ('application:client', '')", // of a deletion
		} {
			db := open()
			for _, table := range []string{"applications", "authorizations", "consents", "endings"} {
				_ = db.Exec("DELETE FROM oauth_" + table).Error
			}
			store, tokens := endingStore(t, db)
			if err := db.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
			if err := setDisabled(t.Context(), store, false); err != nil {
				t.Fatal(err)
			}
			noneValid(t, db)
			if err := store.RotateRefreshToken(t.Context(), rotation(tokens.Refresh.Hash, newTokens(tokens.Access.Authorization), nil)); !errors.Is(err, oauthkit.ErrRevoked) {
				t.Errorf("%s: got %v for a refresh token from before, want ErrRevoked", statement, err)
			}
			authorization := newAuthorization()
			if err := store.SaveTokens(t.Context(), authorization, newTokens(authorization)); err != nil {
				t.Errorf("%s: got %v for new tokens, want none", statement, err)
			}
		}
	})
}

// TestRevokeAllCancelled shows that a call returns the error of its context, that the
// application stays disabled, and that the same call continues.
func TestRevokeAllCancelled(t *testing.T) {
	db := openers()["postgres"](t)()
	store, tokens := endingStore(t, db)
	held := db.Begin()
	defer held.Rollback()
	if err := held.Exec("SELECT 1 FROM oauth_authorizations WHERE id = ? FOR UPDATE", tokens.Access.Authorization.ID).Error; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- setDisabled(ctx, store, true) }()
	until(t, db, "the revocation waits", "SELECT count(*) FROM pg_locks WHERE NOT granted")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the error of the context", err)
	}
	authorization := newAuthorization()
	if err := store.SaveTokens(t.Context(), authorization, newTokens(authorization)); !errors.Is(err, oauthkit.ErrEnded) {
		t.Errorf("tokens of a disabled application: got %v, want ErrEnded", err)
	}
	if err := held.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	if err := setDisabled(t.Context(), store, true); err != nil {
		t.Errorf("the same call: %v", err)
	}
	noneValid(t, db)
}

// TestRevokeAllBatches revokes more than one batch, without a statement that reads a
// whole table.
func TestRevokeAllBatches(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store, _ := endingStore(t, db)
		const many = 2500
		fill := func(subject string, from int) {
			t.Helper()
			if err := db.Exec(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO oauth_authorizations (id, client_id, consent_id, subject, scopes, resources, acr, amr, session_id, params, created_at, expires_at)
				SELECT 'id' || i, 'client', '', %s, '', '', '', '[]', '', '{}', a.created_at, a.expires_at
				FROM n CROSS JOIN (SELECT created_at, expires_at FROM oauth_authorizations LIMIT 1) a`, from, from+many-1, subject)).Error; err != nil {
				t.Fatal(err)
			}
		}
		fill("'alice'", 1)
		ids, err := store.RevokeConsent(t.Context(), "client", "alice", oauthkit.Revocation{Now: now})
		if err != nil || len(ids) != many+2 {
			t.Errorf("RevokeConsent: got %d ids (%v), want %d", len(ids), err, many+2)
		}
		noneValid(t, db)
		fill("'bob'", 10000)
		if revoked, err := store.RevokeUser(t.Context(), "bob", oauthkit.Revocation{Now: now}); err != nil || revoked != many {
			t.Errorf("RevokeUser: got %d (%v), want %d", revoked, err, many)
		}
		noneValid(t, db)
		fill("'user' || i", 20000)
		if err := db.Exec(`INSERT INTO oauth_consents (id, client_id, subject, scopes, resource_scopes, application_digest, created_at, updated_at)
			SELECT id, client_id, subject, '', '{}', '', created_at, created_at FROM oauth_authorizations WHERE subject LIKE 'user%'`).Error; err != nil {
			t.Fatal(err)
		}
		if revoked, err := store.RevokeApplication(t.Context(), "client", oauthkit.Revocation{Now: now}); err != nil || revoked != many {
			t.Errorf("RevokeApplication: got %d (%v), want %d", revoked, err, many)
		}
		noneValid(t, db)
		var left int64
		if err := db.Raw("SELECT count(*) FROM oauth_consents").Scan(&left).Error; err != nil || left != 0 {
			t.Errorf("got %d consents left (%v), want none", left, err)
		}
	})
}

// until repeats a query until the result is more than zero.
func until(t *testing.T, db *gorm.DB, what, question string) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < 20*time.Second; {
		var count int64
		if err := db.Raw(question).Scan(&count).Error; err != nil {
			t.Fatal(err)
		}
		if count > 0 {
			return
		}
	}
	t.Fatalf("timed out before %s", what)
}

// noneValid fails if an Authorization is not revoked, or if one of these does not
// exist.
func noneValid(t *testing.T, db *gorm.DB, ids ...string) {
	t.Helper()
	var live []string
	if err := db.Raw("SELECT id FROM oauth_authorizations WHERE revoked_at IS NULL").Scan(&live).Error; err != nil || len(live) > 0 {
		t.Errorf("got %d valid Authorizations (%v), want none", len(live), err)
	}
	for _, id := range ids {
		var count int64
		if err := db.Raw("SELECT count(*) FROM oauth_authorizations WHERE id = ?", id).Scan(&count).Error; err != nil || count != 1 {
			t.Errorf("got %d Authorizations %q (%v), want the one that was saved", count, id, err)
		}
	}
}
