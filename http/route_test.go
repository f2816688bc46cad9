package oauthhttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestPaths requests paths in several spellings. An unclean path is not found: no
// endpoint redirects to another path.
func TestPaths(t *testing.T) {
	store := memstore.New()
	echo := oauthkit.Endpoint{
		Path: "things/{id}/part", Methods: []string{http.MethodGet},
		Anyone: func(w http.ResponseWriter, r *http.Request) error {
			_, err := fmt.Fprint(w, "thing ", r.PathValue("id"))
			return err
		},
	}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{Extensions: []oauthkit.Extension{endpointExtension{echo}}})
	if err != nil {
		t.Fatal(err)
	}
	handler := mustHandler(t, provider, oauthhttp.Config{})
	for _, test := range []struct {
		method, path string
		status       int
		body         string // a part of it
	}{
		{"GET", "/o/token", 405, "the method must be POST"},
		{"GET", "/o/token/", 405, "the method must be POST"},
		{"GET", "/o/token//", 404, "<h1>"},
		{"GET", "/o//token", 404, "<h1>"},
		{"GET", "//o/token", 404, "<h1>"},
		{"GET", "/o/./token", 404, "<h1>"},
		{"GET", "/o/x/../token", 404, "<h1>"},
		{"GET", "/o%2Ftoken", 404, "<h1>"},
		{"GET", "/o/%74oken", 405, "the method must be POST"},
		{"GET", "/o/TOKEN", 404, "<h1>"},
		{"GET", "/token", 404, "<h1>"},
		{"GET", "/o", 404, "<h1>"},
		{"GET", "/o/", 404, "<h1>"},
		{"GET", "/", 404, "<h1>"},
		{"GET", "/o/api/none", 404, `"reason":"not_found"`},
		{"OPTIONS", "/o/api//none", 404, `"reason":"not_found"`},
		{"HEAD", "/o/oauthkit.css", 200, ""},
		{"HEAD", "/o/authorize", 405, ""},
		{"GET", "/o/things/a/part", 200, "thing a"},
		{"GET", "/o/things/a/part/", 200, "thing a"},
		{"GET", "/o/things/a%2Fb%20%C3%A4/part", 200, "thing a/b ä"},
		{"GET", "/o/things/a%252Fb/part", 200, "thing a%2Fb"},
		{"GET", "/o/things/%2e%2e/part", 200, "thing .."},
		{"HEAD", "/o/things/a/part", 200, ""},
		{"POST", "/o/things/a/part", 405, "the method must be GET"},
		{"GET", "/o/things//part", 404, "<h1>"},
		{"GET", "/o/things/a/b/part", 404, "<h1>"},
		{"GET", "/o/things/a", 404, "<h1>"},
		{"GET", "/o/.well-known/oauth-authorization-server/", 200, "issuer"},
		{"GET", "/.well-known/oauth-authorization-server/o/", 200, "issuer"},
		{"GET", "/.well-known/oauth-authorization-server", 404, "<h1>"},
	} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(test.method, "https://as.test"+test.path, nil))
		if recorder.Code != test.status || !strings.Contains(recorder.Body.String(), test.body) {
			t.Errorf("%s %s: got %d %q, want %d with %q", test.method, test.path, recorder.Code, recorder.Body, test.status, test.body)
		}
		if allow := recorder.Header().Get("Allow"); (allow != "") != (test.status == 405) {
			t.Errorf("%s %s: got Allow %q with status %d", test.method, test.path, allow, recorder.Code)
		}
	}
}
