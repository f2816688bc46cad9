package gormstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// shopApplication has an address of its own on the host's pages, once it is given one.
type shopApplication struct {
	oauthkit.AbstractApplication
	Slug *string `json:"slug" gorm:"uniqueIndex"`
}

// A column of the host's that no two applications may have alike is checked by the database, and reported like any other problem.
func ExampleApplications_Create_unique() {
	ctx := context.Background()
	store, err := sqlite.Open[*shopApplication](":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	slug := "prints"
	for range 2 {
		app := &shopApplication{Slug: &slug}
		app.Name, app.ClientType = "Prints", oauthkit.Confidential
		err := store.ApplicationTable.Create(ctx, app, time.Now())
		var problems oauthkit.Problems
		if errors.As(err, &problems) {
			err = problems
		}
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// slug: is used by another application
}
