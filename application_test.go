package oauthkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"
)

// myApplication overrides AllowsGrant and has a rule of its own.
type myApplication struct {
	AbstractApplication
	Logo  string
	Agree bool
}

func (a *myApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return grant == oauth2.ClientCredentials || a.AbstractApplication.AllowsGrant(grant)
}

func (a *myApplication) Validate(problems *Problems) {
	if !a.Agree {
		problems.Add("agree", "must be accepted")
	}
}

func webApplication() AbstractApplication {
	return AbstractApplication{
		ClientID:     "web",
		Name:         "Web",
		ClientType:   Confidential,
		GrantTypes:   GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: URIs{"https://rp.test/cb"},
		Scopes:       Scopes{"openid"},
	}
}

func TestEmbeddingStructIsAnApplication(t *testing.T) {
	app := &myApplication{AbstractApplication: webApplication()}
	var asInterface Application = app
	if !asInterface.AllowsGrant(oauth2.ClientCredentials) || !asInterface.AllowsGrant(oauth2.AuthorizationCode) {
		t.Error("got a grant refused, want both the overridden and the listed one allowed")
	}
	if asInterface.AllowsGrant(oauth2.Refreshing) {
		t.Error("got refresh_token allowed, want refused because it is not listed")
	}
	if got := Abstract(app); got != &app.AbstractApplication {
		t.Errorf("Abstract: got %p, want the embedded struct %p", got, &app.AbstractApplication)
	}
}

func TestZeroApplicationMayDoNothing(t *testing.T) {
	app := &AbstractApplication{}
	checks := map[string]bool{
		"grant":        app.AllowsGrant(oauth2.AuthorizationCode),
		"empty grant":  app.AllowsGrant(""),
		"redirect URI": app.AllowsRedirectURI("https://rp.test/cb"),
		"empty URI":    app.AllowsRedirectURI(""),
		"scope":        app.AllowsScope("openid"),
		"basic":        app.AllowsAuthMethod(AuthMethodSecretBasic),
		"no secret":    app.VerifyPassword(""),
		"some secret":  app.VerifyPassword("secret"),
		"skip consent": app.SkipsConsent(),
		"verified":     app.IsVerified(),
		"origin":       app.AllowsOrigin("https://rp.test"),
		"token":        app.AllowsResponseType(ResponseTypeToken),
		"confidential": !app.IsPublic(),
	}
	for name, allowed := range checks {
		if allowed {
			t.Errorf("%s: got allowed, want refused", name)
		}
	}
}

func TestValidateApplication(t *testing.T) {
	cases := []struct {
		name   string
		change func(*AbstractApplication)
		field  string // of the one problem; empty: none
	}{
		{"valid", func(*AbstractApplication) {}, ""},
		{"no client id", func(a *AbstractApplication) { a.ClientID = "" }, "client_id"},
		{"blank in client id", func(a *AbstractApplication) { a.ClientID = "a b" }, "client_id"},
		{"control character in name", func(a *AbstractApplication) { a.Name = "a\x1bb" }, "name"},
		{"direction mark in name", func(a *AbstractApplication) { a.Name = "a\u202eb" }, "name"},
		{"hidden character in name", func(a *AbstractApplication) { a.Name = "a\u200bb" }, "name"},
		{"blank name", func(a *AbstractApplication) { a.Name = " \u3000" }, "name"},
		{"blank that is a symbol", func(a *AbstractApplication) { a.Name = "\u2800 \U0001d159" }, "name"},
		{"blank that is a letter", func(a *AbstractApplication) { a.Name = "\u3164" }, "name"},
		{"marks on nothing", func(a *AbstractApplication) { a.Name = "\u0301\ufe0f\U000e0101" }, "name"},
		{"marks on a letter", func(a *AbstractApplication) { a.Name = "e\u0301" }, ""},
		{"long name", func(a *AbstractApplication) { a.Name = strings.Repeat("é", 101) }, "name"},
		{"no client type", func(a *AbstractApplication) { a.ClientType = "" }, "client_type"},
		{"code without redirect URI", func(a *AbstractApplication) { a.RedirectURIs = nil }, "redirect_uris"},
		{"R-05 fragment", func(a *AbstractApplication) { a.RedirectURIs = URIs{"https://rp.test/cb#"} }, "redirect_uris"},
		{"R-16 wildcard", func(a *AbstractApplication) { a.RedirectURIs = URIs{"https://*.rp.test/cb"} }, "redirect_uris"},
		{"R-17 http", func(a *AbstractApplication) { a.RedirectURIs = URIs{"http://rp.test/cb"} }, "redirect_uris"},
		{"R-24 javascript", func(a *AbstractApplication) { a.RedirectURIs = URIs{"javascript:alert(1)"} }, "redirect_uris"},
		{"logout URI", func(a *AbstractApplication) { a.PostLogoutRedirectURIs = URIs{"/out"} }, "post_logout_redirect_uris"},
		{"origin with path", func(a *AbstractApplication) { a.AllowedOrigins = URIs{"https://rp.test/"} }, "allowed_origins"},
		{"scope with quote", func(a *AbstractApplication) { a.Scopes = Scopes{`a"b`} }, "scopes"},
		{"response types", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{"code", "id_token token"} }, ""},
		{"response type in another order", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{"token id_token"} }, "response_types"},
		{"response type with a word twice", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{"code code"} }, "response_types"},
		{"response type with two spaces", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{" code"} }, "response_types"},
		{"response type with comma", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{"code,token"} }, "response_types"},
		{"empty response type", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{""} }, "response_types"},
		{"long response type", func(a *AbstractApplication) { a.ResponseTypes = ResponseTypes{ResponseType(strings.Repeat("x", 101))} }, "response_types"},
		{"21 response types", func(a *AbstractApplication) { a.ResponseTypes = make(ResponseTypes, 21) }, "response_types"},
		{"PKCE nonce", func(a *AbstractApplication) { a.PKCE = PKCENonce }, ""},
		{"unknown PKCE policy", func(a *AbstractApplication) { a.PKCE = "plain" }, "pkce"},
		{"public and required", func(a *AbstractApplication) { a.ClientType, a.PKCE = Public, PKCERequired }, ""},
		{"A-14 public and nonce", func(a *AbstractApplication) { a.ClientType, a.PKCE = Public, PKCENonce }, "pkce"},
		{"A-14 public and optional", func(a *AbstractApplication) { a.ClientType, a.PKCE = Public, PKCEOptional }, "pkce"},
		{"empty grant type", func(a *AbstractApplication) { a.GrantTypes = append(a.GrantTypes, "") }, "grant_types"},
		{"unknown algorithm", func(a *AbstractApplication) { a.Algorithm = "none" }, "algorithm"},
		{"HS256", func(a *AbstractApplication) { a.Algorithm = "HS256" }, "algorithm"},
		{"negative age", func(a *AbstractApplication) { age := -1; a.DefaultMaxAge = &age }, "default_max_age"},
		{"long age", func(a *AbstractApplication) { age := 1 << 31; a.DefaultMaxAge = &age }, "default_max_age"},
		{"resource with a fragment", func(a *AbstractApplication) { a.Resources = URIs{"https://api.test#a"} }, "resources"},
		{"resource with white space", func(a *AbstractApplication) { a.Resources = URIs{"urn:a\tb"} }, "resources"},
		{"relative default resource", func(a *AbstractApplication) { a.DefaultResources = URIs{"/api"} }, "default_resources"},
		{"default that is not a resource", func(a *AbstractApplication) {
			a.Resources, a.DefaultResources = URIs{"https://api.test"}, URIs{"https://other.test"}
		}, "default_resources"},
		{"many defaults", func(a *AbstractApplication) {
			for i := range 11 {
				a.DefaultResources = append(a.DefaultResources, fmt.Sprintf("https://api%d.test", i))
			}
		}, "default_resources"},
		{"confidential without authentication", func(a *AbstractApplication) { a.TokenEndpointAuthMethod = "none" }, "token_endpoint_auth_method"},
		{"method with a blank", func(a *AbstractApplication) { a.TokenEndpointAuthMethod = "private key" }, "token_endpoint_auth_method"},
		{"method that is too long", func(a *AbstractApplication) { a.TokenEndpointAuthMethod = strings.Repeat("a", 256) }, "token_endpoint_auth_method"},
		{"method of a host", func(a *AbstractApplication) {
			a.TokenEndpointAuthMethod = "https://example.com/" + strings.Repeat("a", 235)
		}, ""},
		{"private key", func(a *AbstractApplication) { a.ClientJWKS = `{"keys":[{"kty":"EC","d":"x"}]}` }, "client_jwks"},
		{"no key", func(a *AbstractApplication) { a.ClientJWKS = `{"keys":[]}` }, "client_jwks"},
		{"keys over http", func(a *AbstractApplication) { a.ClientJWKSURI = "http://rp.test/jwks" }, "client_jwks_uri"},
		{"public with client_credentials", func(a *AbstractApplication) {
			a.ClientType, a.GrantTypes = Public, GrantTypes{oauth2.ClientCredentials}
		}, "grant_types"},
		{"public with secret", func(a *AbstractApplication) {
			a.ClientType, a.TokenEndpointAuthMethod = Public, AuthMethodSecretBasic
		}, "token_endpoint_auth_method"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			app := webApplication()
			tc.change(&app)
			err := ValidateApplication(&app)
			var problems Problems
			errors.As(err, &problems)
			switch {
			case tc.field == "" && err != nil:
				t.Errorf("got %v, want no problem", err)
			case tc.field != "" && (len(problems) != 1 || len(problems.Of(tc.field)) != 1):
				t.Errorf("got %v, want one problem of %s", err, tc.field)
			}
		})
	}
}

func TestHostRulesAreAdded(t *testing.T) {
	app := &myApplication{AbstractApplication: webApplication()}
	app.ClientType = "other"
	var problems Problems
	if !errors.As(ValidateApplication(app), &problems) || len(problems.Of("agree")) != 1 || len(problems.Of("client_type")) != 1 {
		t.Errorf("got %v, want a problem of the host and one of the library", problems)
	}
}

func TestST04_SecretHashIsRedacted(t *testing.T) {
	app := webApplication()
	plain := app.GenerateSecret()
	hash := string(app.ClientSecret)
	document, err := json.Marshal(map[string]any{"app": app, "hash": app.ClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "hash", app.ClientSecret, "app", app)
	texts := []string{string(document), log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		texts = append(texts, fmt.Sprintf(verb, app), fmt.Sprintf(verb, app.ClientSecret))
	}
	for _, text := range texts {
		if strings.Contains(text, plain) || strings.Contains(text, hash) {
			t.Errorf("got %s, want neither the secret nor its hash", text)
		}
	}
}

func TestSecrets(t *testing.T) {
	app := webApplication()
	first := app.GenerateSecret()
	if !app.VerifyPassword(first) {
		t.Fatal("got the generated secret refused, want accepted")
	}
	second := app.GenerateSecret()
	for name, presented := range map[string]string{
		"previous secret": first, "empty": "", "prefix": second[:20], "longer": second + "x",
		"T-16 case": strings.ToUpper(second), "ST-02 the stored hash": string(app.ClientSecret),
	} {
		if app.VerifyPassword(presented) {
			t.Errorf("%s: got accepted, want refused", name)
		}
	}
	app.ImportSecret("")
	if app.VerifyPassword("") {
		t.Error("T-19: got an empty secret accepted, want refused")
	}
}

func TestColumnsRoundTrip(t *testing.T) {
	uris := URIs{"https://a.test/cb", "https://b.test/cb"}
	text, err := uris.Value()
	if err != nil || text != "https://a.test/cb https://b.test/cb" {
		t.Fatalf("got %q, %v; want the URIs separated by a space", text, err)
	}
	var read URIs
	if err := read.Scan([]byte("https://a.test/cb\r\n https://b.test/cb\n")); err != nil || !slices.Equal(read, uris) {
		t.Errorf("got %q, %v; want %q, separated by any white space", read, err, uris)
	}
	var grants GrantTypes
	if err := grants.Scan("authorization_code refresh_token"); err != nil || !slices.Equal(grants, GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing}) {
		t.Errorf("got %q, %v; want both grants", grants, err)
	}
	var scopes Scopes
	if err := scopes.Scan(42); err == nil {
		t.Error("Scan(42): got no error, want one")
	}
}
