package oidc_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A host delivers logout tokens from a job queue of its own. Its worker calls
// SendLogoutToken with the notice.
func ExampleBackChannelLogout() {
	ctx := context.Background()
	store := memstore.New()
	extension := oidc.New(oidc.Config{Keys: store, BackChannelLogout: oidc.BackChannelLogout{
		Deliver: func(_ context.Context, notice *oauthkit.Notice) error {
			job, err := json.Marshal(notice) // for the queue
			fmt.Println(len(job) > 0, notice.Kind, notice.ClientID, notice.Subject)
			return err
		},
	}})
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Extensions: []oauthkit.Extension{extension},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.CreateApplication(ctx, &oauthkit.AbstractApplication{
		ClientID: "shop", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://shop.example/callback"}, BackChannelLogoutURI: "https://shop.example/logout",
		Scopes: oauthkit.Scopes{"openid"},
	}, provider.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	alice := &oauthkit.User{Subject: "alice", SessionID: "the id of her session at the host"}
	request, err := provider.NewAuthorizeRequest(ctx, map[string][]string{
		"response_type": {"code"}, "client_id": {"shop"}, "redirect_uri": {"https://shop.example/callback"}, "scope": {"openid"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err == nil {
		_, err = provider.Respond(ctx, request, alice, oauthkit.Decision{})
	}
	if err == nil { // the logout of the host
		_, err = provider.EndSession(ctx, oauthkit.Session{Subject: alice.Subject, ID: provider.SessionID(alice)})
	}
	if err == nil { // oauthkit.Run calls it
		err = provider.DeliverNotices(ctx)
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output: true session_ended shop alice
}
