package gormstore_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// logoApplication has two columns of its own.
type logoApplication struct {
	oauthkit.AbstractApplication
	Logo  string
	Agree bool
}

// A host passes its *gorm.DB, and gets its own type back.
func ExampleNew() {
	ctx := context.Background()
	db, err := sqlite.OpenDB(":memory:") // or the *gorm.DB that the program has already
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := gormstore.New[*logoApplication](db, gormstore.Config{TablePrefix: "gallery_"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	app := &logoApplication{Logo: "https://gallery.example/logo.svg", Agree: true}
	app.ClientID, app.ClientType = "gallery", oauthkit.Confidential
	if err := store.ApplicationTable.Create(ctx, app, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	found, err := store.ApplicationTable.Find(ctx, "gallery")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found.ClientID, found.Logo, found.Agree)
	// Output:
	// gallery https://gallery.example/logo.svg true
}

// A page lists the applications of the members of a team, in the host's type.
func ExampleApplications_List() {
	ctx := context.Background()
	store, err := sqlite.Open[*logoApplication](":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	for id, owner := range map[string]string{"gallery": "alice", "prints": "bob", "spam": "mallory"} {
		app := &logoApplication{Logo: id + ".svg"}
		app.ClientID, app.UserID, app.ClientType = id, owner, oauthkit.Confidential
		if err := store.ApplicationTable.Create(ctx, app, time.Now()); err != nil {
			fmt.Println(err)
			return
		}
	}
	apps, err := store.ApplicationTable.List(ctx, oauthkit.ApplicationQuery{Owners: []string{"alice", "bob"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, app := range apps {
		fmt.Println(app.ClientID, app.UserID, app.Logo)
	}
	// Output:
	// gallery alice gallery.svg
	// prints bob prints.svg
}

// PrintMigrations writes the statements of Migrate, including those for the host's
// columns.
func ExampleStore_PrintMigrations() {
	db, err := sqlite.OpenDB(":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := gormstore.New[*logoApplication](db, gormstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	var script strings.Builder
	if err := store.PrintMigrations(&script); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(script.String()) {
		if strings.HasPrefix(line, "ALTER TABLE `") { // the host's own columns
			fmt.Print(line)
		}
	}
	// Output:
	// ALTER TABLE `oauth_applications` ADD `logo` text;
	// ALTER TABLE `oauth_applications` ADD `agree` numeric;
}

// Cleanup is called from a timer. The limits bound the work of one call.
func ExampleStore_Cleanup() {
	store, err := sqlite.Open[*oauthkit.AbstractApplication](":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	removed, err := store.Cleanup(context.Background(), oauthkit.CleanupLimits{Now: time.Now(), Batch: 500, Batches: 20})
	fmt.Println(removed["access_tokens"], "expired access tokens removed:", err == nil)
	// Output:
	// 0 expired access tokens removed: true
}
