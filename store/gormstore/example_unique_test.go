package gormstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// shopApplication has an optional address on the host's site.
type shopApplication struct {
	oauthkit.AbstractApplication
	Slug *string `json:"slug" gorm:"uniqueIndex"`
}

// The database checks a unique column of the host, and a conflict is reported like any
// other problem.
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
