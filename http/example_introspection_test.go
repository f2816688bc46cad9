package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A gateway introspects with an access token of its own instead of its secret.
func ExampleHandler_introspectionByToken() {
	store := memstore.New()
	gateway := &oauthkit.AbstractApplication{
		ClientID: "gateway", Name: "Gateway", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
	}
	secret := gateway.GenerateSecret()
	if err := store.CreateApplication(context.Background(), gateway, time.Now()); err != nil {
		panic(err)
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{CurrentUser: alice})
	if err != nil {
		panic(err)
	}
	response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{
		Application: gateway, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"introspection"}},
	})
	if err != nil {
		panic(err)
	}
	for _, authorization := range []string{"Bearer " + response.AccessToken, "Bearer " + secret} {
		request := httptest.NewRequest(http.MethodPost, "https://example.com/o/introspect", strings.NewReader("token=unknown"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", authorization)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		fmt.Println(recorder.Code, recorder.Body)
	}
	// Output:
	// 200 {"active":false}
	// 401 {"error":"invalid_token","error_description":"the access token is not valid"}
}
