package clientauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/examples/extensions/clientauth"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// site is a provider with the method beside client_secret_basic.
type site struct {
	*testing.T
	server *httptest.Server
	keys   map[string][]byte // by client_id
	failed error             // of reading a key
	now    time.Time
	secret string // of the application "web"
}

func (s *site) issuer() string { return s.server.URL + "/o" }

func (s *site) key(_ context.Context, clientID string) ([]byte, error) {
	return s.keys[clientID], s.failed
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		keys: map[string][]byte{"batch": []byte("key of batch"), "other": []byte("key of other"), "web": []byte("key of web")},
	}
	mux := http.NewServeMux()
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	store := memstore.New()
	provider, err := oauthkit.New(s.issuer(), store, oauthkit.Config{
		Grants:               grants.Standard(store),
		ClientAuthenticators: []oauthkit.ClientAuthenticator{oauthkit.ClientSecretBasic(), clientauth.HMAC{Issuer: s.issuer(), Key: s.key}},
		Now:                  func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for clientID, method := range map[string]string{"batch": clientauth.Method, "keyless": clientauth.Method, "web": oauthkit.AuthMethodSecretBasic} {
		secret, err := applications.Register(t.Context(), &oauthkit.User{Subject: "operator"}, &oauthkit.AbstractApplication{
			ClientID: clientID, ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
			TokenEndpointAuthMethod: method, AllowedOrigins: oauthkit.URIs{"https://batch.example"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if clientID == "web" {
			s.secret = secret
		}
	}
	handler, err := oauthhttp.NewHandler(provider, oauthhttp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/o/", handler)
	return s
}

// proof returns a proof of a client that is valid now.
func (s *site) proof(clientID string) string {
	return clientauth.NewProof(s.keys[clientID], s.issuer(), clientID, s.now)
}

// answer is a response with its JSON.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// post sends a form, whose fields are names and values in turn, to the token endpoint.
func (s *site) post(edit func(*http.Request), fields ...string) answer {
	s.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	for pair := range slices.Chunk(fields, 2) {
		form.Set(pair[0], pair[1])
	}
	request, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.issuer()+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if edit != nil {
		edit(request)
	}
	return s.send(request)
}

func (s *site) send(request *http.Request) answer {
	s.Helper()
	response, err := s.server.Client().Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, header: response.Header}
	if err := json.NewDecoder(response.Body).Decode(&got.body); err != nil {
		s.Fatalf("got %s and %v, want JSON", response.Status, err)
	}
	return got
}

func TestToken(t *testing.T) {
	s := newSite(t)
	for name, fields := range map[string][]string{
		"proof":             {clientauth.Parameter, s.proof("batch")},
		"proof and own id":  {clientauth.Parameter, s.proof("batch"), "client_id", "batch"},
		"proof a while ago": {clientauth.Parameter, clientauth.NewProof(s.keys["batch"], s.issuer(), "batch", s.now.Add(-clientauth.Validity))},
	} {
		if got := s.post(nil, fields...); got.status != http.StatusOK || got.body["access_token"] == nil {
			t.Errorf("%s: got %d %v, want a token", name, got.status, got.body)
		}
	}
	basic := func(r *http.Request) { r.SetBasicAuth("web", s.secret) }
	if got := s.post(basic); got.status != http.StatusOK || got.body["access_token"] == nil {
		t.Errorf("client_secret_basic: got %d %v, want a token", got.status, got.body)
	}
}

func TestRefused(t *testing.T) {
	s := newSite(t)
	key := s.keys["batch"]
	valid := s.proof("batch")
	basic := func(r *http.Request) { r.SetBasicAuth("web", s.secret) }
	for name, test := range map[string]struct {
		edit   func(*http.Request)
		fields []string
		want   string
	}{
		"T-13 with Basic":             {basic, []string{clientauth.Parameter, valid}, "invalid_request"},
		"T-13 with a secret":          {nil, []string{clientauth.Parameter, valid, "client_secret", s.secret}, "invalid_request"},
		"T-13 with an assertion":      {nil, []string{clientauth.Parameter, valid, "client_assertion", "x"}, "invalid_request"},
		"T-14 with another client_id": {nil, []string{clientauth.Parameter, valid, "client_id", "web"}, "invalid_request"},
		"T-15 of web":                 {nil, []string{clientauth.Parameter, s.proof("web")}, "invalid_client"},
		"T-15 secret in the body":     {nil, []string{"client_id", "web", "client_secret", s.secret}, "invalid_client"},
		"T-16 wrong key":              {nil, []string{clientauth.Parameter, clientauth.NewProof([]byte("other"), s.issuer(), "batch", s.now)}, "invalid_client"},
		"T-16 another provider":       {nil, []string{clientauth.Parameter, clientauth.NewProof(key, "https://other.example", "batch", s.now)}, "invalid_client"},
		"T-16 too old":                {nil, []string{clientauth.Parameter, clientauth.NewProof(key, s.issuer(), "batch", s.now.Add(-clientauth.Validity-time.Second))}, "invalid_client"},
		"T-16 from the future":        {nil, []string{clientauth.Parameter, clientauth.NewProof(key, s.issuer(), "batch", s.now.Add(clientauth.Validity+time.Second))}, "invalid_client"},
		"T-16 cut off":                {nil, []string{clientauth.Parameter, valid[:len(valid)-1]}, "invalid_client"},
		"T-16 client_id alone":        {nil, []string{clientauth.Parameter, "YmF0Y2g"}, "invalid_client"},
		"T-16 not base64":             {nil, []string{clientauth.Parameter, "???"}, "invalid_client"},
		"T-18 without a proof":        {nil, []string{"client_id", "batch"}, "invalid_client"},
		"T-18 an empty proof":         {nil, []string{"client_id", "batch", clientauth.Parameter, ""}, "invalid_client"},
		"T-19 a client without key":   {nil, []string{clientauth.Parameter, clientauth.NewProof(nil, s.issuer(), "keyless", s.now)}, "invalid_client"},
		"T-20 an unknown client":      {nil, []string{clientauth.Parameter, s.proof("other")}, "invalid_client"},
		"another scheme":              {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, []string{"client_id", "batch"}, "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.post(test.edit, test.fields...)
			status := map[string]int{"invalid_request": http.StatusBadRequest, "invalid_client": http.StatusUnauthorized}[test.want]
			if got.status != status || got.body["error"] != test.want || got.body["access_token"] != nil {
				t.Errorf("got %d %v, want %d %s", got.status, got.body, status, test.want)
			}
		})
	}
}

// TestT20_SameAnswer shows that the response does not tell an unknown client from a wrong
// proof.
func TestT20_SameAnswer(t *testing.T) {
	s := newSite(t)
	unknown := s.post(nil, clientauth.Parameter, s.proof("other"))
	wrong := s.post(nil, clientauth.Parameter, clientauth.NewProof([]byte("wrong"), s.issuer(), "batch", s.now))
	if unknown.status != wrong.status || !maps.Equal(unknown.body, wrong.body) {
		t.Errorf("got %v for an unknown client, %v for a wrong proof, want the same", unknown, wrong)
	}
}

// TestFailure shows that a failure to read a key does not refuse the client.
func TestFailure(t *testing.T) {
	s := newSite(t)
	s.failed = errors.New("the vault is sealed")
	got := s.post(nil, clientauth.Parameter, s.proof("batch"))
	if got.status != http.StatusServiceUnavailable || got.body["error"] != "temporarily_unavailable" || got.header.Get("Retry-After") == "" {
		t.Errorf("got %d %v, want 503", got.status, got.body)
	}
}

func TestMetadata(t *testing.T) {
	s := newSite(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.issuer()+"/.well-known/oauth-authorization-server", nil)
	if err != nil {
		t.Fatal(err)
	}
	document := s.send(request).body
	methods := []any{"client_secret_basic", clientauth.Method}
	for endpoint, want := range map[string][]any{
		"token": methods, "introspection": append(slices.Clone(methods), "Bearer"), "revocation": methods,
	} {
		if got, _ := document[endpoint+"_endpoint_auth_methods_supported"].([]any); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", endpoint, got, want)
		}
	}
}

// TestX03_CORS shows that a script of the client's origin may read the response, although
// only the proof names the client.
func TestX03_CORS(t *testing.T) {
	s := newSite(t)
	for origin, want := range map[string]string{"https://batch.example": "https://batch.example", "https://evil.example": ""} {
		answer := s.post(func(r *http.Request) { r.Header.Set("Origin", origin) }, clientauth.Parameter, s.proof("batch"))
		if got := answer.header.Get("Access-Control-Allow-Origin"); answer.status != http.StatusOK || got != want {
			t.Errorf("%s: got %d, readable by %q; want %q", origin, answer.status, got, want)
		}
	}
}
