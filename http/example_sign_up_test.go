package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// The host has a page to choose among accounts and one to create an account.
func ExampleConfig_signUp() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		LoginURL: "/login", SelectAccountURL: "/accounts", SignUpURL: "/sign-up",
	})
	if err != nil {
		panic(err)
	}
	notes := &oauthkit.AbstractApplication{
		ClientID: "notes", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://notes.example/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid"},
	}
	if err := store.CreateApplication(context.Background(), notes, provider.Now()); err != nil {
		panic(err)
	}
	for _, prompt := range []string{"login", "select_account", "create"} {
		form := url.Values{
			"client_id": {"notes"}, "response_type": {"code"}, "redirect_uri": {"https://notes.example/cb"}, "scope": {"openid"}, "prompt": {prompt},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://example.com/o/authorize?"+form.Encode(), nil))
		page, err := url.Parse(recorder.Header().Get("Location"))
		if err != nil {
			panic(err)
		}
		fmt.Println(prompt, "leads to", page.Path)
	}
	// Output:
	// login leads to /login
	// select_account leads to /accounts
	// create leads to /sign-up
}
