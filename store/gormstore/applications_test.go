package gormstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
)

func TestApplications(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := migrated[*oauthkit.AbstractApplication](t, open()), t.Context()
		app := newApplication()
		app.ClientID = ""
		secret := app.GenerateSecret()
		if err := store.ApplicationTable.Create(ctx, app, now); err != nil || app.ClientID == "" || app.CreatedAt.IsZero() {
			t.Fatalf("Create: got %v, client_id %q, created %v, want both set", err, app.ClientID, app.CreatedAt)
		}
		found, err := store.ApplicationTable.Find(ctx, app.ClientID)
		if err != nil || !found.VerifyPassword(secret) || !found.CreatedAt.Equal(app.CreatedAt) {
			t.Fatalf("Find: got %+v, %v, want the application created at %v", found, err, app.CreatedAt)
		}
		changed := newApplication()
		changed.ClientID, changed.Name, changed.GrantTypes = app.ClientID, "", app.GrantTypes[:1]
		if err := store.ApplicationTable.Update(ctx, changed, now); err != nil {
			t.Fatal(err)
		}
		found, err = store.ApplicationTable.Find(ctx, app.ClientID)
		if err != nil || found.Name != "" || len(found.GrantTypes) != 1 || found.VerifyPassword(secret) || !found.CreatedAt.Equal(app.CreatedAt) {
			t.Errorf("after Update: got %+v, %v, want every field replaced except CreatedAt", found, err)
		}
		if err := store.ApplicationTable.Create(ctx, changed, now); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("Create of a client_id that exists: got %v, want an error with this text", err)
		}
		if err := store.ApplicationTable.Delete(ctx, app.ClientID, now); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"Update": store.ApplicationTable.Update(ctx, changed, now),
			"Delete": store.ApplicationTable.Delete(ctx, app.ClientID, now),
		} {
			if !errors.Is(err, oauthkit.ErrNotFound) {
				t.Errorf("%s of a deleted application: got %v, want ErrNotFound", name, err)
			}
		}
		if _, err := store.Application(ctx, app.ClientID); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("Application: got %v, want ErrNotFound", err)
		}
		var problems oauthkit.Problems
		if err := store.ApplicationTable.Create(ctx, &oauthkit.AbstractApplication{}, now); !errors.As(err, &problems) {
			t.Errorf("Create of an empty application: got %v, want problems", err)
		}
	})
}

// TestDelete shows that nothing of a deleted application stays valid.
func TestDelete(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := migrated[*oauthkit.AbstractApplication](t, open()), t.Context()
		if err := store.ApplicationTable.Create(ctx, newApplication(), now); err != nil {
			t.Fatal(err)
		}
		authorization, others := newAuthorization(), newAuthorization()
		others.ClientID = "other"
		tokens, otherTokens := newTokens(authorization), newTokens(others)
		code := newCode(newAuthorization())
		approval := &oauthkit.Approval{Authorization: code.Authorization, Code: code, ConsentUse: oauthkit.ConsentNew, Consent: &oauthkit.Consent{
			ID: "consent", ClientID: "client", Subject: "alice", CreatedAt: now, UpdatedAt: now,
		}}
		err := errors.Join(store.SaveTokens(ctx, authorization, tokens), store.SaveTokens(ctx, others, otherTokens), store.SaveApproval(ctx, approval),
			store.ApplicationTable.Delete(ctx, "client", now))
		if err != nil {
			t.Fatal(err)
		}
		if err := store.RedeemCode(ctx, code.Hash, newTokens(code.Authorization), now); !errors.Is(err, oauthkit.ErrRevoked) {
			t.Errorf("RedeemCode: got %v, want ErrRevoked", err)
		}
		if _, err := store.Consent(ctx, "client", "alice"); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("Consent: got %v, want ErrNotFound", err)
		}
		token, err := store.AccessToken(ctx, tokens.Access.Hash)
		if err != nil || token.Authorization.Valid(now) {
			t.Errorf("got a token %+v, %v, want a revoked one", token, err)
		}
		token, err = store.AccessToken(ctx, otherTokens.Access.Hash)
		if err != nil || !token.Authorization.Valid(now) {
			t.Errorf("got the token of another application %+v, %v, want a valid one", token, err)
		}
	})
}

func TestList(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := migrated[*oauthkit.AbstractApplication](t, open()), t.Context()
		for i := range 7 {
			app := newApplication()
			app.ClientID, app.UserID = fmt.Sprint("client-", i), []string{"alice", "bob", ""}[i%3]
			if err := store.ApplicationTable.Create(ctx, app, now); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			page oauthkit.ApplicationQuery
			want string
		}{
			{oauthkit.ApplicationQuery{}, "0 1 2 3 4 5 6"},
			{oauthkit.ApplicationQuery{Size: 3}, "0 1 2"},
			{oauthkit.ApplicationQuery{Size: 3, After: "client-2"}, "3 4 5"},
			{oauthkit.ApplicationQuery{Size: 3, After: "client-6"}, ""},
			{oauthkit.ApplicationQuery{Owners: []string{"alice"}}, "0 3 6"},
			{oauthkit.ApplicationQuery{Owners: []string{"alice"}, After: "client-0", Size: 1}, "3"},
			{oauthkit.ApplicationQuery{Owners: []string{"carol"}}, ""},
			{oauthkit.ApplicationQuery{Owners: []string{"bob", "carol", "alice", "bob"}}, "0 1 3 4 6"},
			{oauthkit.ApplicationQuery{Owners: []string{}}, ""},
			{oauthkit.ApplicationQuery{Owners: []string{""}}, ""},
		} {
			apps, err := store.ApplicationTable.List(ctx, test.page)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, app := range apps {
				ids = append(ids, strings.TrimPrefix(app.ClientID, "client-"))
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("%+v: got %q, want %q", test.page, got, test.want)
			}
		}
	})
}

// hidingApplication has hooks and soft deletion.
type hidingApplication struct {
	oauthkit.AbstractApplication
	DeletedAt gorm.DeletedAt
	Greeting  string `gorm:"-"`
	Stamp     string
}

// BeforeSave is called by GORM.
func (a *hidingApplication) BeforeSave(*gorm.DB) error { a.Stamp = "saved"; return nil }

// AfterFind is called by GORM.
func (a *hidingApplication) AfterFind(*gorm.DB) error { a.Greeting = "hello"; return nil }

// TestGORMFeatures shows that GORM's features for the host's struct work.
func TestGORMFeatures(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		store, ctx := migrated[*hidingApplication](t, db), t.Context()
		if err := store.ApplicationTable.Create(ctx, &hidingApplication{AbstractApplication: *newApplication()}, now); err != nil {
			t.Fatal(err)
		}
		found, err := store.ApplicationTable.Find(ctx, "client")
		if err != nil || found.Greeting != "hello" || found.Stamp != "saved" {
			t.Errorf("got %+v, %v, want both hooks called", found, err)
		}
		if err := db.Table("oauth_applications").Where("client_id = ?", "client").Delete(&hidingApplication{}).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := store.ApplicationTable.Find(ctx, "client"); !errors.Is(err, oauthkit.ErrNotFound) {
			t.Errorf("a hidden application: got %v, want ErrNotFound", err)
		}
	})
}

// ownApplication does not embed AbstractApplication.
type ownApplication struct {
	ClientID string `gorm:"primaryKey"`
	Secret   string
	Opened   time.Time
}

func (a *ownApplication) GetID() string                        { return a.ClientID }
func (a *ownApplication) GetSecret() string                    { return "" }
func (a *ownApplication) GetDomain() string                    { return "" }
func (a *ownApplication) IsPublic() bool                       { return false }
func (a *ownApplication) GetUserID() string                    { return "" }
func (a *ownApplication) VerifyPassword(presented string) bool { return presented == a.Secret }
func (a *ownApplication) AllowsRedirectURI(string) bool        { return false }
func (a *ownApplication) AllowsGrant(oauth2.GrantType) bool    { return true }
func (a *ownApplication) AllowsScope(string) bool              { return false }
func (a *ownApplication) AllowsAuthMethod(string) bool         { return true }

// TestOwnApplication stores an application of such a type in the library's table.
func TestOwnApplication(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := migrated[*ownApplication](t, open()), t.Context()
		if err := store.ApplicationTable.Create(ctx, &ownApplication{ClientID: "own", Secret: "secret", Opened: now}, now); err != nil {
			t.Fatal(err)
		}
		found, err := store.Application(ctx, "own")
		if err != nil || !found.VerifyPassword("secret") {
			t.Errorf("got %+v, %v, want the host's application", found, err)
		}
		if err := store.ApplicationTable.Update(ctx, &ownApplication{ClientID: "own", Secret: "changed"}, now); err != nil {
			t.Error(err)
		}
	})
}
