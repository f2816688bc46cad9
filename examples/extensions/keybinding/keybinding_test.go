package keybinding_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/examples/extensions/keybinding"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const (
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge   = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	redirectURI = "https://phone.example/callback"
)

// site is a provider with an API, and the same API in another program.
type site struct {
	*testing.T
	local, remote *httptest.Server
	secret        string // of the application "api", which introspects
	now           time.Time
	mine, others  ed25519.PrivateKey
}

func newSite(t *testing.T) *site {
	s := &site{
		T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		mine:   ed25519.NewKeyFromSeed([]byte(strings.Repeat("a", ed25519.SeedSize))),
		others: ed25519.NewKeyFromSeed([]byte(strings.Repeat("b", ed25519.SeedSize))),
	}
	clock := func() time.Time { return s.now }
	mux, remote := http.NewServeMux(), http.NewServeMux()
	s.local, s.remote = httptest.NewServer(mux), httptest.NewServer(remote)
	t.Cleanup(s.local.Close)
	t.Cleanup(s.remote.Close)
	store := memstore.New()
	provider, err := oauthkit.New(s.local.URL+"/o", store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read notes"}, Now: clock,
		Extensions: []oauthkit.Extension{keybinding.SignedRequests{Origin: s.local.URL, Now: clock}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.addApplications(store)
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) {
			return &oauthkit.User{Subject: "alice", AuthTime: s.now}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	introspector, err := oauthapi.NewIntrospector(oauthapi.IntrospectorConfig{
		Endpoint: s.local.URL + "/o/introspect", ClientID: "api", ClientSecret: s.secret, CacheTime: time.Minute, Now: clock,
		KeyBindings: oauthkit.KeyBindings{keybinding.SignedRequests{Origin: s.remote.URL, Now: clock}.KeyBinding()},
	})
	if err != nil {
		t.Fatal(err)
	}
	notes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "notes") })
	mux.Handle("/o/", handler)
	mux.Handle("/notes", oauthapi.RequireScopes(provider, "read")(notes))
	remote.Handle("/notes", oauthapi.RequireScopes(introspector, "read")(notes))
	return s
}

// addApplications adds a public application that its users trust, and the one of the
// API in the other program.
func (s *site) addApplications(store *memstore.Store) {
	phone := &oauthkit.AbstractApplication{
		ClientID: "phone", Name: "Phone", ClientType: oauthkit.Public, SkipAuthorization: true, RedirectURIs: oauthkit.URIs{redirectURI},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing}, Scopes: oauthkit.Scopes{"read"},
	}
	api := &oauthkit.AbstractApplication{
		ClientID: "api", Name: "API", ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
	}
	s.secret = api.GenerateSecret()
	for _, app := range []*oauthkit.AbstractApplication{phone, api} {
		if err := store.CreateApplication(s.Context(), app, s.now); err != nil {
			s.Fatal(err)
		}
	}
}

// code returns an authorization code that is bound to key, if that is not nil.
func (s *site) code(key ed25519.PrivateKey) string {
	s.Helper()
	query := url.Values{
		"client_id": {"phone"}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"read"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	if key != nil {
		query.Set(keybinding.Parameter, keybinding.PublicKey(key))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.local.URL+"/o/authorize?"+query.Encode(), nil)
	if err != nil {
		s.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	location, err := response.Location()
	if err != nil || location.Query().Get("code") == "" {
		s.Fatalf("authorize: got %s to %v, want a code", response.Status, location)
	}
	return location.Query().Get("code")
}

// answer is a response, with the members of its body if that is JSON.
type answer struct {
	status     int
	challenges string
	members    map[string]any
}

func (s *site) send(request *http.Request) answer {
	s.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, challenges: strings.Join(response.Header.Values("WWW-Authenticate"), "\n")}
	_ = json.NewDecoder(response.Body).Decode(&got.members)
	return got
}

// post sends a form to the provider, with a proof if key is not nil.
func (s *site) post(path string, key ed25519.PrivateKey, form url.Values) map[string]any {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.local.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if path == "/o/introspect" {
		request.SetBasicAuth("api", s.secret)
	}
	if key != nil {
		keybinding.Sign(request, key, "", s.now)
	}
	return s.send(request).members
}

func (s *site) redeem(key ed25519.PrivateKey, code string) map[string]any {
	s.Helper()
	return s.post("/o/token", key, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"phone"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	})
}

func (s *site) refresh(key ed25519.PrivateKey, token any) map[string]any {
	s.Helper()
	return s.post("/o/token", key, url.Values{"grant_type": {"refresh_token"}, "client_id": {"phone"}, "refresh_token": {fmt.Sprint(token)}})
}

// want checks one member of a response.
func (s *site) want(members map[string]any, name, value string) {
	s.Helper()
	if members[name] != value {
		s.Errorf("got %v, want %s %q", members, name, value)
	}
}

// TestTokens redeems, refreshes and introspects with the key, with another and with none.
func TestTokens(t *testing.T) {
	s := newSite(t)
	code := s.code(s.mine)
	for _, key := range []ed25519.PrivateKey{nil, s.others} {
		s.want(s.redeem(key, code), "error", "invalid_grant")
	}
	first := s.redeem(s.mine, code)
	s.want(first, "token_type", keybinding.TokenType)
	introspected := s.post("/o/introspect", nil, url.Values{"token": {fmt.Sprint(first["access_token"])}})
	s.want(introspected, "token_type", keybinding.TokenType)
	cnf, _ := introspected["cnf"].(map[string]any)
	s.want(cnf, keybinding.Method, keybinding.PublicKey(s.mine))

	for _, key := range []ed25519.PrivateKey{nil, s.others} {
		s.want(s.refresh(key, first["refresh_token"]), "error", "invalid_grant")
	}
	second := s.refresh(s.mine, first["refresh_token"])
	s.want(second, "token_type", keybinding.TokenType)
	// A repeat is no replay without the key.
	s.want(s.refresh(s.others, first["refresh_token"]), "error", "invalid_grant")
	s.want(s.refresh(s.mine, second["refresh_token"]), "token_type", keybinding.TokenType)
	s.want(s.redeem(nil, s.code(nil)), "token_type", "Bearer")
}

// TestAPI presents a token to the API in the provider's program and to the one in
// another program.
func TestAPI(t *testing.T) {
	s := newSite(t)
	bound := fmt.Sprint(s.redeem(s.mine, s.code(nil))["access_token"])
	bearer := fmt.Sprint(s.redeem(nil, s.code(nil))["access_token"])
	tests := map[string]struct {
		key    ed25519.PrivateKey
		token  string
		change func(r *http.Request)
		status int
		code   string // in the challenge
	}{
		"proof":            {s.mine, bound, nil, 200, ""},
		"bearer token":     {nil, bearer, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bearer) }, 200, ""},
		"another key":      {s.others, bound, nil, 401, "invalid_token"},
		"no proof":         {s.mine, bound, func(r *http.Request) { r.Header.Del(keybinding.Header) }, 401, "invalid_proof"},
		"two proofs":       {s.mine, bound, func(r *http.Request) { r.Header.Add(keybinding.Header, "x") }, 401, "invalid_proof"},
		"as Bearer":        {s.mine, bound, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bound) }, 401, "invalid_token"},
		"unbound, signed":  {s.mine, bearer, nil, 401, "invalid_token"},
		"another method":   {s.mine, bound, func(r *http.Request) { r.Method = http.MethodPost }, 401, "invalid_proof"},
		"of another token": {s.mine, bearer, func(r *http.Request) { r.Header.Set("Authorization", "Signed "+bound) }, 401, "invalid_proof"},
		"old": {s.mine, bound, func(r *http.Request) {
			keybinding.Sign(r, s.mine, bound, s.now.Add(-2*time.Minute))
		}, 401, "invalid_proof"},
	}
	for name, test := range tests {
		for _, server := range []*httptest.Server{s.local, s.remote} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/notes", nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.key != nil {
				keybinding.Sign(request, test.key, test.token, s.now)
			}
			if test.change != nil {
				test.change(request)
			}
			if got := s.send(request); got.status != test.status || !strings.Contains(got.challenges, test.code) {
				t.Errorf("%s: got %d with %s, want %d %s", name, got.status, got.challenges, test.status, test.code)
			}
		}
	}
	elsewhere, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.remote.URL+"/notes", nil)
	if err != nil {
		t.Fatal(err)
	}
	keybinding.Sign(elsewhere, s.mine, bound, s.now)
	elsewhere.URL, elsewhere.Host = mustParse(t, s.local.URL+"/notes"), ""
	if got := s.send(elsewhere); got.status != 401 {
		t.Errorf("a proof for another server: got %d, want 401", got.status)
	}
}

func mustParse(t *testing.T, text string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
