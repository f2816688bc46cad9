package gormstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// The applications are in the database of the host, and the credentials in another
// one.
func ExampleNew_databases() {
	ctx := context.Background()
	applications, err := sqlite.OpenDB(":memory:") // the *gorm.DB that the program has already
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := sqlite.OpenDB(":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := gormstore.New[*logoApplication](credentials, gormstore.Config{ApplicationDB: applications})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	if err := store.Migrate(ctx); err != nil { // of both
		fmt.Println(err)
		return
	}
	fmt.Println(applications.Migrator().HasTable("oauth_applications"), applications.Migrator().HasTable("oauth_access_tokens"))
	fmt.Println(credentials.Migrator().HasTable("oauth_applications"), credentials.Migrator().HasTable("oauth_access_tokens"))
	// Output:
	// true false
	// false true
}

// machine is a row of a table that the host already had.
type machine struct {
	Serial string `gorm:"primaryKey"`
}

// machineStore finds machines as applications and embeds the credentials.
type machineStore struct {
	*gormstore.Credentials
	db *gorm.DB
}

func (s *machineStore) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	var found machine
	err := s.db.WithContext(ctx).Where("serial = ?", clientID).Take(&found).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, oauthkit.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &oauthkit.AbstractApplication{
		ClientID: found.Serial, ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"report"},
	}, nil
}

// A host can have its applications in a table of its own, and let the library store
// the credentials.
func ExampleNewCredentials() {
	ctx := context.Background()
	db, err := sqlite.OpenDB(":memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := gormstore.NewCredentials(db, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer credentials.Close()
	err = credentials.Migrate(ctx, func(tx *gorm.DB) error { return tx.AutoMigrate(&machine{}) })
	if err == nil {
		err = db.Create(&machine{Serial: "press-7"}).Error
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	store := &machineStore{credentials, db}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"report": "report what was printed"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	press, err := store.Application(ctx, "press-7")
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := provider.Exchange(ctx, oauthkit.TokenRequest{Application: press, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"report"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.TokenType, token.Scope)
	// Output:
	// Bearer report
}
