package oauthapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

// TestMetadataURL has the cases of RFC 9728 §3.1, and names that are not URLs.
func TestMetadataURL(t *testing.T) {
	servers := []string{"https://as.test/o"}
	tests := map[string]struct {
		resource string
		servers  []string
		want     string
	}{
		"host":                 {"https://resource.example.com", servers, "https://resource.example.com/.well-known/oauth-protected-resource"},
		"host and slash":       {"https://resource.example.com/", servers, "https://resource.example.com/.well-known/oauth-protected-resource"},
		"path":                 {"https://resource.example.com/resource1", servers, "https://resource.example.com/.well-known/oauth-protected-resource/resource1"},
		"path and slash":       {"https://resource.example.com/r/", servers, "https://resource.example.com/.well-known/oauth-protected-resource/r/"},
		"path with escapes":    {"https://resource.example.com/a%2Fb", servers, "https://resource.example.com/.well-known/oauth-protected-resource/a%2Fb"},
		"port and query":       {"https://resource.example.com:444/r?x=1", servers, "https://resource.example.com:444/.well-known/oauth-protected-resource/r?x=1"},
		"slash and query":      {"https://resource.example.com/?x=1", servers, "https://resource.example.com/.well-known/oauth-protected-resource?x=1"},
		"this machine":         {"http://localhost:9090/r", servers, "http://localhost:9090/.well-known/oauth-protected-resource/r"},
		"no servers":           {"https://resource.example.com", nil, ""},
		"no name":              {"", servers, ""},
		"a name, not a URL":    {"urn:example:api", servers, ""},
		"another scheme":       {"ftp://resource.example.com", servers, ""},
		"a fragment":           {"https://resource.example.com/#x", servers, ""},
		"not a URI":            {"https://resource.example.com/%zz", servers, ""},
		"quotes do not escape": {`https://resource.example.com/"x`, servers, "https://resource.example.com/.well-known/oauth-protected-resource/%22x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := oauthapi.API{Tokens: tokens, Resource: test.resource, AuthorizationServers: test.servers}
			if got := api.MetadataURL(); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			wantNone := ""
			if test.want != "" {
				wantNone = `, resource_metadata="` + test.want + `"`
			}
			for token, want := range map[string]string{
				"": `Bearer realm="oauth", scope="read"` + wantNone, "nonsense": `Bearer error="invalid_token", error_description="the access token is not valid"` + wantNone,
			} {
				if got := answerTo(api.RequireScopes("read"), "GET", token).Header().Get("WWW-Authenticate"); got != want {
					t.Errorf("token %q: got challenge %s, want %s", token, got, want)
				}
			}
		})
	}
}

func TestResourceMetadata(t *testing.T) {
	api := oauthapi.API{
		Tokens: tokens, Resource: "https://api.test/notes", AuthorizationServers: []string{"https://as.test/o"}, Scopes: []string{"read", "write"},
		Name: "Notes", Documentation: "https://api.test/docs",
	}
	mux := http.NewServeMux()
	mux.Handle(api.Metadata())
	ask := func(method, path string, header ...string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, request)
		return recorder
	}
	const address = "https://api.test/.well-known/oauth-protected-resource/notes"
	got := ask("GET", address)
	const want = `{"resource":"https://api.test/notes","authorization_servers":["https://as.test/o"],"scopes_supported":["read","write"],` +
		`"bearer_methods_supported":["header"],"resource_name":"Notes","resource_documentation":"https://api.test/docs"}`
	if got.Code != 200 || got.Body.String() != want || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s, want 200 and %s", got.Code, got.Body, want)
	}
	if got.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(got.Header().Get("Cache-Control"), "max-age") {
		t.Errorf("got %v, want a document that every script may read and every cache may store", got.Header())
	}
	if head := ask("HEAD", address); head.Code != 200 {
		t.Errorf("HEAD: got %d, want 200", head.Code)
	}
	if post := ask("POST", address); post.Code != 405 || post.Header().Get("Allow") != "GET" {
		t.Errorf("POST: got %d with Allow %q, want 405 with GET", post.Code, post.Header().Get("Allow"))
	}
	if preflight := ask("OPTIONS", address, "Origin", "https://x.test", "Access-Control-Request-Method", "GET"); preflight.Code != 204 {
		t.Errorf("preflight: got %d, want 204", preflight.Code)
	}
	if parent := ask("GET", "https://api.test/.well-known/oauth-protected-resource"); parent.Code != 404 {
		t.Errorf("the path of another resource: got %d, want 404", parent.Code)
	}
}

// TestResourceMetadataIsOfOneResource uses names that begin with the path of another,
// and requests paths that belong to none of them.
func TestResourceMetadataIsOfOneResource(t *testing.T) {
	document := func(resources ...string) http.Handler {
		mux := http.NewServeMux()
		for _, resource := range resources {
			mux.Handle(oauthapi.API{Tokens: tokens, Resource: resource, AuthorizationServers: []string{"https://as.test/o"}}.Metadata())
		}
		return mux
	}
	slash := document("https://api.test/v1/")
	several := document("https://api.test/v1", "https://api.test/v1/", "https://api.test/v1/notes")
	for name, test := range map[string]struct {
		mux    http.Handler
		path   string
		status int
		of     string // the resource of the document; empty if there is none
	}{
		"the name":                          {slash, "/v1/", 200, "https://api.test/v1/"},
		"a longer path":                     {slash, "/v1/other", 404, ""},
		"another slash":                     {slash, "/v1/other/", 404, ""},
		"the name without its slash":        {slash, "/v1", 307, ""}, // ServeMux redirects
		"neighbours, without a slash":       {several, "/v1", 200, "https://api.test/v1"},
		"neighbours, with a slash":          {several, "/v1/", 200, "https://api.test/v1/"},
		"neighbours, below":                 {several, "/v1/notes", 200, "https://api.test/v1/notes"},
		"neighbours, unknown":               {several, "/v1/other", 404, ""},
		"neighbours, below an unknown name": {several, "/v1/notes/1", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			test.mux.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource"+test.path, nil))
			body, want := recorder.Body.String(), `{"resource":"`+test.of+`",`
			if recorder.Code != test.status || strings.HasPrefix(body, want) != (test.of != "") || strings.Contains(body, "resource\":") != (test.of != "") {
				t.Errorf("got %d %s, want %d with the document of %q", recorder.Code, body, test.status, test.of)
			}
		})
	}
}

func TestResourceMetadataOfNothing(t *testing.T) {
	if pattern, handler := (oauthapi.API{Tokens: tokens}).Metadata(); pattern != "" || handler != nil {
		t.Errorf("got a handler at %q for an API without a name, want none", pattern)
	}
}
