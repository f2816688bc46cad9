package oidc_test

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// tenantApplication belongs to a tenant of the host, stored in a column of the host.
type tenantApplication struct {
	oauthkit.AbstractApplication
	Tenant string
}

// The claims about a user depend on a column that the host added to the application.
func ExampleClaimsFor() {
	config := oidc.Config{
		Keys: memstore.New(),
		Claims: oidc.ClaimsFor(func(_ context.Context, app *tenantApplication, request *oidc.ClaimsRequest) (oidc.Claims, error) {
			claims := oidc.Claims{Extra: map[string]any{"tenant": app.Tenant}}
			if request.Allows("email") { // skip the lookup if the claim would be dropped
				claims.Email = request.Subject + "@" + app.Tenant + ".example"
			}
			return claims, nil
		}),
	}
	// The user info endpoint calls:
	for _, scopes := range []oauthkit.Scopes{{"openid"}, {"openid", "email"}} {
		claims, err := config.Claims(context.Background(), &oidc.ClaimsRequest{
			Subject: "alice", Scopes: scopes, Application: &tenantApplication{Tenant: "gallery"},
		})
		fmt.Printf("%q %v %v\n", claims.Email, claims.Extra["tenant"], err)
	}
	// Output:
	// "" gallery <nil>
	// "alice@gallery.example" gallery <nil>
}

// ID tokens name the tenant of the application.
func ExampleIDTokenClaimsFor() {
	config := oidc.Config{
		Keys: memstore.New(),
		IDTokenClaims: oidc.IDTokenClaimsFor(
			func(_ context.Context, app *tenantApplication, _ *oauthkit.Issued) (map[string]any, error) {
				return map[string]any{"tenant": app.Tenant}, nil
			},
		),
	}
	// The token endpoint calls:
	issued := &oauthkit.Issued{Application: &tenantApplication{Tenant: "gallery"}}
	fmt.Println(config.IDTokenClaims(context.Background(), issued))
	// Output:
	// map[tenant:gallery] <nil>
}

// A compromised key is removed, and another one signs. ID tokens of the removed key
// become invalid.
func ExampleExtension_RemoveKey() {
	ctx, store := context.Background(), memstore.New()
	openID := oidc.New(oidc.Config{Keys: store})
	if _, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Extensions: []oauthkit.Extension{openID}}); err != nil {
		fmt.Println(err)
		return
	}
	before, err := store.SigningKeys(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	compromised := before[0].ID // the kid in the header of ID tokens
	fmt.Println(openID.RemoveKey(ctx, compromised))
	after, err := store.SigningKeys(ctx)
	for _, key := range after {
		if key.ID == compromised {
			fmt.Println("the key is still stored")
		}
	}
	fmt.Println(len(before), "keys before,", len(after), "after", err)
	// Output:
	// <nil>
	// 4 keys before, 4 after <nil>
}

// One client reads only ID tokens: the operator sets IDTokenClaims of its application.
func ExampleConfig_idTokenUserClaims() {
	yes := true
	kubernetes := &oauthkit.AbstractApplication{ClientID: "kubernetes", IDTokenClaims: &yes}
	web := &oauthkit.AbstractApplication{ClientID: "web"}
	config := oidc.Config{Keys: memstore.New(), IDTokenUserClaims: false} // for applications that do not choose
	for _, app := range []oauthkit.Application{kubernetes, web} {
		fmt.Println(app.GetID(), oauthkit.WantsIDTokenClaims(app, config.IDTokenUserClaims))
	}
	// Output:
	// kubernetes true
	// web false
}
