package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// A company accepts only applications with redirect URIs of its own domain. The
// library's rules still apply.
func ExampleOpenWith() {
	ours := func(uri string) error {
		if !strings.HasPrefix(uri, "https://apps.example.com/") {
			return errors.New("must be one of apps.example.com")
		}
		return oauthkit.CheckRedirectURI(uri)
	}
	store, err := sqlite.OpenWith[*oauthkit.AbstractApplication](":memory:", gormstore.Config{
		TablePrefix: "sso_",
		Rules:       oauthkit.ApplicationRules{RedirectURI: func(oauthkit.Application) func(string) error { return ours }},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	app := &oauthkit.AbstractApplication{
		ClientID: "shop", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://shop.example.org/callback"},
	}
	err = store.ApplicationTable.Create(context.Background(), app, time.Now())
	var problems oauthkit.Problems
	fmt.Println(errors.As(err, &problems), problems)
	// Output:
	// true redirect_uris: "https://shop.example.org/callback": must be one of apps.example.com
}
