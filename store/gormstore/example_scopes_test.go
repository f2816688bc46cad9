package gormstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// A host stores its scopes in tables and restricts one application.
func ExampleScopes() {
	ctx := context.Background()
	store, err := sqlite.Open[*oauthkit.AbstractApplication](":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	for _, scope := range []gormstore.Scope{
		{Name: "photos", Description: "see your photos", Default: true},
		{Name: "upload", Description: "add photos"},
	} {
		if err := store.ScopeTable.Set(ctx, scope); err != nil {
			fmt.Println(err)
			return
		}
	}
	kiosk := &oauthkit.AbstractApplication{ClientID: "kiosk", ClientType: oauthkit.Public}
	if err := store.ApplicationTable.Create(ctx, kiosk, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	if err := store.ScopeTable.Allow(ctx, "kiosk", oauthkit.Scopes{"photos"}, nil); err != nil {
		fmt.Println(err)
		return
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store), Scopes: store.ScopeTable})
	if err != nil {
		fmt.Println(err)
		return
	}
	texts, err := provider.ScopeTexts(ctx)
	fmt.Println(texts["photos"], "-", texts["upload"], err)
	available, err := store.ScopeTable.Available(ctx, kiosk, oauthkit.ScopeRequest{})
	fmt.Println("The kiosk may have:", available, err)
	// Output:
	// see your photos - add photos <nil>
	// The kiosk may have: photos <nil>
}
