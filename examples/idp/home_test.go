package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestRL09_Home locks the table of sessions while requests with invented cookies reach
// the home page. The provider, which does not need the table, still responds.
func TestRL09_Home(t *testing.T) {
	s := newTestSiteOn(t, "https://as.test/o", location(oauthtest.Postgres(t)))
	pool, err := s.database.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	locked := s.database.db.Begin()
	if err := locked.Exec("LOCK TABLE idp_sessions").Error; err != nil {
		t.Fatal(err)
	}
	var strangers sync.WaitGroup
	for range 2 * pool.Stats().MaxOpenConnections {
		strangers.Go(func() {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			request.AddCookie(&http.Cookie{Name: "__Host-idp", Value: "planted"})
			s.handler.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	for begun := time.Now(); pool.Stats().InUse < maxHomes; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("no request waits for the table")
		}
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/o/token", nil)
	request.SetBasicAuth("unknown", "a secret")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusUnauthorized {
		t.Errorf("got %d from the token endpoint, want 401", recorder.Code)
	}
	if used := pool.Stats().InUse; used > 1+maxHomes {
		t.Errorf("got %d connections in use, want the lock's and those of %d requests", used, maxHomes)
	}
	if err := locked.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	strangers.Wait()
}

// TestHome_Language checks that the home page is in the language of the browser.
func TestHome_Language(t *testing.T) {
	s := newTestSite(t, "https://as.test/o")
	signedIn := s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
	for _, tc := range []struct {
		accept   string
		signedIn *httptest.ResponseRecorder
		want     []string
	}{
		{"de-CH", nil, []string{`<html lang="de">`, "nicht angemeldet", ">Anmelden<"}},
		{"de-CH", signedIn, []string{`<html lang="de">`, "angemeldet als <bdi>alice</bdi>", ">Verbundene Apps<", ">Abmelden<"}},
		{"fr", nil, []string{`<html lang="en">`, "You are not signed in.", ">Sign in<"}},
		{"", signedIn, []string{`<html lang="en">`, "signed in as <bdi>alice</bdi>", ">Connected apps<", ">Sign out<"}},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.Header.Set("Accept-Language", tc.accept)
		addCookies(request, tc.signedIn)
		recorder := httptest.NewRecorder()
		s.handler.ServeHTTP(recorder, request)
		for _, part := range tc.want {
			if !strings.Contains(recorder.Body.String(), part) {
				t.Errorf("%s: got\n%s\nwant %s", tc.accept, recorder.Body, part)
			}
		}
	}
}
