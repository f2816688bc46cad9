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
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A host mounts the handler below the issuer's path, and below /.well-known/ for the
// metadata documents of RFC 8414.
func ExampleNewHandler() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return nil, nil }, // where the host's sessions go
		LoginURL:    "/login",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/o/", handler)
	mux.Handle("/.well-known/", handler)
	for _, path := range []string{"/o/authorize", "/.well-known/oauth-authorization-server/o"} {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		fmt.Println(path, recorder.Code, recorder.Header().Get("Content-Type"))
	}
	// Output:
	// /o/authorize 400 text/html; charset=utf-8
	// /.well-known/oauth-authorization-server/o 200 application/json
}

// An API serves requests with a token that has the scope, and challenges all others.
func ExampleRequireScopes() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"read": "read your notes", "write": "write notes"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	robot := &oauthkit.AbstractApplication{
		ClientID: "robot", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"read"},
	}
	token, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{
		Application: robot, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	notes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := oauthapi.TokenFromContext(r.Context())
		fmt.Println("called by", token.Authorization.ClientID)
	})
	for _, scope := range []string{"read", "write"} {
		request := httptest.NewRequest(http.MethodGet, "/notes", nil)
		request.Header.Set("Authorization", "Bearer "+token.AccessToken)
		recorder := httptest.NewRecorder()
		oauthapi.RequireScopes(provider, scope)(notes).ServeHTTP(recorder, request)
		fmt.Printf("%d %q\n", recorder.Code, recorder.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// called by robot
	// 200 ""
	// 403 "Bearer error=\"insufficient_scope\", scope=\"write\""
}

// A login page returns to the path in next, and to no other site.
func ExampleReturnPath() {
	for _, next := range []string{"/o/consent?interaction=1", "https://evil.example/", "//evil.example/"} {
		request := httptest.NewRequest(http.MethodGet, "/login?"+url.Values{"next": {next}}.Encode(), nil)
		fmt.Println(oauthhttp.ReturnPath(request))
	}
	// Output:
	// /o/consent?interaction=1
	// /
	// /
}

// galleryApplication has an additional column.
type galleryApplication struct {
	oauthkit.AbstractApplication
	Logo string
}

// The consent page shows the additional column of an application.
func ExampleConsentRowsFor() {
	rows := oauthhttp.ConsentRowsFor(func(_ context.Context, app *galleryApplication) []oauthhttp.ConsentRow {
		return []oauthhttp.ConsentRow{{Label: "Logo", Value: app.Logo}}
	})
	fmt.Println(rows(context.Background(), &galleryApplication{Logo: "https://gallery.example/logo.svg"}))
	// Output:
	// [{Logo https://gallery.example/logo.svg}]
}
