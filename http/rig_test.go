package oauthhttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/gormstore"
	"github.com/oauthkit/oauthkit/store/postgres"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// rig is a provider on a database whose statements are counted, called without a
// network. Alice is signed in.
type rig struct {
	tb         testing.TB
	handler    http.Handler
	api        http.Handler
	secret     string // the secret of the application web
	statements *oauthtest.Statements
}

// The vector of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// databases open an empty database.
var databases = map[string]func(tb testing.TB) (*gorm.DB, error){
	"sqlite":   func(tb testing.TB) (*gorm.DB, error) { return sqlite.OpenDB(filepath.Join(tb.TempDir(), "oauth.db")) },
	"postgres": func(tb testing.TB) (*gorm.DB, error) { return postgres.OpenDB(oauthtest.Postgres(tb)) },
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]+)">`)

func newRig(tb testing.TB, open func(testing.TB) (*gorm.DB, error)) *rig {
	tb.Helper()
	db, err := open(tb)
	if err != nil {
		tb.Fatal(err)
	}
	r := &rig{tb: tb, statements: oauthtest.CountStatements(db)}
	store, err := gormstore.New[*oauthkit.AbstractApplication](db, gormstore.Config{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	app := &oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials},
		Scopes:     oauthkit.Scopes{"openid", "read"},
	}
	r.secret = app.GenerateSecret()
	if err := store.ApplicationTable.Create(tb.Context(), app, time.Now()); err != nil {
		tb.Fatal(err)
	}
	r.serve(store)
	return r
}

func (r *rig) serve(store *gormstore.Store[*oauthkit.AbstractApplication]) {
	r.tb.Helper()
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store})},
		Scopes:     oauthkit.StaticScopes{"read": "read your messages"},
		Secret:     strings.Repeat("s", 32),
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	signedIn := time.Now()
	r.handler = mustHandler(r.tb, provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) {
			return &oauthkit.User{Subject: "alice", AuthTime: signedIn}, nil
		},
		LoginURL: "/login",
	})
	r.api = oauthapi.RequireScopes(provider, "read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
}

// serve calls a handler like net/http, with a context that ends with the request.
func serve(handler http.Handler, w http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	handler.ServeHTTP(w, request.WithContext(ctx))
}

// post sends a form as the application web and expects 200.
func (r *rig) post(path string, form url.Values) string {
	request := httptest.NewRequestWithContext(r.tb.Context(), http.MethodPost, "https://as.test/o/"+path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("web", r.secret)
	recorder := httptest.NewRecorder()
	serve(r.handler, recorder, request)
	if recorder.Code != http.StatusOK {
		r.tb.Fatalf("%s: got %d: %s", path, recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

func (r *rig) clientCredentials() string {
	return member(r.post("token", url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}), "access_token")
}

func (r *rig) exchange(code string) (document string) {
	return r.post("token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://rp.test/cb"}, "code_verifier": {verifier},
	})
}

func (r *rig) refresh(token string) (document string) {
	return r.post("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// callAPI calls the API and expects the token to be valid.
func (r *rig) callAPI(token string) {
	request := httptest.NewRequestWithContext(r.tb.Context(), http.MethodGet, "https://as.test/api", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	serve(r.api, recorder, request)
	if recorder.Code != http.StatusOK {
		r.tb.Fatalf("API: got %d", recorder.Code)
	}
}

// authorize requests a code with remembered consent.
func (r *rig) authorize() (code string) {
	recorder := r.browse(http.MethodGet, authorizeAddress(), nil, "")
	location, err := recorder.Result().Location()
	if err != nil || location.Query().Get("code") == "" {
		r.tb.Fatalf("authorize: got %d to %v, %v", recorder.Code, location, err)
	}
	return location.Query().Get("code")
}

// approve requests a code and approves on the consent page.
func (r *rig) approve() (code string) {
	asked := r.browse(http.MethodGet, authorizeAddress(), nil, "")
	cookie, _, _ := strings.Cut(asked.Header().Get("Set-Cookie"), ";")
	page := r.browse(http.MethodGet, "https://as.test"+asked.Header().Get("Location"), nil, cookie)
	form := url.Values{"decision": {"allow"}}
	for _, field := range hiddenInput.FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	answer := r.browse(http.MethodPost, "https://as.test/o/consent", form, cookie)
	location, err := answer.Result().Location()
	if err != nil {
		r.tb.Fatalf("consent: got %d: %v", answer.Code, err)
	}
	return location.Query().Get("code")
}

func (r *rig) browse(method, address string, form url.Values, cookie string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(r.tb.Context(), method, address, strings.NewReader(form.Encode()))
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	recorder := httptest.NewRecorder()
	serve(r.handler, recorder, request)
	return recorder
}

func authorizeAddress() string {
	return "https://as.test/o/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://rp.test/cb"}, "scope": {"openid read"}, "state": {"xyz"},
		"nonce": {"n1"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
}

// member returns a string member of a JSON document without decoding it, so that
// benchmarks measure the provider alone.
func member(document, name string) string {
	_, rest, _ := strings.Cut(document, `"`+name+`":"`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
