package oauthhttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

type (
	ownGrants       struct{ oauthkit.AbstractApplication }
	ownRedirectURI  struct{ oauthkit.AbstractApplication }
	ownScopes       struct{ oauthkit.AbstractApplication }
	ownAuthMethod   struct{ oauthkit.AbstractApplication }
	ownResponses    struct{ oauthkit.AbstractApplication }
	ownOrigin       struct{ oauthkit.AbstractApplication }
	ownLogoutTarget struct{ oauthkit.AbstractApplication }
	ownBackChannel  struct{ oauthkit.AbstractApplication }
	ownFrontChannel struct{ oauthkit.AbstractApplication }
	ownPushing      struct{ oauthkit.AbstractApplication }
	ownPKCE         struct{ oauthkit.AbstractApplication }
	ownLifetime     struct{ oauthkit.AbstractApplication }
	ownAlgorithm    struct{ oauthkit.AbstractApplication }
	ownIDClaims     struct{ oauthkit.AbstractApplication }
	ownIss          struct{ oauthkit.AbstractApplication }
	ownAPIs         struct{ oauthkit.AbstractApplication }
	ownDefaultAPIs  struct{ oauthkit.AbstractApplication }
	ownSignInAge    struct{ oauthkit.AbstractApplication }
)

func (*ownGrants) AllowsGrant(grant oauth2.GrantType) bool { return grant != oauth2.Implicit }
func (*ownRedirectURI) AllowsRedirectURI(uri string) bool  { return uri == "https://own.test/cb" }
func (*ownScopes) AllowsScope(scope string) bool           { return scope == "write" }
func (*ownAuthMethod) AllowsAuthMethod(method string) bool {
	return method == oauthkit.AuthMethodSecretPost
}
func (*ownResponses) AllowsResponseType(oauthkit.ResponseType) bool { return false }
func (*ownOrigin) AllowsOrigin(origin string) bool                  { return origin == "https://own.test" }
func (*ownPushing) RequiresPushedRequests() bool                    { return true }
func (*ownPKCE) PKCEPolicy() oauthkit.PKCEPolicy                    { return oauthkit.PKCEOptional }
func (*ownLifetime) AccessTokenLifetime() time.Duration             { return 7 * time.Minute }
func (*ownIDClaims) WantsIDTokenClaims(byDefault bool) bool         { return !byDefault }
func (*ownIss) OmitsIssInErrors() bool                              { return true }
func (*ownAPIs) AllowsResource(resource string) bool                { return resource == "https://own.test/api" }
func (*ownSignInAge) MaxSignInAge() (time.Duration, bool)           { return 0, true }
func (*ownDefaultAPIs) ResourcesByDefault() oauthkit.URIs {
	return oauthkit.URIs{"https://own.test/api"}
}
func (a *ownAlgorithm) IDTokenAlgorithm() string {
	if a.Name == "Weak" {
		return "none"
	}
	return "ES256"
}
func (*ownBackChannel) BackChannelLogout() oauthkit.LogoutTarget {
	return oauthkit.LogoutTarget{URI: "https://own.test/back", SessionRequired: true}
}
func (*ownFrontChannel) FrontChannelLogout() oauthkit.LogoutTarget {
	return oauthkit.LogoutTarget{URI: "https://rp.test/front", SessionRequired: true}
}
func (*ownLogoutTarget) AllowsPostLogoutRedirectURI(uri string) bool {
	return uri == "https://own.test/bye"
}

// permissionOverrides returns the overrides of permissions and tokens.
func permissionOverrides() []override {
	return []override{
		overriding[ownGrants]("AllowsGrant", showGrants),
		overriding[ownRedirectURI]("AllowsRedirectURI", showRedirectURI),
		overriding[ownScopes]("AllowsScope", showScopes),
		overriding[ownAuthMethod]("AllowsAuthMethod", showAuthMethod),
		overriding[ownResponses]("AllowsResponseType", func(o *overridden) {
			o.create()
			o.refuses(o.authorize(), "unauthorized_client")
		}),
		overriding[ownOrigin]("AllowsOrigin", showOrigin),
		overriding[ownLogoutTarget]("AllowsPostLogoutRedirectURI", showLogoutTarget),
		overriding[ownBackChannel]("BackChannelLogout", func(o *overridden) {
			o.create()
			o.wants("own", oauthkit.BackChannelLogout(o.application()), oauthkit.LogoutTarget{URI: "https://own.test/back", SessionRequired: true})
		}),
		overriding[ownFrontChannel]("FrontChannelLogout", func(o *overridden) {
			o.create()
			o.wants("own", oauthkit.FrontChannelLogout(o.application()), oauthkit.LogoutTarget{URI: "https://rp.test/front", SessionRequired: true})
		}),
		overriding[ownPushing]("RequiresPushedRequests", func(o *overridden) {
			o.create()
			o.refuses(o.authorize(), "invalid_request")
		}),
		overriding[ownPKCE]("PKCEPolicy", showPKCE),
		overriding[ownLifetime]("AccessTokenLifetime", showLifetime),
		overriding[ownAlgorithm]("IDTokenAlgorithm", showAlgorithm),
		overriding[ownIDClaims]("WantsIDTokenClaims", showIDTokenClaims),
		overriding[ownIss]("OmitsIssInErrors", showIss),
		overriding[ownAPIs]("AllowsResource", func(o *overridden) {
			o.create()
			status, document := o.actsForItself(storedSecret, "resource", "https://other.test/api")
			o.wants("another API", fmt.Sprintf("%d %s", status, document["error"]), "400 invalid_target")
			status, _ = o.actsForItself(storedSecret, "resource", "https://own.test/api")
			o.wants("its own API", status, http.StatusOK)
		}),
		overriding[ownDefaultAPIs]("ResourcesByDefault", func(o *overridden) {
			o.create()
			_, document := o.actsForItself(storedSecret)
			token, err := o.provider.Authenticate(o.Context(), oauthkit.BearerToken(fmt.Sprint(document["access_token"])))
			if err != nil {
				o.Fatal(err)
			}
			o.wants("APIs of the token", token.Resources.String(), "https://own.test/api")
		}),
		overriding[ownSignInAge]("MaxSignInAge", func(o *overridden) {
			o.create()
			login, _, _ := strings.Cut(o.authorize().Header().Get("Location"), "?")
			o.wants("the next page", login, "/login")
		}),
	}
}

// refuses expects an error page: the application is not verified, so the user is not
// redirected to it.
func (o *overridden) refuses(answer *httptest.ResponseRecorder, code string) {
	o.Helper()
	if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "<code>"+code+"</code>") {
		o.Errorf("got %d: %s, want %s shown", answer.Code, answer.Body, code)
	}
}

// showGrants uses an application without stored grant types, which can only be stored
// with a redirect URI.
func showGrants(o *overridden) {
	none := func(app *oauthkit.AbstractApplication) { app.GrantTypes = nil }
	err := o.tryCreate(none, func(app *oauthkit.AbstractApplication) { app.RedirectURIs = nil })
	var problems oauthkit.Problems
	if !errors.As(err, &problems) || problems.Of("redirect_uris") == nil {
		o.Errorf("storing: got %v, want a problem: it may use codes and has no redirect URI", err)
	}
	o.create(none)
	_, tokens := o.exchange(o.approve())
	refresh, _ := tokens["refresh_token"].(string)
	if refresh == "" {
		o.Fatalf("got %v, want a refresh token", tokens)
	}
	status, _ := o.post("token", storedSecret, values([]string{"grant_type", "refresh_token", "refresh_token", refresh}))
	o.wants("refresh", status, http.StatusOK)
	status, _ = o.actsForItself(storedSecret)
	o.wants("client credentials", status, http.StatusOK)
}

func showRedirectURI(o *overridden) {
	o.create()
	code := o.approve("redirect_uri", "https://own.test/cb")
	status, _ := o.exchange(code, "redirect_uri", "https://own.test/cb")
	o.wants("token", status, http.StatusOK)
	o.wants("authorize with the listed one", o.authorize().Code, http.StatusBadRequest)
}

// showScopes also introspects a token of another application, which the override
// refuses.
func showScopes(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) { app.Scopes = oauthkit.Scopes{"read", "introspection"} })
	o.refuses(o.authorize("scope", "read"), "invalid_scope")
	_, tokens := o.exchange(o.approve("scope", "write"))
	o.wants("code", tokens["scope"], "write")
	status, tokens := o.actsForItself(storedSecret, "scope", "write")
	o.wants("client credentials", status, http.StatusOK)
	status, _ = o.actsForItself(storedSecret, "scope", "read")
	o.wants("client credentials with a listed scope", status, http.StatusBadRequest)

	other := o.store.NewApplication()
	*oauthkit.Abstract(other) = oauthkit.AbstractApplication{
		ClientID: "api", ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"introspection"},
	}
	if err := o.store.CreateApplication(o.Context(), other, time.Now()); err != nil {
		o.Fatal(err)
	}
	if _, err := o.provider.Introspect(o.Context(), other, tokens["access_token"].(string)); !errors.Is(err, oauthkit.ErrNotFound) {
		o.Errorf("introspection: got %v, want an inactive token", err)
	}
}

func showAuthMethod(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) { app.TokenEndpointAuthMethod = oauthkit.AuthMethodSecretBasic })
	status, _ := o.actsForItself(storedSecret)
	o.wants("client_secret_basic", status, http.StatusUnauthorized)
	status, document := o.actsForItself("", "client_id", "web", "client_secret", storedSecret)
	o.wants("client_secret_post", status, http.StatusOK)
	token, _ := document["access_token"].(string)
	_, document = o.post("introspect", "", values([]string{"client_id", "web", "client_secret", storedSecret, "token", token}))
	o.wants("introspection", document["active"], true)
}

func showOrigin(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{"https://listed.test"} })
	o.wants("own", o.allowedOrigin("https://own.test"), "https://own.test")
	o.wants("listed", o.allowedOrigin("https://listed.test"), "")
}

// allowedOrigin returns the origin whose scripts may read the response of the token
// endpoint.
func (o *overridden) allowedOrigin(origin string) string {
	request := httptest.NewRequest(http.MethodPost, "https://as.test/o/token", strings.NewReader("grant_type=client_credentials"))
	request.SetBasicAuth("web", storedSecret)
	request.Header.Set("Origin", origin)
	return o.do(request, "application/x-www-form-urlencoded").Header().Get("Access-Control-Allow-Origin")
}

// showPKCE uses an application that is stored as one that must use PKCE.
func showPKCE(o *overridden) {
	o.wantsProblem("storing", "pkce", o.tryCreate(func(app *oauthkit.AbstractApplication) {
		app.ClientType, app.GrantTypes = oauthkit.Public, oauthkit.GrantTypes{oauth2.AuthorizationCode}
	}))
	o.create(func(app *oauthkit.AbstractApplication) { app.PKCE = oauthkit.PKCERequired })
	without := []string{"code_challenge", "", "code_challenge_method", ""}
	status, _ := o.exchange(o.approve(without...), "code_verifier", "")
	o.wants("token", status, http.StatusOK)
	_, document := o.json(http.MethodGet, "/o/api/applications/web", "")
	o.wants("JSON", document["pkce"], "optional")
}

// application returns the stored application, as an extension finds it.
func (o *overridden) application() oauthkit.Application {
	o.Helper()
	app, err := o.provider.Application(o.Context(), "web")
	if err != nil {
		o.Fatal(err)
	}
	return app
}

// showLogoutTarget calls the method as a logout endpoint would. There is none yet.
func showLogoutTarget(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) {
		app.PostLogoutRedirectURIs = oauthkit.URIs{"https://rp.test/bye"}
	})
	app := o.application()
	o.wants("own", oauthkit.AllowsPostLogoutRedirectURI(app, "https://own.test/bye"), true)
	o.wants("listed", oauthkit.AllowsPostLogoutRedirectURI(app, "https://rp.test/bye"), false)
}

// showLifetime compares the lifetime in the response with the stored one.
func showLifetime(o *overridden) {
	o.create()
	_, first := o.exchange(o.approve())
	_, second := o.post("token", storedSecret, values([]string{"grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string)}))
	_, third := o.actsForItself(storedSecret)
	for name, tokens := range map[string]map[string]any{"code": first, "refresh": second, "client credentials": third} {
		o.wants(name, tokens["expires_in"], 420.0)
		_, token := o.post("introspect", storedSecret, values([]string{"token", tokens["access_token"].(string)}))
		if token["active"] != true || token["exp"].(float64)-token["iat"].(float64) != 420 {
			o.Errorf("%s: got %v from introspection, want 420 seconds", name, token)
		}
	}
}

func showAlgorithm(o *overridden) {
	o.wantsProblem("storing", "algorithm", o.tryCreate(func(app *oauthkit.AbstractApplication) { app.Name = "Weak" }))
	o.create(func(app *oauthkit.AbstractApplication) { app.Algorithm = "RS256" })
	_, tokens := o.exchange(o.approve("scope", "openid"))
	_, again := o.post("token", storedSecret, values([]string{"grant_type", "refresh_token", "refresh_token", tokens["refresh_token"].(string)}))
	for name, document := range map[string]map[string]any{"code": tokens, "refresh": again} {
		token, _ := document["id_token"].(string)
		o.wants(name, joseHeader(o.T, token)["alg"], "ES256")
	}
}

func showIDTokenClaims(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) {
		app.IDTokenClaims, app.Scopes = new(bool), append(app.Scopes, "profile")
	})
	_, tokens := o.exchange(o.approve("scope", "openid profile"))
	token, _ := tokens["id_token"].(string)
	o.wants("ID token", joseClaims(o.T, token)["name"], "Alice")
}

func showIss(o *overridden) {
	o.create(func(app *oauthkit.AbstractApplication) { app.Verified = true })
	response, err := url.Parse(o.authorize("scope", "nonsense").Header().Get("Location"))
	if err != nil || response.Query().Get("error") != "invalid_scope" {
		o.Errorf("got %v, %v; want an error response", response, err)
		return
	}
	o.wants("iss in an error response", response.Query().Has("iss"), false)
}
