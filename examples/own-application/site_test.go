package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// site is the program on an empty database.
type site struct {
	*testing.T
	store   *Store
	handler http.Handler
}

func newTestSite(t *testing.T) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.db")
	s := &site{T: t, store: openStore(t, func() (*gorm.DB, error) { return sqlite.OpenDB(file) })}
	handler, err := newSite("https://as.test", s.store)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = handler
	return s
}

// send sends a request and returns the JSON document of the response.
func (s *site) send(status int, method, path, mediaType, body string) map[string]any {
	s.Helper()
	request := httptest.NewRequest(method, "https://as.test/o/"+path, strings.NewReader(body))
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	if recorder.Code != status {
		s.Fatalf("%s %s: got %d: %s; want %d", method, path, recorder.Code, recorder.Body, status)
	}
	var document map[string]any
	if status != http.StatusNoContent && json.Unmarshal(recorder.Body.Bytes(), &document) != nil {
		s.Fatalf("%s %s: got %s, want a JSON document", method, path, recorder.Body)
	}
	return document
}

func (s *site) page(path string) string {
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/"+path, nil))
	return recorder.Body.String()
}

func (s *site) json(status int, method, path, body string) map[string]any {
	s.Helper()
	return s.send(status, method, path, "application/json", body)
}

// token requests a token with client credentials.
func (s *site) token(status int, clientID, secret string) string {
	s.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"orders"}, "client_id": {clientID}, "client_secret": {secret}}
	token, _ := s.send(status, http.MethodPost, "token", "application/x-www-form-urlencoded", form.Encode())["access_token"].(string)
	return token
}

// active introspects a token.
func (s *site) active(token, clientID, secret string) bool {
	s.Helper()
	form := url.Values{"token": {token}, "client_id": {clientID}, "client_secret": {secret}}
	return s.send(http.StatusOK, http.MethodPost, "introspect", "application/x-www-form-urlencoded", form.Encode())["active"] == true
}

const registration = `{"fields":{"title":"Reader","callback":"https://reader.test/cb"}}`

// TestClientOfOneTeam registers, changes and deletes a client and rotates its secret.
func TestClientOfOneTeam(t *testing.T) {
	s := newTestSite(t)
	problems := s.json(http.StatusUnprocessableEntity, http.MethodPost, "api/applications", `{"fields":{"callback":"http://evil.test/"}}`)["problems"]
	if found, _ := problems.(map[string]any); found["title"] == nil || found["callback"] == nil {
		t.Errorf("got %v, want a problem for each field", problems)
	}
	created := s.json(http.StatusCreated, http.MethodPost, "api/applications", registration)
	id, secret := created["client_id"].(string), created["client_secret"].(string)
	token := s.token(http.StatusOK, id, secret)

	changed := s.json(http.StatusOK, http.MethodPut, "api/applications/"+id, strings.Replace(registration, "Reader", "Changed", 1))
	if fields, _ := changed["fields"].(map[string]any); fields["title"] != "Changed" {
		t.Errorf("got %v, want the new title", changed)
	}
	rotated := s.json(http.StatusOK, http.MethodPost, "api/applications/"+id+"/secret", "{}")
	shown := s.json(http.StatusOK, http.MethodGet, "api/applications/"+id, "")
	if until := rotated["previous_secret_expires_at"]; until == nil || shown["previous_secret_expires_at"] != until {
		t.Errorf("got %v and then %v, want the expiry of the old secret", rotated, shown)
	}
	if page := s.page("applications/" + id + "/"); !strings.Contains(page, "The previous secret is good until") {
		t.Errorf("got %s, want the expiry on the page", page)
	}
	next := rotated["client_secret"].(string)
	if next == secret || !s.active(token, id, next) || !s.active(token, id, secret) {
		t.Error("want both secrets valid for an hour, and the token active")
	}
	s.json(http.StatusNoContent, http.MethodDelete, "api/applications/"+id, "")
	s.token(http.StatusUnauthorized, id, next)
	s.json(http.StatusNotFound, http.MethodGet, "api/applications/"+id, "")
}

// TestClientsOfOthers checks that clients of other owners are neither listed nor
// changed.
func TestClientsOfOthers(t *testing.T) {
	s := newTestSite(t)
	if err := register(t.Context(), s.store); err != nil {
		t.Fatal(err)
	}
	other := &Client{Key: "other", Team: "team:bank", Title: "Other"}
	if err := s.store.CreateApplication(t.Context(), other, time.Now()); err != nil {
		t.Fatal(err)
	}
	listed, _ := s.json(http.StatusOK, http.MethodGet, "api/applications", "")["applications"].([]any)
	if len(listed) != 1 || listed[0].(map[string]any)["client_id"] != "till" {
		t.Errorf("got %v, want only the till", listed)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		s.json(http.StatusNotFound, method, "api/applications/other", "")
	}
}

// TestSuspendedClient checks that a suspended client gets no tokens, and that an update
// with an older version does not resume it.
func TestSuspendedClient(t *testing.T) {
	s := newTestSite(t)
	created := s.json(http.StatusCreated, http.MethodPost, "api/applications", registration)
	id, secret := created["client_id"].(string), created["client_secret"].(string)
	token := s.token(http.StatusOK, id, secret)
	stale, err := s.store.Application(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	suspended := *stale.(*Client)
	suspended.Suspended = true
	if err := s.store.UpdateApplication(t.Context(), &suspended, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.token(http.StatusUnauthorized, id, secret)
	if err := s.store.UpdateApplication(t.Context(), stale, time.Now()); !errors.Is(err, oauthkit.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	suspended.Suspended, suspended.Version = false, suspended.Version+1
	if err := s.store.UpdateApplication(t.Context(), &suspended, time.Now()); err != nil {
		t.Fatal(err)
	}
	if later := s.token(http.StatusOK, id, secret); !s.active(later, id, secret) || s.active(token, id, secret) {
		t.Error("got the old token active or the new one inactive, want the old one revoked permanently")
	}
}
