package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// testSite is this program on an empty database, with the users alice and bob.
type testSite struct {
	*testing.T
	*site
	log bytes.Buffer
}

const (
	alicesPassword = "wonderland"
	home           = "192.0.2.1:1000"
	elsewhere      = "198.51.100.1:1000"
)

func newTestSite(t *testing.T, issuer string) *testSite {
	t.Helper()
	return newTestSiteOn(t, issuer, location(filepath.Join(t.TempDir(), "idp.db")))
}

func newTestSiteOn(t *testing.T, issuer string, at location) *testSite {
	t.Helper()
	s := &testSite{T: t}
	database, err := openDatabase(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	logger := slog.New(slog.NewJSONHandler(&s.log, nil))
	s.site, err = newSite(t.Context(), &options{issuer: issuer}, database, testSeed(alicesPassword), logger)
	if err != nil {
		t.Fatal(err)
	}
	s.log.Reset()
	return s
}

func testSeed(password string) *seed {
	return &seed{Users: []seedUser{{Username: "alice", Password: password}, {Username: "bob", Password: "builder"}}}
}

// signIn submits the login form from an address.
func (s *testSite) signIn(username, password, from string) *httptest.ResponseRecorder {
	s.Helper()
	return s.signInAgain(username, password, from, nil)
}

// signInAgain submits the login form with the cookies of an earlier response.
func (s *testSite) signInAgain(username, password, from string, signedIn *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	s.Helper()
	form := url.Values{"username": {username}, "password": {password}}
	request := httptest.NewRequestWithContext(s.Context(), http.MethodPost, "/login", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.RemoteAddr = from
	addCookies(request, signedIn)
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder
}

// expect signs in and compares the status.
func (s *testSite) expect(status int, username, password, from string) *httptest.ResponseRecorder {
	s.Helper()
	recorder := s.signIn(username, password, from)
	if recorder.Code != status {
		s.Errorf("%s from %s: got %d, want %d", username, from, recorder.Code, status)
	}
	return recorder
}

// get requests a path with the cookies of an earlier response.
func (s *testSite) get(path string, signedIn *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	s.Helper()
	request := httptest.NewRequestWithContext(s.Context(), http.MethodGet, path, nil)
	addCookies(request, signedIn)
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	return recorder
}

// addCookies adds the cookies of an earlier response, if there is one.
func addCookies(request *http.Request, signedIn *httptest.ResponseRecorder) {
	if signedIn == nil {
		return
	}
	for _, cookie := range signedIn.Result().Cookies() {
		request.AddCookie(cookie)
	}
}

// user returns the user of a browser as the provider sees them, or nil.
func (s *testSite) user(signedIn *httptest.ResponseRecorder) *oauthkit.User {
	s.Helper()
	request := httptest.NewRequestWithContext(s.Context(), http.MethodGet, "/", nil)
	addCookies(request, signedIn)
	found, err := s.pages.currentUser(request)
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func (s *testSite) isSignedIn(signedIn *httptest.ResponseRecorder) bool {
	s.Helper()
	return strings.Contains(s.get("/", signedIn).Body.String(), "You are signed in")
}

// events returns the logged events and clears the log.
func (s *testSite) events() []map[string]any {
	s.Helper()
	var events []map[string]any
	for line := range strings.Lines(s.log.String()) {
		event := map[string]any{}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			s.Fatal(err)
		}
		events = append(events, event)
	}
	s.log.Reset()
	return events
}
