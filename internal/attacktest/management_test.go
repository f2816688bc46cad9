package attacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestManagement tests who may read and change applications and connected apps, on
// the pages and in JSON.
func TestManagement(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-02 forged forms", Test: forgedManagement},
		{Name: "M-02 a form token made without the cookie", Test: tokenOfNoBrowser},
		{Name: "M-02 reading changes nothing", Test: readingManagement},
		{Name: "M-05 fields that are in no form", Test: extraFields},
		{Name: "M-08 fields that only an operator may set", Test: privileges},
	})
}

// managedRoute is a route of the pages or the JSON for an application or a sign-in.
type managedRoute struct {
	method, path, mediaType, body string
}

const documentOfApplication = `{"name":"Changed","client_type":"public","grant_types":["authorization_code"],"redirect_uris":["https://evil.test/cb"]}`

// routesOf returns all routes that name an application or a sign-in. TOKEN stands for
// the form token.
func routesOf(clientID, authorizationID string) []managedRoute {
	const form, document = "application/x-www-form-urlencoded", "application/json"
	var routes []managedRoute
	id := url.PathEscape(clientID)
	for _, page := range []string{"applications/" + id + "/update/", "applications/" + id + "/delete/", "applications/" + id + "/secret/", "authorized_tokens/" + id + "/delete/", "authorized_tokens/" + id + "/" + authorizationID + "/delete/"} {
		routes = append(routes, managedRoute{http.MethodGet, "/o/" + page, "", ""},
			managedRoute{http.MethodPost, "/o/" + page, form, "token=TOKEN&name=Changed&client_type=public&redirect_uris=https%3A%2F%2Fevil.test%2Fcb"})
	}
	return append(routes,
		managedRoute{http.MethodGet, "/o/applications/" + id + "/", "", ""},
		managedRoute{http.MethodGet, "/o/api/applications/" + id, "", ""},
		managedRoute{http.MethodPut, "/o/api/applications/" + id, document, documentOfApplication},
		managedRoute{http.MethodDelete, "/o/api/applications/" + id, "", ""},
		managedRoute{http.MethodPost, "/o/api/applications/" + id + "/secret", document, "{}"},
		managedRoute{http.MethodDelete, "/o/api/authorized_tokens/" + id, "", ""},
		managedRoute{http.MethodDelete, "/o/api/authorized_tokens/" + id + "/" + authorizationID, "", ""},
	)
}

// request returns the request that a browser sends from a page of the server.
func (r managedRoute) request(token string) *http.Request {
	request := fixture.NewPost(r.path, r.mediaType, strings.Replace(r.body, "TOKEN", url.QueryEscape(token), 1))
	request.Method = r.method
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return request
}

// owned registers an application of a user.
func owned(t *testing.T, s *fixture.Server, user string) *fixture.Client {
	t.Helper()
	return register(t, s, &oauthkit.AbstractApplication{
		Name: "Printer of " + user, UserID: user, ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://printer.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
	})
}

// signInsOf returns the ids of the user's sign-ins from the JSON.
func signInsOf(_ *fixture.Server, browser *fixture.Browser) []string {
	return signInIDs(browser.Get("/o/api/authorized_tokens"))
}

func signInIDs(list *fixture.Answer) []string {
	var ids []string
	for _, match := range regexp.MustCompile(`"id":"([^"]+)"`).FindAllStringSubmatch(list.OK().Body, -1) {
		ids = append(ids, match[1])
	}
	return ids
}

// forgedManagement sends the owner's requests from somewhere else than the page.
func forgedManagement(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	alice.Tokens(client)
	signIn := signInsOf(s, alice)[0]
	elsewhere := s.Browser("alice")
	for _, route := range routesOf(client.ID, signIn) {
		if route.method == http.MethodGet {
			continue
		}
		page := route.mediaType == "application/x-www-form-urlencoded"
		if page {
			tokens := []string{"", "nonsense", tokenOf(alice.Get("/o/applications/register/")), tokenOf(elsewhere.Get(route.path))}
			for _, token := range tokens {
				alice.Do(route.request(token)).ErrorPage(403)
			}
		}
		token := tokenOf(alice.Get(route.path))
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"} {
			request := route.request(token)
			request.Header.Del("Sec-Fetch-Site")
			request.Header.Set(name, value)
			if answer := alice.Do(request); answer.Status != http.StatusForbidden {
				t.Errorf("%s with %s %s: got %d, want 403", answer, name, value, answer.Status)
			}
		}
	}
	before := tokenOf(alice.Get("/o/applications/" + client.ID + "/delete/"))
	alice.SignIn("alice")
	// The form of a session that has ended.
	alice.Post("/o/applications/"+client.ID+"/delete/", url.Values{"token": {before}}).ErrorPage(403)
	checkUnchanged(t, s)
}

// tokenOfNoBrowser uses a browser without the form cookie. An attacker can compute
// the token for an empty cookie from public values.
func tokenOfNoBrowser(t *testing.T, s *fixture.Server) {
	s.Users.OmitSessionIDs()
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	for _, act := range []string{"update", "delete", "secret"} {
		path := "/o/applications/" + client.ID + "/" + act + "/"
		mac := hmac.New(sha256.New, nil)
		mac.Write([]byte(path + "\x00alice\x00"))
		alice.Post(path, url.Values{"token": {base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}}).ErrorPage(403)
	}
	checkUnchanged(t, s)
}

// checkUnchanged expects no store call that changes managed data.
func checkUnchanged(t *testing.T, s *fixture.Server) {
	t.Helper()
	for _, act := range []string{"CreateApplication", "CreateApplicationWithin", "UpdateApplication", "DeleteApplication", "RevokeAuthorization", "RevokeConsent", "RevokeUser", "RevokeApplication"} {
		if slices.Contains(s.Store.Calls(), act) {
			t.Errorf("got the store call %s, want no change", act)
		}
	}
}

func readingManagement(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	alice.Tokens(client)
	signIn := signInsOf(s, alice)[0]
	for _, route := range routesOf(client.ID, signIn) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			request := fixture.NewRequest(method, route.path, url.Values{"name": {"Changed"}, "token": {"x"}, "confirm": {"yes"}, "_method": {"DELETE"}})
			request.Header.Set("X-HTTP-Method-Override", "DELETE")
			if answer := alice.Do(request); answer.Status != http.StatusOK && answer.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s: got %d, want 200 or 405", answer, answer.Status)
			}
		}
	}
	checkUnchanged(t, s)
}

// submit opens a page with a form and submits it with these values.
func submit(browser *fixture.Browser, path string, form url.Values) *fixture.Answer {
	form.Set("token", tokenOf(browser.Get(path).OK()))
	return browser.Post(path, form)
}

func extraFields(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	form := url.Values{
		"name": {"Changed"}, "client_type": {"confidential"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://printer.test/cb"},
		"user": {"bob"}, "user_id": {"bob"}, "UserID": {"bob"}, "client_id": {"mine"}, "client_secret": {"chosen"}, "skip_authorization": {"true"}, "verified": {"true"},
		"disabled": {"true"}, "registration_source": {"dcr"}, "fields.verified": {"true"}, "created_at": {"2000-01-01T00:00:00Z"},
	}
	if got := submit(alice, "/o/applications/"+client.ID+"/update/", form); got.Status != http.StatusSeeOther {
		t.Errorf("%s: got %d, want 303", got, got.Status)
	}
	checkOwn(t, s, client.ID)
	document := strings.TrimSuffix(documentOfApplication, "}") + `,"user":"bob","UserID":"bob","client_id":"mine","client_secret":"chosen","ClientSecret":"x",
		"skip_authorization":true,"verified":true,"disabled":true,"registration_source":"dcr"}`
	request := managedRoute{http.MethodPut, "/o/api/applications/" + client.ID, "application/json", document}.request("")
	alice.Do(request).OK()
	checkOwn(t, s, client.ID)
}

// checkOwn expects an application with another name and no other change.
func checkOwn(t *testing.T, s *fixture.Server, clientID string) {
	t.Helper()
	app, err := s.Provider.Application(t.Context(), clientID)
	if err != nil {
		t.Fatal(err)
	}
	abstract := oauthkit.Abstract(app)
	if abstract.Name != "Changed" || abstract.UserID != "alice" || abstract.SkipAuthorization || abstract.Verified || abstract.Disabled ||
		abstract.VerifyPassword("chosen") || abstract.RegistrationSource != oauthkit.RegisteredManually {
		t.Errorf("got %+v, want only the name changed", abstract)
	}
}

// privileges sets fields that only an operator may set.
func privileges(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for name, value := range map[string]string{"grant_types": "client_credentials", "scopes": "api:write", "response_types": "token"} {
		form := url.Values{
			"name": {"Mine"}, "client_type": {"confidential"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb"}, "scopes": {"api:read"},
		}
		form.Add(name, value)
		if got := submit(alice, "/o/applications/register/", form); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s: got %d, want the form again", name, value, got.Status)
		}
	}
	document := `{"name":"Mine","client_type":"confidential","grant_types":["client_credentials"],"scopes":["introspection"]}`
	answer := alice.Do(managedRoute{http.MethodPost, "/o/api/applications", "application/json", document}.request(""))
	answer.ErrorJSON(http.StatusUnprocessableEntity, "invalid_request")
	checkUnchanged(t, s)
}
