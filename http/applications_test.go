package oauthhttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
)

func registration() url.Values {
	return url.Values{
		"name": {" Reader "}, "client_type": {"confidential"}, "grant_types": {"authorization_code", "refresh_token"}, "scopes": {"read", "write"},
		"redirect_uris": {"https://reader.test/cb\r\n\r\n  https://reader.test/other\r\n"}, "allowed_origins": {"https://reader.test"},
		"fields.logo": {"https://reader.test/logo"}, "fields.agree": {"true"},
	}
}

func TestRegisterApplication(t *testing.T) {
	m := newManaged(t)
	answer := m.post(http.StatusOK, "/o/applications/register/", registration())
	page := answer.Body.String()
	checkPage(t, page)
	_, secret, _ := strings.Cut(page, `id="client_secret" class="copy" value="`)
	secret, _, _ = strings.Cut(secret, `"`)
	_, id, _ := strings.Cut(page, `id="client_id" class="copy" value="`)
	id, _, _ = strings.Cut(id, `"`)
	app := m.stored(id)
	if !app.VerifyPassword(secret) {
		t.Errorf("got secret %q, want the application's", secret)
	}
	if app.UserID != "alice" || app.Name != "Reader" || app.Logo != "https://reader.test/logo" || len(app.GrantTypes) != 2 || len(app.Scopes) != 2 ||
		!slices.Equal(app.RedirectURIs, oauthkit.URIs{"https://reader.test/cb", "https://reader.test/other"}) {
		t.Errorf("got %+v, want the submitted values", app)
	}
	if got := answer.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("got Cache-Control %q, want no-store", got)
	}
	for _, path := range []string{"", id + "/", id + "/update/", id + "/secret/", id + "/delete/"} {
		if page := m.get("/o/applications/" + path); strings.Contains(page, secret) || !strings.Contains(page, "Reader") {
			t.Errorf("%s: got a page with the secret, or without the name:\n%s", path, page)
		}
	}
	if !strings.Contains(m.get("/o/applications/"+id+"/"), "https://reader.test/logo") {
		t.Error("got a page without the host's own field")
	}
}

func TestRegisterPublicApplication(t *testing.T) {
	m := newManaged(t)
	form := registration()
	form.Set("client_type", "public")
	location := m.post(http.StatusSeeOther, "/o/applications/register/", form).Header().Get("Location")
	if page := m.get(location); strings.Contains(page, "/secret/") {
		t.Errorf("got a page that offers a secret to a public application:\n%s", page)
	}
	m.do(http.StatusNotFound, http.MethodGet, location+"secret/", "", "")
}

func TestMayNotRegister(t *testing.T) {
	m := newManaged(t)
	m.user = &oauthkit.User{Subject: "carol"}
	m.do(http.StatusForbidden, http.MethodGet, "/o/applications/register/", "", "")
	if page := m.get("/o/applications/"); strings.Contains(page, "/register/") {
		t.Errorf("got a page that offers to register:\n%s", page)
	}
}

// TestApplicationProblems checks that all problems are shown at once, each at its
// field, with the submitted values.
func TestApplicationProblems(t *testing.T) {
	m := newManaged(t)
	m.add("printer", nil)
	for _, path := range []string{"/o/applications/register/", "/o/applications/printer/update/"} {
		page := m.post(http.StatusUnprocessableEntity, path, url.Values{
			"name": {"Mine"}, "client_type": {"public"}, "grant_types": {"authorization_code"}, "scopes": {"admin", "write"},
			"redirect_uris": {"http://evil.test/cb\nhttps://ok.test/#x"}, "allowed_origins": {"ftp://x"},
			"token_endpoint_auth_method": {"client_secret_basic"}, "fields.logo": {"ugly"},
		}).Body.String()
		checkPage(t, page)
		invalid, targets := map[string]bool{}, map[string]bool{}
		for _, element := range elementsOf(t, page) {
			if attribute(element, "aria-invalid") == "true" {
				invalid[strings.TrimSuffix(attribute(element, "aria-describedby"), "-problems")] = attribute(element, "aria-describedby") != ""
			}
			if target, local := strings.CutPrefix(attribute(element, "href"), "#"); local {
				targets[target] = true
			}
		}
		for _, field := range []string{"redirect_uris", "scopes-0", "allowed_origins", "token_endpoint_auth_method-0", "fields-logo", "fields-agree"} {
			if !targets[field] {
				t.Errorf("%s: got a summary that leads to %v, want %s in it", path, targets, field)
			}
		}
		for _, described := range []string{"redirect_uris-help redirect_uris", "token_endpoint_auth_method-help token_endpoint_auth_method", "fields-agree"} {
			if !invalid[described] {
				t.Errorf("%s: got invalid inputs described by %v, want %s in it", path, invalid, described)
			}
		}
		for _, typed := range []string{`value="Mine"`, "http://evil.test/cb\nhttps://ok.test/#x</textarea>", "ftp://x</textarea>", `value="ugly"`, `value="write" checked`} {
			if !strings.Contains(page, typed) {
				t.Errorf("%s: got a page without %s, which was submitted:\n%s", path, typed, page)
			}
		}
		if valueOf(page, "token") == "" || !strings.Contains(page, "autofocus") {
			t.Errorf("%s: got a form that cannot be sent again, or no focus on the problems", path)
		}
	}
	if app := m.stored("printer"); app.Name != "Printer" || app.Logo == "ugly" {
		t.Errorf("got %+v, want nothing stored", app)
	}
}

// TestUpdateApplication changes the fields of the form and keeps the operator-only
// fields.
func TestUpdateApplication(t *testing.T) {
	m := newManaged(t)
	m.add("printer", func(app *logoApplication) {
		app.SkipAuthorization, app.Verified, app.Scopes = true, true, oauthkit.Scopes{"read", "admin"}
		app.GenerateSecret()
	})
	before := m.stored("printer")
	if page := m.get("/o/applications/printer/update/"); !strings.Contains(page, `value="admin" checked`) || strings.Contains(page, `value="client_credentials"`) {
		t.Errorf("got a form without the operator's values, or with options that an owner may not choose:\n%s", page)
	}
	form := registration()
	form["scopes"] = []string{"write", "admin"}
	m.post(http.StatusSeeOther, "/o/applications/printer/update/", form)
	app := m.stored("printer")
	if app.Name != "Reader" || !app.Scopes.ContainsAll(oauthkit.Scopes{"write", "admin"}) || app.Scopes.Contains("read") {
		t.Errorf("got %+v, want the submitted values", app)
	}
	if app.UserID != "alice" || app.ClientSecret != before.ClientSecret {
		t.Errorf("got %+v, want the other fields unchanged", app)
	}
	if app.SkipAuthorization || app.Verified {
		t.Errorf("got %+v, want no trust: the operator verified another name and other redirect URIs", app)
	}
}

func TestRotateSecret(t *testing.T) {
	m := newManaged(t)
	var before string
	m.add("printer", func(app *logoApplication) { before = app.GenerateSecret() })
	page := m.post(http.StatusOK, "/o/applications/printer/secret/", nil).Body.String()
	checkPage(t, page)
	_, secret, _ := strings.Cut(page, `id="client_secret" class="copy" value="`)
	secret, _, _ = strings.Cut(secret, `"`)
	app := m.stored("printer")
	if !app.VerifyPassword(secret) || app.VerifyPassword(before) || !app.VerifyPreviousPassword(before, time.Now()) {
		t.Errorf("got secret %q, want a new one, and the old one still valid", secret)
	}
	if detail := m.get("/o/applications/printer/"); !strings.Contains(detail, "is good until") || strings.Contains(detail, secret) {
		t.Errorf("got a page that does not mention the old secret, or shows the new one:\n%s", detail)
	}

	question := m.get("/o/applications/printer/secret/")
	checkPage(t, question)
	if strings.Count(question, `name="previous"`) != 2 || !strings.Contains(question, `value="keep" checked`) {
		t.Errorf("got a page without the choice to keep or end the present secret:\n%s", question)
	}
	m.post(http.StatusBadRequest, "/o/applications/printer/secret/", url.Values{"previous": {"forever"}})
	m.post(http.StatusOK, "/o/applications/printer/secret/", url.Values{"previous": {"end"}})
	if app := m.stored("printer"); app.VerifyPassword(secret) || app.VerifyPreviousPassword(secret, time.Now()) {
		t.Error("the ended secret is still valid")
	}
}

// TestRotateSecret_Invalid checks that the page tells the owner what to do if the
// rules have become stricter since the application was stored.
func TestRotateSecret_Invalid(t *testing.T) {
	m := newManaged(t)
	m.add("printer", func(app *logoApplication) { app.GenerateSecret() })
	m.store.Rules.RedirectURI = func(oauthkit.Application) func(string) error {
		return func(string) error { return errors.New("must be ours") }
	}
	page := m.post(http.StatusBadRequest, "/o/applications/printer/secret/", nil).Body.String()
	if !strings.Contains(page, "application_invalid") || !strings.Contains(page, "its form says what is wrong") {
		t.Errorf("got a page without the instruction:\n%s", page)
	}
	app := m.stored("printer")
	app.Disabled = true
	if err := m.store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
		t.Errorf("disabling it: %v", err)
	}
}

func TestDeleteApplication(t *testing.T) {
	m := newManaged(t)
	m.add("printer", nil)
	if location := m.post(http.StatusSeeOther, "/o/applications/printer/delete/", nil).Header().Get("Location"); location != "/o/applications/" {
		t.Errorf("got Location %s, want the list", location)
	}
	m.do(http.StatusNotFound, http.MethodGet, "/o/applications/printer/", "", "")
	if page := m.get("/o/applications/"); !strings.Contains(page, "You have not registered any application yet.") {
		t.Errorf("got a list that is not empty:\n%s", page)
	}
}

// TestApplicationPaths uses client_ids with characters that separate the parts of a
// path.
func TestApplicationPaths(t *testing.T) {
	m := newManaged(t)
	for _, id := range []string{"https://app.test/metadata", "a/update", "a:b", "100%", "a?b#c", "a%2Fb"} {
		m.add(id, func(app *logoApplication) { app.Name = "App " + fmt.Sprintf("%x", id) })
		for _, act := range []string{"", "update/", "delete/"} {
			path := "/o/applications/" + url.PathEscape(id) + "/" + act
			if page := m.get(path); !strings.Contains(page, "App "+fmt.Sprintf("%x", id)) {
				t.Errorf("%s: got another page", path)
			}
			m.get(strings.TrimSuffix(path, "/"))
		}
		if list := m.get("/o/applications/"); !strings.Contains(list, `href="/o/applications/`+url.PathEscape(id)+`/"`) {
			t.Errorf("got a list that does not lead to %s:\n%s", id, list)
		}
		m.post(http.StatusSeeOther, "/o/applications/"+url.PathEscape(id)+"/delete/", nil)
	}
	for _, path := range []string{"/o/applications/{client_id}/", "/o/applications/%7Bclient_id%7D/update/", "/o/applications//update/", "/o/applications/a/b/c/"} {
		m.do(http.StatusNotFound, http.MethodGet, path, "", "")
	}
}

func TestApplicationListParts(t *testing.T) {
	m := newManaged(t)
	for i := range 101 {
		m.add(fmt.Sprintf("app-%03d", i), nil)
	}
	first := m.get("/o/applications/")
	if !strings.Contains(first, "app-099") || strings.Contains(first, "app-100") || !strings.Contains(first, `href="/o/applications/?after=app-099"`) {
		t.Errorf("got %s, want the first hundred and a link to the rest", first)
	}
	if second := m.get("/o/applications/?after=app-099"); !strings.Contains(second, "app-100") || strings.Contains(second, "app-099") || strings.Contains(second, "?after=") {
		t.Errorf("got %s, want the last one", second)
	}
}

// TestManagementInGerman checks pages in German. checkPage finds missing texts.
func TestManagementInGerman(t *testing.T) {
	m := newManaged(t)
	m.language = "de"
	m.add("printer", func(app *logoApplication) { app.Disabled = true })
	for path, want := range map[string]string{
		"applications/": "Ihre Anwendungen", "applications/register/": "Anwendung registrieren", "applications/printer/": "Ihre Anwendung",
		"applications/printer/update/": "Anwendung ändern", "applications/printer/delete/": "Löschen", "authorized_tokens/": "Verbundene Apps",
	} {
		if page := m.get("/o/" + path); !strings.Contains(page, want) {
			t.Errorf("%s: got a page without %q:\n%s", path, want, page)
		}
	}
}

// TestM13_OldSession wraps the endpoint in a check of the host that requires a recent
// sign-in before a secret is rotated.
func TestM13_OldSession(t *testing.T) {
	m := newManaged(t)
	m.add("printer", nil)
	before := m.stored("printer").ClientSecret
	const path = "applications/{client_id}/secret"
	plain := m.handler.(*oauthhttp.Handler)
	m.handler = m.handlerWith(func(config *oauthhttp.Config) {
		config.Replace = map[string]http.Handler{path: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if time.Since(m.user.AuthTime) > 5*time.Minute {
				http.Redirect(w, r, "/login?prompt=login", http.StatusSeeOther)
				return
			}
			plain.Endpoint(path).ServeHTTP(w, r)
		})}
	})
	m.user.AuthTime = time.Now().Add(-time.Hour)
	m.do(http.StatusSeeOther, http.MethodGet, "/o/applications/printer/secret/", "", "")
	m.do(http.StatusSeeOther, http.MethodPost, "/o/applications/printer/secret/", "application/x-www-form-urlencoded", "")
	if m.stored("printer").ClientSecret != before {
		t.Error("got a new secret with an old session")
	}
	m.user.AuthTime = time.Now()
	m.post(http.StatusOK, "/o/applications/printer/secret/", nil)
	if m.stored("printer").ClientSecret == before {
		t.Error("got the old secret with a new session")
	}
}

// TestManagementAtTheRoot uses an issuer without a path.
func TestManagementAtTheRoot(t *testing.T) {
	m := newManaged(t)
	var err error
	if m.provider, err = oauthkit.New("https://as.test", m.store, oauthkit.Config{}); err != nil {
		t.Fatal(err)
	}
	m.handler = m.handlerWith(func(*oauthhttp.Config) {})
	m.add("a/b", nil)
	if page := m.get("/applications/"); !strings.Contains(page, `href="/applications/a%2Fb/"`) || !strings.Contains(page, `href="/authorized_tokens/"`) {
		t.Errorf("got a list with other links:\n%s", page)
	}
	m.post(http.StatusSeeOther, "/applications/a%2Fb/delete/", nil)
}
