package oauthhttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// greeting is an extension with an endpoint for users that greets and counts.
type greeting struct{ greeted int }

func (g *greeting) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{
		Path: "hello", Methods: []string{http.MethodGet, http.MethodPost},
		User: func(w http.ResponseWriter, _ *http.Request, user *oauthkit.User) error {
			g.greeted++
			_, err := fmt.Fprint(w, "hello ", user.Subject)
			return err
		},
	})
	return nil
}

// TestUserEndpoint calls an extension's endpoint for users, which only
// a signed-in user reaches.
func TestUserEndpoint(t *testing.T) {
	alice := &oauthkit.User{Subject: "alice"}
	tests := []struct {
		name, method, site string
		user               *oauthkit.User
		failure            error
		status             int
		location, body     string
	}{
		{name: "signed in", method: "GET", user: alice, status: 200, body: "hello alice"},
		{name: "form of this site", method: "POST", site: "same-origin", user: alice, status: 200, body: "hello alice"},
		{name: "B-02 form of another site", method: "POST", site: "cross-site", user: alice, status: 403, body: "another site"},
		{name: "signed out", method: "GET", status: 303, location: "/login?next=%2Fo%2Fhello%3Fto%3Dme"},
		{name: "HEAD could have effects", method: "HEAD", user: alice, status: 405},
		{name: "sessions fail", method: "GET", failure: errors.New("sessions are down"), status: 503, body: "Nothing was lost"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			extension := &greeting{}
			store := memstore.New()
			provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{Extensions: []oauthkit.Extension{extension}})
			if err != nil {
				t.Fatal(err)
			}
			handler := mustHandler(t, provider, oauthhttp.Config{
				CurrentUser: func(*http.Request) (*oauthkit.User, error) { return test.user, test.failure },
				LoginURL:    "/login",
			})
			request := httptest.NewRequest(test.method, "https://as.test/o/hello?to=me", nil)
			request.Header.Set("Sec-Fetch-Site", test.site)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if recorder.Code != test.status || recorder.Header().Get("Location") != test.location || !strings.Contains(recorder.Body.String(), test.body) {
				t.Errorf("got %d to %q: %s; want %d to %q with %q",
					recorder.Code, recorder.Header().Get("Location"), recorder.Body, test.status, test.location, test.body)
			}
			if greeted := extension.greeted == 1; greeted != (test.status == 200) {
				t.Errorf("the endpoint was called %d times with status %d", extension.greeted, recorder.Code)
			}
		})
	}
}

// occupant is an extension with an endpoint at a path.
type occupant string

func (o occupant) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{
		Path: string(o), Methods: []string{http.MethodPost},
		Anyone: func(http.ResponseWriter, *http.Request) error { return nil },
	})
	return nil
}

// TestOccupiedPath checks that no extension replaces an endpoint of the
// library, with its checks.
func TestOccupiedPath(t *testing.T) {
	for path, refused := range map[string]bool{
		"authorize": true, "consent": true, "token": true, "introspect": true, "oauthkit.css": true, "applications/web": true,
		"applications/{id}/update": true, ".well-known/oauth-authorization-server": true, "tokens": false, "things/{id}": false,
		"{a}/register": true, "things/{id": true,
	} {
		store := memstore.New()
		provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{Extensions: []oauthkit.Extension{occupant(path)}})
		if err != nil {
			t.Fatal(err)
		}
		applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = oauthhttp.NewHandler(provider, oauthhttp.Config{Applications: applications})
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names it: %t", path, err, refused)
		}
	}
}

// crossOriginExtension has an endpoint in a group of its own, which any script may
// read, and metadata that belongs to the group.
type crossOriginExtension struct{}

func (crossOriginExtension) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(oauthkit.Endpoint{
		Path: "status", Methods: []string{http.MethodGet}, Group: "status", Metadata: "status_endpoint", CrossOrigin: oauthkit.CrossOriginAny,
		Anyone: func(http.ResponseWriter, *http.Request) error { return nil },
	})
	registry.Metadata("status", func(metadata map[string]any) { metadata["status_supported"] = true })
	registry.MetadataDocument("status", "status-configuration")
	return nil
}

// TestExtensionGroup leaves out the group of an extension's endpoint and metadata.
func TestExtensionGroup(t *testing.T) {
	provider, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{Extensions: []oauthkit.Extension{crossOriginExtension{}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		groups []oauthhttp.Group
		served bool
	}{
		"every group":        {nil, true},
		"its group":          {[]oauthhttp.Group{oauthhttp.GroupMetadata, "status"}, true},
		"the group of OIDC":  {[]oauthhttp.Group{oauthhttp.GroupMetadata, oauthhttp.GroupOIDC}, false},
		"metadata and pages": {[]oauthhttp.Group{oauthhttp.GroupMetadata, oauthhttp.GroupBase}, false},
	} {
		t.Run(name, func(t *testing.T) {
			handler := mustHandler(t, provider, oauthhttp.Config{Groups: test.groups})
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/status", nil))
			if served := recorder.Code == http.StatusOK; served != test.served || served != (recorder.Header().Get("Access-Control-Allow-Origin") == "*") {
				t.Errorf("got %d with %v, want it served to every origin: %t", recorder.Code, recorder.Header(), test.served)
			}
			if served := status(handler, http.MethodGet, "/o/.well-known/status-configuration") == http.StatusOK; served != test.served {
				t.Errorf("got the document served %t, want %t", served, test.served)
			}
			recorder = httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/.well-known/oauth-authorization-server", nil))
			for _, member := range []string{"status_endpoint", "status_supported"} {
				if announced := strings.Contains(recorder.Body.String(), member); announced != test.served {
					t.Errorf("got %s announced %t, want %t", member, announced, test.served)
				}
			}
		})
	}
}
