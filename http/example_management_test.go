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

// Users register and manage applications at /o/applications/, and see at
// /o/authorized_tokens/ which applications they have approved. A host with its own
// front end uses the same in JSON.
func ExampleConfig_management() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"photos": "see your photos"},
	})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{
		Scopes: oauthkit.Scopes{"photos"},
	})
	if err != nil {
		panic(err)
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser:    func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
		LoginURL:       "/login",
		Applications:   applications,
		Authorizations: oauthkit.NewAuthorizations(provider, store),
	})
	if err != nil {
		panic(err)
	}

	document := `{"name": "Printer", "client_type": "public", "grant_types": ["authorization_code"], "redirect_uris": ["https://printer.example/cb"]}`
	request := httptest.NewRequest(http.MethodPost, "https://example.com/o/api/applications", strings.NewReader(document))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code)

	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "https://example.com/o/applications/", nil))
	fmt.Println(page.Code, strings.Contains(page.Body.String(), "Printer"))
	// Output:
	// 201
	// 200 true
}
