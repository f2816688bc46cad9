package oauthhttp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

func status(handler http.Handler, method, path string) int {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, "https://as.test"+path, nil))
	return recorder.Code
}

// TestGroups leaves out groups. Their endpoints are neither served nor
// announced in the metadata.
func TestGroups(t *testing.T) {
	const (
		base, keys, document = "/o/authorize", "/o/.well-known/jwks.json", "/o/.well-known/oauth-authorization-server"
		discovery            = "/o/.well-known/openid-configuration"
		byHost               = "/.well-known/openid-configuration/o"
	)
	all := []string{base, "/o/token", keys, "/o/userinfo", document, discovery, byHost}
	tests := []struct {
		name   string
		groups []oauthhttp.Group
		served []string
	}{
		{"all", nil, all},
		{"every one by name", []oauthhttp.Group{oauthhttp.GroupBase, oauthhttp.GroupMetadata, oauthhttp.GroupOIDC, oauthhttp.GroupManagement}, all},
		{"none", []oauthhttp.Group{}, nil},
		{"no OpenID Connect", []oauthhttp.Group{oauthhttp.GroupBase, oauthhttp.GroupMetadata}, []string{base, "/o/token", document}},
		{"no metadata", []oauthhttp.Group{oauthhttp.GroupBase, oauthhttp.GroupOIDC}, []string{base, "/o/token", keys, "/o/userinfo"}},
		{"metadata alone", []oauthhttp.Group{oauthhttp.GroupMetadata}, []string{document}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			handler := newPages(t, oauthhttp.Config{Groups: test.groups})
			served := strings.Join(test.served, " ") + " "
			for _, path := range append(all, "/o/oauthkit.css") {
				found := status(handler, http.MethodGet, path) != http.StatusNotFound
				if want := strings.Contains(served, path+" ") || path == "/o/oauthkit.css"; found != want {
					t.Errorf("%s: got it served %t, want %t", path, found, want)
				}
			}
			if strings.Contains(served, document) {
				checkAnnounced(t, handler, strings.Contains(served, base), strings.Contains(served, keys))
			}
		})
	}
}

func checkAnnounced(t *testing.T, handler http.Handler, base, oidc bool) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/.well-known/oauth-authorization-server", nil))
	var document map[string]any
	if err := json.Unmarshal(recorder.Body.Bytes(), &document); err != nil {
		t.Fatalf("got %s: %v", recorder.Body, err)
	}
	for member, want := range map[string]bool{
		"issuer": true, "authorization_endpoint": base, "token_endpoint": base, "introspection_endpoint": base, "revocation_endpoint": base,
		"token_endpoint_auth_methods_supported": base, "introspection_endpoint_auth_methods_supported": base,
		"userinfo_endpoint": oidc, "jwks_uri": oidc, "id_token_signing_alg_values_supported": oidc, "claims_supported": oidc,
	} {
		if _, found := document[member]; found != want {
			t.Errorf("%s: got it announced %t, want %t", member, found, want)
		}
	}
}

// TestEndpoint mounts single endpoints at other addresses, from a handler without groups.
func TestEndpoint(t *testing.T) {
	handler := newPages(t, oauthhttp.Config{Groups: []oauthhttp.Group{}})
	mux := http.NewServeMux()
	mux.Handle("/elsewhere/authorize", handler.Endpoint("authorize"))
	mux.Handle("/elsewhere/keys", handler.Endpoint(".well-known/jwks.json"))
	mux.Handle("/elsewhere/introspect", handler.Endpoint("introspect"))
	for path, want := range map[string]int{
		"/elsewhere/keys": http.StatusOK, "/elsewhere/authorize": http.StatusBadRequest, "/elsewhere/introspect": http.StatusMethodNotAllowed,
	} {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test"+path, nil))
		if recorder.Code != want || recorder.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %d with the headers %v, want %d with security headers", path, recorder.Code, recorder.Header(), want)
		}
	}
	for _, path := range []string{"nonsense", "", "/authorize", "authorize/"} {
		if handler.Endpoint(path) != nil {
			t.Errorf("%q: got an endpoint, want nil", path)
		}
	}
}

// TestReplace replaces an endpoint with a handler of the host, for all
// methods and spellings.
func TestReplace(t *testing.T) {
	called := 0
	replaced := newPages(t, oauthhttp.Config{Replace: map[string]http.Handler{
		"authorize": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			called++
			if len(w.Header()) > 0 {
				t.Errorf("got the headers %v, want none set for the host's handler", w.Header())
			}
			w.WriteHeader(http.StatusTeapot)
		}),
	}})
	for i, request := range [][2]string{{"GET", "/o/authorize"}, {"GET", "/o/authorize/"}, {"POST", "/o/authorize"}, {"DELETE", "/o/authorize"}} {
		if got := status(replaced, request[0], request[1]); got != http.StatusTeapot || called != i+1 {
			t.Errorf("%s: got %d after %d calls, want the host's response", request, got, called)
		}
	}
	if got := status(replaced.Endpoint("authorize"), "GET", "/o/authorize"); got != http.StatusBadRequest || called != 4 {
		t.Errorf("got %d after %d calls, want the library's endpoint", got, called)
	}
	if got := status(replaced, "GET", "/o/token"); got != http.StatusMethodNotAllowed {
		t.Errorf("got %d at another endpoint, want the library's", got)
	}
}

// TestUnknownNames checks that NewHandler refuses a mistyped group or path.
func TestUnknownNames(t *testing.T) {
	for name, config := range map[string]oauthhttp.Config{
		"group":                    {Groups: []oauthhttp.Group{"oauth"}},
		"path":                     {Replace: map[string]http.Handler{"/authorize": http.NotFoundHandler()}},
		"path of a left-out group": {Groups: []oauthhttp.Group{oauthhttp.GroupOIDC}, Replace: map[string]http.Handler{"authorize": http.NotFoundHandler()}},
		"path without a handler":   {Replace: map[string]http.Handler{"authorize": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tryPages(t, config); err == nil {
				t.Error("got a handler, want an error")
			}
		})
	}
}
