package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

const adminToken = "the-token-of-the-operator-of-this-test"

// TestAdmin_Address checks that the operator's requests are served only on a loopback
// address and with a token that cannot be guessed, and that an error does not contain the
// token.
func TestAdmin_Address(t *testing.T) {
	for _, tc := range []struct {
		address, token, want string // want is part of the error
	}{
		{"127.0.0.1:9000", adminToken, ""},
		{"127.8.0.1:9000", adminToken, ""},
		{"[::1]:9000", adminToken, ""},
		{"localhost:9000", adminToken, ""},
		{":9000", adminToken, "loopback"},
		{"0.0.0.0:9000", adminToken, "loopback"},
		{"[::]:9000", adminToken, "loopback"},
		{"192.0.2.1:9000", adminToken, "loopback"},
		{"[::ffff:192.0.2.1]:9000", adminToken, "loopback"},
		{"localhost.example:9000", adminToken, "loopback"},
		{"127.0.0.1", adminToken, "HOST:PORT"},
		{"127.0.0.1:9000", "", "IDP_ADMIN_TOKEN"},
		{"127.0.0.1:9000", strings.Repeat("q", minAdminToken-1), "IDP_ADMIN_TOKEN"},
	} {
		err := checkAdmin(tc.address, tc.token)
		if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", tc.address, err, tc.want)
		}
		if err != nil && tc.token != "" && strings.Contains(err.Error(), tc.token) {
			t.Errorf("%s: got %q, want no token", tc.address, err)
		}
	}
}

// TestAdmin_Requests checks who may send which request. The first rotation changes the
// published keys at once, a second one adds nothing as long as the new keys do not sign.
func TestAdmin_Requests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		handler := newAdmin(adminToken, s.site).handler()
		before := s.get("/o/.well-known/jwks.json", nil).Body.String()
		for _, tc := range []struct {
			name, method, path, authorization string
			status                            int
			wait                              time.Duration
		}{
			{"no token", http.MethodPost, "/admin/rotate-keys", "", http.StatusUnauthorized, time.Second},
			{"wrong token", http.MethodPost, "/admin/rotate-keys", "Bearer " + adminToken + "x", http.StatusUnauthorized, time.Second},
			{"part of the token", http.MethodPost, "/admin/rotate-keys", "Bearer " + adminToken[1:], http.StatusUnauthorized, time.Second},
			{"other scheme", http.MethodPost, "/admin/rotate-keys", "Basic " + adminToken, http.StatusUnauthorized, time.Second},
			{"no scheme", http.MethodPost, "/admin/rotate-keys", adminToken, http.StatusUnauthorized, time.Second},
			{"unknown path without a token", http.MethodGet, "/admin", "", http.StatusUnauthorized, time.Second},
			{"unknown path", http.MethodPost, "/admin/", "Bearer " + adminToken, http.StatusNotFound, 0},
			{"other method", http.MethodGet, "/admin/rotate-keys", "Bearer " + adminToken, http.StatusMethodNotAllowed, 0},
		} {
			began := time.Now()
			if got := sendAdmin(t, handler, tc.method, tc.path, tc.authorization); got.Code != tc.status || time.Since(began) != tc.wait {
				t.Errorf("%s: got %d after %s, want %d after %s", tc.name, got.Code, time.Since(began), tc.status, tc.wait)
			}
		}
		if now := s.get("/o/.well-known/jwks.json", nil).Body.String(); now != before {
			t.Errorf("got the keys %s, want %s", now, before)
		}
		if strings.Contains(s.log.String(), adminToken[1:]) || !strings.Contains(s.log.String(), "admin.refused") {
			t.Errorf("got the log\n%s\nwant the refusals without the token", &s.log)
		}
		for range 2 {
			got := sendAdmin(t, handler, http.MethodPost, "/admin/rotate-keys", "bearer "+adminToken)
			answered := keyIDs(t, got.Body.Bytes())
			published := keyIDs(t, s.get("/o/.well-known/jwks.json", nil).Body.Bytes())
			if got.Code != http.StatusOK || len(answered) != 2*len(keyIDs(t, []byte(before))) || len(published) != len(answered) {
				t.Errorf("got %d with the keys %v, published %v; want one new key for each of\n%s", got.Code, answered, published, before)
			}
			for kid := range answered {
				if !published[kid] {
					t.Errorf("got the key %s, want it published", kid)
				}
			}
		}
		if err := s.database.Close(); err != nil {
			t.Fatal(err)
		}
		if got := sendAdmin(t, handler, http.MethodPost, "/admin/rotate-keys", "Bearer "+adminToken); got.Code != http.StatusServiceUnavailable {
			t.Errorf("without the database: got %d, want 503", got.Code)
		}
	})
}

// TestAdmin_Guesses checks that guesses are limited to a few in a second.
func TestAdmin_Guesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := newAdmin(adminToken, newTestSite(t, "https://as.test/o").site).handler()
		var guesses sync.WaitGroup
		for range maxAdminRequests {
			guesses.Go(func() { sendAdmin(t, handler, http.MethodPost, "/admin/rotate-keys", "Bearer guess") })
		}
		synctest.Wait()
		refused := sendAdmin(t, handler, http.MethodPost, "/admin/rotate-keys", "Bearer guess")
		if refused.Code != http.StatusServiceUnavailable || refused.Header().Get("Retry-After") != "1" {
			t.Errorf("got %d, want 503 with Retry-After", refused.Code)
		}
		guesses.Wait()
		if got := sendAdmin(t, handler, http.MethodPost, "/admin/rotate-keys", "Bearer "+adminToken); got.Code != http.StatusOK {
			t.Errorf("a second later: got %d, want 200", got.Code)
		}
	})
}

// TestAdmin_Serve starts idp with an address for the operator. It answers on that address
// alone, and both end.
func TestAdmin_Serve(t *testing.T) {
	others := goleak.IgnoreCurrent()
	t.Setenv("IDP_ADMIN_TOKEN", adminToken)
	admin := newRunning(t)
	r := startServing(t, filepath.Join(t.TempDir(), "idp.db"), "-drain", "0s", "-admin-addr", admin.address)
	if public := r.probe("/admin/rotate-keys"); public != http.StatusNotFound {
		t.Errorf("got %d at the public address, want 404", public)
	}
	for path, want := range map[string]int{"/admin/rotate-keys": http.StatusUnauthorized, "/livez": http.StatusUnauthorized} {
		if got := admin.probe(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if got := admin.probe("/admin/rotate-keys"); got != 0 {
		t.Errorf("got %d after the end, want no answer", got)
	}
	goleak.VerifyNone(t, others)
}

func sendAdmin(t *testing.T, handler http.Handler, method, path, authorization string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

// keyIDs returns the kids of a document with keys.
func keyIDs(t *testing.T, document []byte) map[string]bool {
	t.Helper()
	var set struct {
		Keys []struct {
			KeyID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	found := map[string]bool{}
	for _, key := range set.Keys {
		found[key.KeyID] = true
	}
	return found
}
