package oauthhttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// json sends a document and returns the document of the response.
func (m *managed) json(status int, method, path, body string) map[string]any {
	m.Helper()
	answer := m.do(status, method, path, "application/json", body)
	if status == http.StatusNoContent {
		return nil
	}
	var document map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil || answer.Header().Get("Cache-Control") != "no-store" {
		m.Fatalf("%s %s: got %s, %v, want a document that is not cached", method, path, answer.Body, err)
	}
	return document
}

const registrationJSON = `{"name":"Reader","client_type":"confidential","grant_types":["authorization_code"],
	"redirect_uris":["https://reader.test/cb"],"scopes":["read"],"fields":{"logo":"x","agree":"true"}}`

func TestApplicationsJSON(t *testing.T) {
	m := newManaged(t)
	created := m.json(http.StatusCreated, http.MethodPost, "/o/api/applications", registrationJSON)
	id, secret := created["client_id"].(string), created["client_secret"].(string)
	if !m.stored(id).VerifyPassword(secret) || m.stored(id).UserID != "alice" {
		t.Errorf("got %v, want alice's application with its secret", created)
	}
	path := "/o/api/applications/" + id
	listed := m.json(http.StatusOK, http.MethodGet, "/o/api/applications", "")["applications"].([]any)
	one := m.json(http.StatusOK, http.MethodGet, path, "")
	for _, document := range []map[string]any{one, listed[0].(map[string]any)} {
		if document["client_secret"] != nil || document["client_id"] != id || document["name"] != "Reader" || document["created_at"] == nil {
			t.Errorf("got %v, want the application without its secret", document)
		}
	}
	one["name"], one["user"], one["skip_authorization"] = "Changed", "bob", true
	body, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	if changed := m.json(http.StatusOK, http.MethodPut, path, string(body)); changed["name"] != "Changed" {
		t.Errorf("got %v, want the sent values", changed)
	}
	if app := m.stored(id); app.SkipAuthorization || app.UserID != "alice" || app.Logo != "x" {
		t.Errorf("got %+v, want the other fields unchanged", app)
	}
	rotated := m.json(http.StatusOK, http.MethodPost, path+"/secret", "{}")
	if next := rotated["client_secret"].(string); next == secret || !m.stored(id).VerifyPassword(next) || rotated["previous_secret_expires_at"] == nil {
		t.Errorf("got %v, want a new secret, and when the old one expires", rotated)
	}
	m.json(http.StatusBadRequest, http.MethodPost, path+"/secret", `{"previous": "forever"}`)
	rotated = m.json(http.StatusOK, http.MethodPost, path+"/secret", `{"previous": "end"}`)
	if rotated["previous_secret_expires_at"] != nil || m.stored(id).PreviousSecret != "" {
		t.Errorf("got %v, want the old secret to be expired", rotated)
	}
	m.json(http.StatusNoContent, http.MethodDelete, path, "")
	m.json(http.StatusNotFound, http.MethodGet, path, "")
}

func TestApplicationsJSONProblems(t *testing.T) {
	m := newManaged(t)
	document := m.json(http.StatusUnprocessableEntity, http.MethodPost, "/o/api/applications",
		`{"client_type":"confidential","grant_types":["authorization_code"],"redirect_uris":["http://evil.test/cb"],"fields":{"logo":"ugly"}}`)
	problems, _ := document["problems"].(map[string]any)
	if document["error"] != "invalid_request" || len(problems) != 3 || problems["redirect_uris"] == nil || problems["logo"] == nil || problems["agree"] == nil {
		t.Errorf("got %v, want the problems of redirect_uris, logo and agree", document)
	}
	for status, body := range map[int]string{
		http.StatusBadRequest:            `{"name":"x"} {}`,
		http.StatusRequestEntityTooLarge: `{"name":"` + strings.Repeat("x", 64<<10) + `"}`,
	} {
		m.json(status, http.MethodPost, "/o/api/applications", body)
	}
	for _, body := range []string{"", "[]", `{"name":1}`, "{\"name\":\"\xff\"}", `{"redirect_uris":[` + strings.Repeat(`"x",`, 100) + `"x"]}`} {
		m.json(http.StatusBadRequest, http.MethodPost, "/o/api/applications", body)
	}
	m.do(http.StatusUnsupportedMediaType, http.MethodPost, "/o/api/applications", "text/plain", registrationJSON)
}

func TestConnectionsJSON(t *testing.T) {
	m := newConnected(t)
	answer := m.do(http.StatusOK, http.MethodGet, "/o/api/authorized_tokens", "", "").Body.String()
	for _, want := range []string{`"client_id":"https://app.test/x"`, `"id":"phone"`, `"id":"desk"`, `"hosts":["printer.test"]`, `"scopes":["read"]`} {
		if !strings.Contains(answer, want) {
			t.Errorf("got %s, want it to contain %s", answer, want)
		}
	}
	if strings.Contains(answer, "bobs") || strings.Contains(answer, "session-of-the-host") {
		t.Errorf("got %s, want no data of other users and no session id", answer)
	}
	m.json(http.StatusNotFound, http.MethodDelete, "/o/api/authorized_tokens/printer/bobs", "")
	path := "/o/api/authorized_tokens/" + url.PathEscape("https://app.test/x")
	m.json(http.StatusNoContent, http.MethodDelete, path+"/phone", "")
	if m.isSignedIn("phone") || !m.isSignedIn("laptop") {
		t.Error("got the wrong authorization revoked")
	}
	m.json(http.StatusNoContent, http.MethodDelete, path, "")
	if m.isSignedIn("laptop") || !m.isSignedIn("desk") || !m.isSignedIn("bobs") {
		t.Error("got another application's authorization revoked, or not this one's")
	}
	m.json(http.StatusNotFound, http.MethodDelete, path, "")
}

// TestManagementNotSignedIn checks that pages redirect to the login page and JSON
// answers with an error.
func TestManagementNotSignedIn(t *testing.T) {
	m := newManaged(t)
	m.user = nil
	if location := m.do(http.StatusSeeOther, http.MethodGet, "/o/applications/", "", "").Header().Get("Location"); location != "/login?next=%2Fo%2Fapplications%2F" {
		t.Errorf("got Location %s, want the login page and back", location)
	}
	if document := m.json(http.StatusForbidden, http.MethodGet, "/o/api/applications", ""); document["error"] != "login_required" {
		t.Errorf("got %v, want login_required", document)
	}
}

// TestManagementJSONFromAnotherSite sends the host's cookie from a page of another
// site.
func TestManagementJSONFromAnotherSite(t *testing.T) {
	m := newConnected(t)
	for path, method := range map[string]string{
		"applications": http.MethodPost, "applications/printer": http.MethodPut, "applications/printer/secret": http.MethodPost, "authorized_tokens/printer": http.MethodDelete,
	} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"} {
			request := httptest.NewRequest(method, "https://as.test/o/api/"+path, strings.NewReader(registrationJSON))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set(name, value)
			recorder := httptest.NewRecorder()
			m.handler.ServeHTTP(recorder, request)
			if recorder.Code != http.StatusForbidden || recorder.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s with %s: got %d and headers %v, want 403 and no permission", method, path, name, recorder.Code, recorder.Header())
			}
		}
	}
	if !m.isSignedIn("desk") || m.stored("printer").Name != "Printer" {
		t.Error("got a change")
	}
}

// TestManagementAbsent checks a host without management pages.
func TestManagementAbsent(t *testing.T) {
	handler := newRig(t, databases["sqlite"]).handler
	for _, path := range []string{"applications", "applications/register", "applications/x", "authorized_tokens", "api/applications", "api/authorized_tokens"} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/"+path, nil))
		if recorder.Code != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, recorder.Code)
		}
	}
}

// TestNothingInJSON checks that unknown paths below api/ are answered in JSON, and
// others with a page.
func TestNothingInJSON(t *testing.T) {
	m := newManaged(t)
	unserved := m.handlerWith(func(config *oauthhttp.Config) { config.Groups = []oauthhttp.Group{oauthhttp.GroupBase} })
	for _, handler := range []http.Handler{m.handler, unserved} {
		m.handler = handler
		for _, path := range []string{"/o/api/", "/o/api/none", "/o/api/applications/a/b/c/d"} {
			if answer := m.json(http.StatusNotFound, http.MethodGet, path, ""); answer["reason"] != "not_found" || answer["error"] != "invalid_request" {
				t.Errorf("%s: got %v, want not_found", path, answer)
			}
		}
		for _, path := range []string{"/o/apis", "/o/none/api/", "/api/applications"} {
			if page := m.do(http.StatusNotFound, http.MethodGet, path, "", "").Body.String(); !strings.Contains(page, "<h1>") {
				t.Errorf("%s: got %s, want a page", path, page)
			}
		}
	}
	if answer := m.json(http.StatusNotFound, http.MethodGet, "/o/api/applications", ""); answer["reason"] != "not_found" {
		t.Errorf("got %v, want not_found without the group", answer)
	}
}

// TestCrossSiteWords checks that the error of a request from another site fits a
// document as well as a form.
func TestCrossSiteWords(t *testing.T) {
	m := newManaged(t)
	m.add("printer", nil)
	for _, request := range []*http.Request{
		m.sent(http.MethodDelete, "/o/api/applications/printer", nil), m.sent(http.MethodPost, "/o/applications/printer/delete", nil),
	} {
		recorder := httptest.NewRecorder()
		m.handler.ServeHTTP(recorder, fromElsewhere(request))
		if answer := recorder.Body.String(); recorder.Code != http.StatusForbidden || !strings.Contains(answer, "his was sent from another site") {
			t.Errorf("%s: got %d: %s; want 403 without the word form", request.URL, recorder.Code, answer)
		}
	}
}
