package oidc_test

import (
	"context"
	"fmt"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// tenantApplication belongs to one of the host's customers, which is a column of the host's own.
type tenantApplication struct {
	oauthkit.AbstractApplication
	Tenant string
}

// What an application is told about a user depends on a column of the host's own, which arrives in the host's own type.
func ExampleClaimsFor() {
	config := oidc.Config{
		Keys: memstore.New(),
		Claims: oidc.ClaimsFor(func(_ context.Context, app *tenantApplication, request *oidc.ClaimsRequest) (oidc.Claims, error) {
			claims := oidc.Claims{Extra: map[string]any{"tenant": app.Tenant}}
			if request.Allows("email") { // otherwise it need not be looked up
				claims.Email = request.Subject + "@" + app.Tenant + ".example"
			}
			return claims, nil
		}),
	}
	// The user info endpoint calls it so:
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

// ID tokens say for which of the host's customers they are.
func ExampleIDTokenClaimsFor() {
	config := oidc.Config{
		Keys: memstore.New(),
		IDTokenClaims: oidc.IDTokenClaimsFor(
			func(_ context.Context, app *tenantApplication, _ *oauthkit.TokenResponse) (map[string]any, error) {
				return map[string]any{"tenant": app.Tenant}, nil
			},
		),
	}
	// The token endpoint calls it so:
	response := &oauthkit.TokenResponse{Application: &tenantApplication{Tenant: "gallery"}}
	fmt.Println(config.IDTokenClaims(context.Background(), response))
	// Output:
	// map[tenant:gallery] <nil>
}

// A key that somebody else has seen is removed, and another one signs from then on. ID tokens of the removed one are worth nothing.
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
	seen := before[0].ID // the kid in the header of each ID token that it signed
	fmt.Println(openID.RemoveKey(ctx, seen))
	after, err := store.SigningKeys(ctx)
	for _, key := range after {
		if key.ID == seen {
			fmt.Println("it is still there")
		}
	}
	fmt.Println(len(before), "keys before,", len(after), "after", err)
	// Output:
	// <nil>
	// 2 keys before, 2 after <nil>
}
