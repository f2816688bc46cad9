package oauthhttp_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/sqlite"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// override is a method that a host's application overrides, with a test that the
// host's result is used.
type override struct {
	method string
	stores map[string]func(*testing.T) overridingStore
	shows  func(*overridden)
}

type overridingStore interface {
	storetest.Store
	oauthkit.AuthorizationManager
	oauthkit.ApplicationManager
}

// overriding returns the row of the type T, which embeds AbstractApplication and
// redefines the method.
func overriding[T any, A interface {
	*T
	oauthkit.Application
}](method string, shows func(*overridden)) override {
	return override{method, map[string]func(*testing.T) overridingStore{
		"memstore": func(*testing.T) overridingStore {
			store := memstore.New()
			store.NewModel = func() oauthkit.Application { return A(new(T)) }
			return store
		},
		"gormstore": func(t *testing.T) overridingStore {
			store, err := sqlite.Open[A](":memory:")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			return store
		},
	}, shows}
}

// overridden is a provider with one application of such a type. Alice is signed in.
type overridden struct {
	*testing.T
	store        overridingStore
	provider     *oauthkit.Provider
	applications *oauthkit.Applications
	handler      http.Handler
}

func newOverridden(t *testing.T, store overridingStore) *overridden {
	t.Helper()
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{
			Keys: store, Algorithms: []string{"EdDSA", "ES256"}, // RSA keys take time to generate
			Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
				return oidc.Claims{Name: "Alice"}, nil
			},
		})},
		Scopes:    oauthkit.StaticScopes{"read": "read", "write": "write"},
		Resources: []string{"https://own.test/api", "https://other.test/api"},
	})
	if err != nil {
		t.Fatal(err)
	}
	signedIn := time.Now()
	o := &overridden{T: t, store: store, provider: provider}
	o.applications, err = oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{SecretOverlap: time.Hour, Scopes: oauthkit.Scopes{"read"}})
	if err != nil {
		t.Fatal(err)
	}
	o.handler = mustHandler(t, provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) {
			return &oauthkit.User{Subject: "alice", AuthTime: signedIn}, nil
		},
		LoginURL:     "/login",
		Applications: o.applications, Authorizations: oauthkit.NewAuthorizations(provider, store),
	})
	return o
}

// storedSecret is the secret that AbstractApplication verifies.
const storedSecret = "the-secret-that-is-stored"

// tryCreate stores the application web of alice.
func (o *overridden) tryCreate(changes ...func(*oauthkit.AbstractApplication)) error {
	app := o.store.NewApplication()
	abstract := oauthkit.Abstract(app)
	*abstract = oauthkit.AbstractApplication{
		ClientID: "web", UserID: "alice", Name: "Web", ClientType: oauthkit.Confidential,
		GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials},
		RedirectURIs: oauthkit.URIs{"https://rp.test/cb"}, Scopes: oauthkit.Scopes{"openid", "read"},
	}
	abstract.ImportSecret(storedSecret)
	for _, change := range changes {
		change(abstract)
	}
	return o.store.CreateApplication(o.Context(), app, time.Now())
}

func (o *overridden) create(changes ...func(*oauthkit.AbstractApplication)) {
	o.Helper()
	if err := o.tryCreate(changes...); err != nil {
		o.Fatalf("creating the application: %v", err)
	}
}

func (o *overridden) do(request *http.Request, mediaType string) *httptest.ResponseRecorder {
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	recorder := httptest.NewRecorder()
	o.handler.ServeHTTP(recorder, request)
	return recorder
}

// page returns the response to GET.
func (o *overridden) page(path string) string {
	return o.do(httptest.NewRequest(http.MethodGet, "https://as.test"+path, nil), "").Body.String()
}

// json sends a document and returns the document of the response.
func (o *overridden) json(method, path, body string) (status int, document map[string]any) {
	o.Helper()
	answer := o.do(httptest.NewRequest(method, "https://as.test"+path, strings.NewReader(body)), "application/json")
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		o.Fatalf("%s %s: got %d %q", method, path, answer.Code, answer.Body)
	}
	return answer.Code, document
}

// authorize sends an authorization request in alice's browser. Pairs replace
// parameters.
func (o *overridden) authorize(pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://rp.test/cb"}, "scope": {"read"}, "state": {"xyz"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	maps.Copy(form, values(pairs))
	return o.do(httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize?"+form.Encode(), nil), "")
}

// consent opens the page to which the browser was redirected.
func (o *overridden) consent(asked *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	o.Helper()
	request := httptest.NewRequest(http.MethodGet, "https://as.test"+asked.Header().Get("Location"), nil)
	request.Header.Set("Cookie", cookieOf(asked))
	page := o.do(request, "")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `name="decision"`) {
		o.Fatalf("got %d to %q, then %d: %s; want the consent page", asked.Code, asked.Header().Get("Location"), page.Code, page.Body)
	}
	return page
}

// approve gets a code through the consent page.
func (o *overridden) approve(pairs ...string) (code string) {
	o.Helper()
	asked := o.authorize(pairs...)
	form := url.Values{"decision": {"allow"}}
	for _, field := range hiddenInput.FindAllStringSubmatch(o.consent(asked).Body.String(), -1) {
		form.Set(field[1], field[2])
	}
	request := httptest.NewRequest(http.MethodPost, "https://as.test/o/consent", strings.NewReader(form.Encode()))
	request.Header.Set("Cookie", cookieOf(asked))
	return o.codeOf(o.do(request, "application/x-www-form-urlencoded"))
}

func (o *overridden) codeOf(answer *httptest.ResponseRecorder) (code string) {
	o.Helper()
	location, err := answer.Result().Location()
	if err != nil || location.Query().Get("code") == "" {
		o.Fatalf("got %d to %v: %s; want a code", answer.Code, location, answer.Body)
	}
	return location.Query().Get("code")
}

func cookieOf(answer *httptest.ResponseRecorder) string {
	cookie, _, _ := strings.Cut(answer.Header().Get("Set-Cookie"), ";")
	return cookie
}

// exchange redeems a code.
func (o *overridden) exchange(code string, pairs ...string) (status int, document map[string]any) {
	o.Helper()
	form := values([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", "https://rp.test/cb", "code_verifier", verifier})
	maps.Copy(form, values(pairs))
	return o.post("token", storedSecret, form)
}

// post sends a form with the secret in the Authorization header. If secret is empty,
// there is no header.
func (o *overridden) post(path, secret string, form url.Values) (status int, document map[string]any) {
	o.Helper()
	request := httptest.NewRequest(http.MethodPost, "https://as.test/o/"+path, strings.NewReader(form.Encode()))
	if secret != "" {
		request.SetBasicAuth("web", secret)
	}
	answer := o.do(request, "application/x-www-form-urlencoded")
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		o.Fatalf("%s: got %d %q", path, answer.Code, answer.Body)
	}
	return answer.Code, document
}

// actsForItself gets a token with client credentials.
func (o *overridden) actsForItself(secret string, pairs ...string) (status int, document map[string]any) {
	o.Helper()
	form := values([]string{"grant_type", "client_credentials", "scope", "read"})
	maps.Copy(form, values(pairs))
	return o.post("token", secret, form)
}

func values(pairs []string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// wants reports an error unless got equals want.
func (o *overridden) wants(what string, got, want any) {
	o.Helper()
	if got != want {
		o.Errorf("%s: got %v, want %v", what, got, want)
	}
}
