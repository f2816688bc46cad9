package attacktest

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestManagementPage tests what the pages and the JSON show and how they treat
// their input.
func TestManagementPage(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-03 script in stored names", Configure: scopeOfScript, Test: storedScript},
		{Name: "M-04 stored links", Test: storedLinks},
		{Name: "M-06 secrets shown again", Test: secretsShown},
		{Name: "M-07 tokens in lists", Test: listedTokens},
		{Name: "M-10 SQL in parameters of a list", Test: listParameters},
		{Name: "M-11 SQL in an id", Test: hostileIDs},
		{Name: "M-12 ids that can be guessed", Test: guessedIDs},
		{Name: "M-14 size of forms", Test: formLimits},
	})
}

const storedPayload = `"><img src=x onerror=1>{{.}}<script>alert(1)</script>`

func scopeOfScript(config *oauthkit.Config, _ storetest.Store) {
	config.Scopes = oauthkit.StaticScopes{"api:read": storedPayload, "api:write": ""}
}

// managementPages returns every page that shows an application whose owner
// also uses it.
func managementPages(s *fixture.Server, owner *fixture.Browser, clientID string) map[string]*fixture.Answer {
	id, signIn := url.PathEscape(clientID), signInsOf(s, owner)[0]
	pages := map[string]*fixture.Answer{}
	for _, path := range []string{
		"applications/", "applications/" + id + "/", "applications/" + id + "/update/", "applications/" + id + "/delete/", "applications/" + id + "/secret/",
		"authorized_tokens/", "authorized_tokens/" + id + "/delete/", "authorized_tokens/" + id + "/" + signIn + "/delete/",
	} {
		pages[path] = owner.Get("/o/" + path).OK()
	}
	return pages
}

func storedScript(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := register(t, s, &oauthkit.AbstractApplication{
		Name: storedPayload, UserID: "alice", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://printer.test/cb"},
	})
	alice.Tokens(client)
	for path, page := range managementPages(s, alice, client.ID) {
		if strings.Contains(page.Body, "<img") || strings.Contains(page.Body, "<script") || !strings.Contains(html.UnescapeString(page.Body), storedPayload) {
			t.Errorf("%s: got a page without the escaped name:\n%s", path, page.Body)
		}
	}
	again := submit(alice, "/o/applications/register/", url.Values{
		"name": {storedPayload}, "client_type": {storedPayload}, "redirect_uris": {storedPayload}, "scopes": {storedPayload}, "grant_types": {storedPayload},
		"algorithm": {storedPayload}, "token_endpoint_auth_method": {storedPayload}, storedPayload: {storedPayload},
	})
	if again.Status != http.StatusUnprocessableEntity || strings.Contains(again.Body, "<img") || strings.Contains(again.Body, "<script") {
		t.Errorf("got %d and a form without the escaped input:\n%s", again.Status, again.Body)
	}
}

func storedLinks(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	alice.Tokens(client)
	app, err := s.Provider.Application(t.Context(), client.ID)
	if err != nil {
		t.Fatal(err)
	}
	planted := *oauthkit.Abstract(app)
	planted.RedirectURIs = oauthkit.URIs{"javascript:alert(1)", "https://evil.test/cb"}
	planted.PostLogoutRedirectURIs, planted.AllowedOrigins = oauthkit.URIs{"data:text/html,x"}, oauthkit.URIs{"https://evil.test"}
	s.AddUnchecked(&planted)
	for path, page := range managementPages(s, alice, client.ID) {
		for _, name := range []string{"href", "src", "action"} {
			for _, link := range attributesOf(t, page, name) {
				if !strings.HasPrefix(link, "/o/") {
					t.Errorf("%s: got %s=%q, want only links to the provider", path, name, link)
				}
			}
		}
	}
}

// secretsShown expects a secret only in the answer to the request that created it,
// which caches must not store.
func secretsShown(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	created := submit(alice, "/o/applications/register/", url.Values{
		"name": {"Mine"}, "client_type": {"confidential"}, "grant_types": {"authorization_code"}, "redirect_uris": {"https://mine.test/cb"}, "scopes": {"openid"},
	}).OK()
	id := regexp.MustCompile(`id="client_id"[^>]* value="([^"]+)"`).FindStringSubmatch(created.Body)[1]
	rotated := submit(alice, "/o/applications/"+id+"/secret/", url.Values{}).OK()
	again := alice.Do(managedRoute{http.MethodPost, "/o/api/applications/" + id + "/secret", "application/json", "{}"}.request("")).OK()
	var secrets []string
	for _, answer := range []*fixture.Answer{created, rotated, again} {
		found := regexp.MustCompile(`ocs_[\w-]{43}`).FindAllString(answer.Body, -1)
		if len(found) != 1 || answer.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: got secrets %v and Cache-Control %q, want one secret and no-store", answer, found, answer.Header.Get("Cache-Control"))
		}
		secrets = append(secrets, found[0])
	}
	app, err := s.Provider.Application(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !app.VerifyPassword(secrets[2]) || app.VerifyPassword(secrets[1]) || app.VerifyPassword(secrets[0]) {
		t.Error("got the last secret refused or an earlier one accepted")
	}
	hash := string(oauthkit.Abstract(app).ClientSecret)
	for _, path := range []string{"applications/", "applications/" + id + "/", "applications/" + id + "/update/", "applications/" + id + "/secret/", "api/applications", "api/applications/" + id} {
		body := alice.Get("/o/" + path).OK().Body
		for _, secret := range append(secrets, "ocs_", "sha256$", hash, "[redacted]", "client_secret\"") {
			if strings.Contains(body, secret) {
				t.Errorf("%s: got the secret %q, want none in %s", path, secret, body)
			}
		}
	}
	if dump := s.Dump() + s.Log.String(); strings.Contains(dump, "ocs_") {
		t.Errorf("got a secret in the database or the log, want none:\n%s", dump)
	}
}

func listedTokens(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	want := alice.Get("/o/authorized_tokens/").OK().Body
	for _, token := range []string{tokens.Access, tokens.Refresh} {
		if strings.Contains(want, token) || strings.Contains(want, "oat_") || strings.Contains(want, "ort_") {
			t.Errorf("got a token in the list, want none:\n%s", want)
		}
		if got := alice.Get("/o/authorized_tokens/?q=" + token + "&token=" + token + "&search=" + token).OK().Body; got != want {
			t.Errorf("got another list after a search for a token, want the same:\n%s", got)
		}
	}
}

func listParameters(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	client := owned(t, s, "alice")
	for _, path := range []string{"/o/applications/", "/o/api/applications"} {
		want := alice.Get(path).OK().Body
		for _, query := range []string{"sort=id;drop+table+oauth_applications", "order=name+desc", "q=%2527", "page_token=forged", "limit=1000000", "page=-1", "owner=mallory", "after="} {
			if got := alice.Get(path + "?" + strings.ReplaceAll(query, ";", "%3B")).OK().Body; got != want {
				t.Errorf("%s: got another list, want the same: %s", query, got)
			}
		}
		for _, after := range []string{"'", "' or 1=1 --", "\" or \"\"=\"", "%", "evil", "web", "\x01", "\U0010ffff"} {
			if got := alice.Get(path + "?after=" + url.QueryEscape(after)).OK().Body; strings.Contains(got, `"evil"`) || strings.Contains(got, "/applications/evil/") {
				t.Errorf("after=%q: got another user's data, want none: %s", after, got)
			}
		}
		for _, after := range []string{"\x00", "\xff", strings.Repeat("x", 256)} {
			if got := alice.Get(path + "?after=" + url.QueryEscape(after)); got.Status != http.StatusBadRequest {
				t.Errorf("after=%.10q: got %d, want 400", after, got.Status)
			}
		}
	}
	alice.Get("/o/applications/" + client.ID + "/").OK()
}

func hostileIDs(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Tokens(s.Web)
	for _, id := range []string{"1 or 1=1", "0=0", "' or ''='", "client_id = 'evil'", "%", "_", "*", "\x00", "\xff", "..", strings.Repeat("x", 300), "web'--"} {
		escaped := strings.ReplaceAll(url.PathEscape(id), "..", "%2E%2E")
		for _, path := range []string{"applications/" + escaped + "/", "applications/" + escaped + "/update/", "authorized_tokens/" + escaped + "/delete/", "authorized_tokens/web/" + escaped + "/delete/"} {
			alice.Get("/o/" + path).ErrorPage(404)
		}
		alice.Get("/o/api/applications/"+escaped).ErrorJSON(404, "invalid_request")
	}
}

func guessedIDs(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	seen := map[string]bool{}
	for range 5 {
		document := `{"name":"Mine","client_type":"public","grant_types":["authorization_code"],"redirect_uris":["https://mine.test/cb"]}`
		created := alice.Do(managedRoute{http.MethodPost, "/o/api/applications", "application/json", document}.request(""))
		id, _ := created.Members()["client_id"].(string)
		if !regexp.MustCompile(`^[\w-]{22}$`).MatchString(id) || seen[id] {
			t.Errorf("got client_id %q, want 128 random bits", id)
		}
		seen[id] = true
	}
	alice.Tokens(s.Web)
	if id := signInsOf(s, alice)[0]; len(id) < 22 {
		t.Errorf("got a sign-in with the id %q, want 128 random bits", id)
	}
}

func formLimits(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	token := tokenOf(alice.Get("/o/applications/register/").OK())
	for _, test := range []struct {
		uris   string
		status int
	}{
		{strings.Repeat("x", 10<<20), 413}, {strings.Repeat("https://mine.test/cb\n", 10_000), 413}, {strings.Repeat("a\n", 200), 400},
	} {
		form := url.Values{"token": {token}, "name": {"Mine"}, "redirect_uris": {test.uris}}
		alice.Post("/o/applications/register/", form).ErrorPage(test.status)
		document := `{"redirect_uris":["` + strings.ReplaceAll(test.uris, "\n", `","`) + `"]}`
		alice.Do(managedRoute{http.MethodPost, "/o/api/applications", "application/json", document}.request("")).ErrorJSON(test.status, "invalid_request")
	}
	for _, grants := range []int{101, 2000} {
		form := url.Values{"token": {token}}
		for range grants {
			form.Add("grant_types", string(oauth2.AuthorizationCode))
		}
		alice.Post("/o/applications/register/", form).ErrorPage(400)
	}
}
