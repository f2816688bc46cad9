package oidc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A provider with OpenID Connect. oauthkit.New generates and stores the first signing
// keys.
func ExampleNew() {
	store := memstore.New()
	verified := true
	openID := oidc.New(oidc.Config{
		Keys: store,
		Claims: func(_ context.Context, request *oidc.ClaimsRequest) (oidc.Claims, error) {
			return oidc.Claims{Name: "Alice Liddell", Email: request.Subject + "@example.com", EmailVerified: &verified}, nil
		},
	})
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{openID},
		Secret:     "32 random bytes from your secrets", // encrypts the signing keys
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	scopes, err := provider.ScopeTexts(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(slices.Sorted(maps.Keys(scopes)))
	for _, endpoint := range provider.Endpoints() {
		fmt.Println(endpoint.Metadata, provider.Issuer()+"/"+endpoint.Path)
	}
	// Output:
	// [address email offline_access openid phone profile]
	// jwks_uri https://example.com/o/.well-known/jwks.json
	// userinfo_endpoint https://example.com/o/userinfo
}

// Claims stored as JSON, with additional members of the host.
func ExampleClaims() {
	var claims oidc.Claims
	err := json.Unmarshal([]byte(`{"name": "Alice Liddell", "email_verified": false, "groups": ["staff"]}`), &claims)
	fmt.Println(err, claims.Name, *claims.EmailVerified, claims.Extra["groups"])
	text, err := json.Marshal(claims)
	fmt.Println(string(text), err)
	// Output:
	// <nil> Alice Liddell false [staff]
	// {"email_verified":false,"groups":["staff"],"name":"Alice Liddell"} <nil>
}

// A command of the host rotates the keys at once. Upkeep, which oauthkit.Run calls,
// rotates them every 90 days.
func ExampleExtension_RotateKeys() {
	store := memstore.New()
	openID := oidc.New(oidc.Config{Keys: store})
	if _, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Extensions: []oauthkit.Extension{openID}}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(openID.RotateKeys(context.Background()))
	keys, err := store.SigningKeys(context.Background())
	fmt.Println(len(keys), "keys are published, and four of them sign", err)
	// Output:
	// <nil>
	// 8 keys are published, and four of them sign <nil>
}
