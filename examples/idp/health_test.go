package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestRL04_Probes checks the probes while idp serves, without its database, and while
// it stops.
func TestRL04_Probes(t *testing.T) {
	s := newTestSite(t, "https://as.test/o")
	s.expectProbe("/livez", http.StatusOK, "ok\n")
	s.expectProbe("/readyz", http.StatusOK, "ready\n")
	s.health.stopping.Store(true)
	s.expectProbe("/livez", http.StatusOK, "ok\n")
	s.expectProbe("/readyz", http.StatusServiceUnavailable, "stopping\n")
	s.health.stopping.Store(false)
	if err := s.database.Close(); err != nil {
		t.Fatal(err)
	}
	s.expectProbe("/livez", http.StatusOK, "ok\n")
	s.expectProbe("/readyz", http.StatusServiceUnavailable, "not ready\n")
	if !strings.Contains(s.log.String(), "not ready") || !strings.Contains(s.log.String(), "closed") {
		t.Errorf("got the log\n%s\nwant the reason", &s.log)
	}
}

func (s *testSite) expectProbe(path string, status int, body string) {
	s.Helper()
	recorder := s.get(path, nil)
	if recorder.Code != status || recorder.Body.String() != body || recorder.Header().Get("Cache-Control") != "no-store" {
		s.Errorf("%s: got %d %q %v, want %d %q with no-store", path, recorder.Code, recorder.Body, recorder.Header(), status, body)
	}
}
