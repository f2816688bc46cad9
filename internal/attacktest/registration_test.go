package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRegistration tests which applications can be registered on the page, in JSON,
// and in Go, like the operator's command does.
func TestRegistration(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "N-01 no registration without a user", Test: noRegistration},
		{Name: "N-03 authentication methods", Test: registeredMethods},
		{Name: "N-04 redirect URIs", Test: registeredURIs},
		{Name: "N-06 members that an owner may not set", Test: registeredMembers},
		{Name: "N-07 values that an owner may not choose", Test: registeredPrivileges},
	})
}

// registration returns a valid document with additional members.
func registration(more string) string {
	document := `{"name":"Mine","client_type":"confidential","grant_types":["authorization_code","refresh_token"],"redirect_uris":["https://mine.test/cb"],"scopes":["openid","api:read"]`
	if more != "" {
		document += "," + more
	}
	return document + "}"
}

// sendJSON sends a document like a script of the server's own pages.
func sendJSON(browser *fixture.Browser, method, path, document string) *fixture.Answer {
	return browser.Do(managedRoute{method, path, "application/json", document}.request(""))
}

// registerJSON registers an application and returns its client_id and secret.
func registerJSON(t *testing.T, s *fixture.Server, browser *fixture.Browser, document string) (clientID, secret string) {
	t.Helper()
	answer := sendJSON(browser, http.MethodPost, "/o/api/applications", document)
	clientID, _ = answer.Members()["client_id"].(string)
	secret, _ = answer.Members()["client_secret"].(string)
	if answer.Status != http.StatusCreated || clientID == "" {
		t.Fatalf("%s: got %d %s, want 201", document, answer.Status, answer.Body)
	}
	return clientID, secret
}

// storedApplication returns the stored application.
func storedApplication(t *testing.T, s *fixture.Server, clientID string) *oauthkit.AbstractApplication {
	t.Helper()
	app, err := s.Store.Application(t.Context(), clientID)
	if err != nil {
		t.Fatalf("finding %s: %v", clientID, err)
	}
	return oauthkit.Abstract(app)
}

func noRegistration(t *testing.T, s *fixture.Server) {
	const dynamic = `{"redirect_uris":["https://evil.test/cb"],"client_name":"Evil","token_endpoint_auth_method":"none"}`
	for _, path := range []string{"/o/register", "/o/register/", "/o/connect/register", "/o/.well-known/register", "/.well-known/register/o"} {
		s.Do(fixture.NewPost(path, "application/json", dynamic)).ErrorPage(404)
	}
	for _, name := range []string{"openid-configuration", "oauth-authorization-server"} {
		document := s.Do(fixture.NewRequest(http.MethodGet, "/o/.well-known/"+name, nil)).OK()
		if document.Members()["registration_endpoint"] != nil {
			t.Errorf("%s: got a registration_endpoint, want none in %s", name, document.Body)
		}
	}
	anonymous := s.Browser("")
	sendJSON(anonymous, http.MethodPost, "/o/api/applications", registration("")).ErrorJSON(403, "login_required")
	anonymous.Post("/o/applications/register/", url.Values{"name": {"Mine"}}).Login()
	checkUnchanged(t, s)
}

// registeredMethods expects a secret only for methods that use one, and no
// authentication without it.
func registeredMethods(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for method, secret := range map[string]bool{"": true, "client_secret_basic": true, "client_secret_post": true} {
		id, got := registerJSON(t, s, alice, registration(`"token_endpoint_auth_method":"`+method+`"`))
		if (got != "") != secret {
			t.Errorf("%q: got secret %q, want one only if the method uses it", method, got)
		}
		for _, form := range []url.Values{{"client_id": {id}}, {"client_id": {id}, "client_secret": {""}}} {
			form.Set("grant_type", "refresh_token")
			form.Set("refresh_token", "x")
			s.Do(fixture.NewRequest(http.MethodPost, "/o/token", form)).Unauthorized()
		}
		public := strings.Replace(registration(`"token_endpoint_auth_method":"`+method+`"`), "confidential", "public", 1)
		if answer := sendJSON(alice, http.MethodPost, "/o/api/applications", public); (answer.Status == http.StatusCreated) != (method == "") || strings.Contains(answer.Body, "ocs_") {
			t.Errorf("%q, public: got %d %s, want no secret", method, answer.Status, answer.Body)
		}
	}
	for _, refused := range []string{`"token_endpoint_auth_method":"none"`, `"token_endpoint_auth_method":"private_key_jwt"`, `"token_endpoint_auth_method":"NONE"`, `"client_type":"Public"`, `"client_type":""`} {
		document := registration("")
		if strings.Contains(refused, "client_type") {
			document = strings.Replace(document, `"client_type":"confidential"`, refused, 1)
		} else {
			document = registration(refused)
		}
		sendJSON(alice, http.MethodPost, "/o/api/applications", document).ErrorJSON(422, "invalid_request")
	}
	id, secret := registerJSON(t, s, alice, registration(""))
	public := strings.Replace(registration(""), "confidential", "public", 1)
	sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, public).OK()
	sendJSON(alice, http.MethodPut, "/o/api/applications/"+id, registration("")).OK() // back to the default
	if app := storedApplication(t, s, id); app.VerifyPassword(secret) || app.VerifyPassword("") || app.ClientSecret != "" {
		t.Errorf("got %v, want no secret until a new one is generated", app.ClientSecret)
	}
}

// executableURIs are those of row R-24 and other invalid redirect URIs.
var executableURIs = []string{
	"javascript:alert(1)", "JaVaScRiPt://rp.test/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///x", "blob:x", "about:blank", "mailto:a@b",
	"ftp://x/", "java\tscript:x", "urn:ietf:wg:oauth:2.0:oob", "https://*.mine.test/cb", "http://mine.test/cb", "https://mine.test/cb#x", "//mine.test/cb", "x", "",
}

func registeredURIs(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	document := func(uris string) string {
		return strings.Replace(registration(""), `["https://mine.test/cb"]`, uris, 1)
	}
	refused := map[string]int{
		`null`: 422, `[]`: 422, `"https://mine.test/cb"`: 400, `"x"`: 400, `[1]`: 400, `[null]`: 422, `[["https://mine.test/cb"]]`: 400, `{}`: 400,
		`["https://mine.test/cb"` + strings.Repeat(`,"https://mine.test/cb"`, 1000) + `]`: 400,
	}
	for _, uri := range executableURIs {
		refused[`["https://mine.test/cb","`+strings.ReplaceAll(uri, "\t", `\t`)+`"]`] = 422
	}
	for uris, status := range refused {
		sendJSON(alice, http.MethodPost, "/o/api/applications", document(uris)).ErrorJSON(status, "invalid_request")
	}
	for _, uri := range executableURIs {
		if got := submit(alice, "/o/applications/register/", url.Values{
			"name": {"Mine"}, "client_type": {"confidential"}, "grant_types": {"authorization_code"}, "redirect_uris": {uri},
		}); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%q: got %d, want the form again", uri, got.Status)
		}
	}
	checkUnchanged(t, s)
	for _, uri := range executableURIs {
		app := &oauthkit.AbstractApplication{
			ClientID: oauthkit.NewClientID(), ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, RedirectURIs: oauthkit.URIs{uri},
		}
		if _, err := s.Register(app); err == nil {
			t.Errorf("%q: got no error in Go, want one as well", uri)
		}
	}
}

// undecided lists the members that an owner may not set, and some that have been used
// against other servers.
const undecided = `"client_id":"chosen","ClientID":"chosen","client_secret":"chosen","ClientSecret":"sha256$x","user":"bob","user_id":"bob","UserID":"bob","owner":"bob",
	"is_admin":true,"trusted":true,"skip_consent":true,"skip_authorization":true,"verified":true,"disabled":true,"registration_source":"dcr",
	"require_pushed_authorization_requests":true,"created_at":"2000-01-01T00:00:00Z","updated_at":"2000-01-01T00:00:00Z","tenant":"x",
	"client_jwks":"{\"keys\":[{\"kty\":\"oct\",\"k\":\"x\"}]}","client_jwks_uri":"https://evil.test/jwks","cimd_expires_at":"2100-01-01T00:00:00Z",
	"previous_secret":"x","pkce":"optional","PKCE":"optional","AbstractApplication":{"Verified":true},"ApplicationForm":{"name":"x"}`

func registeredMembers(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	id, secret := registerJSON(t, s, alice, registration(undecided))
	app := storedApplication(t, s, id)
	if id == "chosen" || app.UserID != "alice" || !app.VerifyPassword(secret) || app.VerifyPassword("chosen") {
		t.Errorf("got %+v, want alice as its owner, and a generated id and secret", app)
	}
	if app.SkipAuthorization || app.Verified || app.Disabled || app.RequirePushedAuthorizationRequests || app.RegistrationSource != oauthkit.RegisteredManually {
		t.Errorf("got %+v, want no property that only an operator may set", app)
	}
	if app.CreatedAt.Year() == 2000 || app.UpdatedAt.Year() == 2000 || app.ClientJWKS+app.ClientJWKSURI != "" || app.CIMDExpiresAt != nil || app.PreviousSecret != "" || app.PKCE != "" {
		t.Errorf("got %+v, want the defaults", app)
	}
	page := submit(alice, "/o/applications/register/", url.Values{
		"name": {"Mine"}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb"},
		"client_id": {"chosen"}, "user": {"bob"}, "skip_authorization": {"true"}, "verified": {"true"}, "fields.verified": {"true"}, "fields.user_id": {"bob"}, "pkce": {"optional"}, "fields.pkce": {"optional"},
	})
	parts := strings.Split(strings.Trim(page.Location(), "/"), "/")
	if app := storedApplication(t, s, parts[len(parts)-1]); app.ClientID == "chosen" || app.UserID != "alice" || app.SkipAuthorization || app.Verified || app.PKCE != "" {
		t.Errorf("got %+v, want no property that only an operator may set", app)
	}
}

func registeredPrivileges(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, grant := range []string{"client_credentials", "password", "implicit", "urn:ietf:params:oauth:grant-type:token-exchange", "AUTHORIZATION_CODE", ""} {
		document := strings.Replace(registration(""), `"refresh_token"`, `"`+grant+`"`, 1)
		sendJSON(alice, http.MethodPost, "/o/api/applications", document).ErrorJSON(422, "invalid_request")
	}
	for _, scope := range []string{"admin", "api:write", "introspection", "openid api:write", ""} {
		document := strings.Replace(registration(""), `"api:read"`, `"`+scope+`"`, 1)
		sendJSON(alice, http.MethodPost, "/o/api/applications", document).ErrorJSON(422, "invalid_request")
	}
	for _, responseType := range []string{"token", "id_token", "code token", "code code", "code,token", "CODE", ""} {
		sendJSON(alice, http.MethodPost, "/o/api/applications", registration(`"response_types":["`+responseType+`"]`)).ErrorJSON(422, "invalid_request")
	}
	checkUnchanged(t, s)
	// A member of RFC 7591 that the provider ignores.
	id, _ := registerJSON(t, s, alice, registration(`"require_auth_time":true`))
	client := s.AddUnchecked(storedApplication(t, s, id))
	alice.Open(client.AuthorizeRequest("response_type=token")).ErrorPage(400)
	alice.Open(client.AuthorizeRequest("scope=openid api:write")).ErrorPage(400)
	client.ClientCredentials().ErrorJSON(400, "unauthorized_client")
}
