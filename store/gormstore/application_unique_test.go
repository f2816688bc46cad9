package gormstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// slugApplication has a unique value, and pointedApplication a unique value or none.
type (
	slugApplication struct {
		oauthkit.AbstractApplication
		Slug string `gorm:"uniqueIndex"`
	}
	pointedApplication struct {
		oauthkit.AbstractApplication
		Slug *string `gorm:"uniqueIndex"`
	}
)

// TestUniqueIndexLater adds a unique column to a table with applications.
func TestUniqueIndexLater(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		ctx, plain := t.Context(), migrated[*oauthkit.AbstractApplication](t, open())
		for _, id := range []string{"one", "two"} {
			app := newApplication()
			app.ClientID = id
			if err := plain.ApplicationTable.Create(ctx, app, now); err != nil {
				t.Fatal(err)
			}
		}
		later, err := gormstore.New[*slugApplication](open(), gormstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		err = later.Migrate(ctx)
		for _, want := range []string{"idx_oauth_applications_slug", "in slug", "passed to Migrate", "make the field a pointer"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("without values: got %v, want an error with %q", err, want)
			}
		}
		if db := open(); db.Name() == "postgres" { // the column was committed before the index failed
			if err := db.Exec("ALTER TABLE oauth_applications DROP COLUMN slug").Error; err != nil {
				t.Fatal(err)
			}
		}
		pointed := migrated[*pointedApplication](t, open())
		if found, err := pointed.ApplicationTable.Find(ctx, "one"); err != nil || found.Slug != nil {
			t.Errorf("a pointer: got %+v, %v, want no value", found, err)
		}
		if err := open().Exec("ALTER TABLE oauth_applications RENAME slug TO old_slug").Error; err != nil {
			t.Fatal(err)
		}
		if err := open().Exec("DROP INDEX idx_oauth_applications_slug").Error; err != nil {
			t.Fatal(err)
		}
		err = later.Migrate(ctx, func(tx *gorm.DB) error { return tx.Exec("UPDATE oauth_applications SET slug = client_id").Error })
		if err != nil {
			t.Fatalf("with values of the host: got %v", err)
		}
		if found, err := later.ApplicationTable.Find(ctx, "two"); err != nil || found.Slug != "two" {
			t.Errorf("got %+v, %v, want the host's value", found, err)
		}
	})
}

// claimApplication has unique columns of every kind, and a form for them.
type claimApplication struct {
	oauthkit.AbstractApplication
	Slug      string  `gorm:"uniqueIndex"`
	Support   *string `json:"mail,omitempty" gorm:"uniqueIndex"`
	Tenant    string  `gorm:"uniqueIndex:idx_place"`
	Place     int     `gorm:"uniqueIndex:idx_place"`
	Draft     string  `gorm:"uniqueIndex:idx_draft,where:draft <> ''"`
	Nick      *string `gorm:"uniqueIndex:idx_nick,expression:lower(nick)"`
	Note      string  `gorm:"index"`
	DeletedAt gorm.DeletedAt
}

// FormFields implements [oauthkit.FormFieldHolder].
func (a *claimApplication) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: "slug"}, {Name: "mail"}, {Name: "tenant"}, {Name: "draft"}, {Name: "nick"}}
}

// SetFormField implements [oauthkit.FormFieldHolder].
func (a *claimApplication) SetFormField(name, value string) error {
	switch name {
	case "slug":
		a.Slug = value
	case "mail":
		a.Support = orNil(value)
	case "nick":
		a.Nick = orNil(value)
	case "tenant":
		a.Tenant = value
	case "draft":
		a.Draft = value
	}
	return nil
}

func orNil(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

func claims(slug, mail, tenant, draft, nick string) oauthkit.ApplicationForm {
	return oauthkit.ApplicationForm{
		ClientType: oauthkit.Confidential,
		Fields:     map[string]string{"slug": slug, "mail": mail, "tenant": tenant, "draft": draft, "nick": nick},
	}
}

// TestUniqueTaken shows that the value of another application is a problem of its
// field, and not a failure of the store.
func TestUniqueTaken(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		db := open()
		testUniqueTaken(t, db, migrated[*claimApplication](t, db))
	})
}

// TestUniqueTakenApart is TestUniqueTaken with applications in another database.
func TestUniqueTakenApart(t *testing.T) {
	openers := openers()
	credentials, applications := openers["sqlite"](t)(), openers["sqlite"](t)()
	store, err := gormstore.New[*claimApplication](credentials, gormstore.Config{ApplicationDB: applications})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	testUniqueTaken(t, applications, store)
}

func testUniqueTaken(t *testing.T, db *gorm.DB, store *gormstore.Store[*claimApplication]) {
	ctx, alice, bob := t.Context(), &oauthkit.User{Subject: "alice"}, &oauthkit.User{Subject: "bob"}
	applications := managing(t, store)
	first, _, err := applications.Create(ctx, alice, claims("shop", "help@shop.example", "shop", "draft", "Shop"))
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := applications.Create(ctx, bob, claims("other", "", "other", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		form oauthkit.ApplicationForm
		want []string
	}{
		"a column":               {claims("shop", "", "third", "", ""), []string{"slug"}},
		"a name in JSON":         {claims("third", "help@shop.example", "third", "", ""), []string{"mail"}},
		"two columns":            {claims("third", "", "shop", "", ""), []string{"tenant", "place"}},
		"a part of the rows":     {claims("third", "", "third", "draft", ""), []string{"draft"}},
		"an expression":          {claims("third", "", "third", "", "sHOP"), []string{"nick"}},
		"everything":             {claims("shop", "help@shop.example", "shop", "draft", "Shop"), []string{"slug", "mail", "tenant", "place", "draft", "nick"}},
		"nothing, without value": {claims("free", "", "free", "", ""), nil},
	} {
		created, _, err := applications.Create(ctx, bob, test.form)
		if err == nil {
			err = applications.Delete(ctx, bob, created.GetID())
		}
		wantTaken(t, name+": Create", err, test.want)
		_, err = applications.Update(ctx, bob, second.GetID(), test.form)
		wantTaken(t, name+": Update", err, test.want)
	}
	if _, err := applications.Update(ctx, alice, first.GetID(), claims("shop", "", "shop", "draft", "")); err != nil {
		t.Errorf("unchanged values of an application: got error %v, want none", err)
	}
	if err := db.Table("oauth_applications").Where("client_id = ?", first.GetID()).Delete(&claimApplication{}).Error; err != nil {
		t.Fatal(err)
	}
	_, err = applications.Update(ctx, bob, second.GetID(), claims("shop", "", "third", "", ""))
	wantTaken(t, "of an application that the host hides", err, []string{"slug"})

	app := &claimApplication{AbstractApplication: *newApplication(), Slug: "shop", Tenant: "fourth"}
	app.ClientID = second.GetID()
	if err := store.ApplicationTable.Create(ctx, app, now); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the client_id %q already", app.ClientID)) {
		t.Errorf("a client_id that exists: got %v, want an error with this text", err)
	}
	app, err = store.ApplicationTable.Find(ctx, second.GetID())
	if err != nil {
		t.Fatal(err)
	}
	app.Slug, app.Disabled = "shop", true
	wantTaken(t, "an application that is switched off", store.ApplicationTable.Update(ctx, app, now), []string{"slug"})
}

// collatedApplication has a value that SQLite compares case-insensitively.
type collatedApplication struct {
	oauthkit.AbstractApplication
	Slug string `gorm:"uniqueIndex:idx_slug,collate:nocase"`
}

// TestUniqueCollation shows that values which are equal in the index are a problem.
func TestUniqueCollation(t *testing.T) {
	store := migrated[*collatedApplication](t, openers()["sqlite"](t)())
	first := &collatedApplication{AbstractApplication: *newApplication(), Slug: "Shop"}
	second := &collatedApplication{AbstractApplication: *newApplication(), Slug: "sHOP"}
	second.ClientID = "second"
	if err := store.ApplicationTable.Create(t.Context(), first, now); err != nil {
		t.Fatal(err)
	}
	wantTaken(t, "another case", store.ApplicationTable.Create(t.Context(), second, now), []string{"slug"})
}

// managing returns an Applications for a store.
func managing(t *testing.T, store *gormstore.Store[*claimApplication]) *oauthkit.Applications {
	t.Helper()
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants: []oauthkit.Grant{grants.ClientCredentials(store)},
	})
	if err != nil {
		t.Fatal(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{GrantTypes: []oauth2.GrantType{}})
	if err != nil {
		t.Fatal(err)
	}
	return applications
}

// wantTaken reports an error if err does not hold problems of exactly these fields.
func wantTaken(t *testing.T, doing string, err error, want []string) {
	t.Helper()
	var problems oauthkit.Problems
	if errors.As(err, &problems) {
		err = nil
	}
	var got []string
	for _, problem := range problems {
		if problem.Message != "is used by another application" {
			t.Errorf("%s: got %q, want a message about another application", doing, problem.Message)
		}
		got = append(got, problem.Field)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: got problems of %q, %v, want problems of %q", doing, got, err, want)
	}
}
