package oauthapi_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

// boundTokens is a source of tokens that are bound to keys.
type boundTokens struct{ oauthapi.TokenSource }

func (boundTokens) KeyBindings() oauthkit.KeyBindings {
	return oauthkit.KeyBindings{{Method: "jkt", TokenType: "DPoP", RequestHeaders: []string{"DPoP"}, ResponseHeaders: []string{"DPoP-Nonce"}}}
}

// TestCORS sends requests of scripts to an API whose patterns name methods. No response
// allows credentials.
func TestCORS(t *testing.T) {
	api := oauthapi.API{Tokens: boundTokens{tokens}}
	mux := http.NewServeMux()
	mux.Handle("PUT /notes", api.RequireScopes("read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	handler := api.CORS(oauthapi.CORS{
		AllowOrigin: func(origin string) bool { return origin != "https://evil.test" },
		Methods:     []string{"PUT"}, RequestHeaders: []string{"Mcp-Session-Id"}, ResponseHeaders: []string{"Mcp-Session-Id"},
	})(mux)
	tests := map[string]struct {
		method  string
		origins []string
		token   string
		status  int
		allowed string
	}{
		"X-07 preflight":                   {"OPTIONS", []string{"https://spa.test"}, "", 204, "https://spa.test"},
		"X-03 preflight of another origin": {"OPTIONS", []string{"https://evil.test"}, "", 405, ""},
		"X-04 preflight of no origin":      {"OPTIONS", []string{"null"}, "", 405, ""},
		"preflight of this machine":        {"OPTIONS", []string{"http://localhost:3000"}, "", 204, "http://localhost:3000"},
		"X-02 a valid token":               {"PUT", []string{"https://spa.test"}, "read", 200, "https://spa.test"},
		"X-02 no token":                    {"PUT", []string{"https://spa.test"}, "", 401, "https://spa.test"},
		"X-02 another scope":               {"PUT", []string{"https://spa.test"}, "admin", 403, "https://spa.test"},
		"X-03 another origin":              {"PUT", []string{"https://evil.test"}, "read", 200, ""},
		"X-03 two origins":                 {"PUT", []string{"https://spa.test", "https://evil.test"}, "read", 200, ""},
		"X-03 two origins in one header":   {"PUT", []string{"https://spa.test https://evil.test"}, "read", 200, ""},
		"X-04 null":                        {"PUT", []string{"null"}, "read", 200, ""},
		"X-04 a file":                      {"PUT", []string{"file://"}, "read", 200, ""},
		"X-04 a browser extension":         {"PUT", []string{"chrome-extension://abc"}, "read", 200, ""},
		"a program":                        {"PUT", nil, "read", 200, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(test.method, "https://api.test/notes", nil)
			request.Header["Origin"] = test.origins
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			if test.method == "OPTIONS" {
				request.Header.Set("Access-Control-Request-Method", "PUT")
				request.Header.Set("Access-Control-Request-Headers", strings.Repeat("x-a,", 25_000))
			}
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			header := recorder.Header()
			if got := header.Get("Access-Control-Allow-Origin"); recorder.Code != test.status || got != test.allowed {
				t.Errorf("got %d for the origin %q, want %d for %q", recorder.Code, got, test.status, test.allowed)
			}
			if !slices.Contains(header.Values("Vary"), "Origin") || header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("got %v, want a response that depends on the origin and allows no credentials", header)
			}
			exposed, allowed := header.Get("Access-Control-Expose-Headers"), header.Get("Access-Control-Allow-Headers")
			wantExposed, wantAllowed := "", ""
			switch {
			case test.allowed == "":
			case test.method == "OPTIONS":
				wantAllowed = "Authorization, Content-Type, Mcp-Session-Id, DPoP"
			default:
				wantExposed = "Retry-After, WWW-Authenticate, Mcp-Session-Id, DPoP-Nonce"
			}
			if exposed != wantExposed || allowed != wantAllowed {
				t.Errorf("got exposed headers %q and allowed headers %q, want %q and %q", exposed, allowed, wantExposed, wantAllowed)
			}
		})
	}
}

// TestCORS_Zero checks that the zero value allows no origin.
func TestCORS_Zero(t *testing.T) {
	request := httptest.NewRequest(http.MethodOptions, "https://api.test/notes", nil)
	request.Header.Set("Origin", "https://spa.test")
	request.Header.Set("Access-Control-Request-Method", "GET")
	recorder := httptest.NewRecorder()
	oauthapi.API{Tokens: tokens}.CORS(oauthapi.CORS{})(http.NotFoundHandler()).ServeHTTP(recorder, request)
	if got := recorder.Header().Get("Access-Control-Allow-Origin"); recorder.Code != 404 || got != "" {
		t.Errorf("got %d for the origin %q, want 404 for none", recorder.Code, got)
	}
}
