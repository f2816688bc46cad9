package clienttest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/go-oauth2/oauth2/v4"
	"github.com/labstack/echo/v4"
	client "golang.org/x/oauth2"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// mounts are the ways to mount the handler in a host program under prefix.
var mounts = map[string]func(prefix string, handler http.Handler) http.Handler{
	"net/http": func(prefix string, handler http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle(prefix+"/", handler)
		if prefix != "" {
			mux.Handle("/.well-known/", handler)
		}
		return mux
	},
	"chi": func(prefix string, handler http.Handler) http.Handler {
		router := chi.NewRouter()
		if prefix == "" {
			router.Mount("/", handler)
			return router
		}
		router.Mount(prefix, handler)
		router.Mount("/.well-known", handler)
		return router
	},
	"gin": func(prefix string, handler http.Handler) http.Handler {
		gin.SetMode(gin.TestMode)
		router := gin.New()
		router.Any(prefix+"/*path", gin.WrapH(handler))
		if prefix != "" {
			router.Any("/.well-known/*path", gin.WrapH(handler))
		}
		return router
	},
	"echo": func(prefix string, handler http.Handler) http.Handler {
		router := echo.New()
		router.Any(prefix+"/*", echo.WrapHandler(handler))
		router.Any("/.well-known/*", echo.WrapHandler(handler))
		return router
	},
}

// TestMount signs a user in through each router, under several prefixes and at
// the root.
func TestMount(t *testing.T) {
	for name, mount := range mounts {
		for _, prefix := range []string{"/o", "/auth/v2", ""} {
			t.Run(name+" under "+prefix+"/", func(t *testing.T) {
				var site http.Handler
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
				t.Cleanup(server.Close)
				handler, secret := newHandler(t, server.URL+prefix)
				site = mount(prefix, handler)
				checkMetadata(t, server.URL, prefix)
				checkCodeFlow(t, server.URL+prefix, secret)
				checkTrailingSlash(t, server.URL+prefix)
			})
		}
	}
}

// newHandler creates a provider with the application web and returns its handler and
// the application's secret. Alice is always signed in.
func newHandler(t *testing.T, issuer string) (http.Handler, string) {
	t.Helper()
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "web", Name: "Web", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing}, Scopes: oauthkit.Scopes{"openid", "read"},
	}
	secret := app.GenerateSecret()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New(issuer, store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
		Scopes:     oauthkit.StaticScopes{"read": "read your messages"},
	})
	if err != nil {
		t.Fatal(err)
	}
	signedIn := time.Now()
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) {
			return &oauthkit.User{Subject: "alice", AuthTime: signedIn}, nil
		},
		LoginURL: "/login",
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler, secret
}

func checkMetadata(t *testing.T, origin, prefix string) {
	t.Helper()
	for _, address := range []string{
		prefix + "/.well-known/openid-configuration",
		prefix + "/.well-known/oauth-authorization-server",
		"/.well-known/oauth-authorization-server" + prefix, // RFC 8414 §3.1
		"/.well-known/openid-configuration" + prefix,       // RFC 8414 §5
	} {
		response, err := http.Get(origin + address)
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]any
		err = json.NewDecoder(response.Body).Decode(&document)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: got %s, %v", address, response.Status, err)
		}
		for member, want := range map[string]string{
			"issuer":                 origin + prefix,
			"authorization_endpoint": origin + prefix + "/authorize",
			"token_endpoint":         origin + prefix + "/token",
			"introspection_endpoint": origin + prefix + "/introspect",
			"revocation_endpoint":    origin + prefix + "/revoke_token",
			"userinfo_endpoint":      origin + prefix + "/userinfo",
			"jwks_uri":               origin + prefix + "/.well-known/jwks.json",
		} {
			if document[member] != want {
				t.Errorf("%s: got %s %v, want %s", address, member, document[member], want)
			}
		}
	}
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)">`)

// checkCodeFlow acts as browser and client: it requests, approves on the page, and
// redeems the code.
func checkCodeFlow(t *testing.T, issuer, secret string) {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "rp.test" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	config := &client.Config{
		ClientID: "web", ClientSecret: secret, RedirectURL: "https://rp.test/cb", Scopes: []string{"openid", "read"},
		Endpoint: client.Endpoint{AuthURL: issuer + "/authorize", TokenURL: issuer + "/token", AuthStyle: client.AuthStyleInHeader},
	}
	verifier := client.GenerateVerifier()
	form := consentForm(t, browser, config.AuthCodeURL("xyz", client.S256ChallengeOption(verifier)))
	form.Set("decision", "allow")
	response, err := browser.PostForm(issuer+"/consent", form)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	target, err := response.Location()
	if err != nil {
		t.Fatalf("approving: got %s and no redirect: %v", response.Status, err)
	}
	answer := target.Query()
	if answer.Get("state") != "xyz" || answer.Get("iss") != issuer {
		t.Errorf("got %v, want state xyz and iss %s", answer, issuer)
	}
	token, err := config.Exchange(context.Background(), answer.Get("code"), client.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if token.Extra("id_token") == nil || token.RefreshToken == "" || token.TokenType != "Bearer" {
		t.Errorf("got %+v, want an ID token and a refresh token", token)
	}
}

// consentForm opens the authorization request and returns the hidden fields of the
// consent page.
func consentForm(t *testing.T, browser *http.Client, address string) url.Values {
	t.Helper()
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for _, field := range hiddenInput.FindAllStringSubmatch(string(page), -1) {
		form.Set(field[1], field[2])
	}
	if response.StatusCode != http.StatusOK || len(form) != 2 {
		t.Fatalf("got %s with the fields %v, want the consent page", response.Status, form)
	}
	return form
}

func checkTrailingSlash(t *testing.T, issuer string) {
	t.Helper()
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json", "/oauthkit.css"} {
		for _, slash := range []string{"", "/"} {
			response, err := http.Get(issuer + path + slash)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s%s: got %s, want 200", path, slash, response.Status)
			}
		}
	}
}
