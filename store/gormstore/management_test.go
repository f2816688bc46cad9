package gormstore_test

import (
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
)

// TestHostType shows that the methods of ApplicationManager take and return the host's
// type.
func TestHostType(t *testing.T) {
	each(t, func(t *testing.T, open func() *gorm.DB) {
		store, ctx := migrated[*galleryApplication](t, open()), t.Context()
		app, ok := store.NewApplication().(*galleryApplication)
		if !ok || app == nil {
			t.Fatalf("NewApplication: got %T, want the host's type", store.NewApplication())
		}
		app.AbstractApplication, app.Logo = *newApplication(), "logo.svg"
		if err := store.CreateApplication(ctx, app, now); err != nil {
			t.Fatal(err)
		}
		listed, err := store.ListApplications(ctx, oauthkit.ApplicationQuery{})
		if err != nil || len(listed) != 1 || listed[0].(*galleryApplication).Logo != "logo.svg" {
			t.Errorf("ListApplications: got %+v, %v, want the application with its logo", listed, err)
		}
		for name, err := range map[string]error{
			"CreateApplication": store.CreateApplication(ctx, newApplication(), now),
			"UpdateApplication": store.UpdateApplication(ctx, newApplication(), now),
		} {
			if err == nil || !strings.Contains(err.Error(), "*gormstore_test.galleryApplication") {
				t.Errorf("%s of another type: got %v, want an error that names the host's type", name, err)
			}
		}
	})
}

// TestRules shows that the rules of the Config apply to every stored application.
func TestRules(t *testing.T) {
	db := openers()["sqlite"](t)()
	refusal := errors.New("must be a customer's")
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{Rules: oauthkit.ApplicationRules{
		RedirectURI: func(oauthkit.Application) func(string) error {
			return func(uri string) error {
				if !strings.HasPrefix(uri, "https://customer.example/") {
					return refusal
				}
				return oauthkit.CheckRedirectURI(uri)
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	app := newApplication()
	app.RedirectURIs = oauthkit.URIs{"https://customer.example/callback"}
	if err := store.CreateApplication(ctx, app, now); err != nil {
		t.Fatal(err)
	}
	app.RedirectURIs = append(app.RedirectURIs, "https://other.example/callback")
	for name, err := range map[string]error{
		"ValidateApplication": store.ValidateApplication(app),
		"Create":              store.ApplicationTable.Create(ctx, app, now),
		"Update":              store.ApplicationTable.Update(ctx, app, now),
	} {
		var problems oauthkit.Problems
		if !errors.As(err, &problems) || len(problems.Of("redirect_uris")) != 1 || !strings.Contains(err.Error(), refusal.Error()) {
			t.Errorf("%s: got %v, want the problem that the rules return", name, err)
		}
	}
}
