package oauthhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A host accepts secrets in the Authorization header only. The metadata says so.
func ExampleNewHandler_clientAuthenticators() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:               grants.Standard(store),
		ClientAuthenticators: []oauthkit.ClientAuthenticator{oauthkit.ClientSecretBasic(), oauthkit.ClientNone()},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{CurrentUser: alice})
	if err != nil {
		panic(err)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://example.com/o/.well-known/oauth-authorization-server", nil))
	var metadata map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &metadata); err != nil {
		panic(err)
	}
	fmt.Println(metadata["token_endpoint_auth_methods_supported"])
	fmt.Println(metadata["introspection_endpoint_auth_methods_supported"])
	// Output:
	// [client_secret_basic none]
	// [client_secret_basic Bearer]
}
