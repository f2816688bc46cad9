package gormstore_test

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// A program that starts without migrating reports missing migrations. Provider.Check
// includes the findings of the store.
func ExampleStore_Check() {
	ctx := context.Background()
	db, err := sqlite.OpenDB(":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	before, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err == nil {
		err = before.Migrate(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := gormstore.New[*logoApplication](db, gormstore.Config{}) // with fields that came later
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	for _, finding := range store.Check(ctx) {
		fmt.Println(finding)
	}
	// Output:
	// gormstore.E002: the table of applications lacks the columns logo, agree of *gormstore_test.logoApplication. Call Migrate, or execute the statements that PrintMigrations writes
}
