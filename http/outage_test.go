package oauthhttp_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx", for the connection that takes the database away
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/postgres"
)

// TestOutage takes the database away from a running provider. Every response is 503 with
// Retry-After, nothing is lost, and the provider recovers when the database is back.
func TestOutage(t *testing.T) {
	address := oauthtest.Postgres(t)
	r := newRig(t, func(testing.TB) (*gorm.DB, error) { return postgres.OpenDB(address) })
	tokens, code, machine := r.exchange(r.approve()), r.authorize(), r.clientCredentials()
	unplug, plugIn := plug(t, address)

	unplug()
	basic := func(path string, form url.Values) *http.Request {
		request := httptest.NewRequest(http.MethodPost, "https://as.test/o/"+path, strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("web", r.secret)
		return request
	}
	bearer := httptest.NewRequest(http.MethodGet, "https://as.test/api", nil)
	bearer.Header.Set("Authorization", "Bearer "+machine)
	for name, request := range map[string]*http.Request{
		"client credentials": basic("token", url.Values{"grant_type": {"client_credentials"}}),
		"code exchange":      basic("token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://rp.test/cb"}, "code_verifier": {verifier}}),
		"refresh":            basic("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {member(tokens, "refresh_token")}}),
		"introspection":      basic("introspect", url.Values{"token": {machine}}),
		"revocation":         basic("revoke_token", url.Values{"token": {machine}}),
		"authorize":          httptest.NewRequest(http.MethodGet, authorizeAddress(), nil),
		"API":                bearer,
	} {
		handler := r.handler
		if name == "API" {
			handler = r.api
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Retry-After") == "" {
			t.Errorf("%s: got %d and Retry-After %q, want 503: %s", name, recorder.Code, recorder.Header().Get("Retry-After"), recorder.Body)
		}
	}

	plugIn()
	r.callAPI(machine)
	r.exchange(code)
	r.refresh(member(tokens, "refresh_token"))
	r.authorize()
}

// plug returns functions that close the database to all connections and open it again.
func plug(t *testing.T, address string) (unplug, plugIn func()) {
	t.Helper()
	database, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(database.Path, "/")
	database.Path = "/postgres"
	operator, err := sql.Open("pgx", database.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { operator.Close() })
	execute := func(statement string, args ...any) {
		t.Helper()
		if _, err := operator.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
			execute(fmt.Sprintf("ALTER DATABASE %q ALLOW_CONNECTIONS false", name))
			execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
		}, func() {
			execute(fmt.Sprintf("ALTER DATABASE %q ALLOW_CONNECTIONS true", name))
		}
}
