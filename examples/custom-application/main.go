// Command custom-application is a provider whose applications have two additional
// columns: a logo and an agreement to terms. The columns are in the same table, in the
// same form and validated together with the library's. The program always gets its
// applications as *MyApplication.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen on")
	db := flag.String("db", "custom.db", "SQLite file, created if missing")
	flag.Parse()
	base := "http://" + *addr
	store, err := sqlite.Open[*MyApplication](*db)
	if err != nil {
		log.Fatal(err)
	}
	app, err := register(context.Background(), store, base+"/callback")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Registered %s with logo %s, terms accepted: %t.\n", app.Name, app.Logo, app.Agree)
	handler, err := newSite(base, store)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Open this URL for the consent page:")
	fmt.Println(authorizeURL(base, app))
	fmt.Println("Open this URL to edit the application or register another:")
	fmt.Println(base + "/o/applications/")
	log.Fatal((&http.Server{Addr: *addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}).ListenAndServe())
}

// register creates the application if it does not exist, and returns it.
func register(ctx context.Context, store *gormstore.Store[*MyApplication], redirectURI string) (*MyApplication, error) {
	existing, err := store.ApplicationTable.Find(ctx, "gallery")
	if !errors.Is(err, oauthkit.ErrNotFound) {
		return existing, err
	}
	app := &MyApplication{
		AbstractApplication: oauthkit.AbstractApplication{
			ClientID:     "gallery",
			UserID:       "alice",
			Name:         "Gallery",
			ClientType:   oauthkit.Confidential,
			GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode},
			RedirectURIs: oauthkit.URIs{redirectURI},
			Scopes:       oauthkit.Scopes{"openid", "read"},
		},
		Logo:  "https://gallery.example/logo.svg",
		Agree: true,
	}
	fmt.Println("The client secret, which is shown only once:", app.GenerateSecret())
	return app, store.ApplicationTable.Create(ctx, app, time.Now())
}

// newSite mounts the provider. The two adapters take *MyApplication, so that this
// program needs no type assertion.
func newSite(base string, store *gormstore.Store[*MyApplication]) (http.Handler, error) {
	provider, err := oauthkit.New(base+"/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"read": "look at your pictures"},
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{
			Keys: store,
			IDTokenClaims: oidc.IDTokenClaimsFor(func(_ context.Context, app *MyApplication, _ *oauthkit.Issued) (map[string]any, error) {
				return map[string]any{"app_logo": app.Logo}, nil
			}),
		})},
	})
	if err != nil {
		return nil, err
	}
	if err := provider.CheckAtStart(context.Background()); err != nil {
		return nil, err
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{
		Scopes: oauthkit.Scopes{"openid", "read"}, // which owners may choose
	})
	if err != nil {
		return nil, err
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		LoginURL:       "/login",
		CurrentUser:    currentUser,
		Applications:   applications,
		Authorizations: oauthkit.NewAuthorizations(provider, store),
		ConsentRows: oauthhttp.ConsentRowsFor(func(_ context.Context, app *MyApplication) []oauthhttp.ConsentRow {
			return []oauthhttp.ConsentRow{{Label: "Logo", Value: app.Logo}}
		}),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/o/", handler)
	mux.Handle("/.well-known/", handler)
	mux.HandleFunc("/callback", callback)
	return mux, nil
}

// currentUser would read the host's session. This example always returns alice, who has
// just signed in.
func currentUser(*http.Request) (*oauthkit.User, error) {
	return &oauthkit.User{Subject: "alice", Name: "Alice Liddell", AuthTime: time.Now()}, nil
}

// callback is where the application would redeem the code, with its secret and the
// code_verifier.
func callback(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("code") {
		fmt.Fprintln(w, "The application received a code, which it would redeem now.")
		return
	}
	fmt.Fprintln(w, "The application received no code: the user denied access, or the request was invalid.")
}

// authorizeURL returns the URL of an authorization request, with the code_challenge of
// RFC 7636 appendix B.
func authorizeURL(base string, app *MyApplication) string {
	return base + "/o/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {app.RedirectURIs[0]}, "scope": {"openid read"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
}
