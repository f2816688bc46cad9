package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// statusEndpoint is an extension of the host with an endpoint for anyone. Endpoints
// can also be for applications, for access tokens or for signed-in users.
type statusEndpoint struct{}

func (statusEndpoint) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{
		Path:     "status",
		Methods:  []string{http.MethodGet},
		Metadata: "status_endpoint", // announces it in the metadata
		Anyone: func(w http.ResponseWriter, _ *http.Request) error {
			_, err := fmt.Fprint(w, "open")
			return err
		},
	})
	return nil
}

// A host adds its own endpoint. The library refuses requests with another method.
func ExampleNewHandler_extension() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{statusEndpoint{}},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{CurrentUser: alice})
	if err != nil {
		panic(err)
	}
	fmt.Println(call(handler, "GET", "/o/status", ""))
	fmt.Println(call(handler, "POST", "/o/status", ""))
	// Output:
	// GET /o/status 200 open
	// POST /o/status 405 {"error":"invalid_request","error_description":"the method must be GET"}
}

// call sends a request and returns the response in one line.
func call(handler http.Handler, method, path, token string) string {
	request := httptest.NewRequest(method, "https://example.com"+path, nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	shown := fmt.Sprintln(method, path, recorder.Code, recorder.Header().Get("WWW-Authenticate"), recorder.Body)
	return strings.Join(strings.Fields(shown), " ")
}
