package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestH07_StrictTransport checks that the header is sent over TLS and only there.
func TestH07_StrictTransport(t *testing.T) {
	for _, test := range []struct {
		issuer string
		tls    bool
		want   string
	}{
		{"https://as.test/o", true, "max-age=31536000"},
		{"https://as.test/o", false, "max-age=31536000"}, // a proxy terminates TLS
		{"http://127.0.0.1/o", true, "max-age=31536000"},
		{"http://127.0.0.1/o", false, ""},
	} {
		s := newTestSite(t, test.issuer)
		for _, path := range []string{"/", "/login", "/livez", "/o/token", "/o/.well-known/openid-configuration", "/missing"} {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			if test.tls {
				request.TLS = &tls.ConnectionState{}
			}
			recorder := httptest.NewRecorder()
			s.handler.ServeHTTP(recorder, request)
			if got := recorder.Header().Get("Strict-Transport-Security"); got != test.want {
				t.Errorf("%s, TLS %v, %s: got %q, want %q", test.issuer, test.tls, path, got, test.want)
			}
		}
	}
}

// TestServer is T-28: every limit is set, and WriteTimeout leaves time to respond after
// reading the request.
func TestServer(t *testing.T) {
	s := newTestSite(t, "https://as.test/o")
	server := newServer(s.handler, s.logger)
	if server.ReadHeaderTimeout <= 0 || server.ReadTimeout < server.ReadHeaderTimeout || server.IdleTimeout <= 0 || server.MaxHeaderBytes <= 0 {
		t.Errorf("got %+v, want every limit set", server)
	}
	if needed := server.ReadTimeout + maxWait + s.provider.Timeout() + operationTimeout; server.WriteTimeout <= needed {
		t.Errorf("got a WriteTimeout of %s, want more than the %s that a request may take", server.WriteTimeout, needed)
	}
}
