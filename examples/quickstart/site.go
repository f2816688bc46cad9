package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// newSite returns the handler of the host: a login page, the provider under /o/, an API
// that it protects, and the demo client.
func newSite(base, db string) (http.Handler, error) {
	store, err := sqlite.Open[*oauthkit.AbstractApplication](db)
	if err != nil {
		return nil, err
	}
	provider, err := oauthkit.New(base+"/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{
			Keys: store, Claims: claims, ClaimNames: []string{"name", "email", "email_verified"},
		})},
		Scopes: oauthkit.StaticScopes{"read": "read your greeting"},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	// A demo needs no Observe, UserIsActive and Secret. Other warnings are logged;
	// errors stop the program.
	if err := provider.CheckAtStart(context.Background(), "oauthkit.W003", "oauthkit.W005", "oidc.W001"); err != nil {
		return nil, err
	}
	secret, err := registerDemo(store, base)
	if err != nil {
		return nil, err
	}
	login := newLogin()
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{CurrentUser: login.currentUser, LoginURL: "/login", SignOut: login.signOut})
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/o/", handler)
	mux.Handle("/.well-known/", handler)
	mux.Handle("/api/greeting", oauthapi.RequireScopes(provider, "read")(http.HandlerFunc(greeting)))
	mux.HandleFunc("GET /login", login.show)
	mux.HandleFunc("POST /login", login.signIn)
	mux.Handle("/demo/", newDemo(base, secret))
	mux.Handle("GET /{$}", http.RedirectHandler("/demo/", http.StatusSeeOther))
	return mux, nil
}

// registerDemo registers the demo client. If it already exists, it gets a new secret,
// because the old one cannot be read.
func registerDemo(store *gormstore.Store[*oauthkit.AbstractApplication], base string) (secret string, err error) {
	yes := true
	app := &oauthkit.AbstractApplication{
		ClientID:     "demo",
		Name:         "Quickstart demo",
		ClientType:   oauthkit.Confidential,
		GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
		RedirectURIs: oauthkit.URIs{base + "/demo/callback"},
		Scopes:       oauthkit.Scopes{"openid", "profile", "email", "read"},
		// The browser returns there after a sign-out.
		PostLogoutRedirectURIs: oauthkit.URIs{base + "/demo/"},
		// The ID token has the claims too, for clients that never call user info.
		IDTokenClaims: &yes,
	}
	secret = app.GenerateSecret()
	_, err = store.ApplicationTable.Find(context.Background(), app.ClientID)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return secret, store.ApplicationTable.Create(context.Background(), app, time.Now())
	}
	if err != nil {
		return "", err
	}
	return secret, store.ApplicationTable.Update(context.Background(), app, time.Now())
}

// claims returns the claims about a user.
func claims(_ context.Context, request *oidc.ClaimsRequest) (oidc.Claims, error) {
	verified := true
	return oidc.Claims{Name: "Alice Liddell", Email: request.Subject + "@example.com", EmailVerified: &verified}, nil
}

// greeting is an API endpoint. It is called only with a valid access token that has the
// scope read.
func greeting(w http.ResponseWriter, r *http.Request) {
	token, _ := oauthapi.TokenFromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"greeting": "Hello, " + token.Authorization.Subject + "!"})
}
