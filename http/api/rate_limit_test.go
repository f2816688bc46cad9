package oauthapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
)

// TestRateLimitKeys checks that no two callers have the same key, even if they have
// the same name.
func TestRateLimitKeys(t *testing.T) {
	table := tokenTable{
		"user":    token("web", "read"), // a user with the name of the application
		"machine": token("", "read"),
	}
	session := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	tests := map[string]struct {
		token, byUser, byApplication string
	}{
		"user":      {"user", "user:web", "application:web"},
		"machine":   {"machine", "application:web", "application:web"},
		"signed in": {"", "user:alice", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			called := false
			oauthapi.API{Tokens: table}.SignedInOr(session, "read")(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				if byUser, byApplication := oauthapi.RateLimitKey(r), oauthapi.ApplicationRateLimitKey(r); byUser != test.byUser || byApplication != test.byApplication {
					t.Errorf("got %q and %q, want %q and %q", byUser, byApplication, test.byUser, test.byApplication)
				}
			})).ServeHTTP(httptest.NewRecorder(), request)
			if !called {
				t.Error("the API was not called")
			}
		})
	}
	if got := oauthapi.RateLimitKey(httptest.NewRequest(http.MethodGet, "/", nil)); got != "" {
		t.Errorf("outside the middleware: got %q, want none", got)
	}
}
