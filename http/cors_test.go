package oauthhttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestStatementsOfScripts checks that an Origin costs one query for the application,
// and only at endpoints that scripts may read.
func TestStatementsOfScripts(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, open)
			for _, test := range []struct {
				path, origin string
				acts         int
			}{
				{"token", "", 2},
				{"token", "https://rp.test", 3},
				{"token", "null", 2},
				{"revoke_token", "", 1},
				{"revoke_token", "https://rp.test", 2},
				{"introspect", "https://rp.test", 1},
			} {
				form := url.Values{"grant_type": {"client_credentials"}, "token": {"nonsense"}}
				request := httptest.NewRequest(http.MethodPost, "https://as.test/o/"+test.path, strings.NewReader(form.Encode()))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.SetBasicAuth("web", r.secret)
				if test.origin != "" {
					request.Header.Set("Origin", test.origin)
				}
				r.statements.Take()
				recorder := httptest.NewRecorder()
				r.handler.ServeHTTP(recorder, request)
				if got := r.statements.Take(); recorder.Code != http.StatusOK || got.Acts != test.acts {
					t.Errorf("%s from %q: got %d with %d acts, want 200 with %d:\n%s", test.path, test.origin, recorder.Code, got.Acts, test.acts, strings.Join(got.Statements, "\n"))
				}
			}
		})
	}
}
