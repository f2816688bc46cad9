package postgres_test

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/postgres"
)

// Any number of instances share one database. The first one creates the tables.
func ExampleOpen() {
	store, err := postgres.Open[*oauthkit.AbstractApplication]("postgres://gallery:password@db.example.com:5432/gallery")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range provider.Check(context.Background()) {
		fmt.Println(finding)
	}
}
