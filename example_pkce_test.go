package oauthkit_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// An operator vouches for one client that has no PKCE and compares the nonce.
func ExamplePKCEPolicy() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	wiki := &oauthkit.AbstractApplication{
		ClientID: "wiki", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://wiki.example/callback"}, Scopes: oauthkit.Scopes{"openid"},
		PKCE: oauthkit.PKCENonce,
	}
	if err := store.CreateApplication(context.Background(), wiki, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	for _, nonce := range []string{"n-0S6_WzA2Mj", ""} {
		_, err := provider.NewAuthorizeRequest(context.Background(), url.Values{
			"response_type": {"code"}, "client_id": {"wiki"}, "redirect_uri": {"https://wiki.example/callback"},
			"scope": {"openid"}, "nonce": {nonce},
		})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// invalid_request: code_challenge is missing; send scope openid and a nonce instead, or change the setting pkce of this application to optional
}
