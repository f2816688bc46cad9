package attacktest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestIssuerPath tests which issuer a URL belongs to and which issuers are valid.
func TestIssuerPath(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "V-03 paths that resolve to another issuer", Test: issuerPaths},
		{Name: "V-04 paths of the metadata", Test: issuerMetadata},
		{Name: "V-05 invalid issuers", Test: issuerConfig},
	})
}

// issuerPaths sends a token to variants of each path, at each handler alone and at a
// mux with both.
func issuerPaths(t *testing.T, s *fixture.Server) {
	other := s.OtherProvider("https://as.test/b")
	mux := http.NewServeMux()
	mux.Handle("/o/", s.Handler)
	mux.Handle("/b/", other.Handler)
	send := func(handler http.Handler, client *fixture.Client, path string) (status int, body string) {
		sent := client.Request("/", map[string][]string{"grant_type": {"client_credentials"}})
		request, err := http.NewRequest(http.MethodPost, fixture.Origin+path, sent.Body)
		if err != nil {
			t.Fatal(err)
		}
		request.Header, request.RequestURI = sent.Header, path
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code, recorder.Body.String()
	}
	for _, client := range []*fixture.Client{s.Service, other.Service} {
		for _, path := range []string{
			"/o/../b/token", "/b/../o/token", "/o/%2e%2e/b/token", "/o/..%2fb/token", "/o%2f..%2fb/token", "/o%2f%2e%2e%2fb%2ftoken", "/o/..;/b/token",
			"/o;x/token", "/o/;x/token", "/o/token;x", "/o/token;jsessionid=1", "/;/o/token", "//o/token", "///o/token", "/o//token", "/o/./token", "/./o/token",
			"/O/token", "/o/Token", "/B/token", "/o%2ftoken", "/b%2Ftoken", "/o/token%2f", "/o/token%00", "/o/token%20", "/o%20/token", "/o/token/x", "/o/b/token",
			"/ob/token", "/o\\token", "/o%5ctoken", "/o%255c..%255cb/token", "/o%252ftoken", "/token", "/o", "/b", "/",
		} {
			for _, handler := range []http.Handler{s.Handler, other.Handler} {
				if status, body := send(handler, client, path); status != http.StatusNotFound {
					t.Errorf("%s: got %d %s, want 404", path, status, body)
				}
			}
			// The mux may redirect to the clean path.
			if status, body := send(mux, client, path); status != http.StatusNotFound && status/100 != 3 {
				t.Errorf("%s at a mux: got %d %s, want 404 or a redirect", path, status, body)
			}
		}
	}
	for _, pair := range []struct {
		handler http.Handler
		client  *fixture.Client
		path    string
		status  int
	}{
		{s.Handler, s.Service, "/o/token", 200}, {other.Handler, other.Service, "/b/token/", 200}, {mux, s.Service, "/o/token", 200}, {mux, other.Service, "/b/token", 200},
		{s.Handler, other.Service, "/b/token", 404}, {other.Handler, s.Service, "/o/token", 404}, {mux, s.Service, "/b/token", 401}, {mux, other.Service, "/o/token", 401},
	} {
		if status, body := send(pair.handler, pair.client, pair.path); status != pair.status {
			t.Errorf("%s: got %d %s, want %d", pair.path, status, body, pair.status)
		}
	}
}

// issuerMetadata expects the document only at the path of its own issuer (RFC 8414
// §3.1, §3.3).
func issuerMetadata(t *testing.T, s *fixture.Server) {
	other := s.OtherProvider("https://as.test/b")
	for _, name := range []string{"oauth-authorization-server", "openid-configuration"} {
		for _, at := range []*fixture.Server{s, other} {
			for _, of := range []*fixture.Server{s, other} {
				for _, path := range []string{of.Provider.Prefix() + "/.well-known/" + name, "/.well-known/" + name + of.Provider.Prefix()} {
					recorder := httptest.NewRecorder()
					at.Handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
					body := recorder.Body.String()
					if right := strings.Contains(body, `"issuer":"`+of.Provider.Issuer()+`"`); right != (at == of) || (recorder.Code == http.StatusOK) != right {
						t.Errorf("%s at %s: got %d %s, want the document of that issuer or 404", path, at.Provider.Issuer(), recorder.Code, body)
					}
				}
			}
			for _, path := range []string{
				"/.well-known/" + name, "/.well-known/" + name + "/", "/.well-known/" + name + "/x", "/.well-known/" + name + "/o/b", "/.well-known/" + name + "/O",
				"/.well-known/" + name + "/o/../b", "/.well-known/" + name + "%2fo", "/o/b/.well-known/" + name, "/.well-known/" + name + "?issuer=https://as.test/o",
			} {
				recorder := httptest.NewRecorder()
				at.Handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
				if recorder.Code != http.StatusNotFound {
					t.Errorf("%s at %s: got %d %s, want 404", path, at.Provider.Issuer(), recorder.Code, recorder.Body)
				}
			}
		}
	}
}

// issuerConfig expects an error for an issuer that clients cannot compare (RFC
// 8414 §2).
func issuerConfig(t *testing.T, s *fixture.Server) {
	insecure := []string{"http://as.test/o", "http://as.test", "http://127.0.0.1.evil.test/o", "http://[::2]/o"}
	refused := []string{
		"", " ", "as.test", "//as.test/o", "/o", "https:", "https://", "https:///o", "https:as.test/o", "ftp://as.test/o", "HTTPS://as.test/o#", "javascript:alert(1)",
		"https://as.test/", "https://as.test/o/", "https://as.test//o", "https://as.test/o?", "https://as.test/o?x=1", "https://as.test/o#", "https://as.test/o#x",
		"https://as.test/a/../o", "https://as.test/./o", "https://as.test/o/..", "https://as.test/%6f", "https://as.test/o%2fb", "https://as.test/o b",
		"https://user@as.test/o", "https://user:password@as.test/o", "https://as.test:/o", "https://as.test:99999/o", "https://AS.test/o", "https://as.test./o",
		"https://*.test/o", "https://as.test/o\n", " https://as.test/o", "https://as..test/o",
	}
	for _, issuer := range slices.Concat(insecure, refused) {
		if _, err := oauthkit.New(issuer, s.Store, oauthkit.Config{}); err == nil {
			t.Errorf("%q: got a provider, want an error", issuer)
		}
	}
	for _, issuer := range refused {
		if _, err := oauthkit.New(issuer, s.Store, oauthkit.Config{AllowInsecureIssuer: true}); err == nil {
			t.Errorf("%q with AllowInsecureIssuer: got a provider, want an error", issuer)
		}
	}
	for _, issuer := range []string{"https://as.test", "https://as.test/o", "https://as.test:8443/o/b", "https://[2001:db8::1]/o", "http://127.0.0.1:8080/o", "http://[::1]/o"} {
		provider, err := oauthkit.New(issuer, s.Store, oauthkit.Config{})
		if err != nil || provider.Issuer() != issuer {
			t.Errorf("%q: got %v, want a provider with exactly this issuer", issuer, err)
		}
	}
	if _, err := oauthkit.New("http://as.test/o", s.Store, oauthkit.Config{AllowInsecureIssuer: true}); err != nil {
		t.Errorf("got %v, want http allowed by AllowInsecureIssuer", err)
	}
}
