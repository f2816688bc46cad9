package main

import (
	"net/http"
	"net/http/httptest"
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
