package oauthhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// The host's own front end builds the form for a new application from the options, in the
// user's language.
func ExampleConfig_options() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Scopes: oauthkit.StaticScopes{"photos": "see your photos"}})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{Scopes: oauthkit.Scopes{"photos"}})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser:  func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
		Applications: applications,
	})
	if err != nil {
		panic(err)
	}
	request := httptest.NewRequest(http.MethodGet, "https://example.com/o/api/application_options", nil)
	request.Header.Set("Accept-Language", "de")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)

	var options struct {
		Fields []struct{ Name, Label, Kind string }
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &options); err != nil {
		panic(err)
	}
	for _, field := range options.Fields[:3] {
		fmt.Printf("%s (%s): %s\n", field.Name, field.Kind, field.Label)
	}
	// Output:
	// name (text): Name
	// client_type (one): Art der Anwendung
	// redirect_uris (lines): Redirect-URIs
}
