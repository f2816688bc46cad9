package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const (
	issuer   = "https://as.test/o"
	callback = "https://rp.test/cb"
	secret   = "0123456789abcdef0123456789abcdef"
)

// site is a host: a provider with OpenID Connect, an in-memory store and one
// application.
type site struct {
	t         *testing.T
	store     *memstore.Store
	keys      *keyStore
	clock     *clock
	app       *application
	extension *oidc.Extension
	provider  *oauthkit.Provider
	fetch     oauthkit.FetchConfig // used by extend
}

// application is the host's application type.
type application struct {
	oauthkit.AbstractApplication
	Logo string
}

func newSite(t *testing.T, config oidc.Config) *site {
	t.Helper()
	s := &site{t: t, store: memstore.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	s.keys = &keyStore{KeyStore: s.store}
	s.app = &application{
		AbstractApplication: oauthkit.AbstractApplication{
			ClientID:     "web",
			ClientType:   oauthkit.Confidential,
			GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials},
			RedirectURIs: oauthkit.URIs{callback},
			Scopes:       oauthkit.Scopes{"openid", "profile", "email", "address", "phone", "offline_access"},
		},
		Logo: "https://rp.test/logo.svg",
	}
	s.app.GenerateSecret()
	if err := s.store.CreateApplication(t.Context(), s.app, time.Now()); err != nil {
		t.Fatal(err)
	}
	config.Keys = s.keys
	if config.Algorithms == nil {
		config.Algorithms = pair()
	}
	seedKeys(t, s.store, s.clock.now)
	s.extension = oidc.New(config)
	var err error
	if s.provider, err = s.extend(s.extension, secret); err != nil {
		t.Fatal(err)
	}
	return s
}

// pair are the algorithms of most tests, because RSA keys take time.
func pair() []string { return []string{"RS256", "ES256"} }

// seedKeys adds first keys for pair. All tests share them.
func seedKeys(t *testing.T, store oauthkit.KeyStore, now time.Time) {
	t.Helper()
	keys, err := firstKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		seeded := *key
		seeded.CreatedAt, seeded.ActiveAt = now, now
		if err := store.AddSigningKey(t.Context(), &seeded); err != nil {
			t.Fatal(err)
		}
	}
}

var firstKeys = sync.OnceValues(func() ([]*oauthkit.SigningKey, error) {
	store := memstore.New()
	_, err := oauthkit.New(issuer, store, oauthkit.Config{
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Algorithms: pair(), Keys: store})}, Secret: secret,
	})
	if err != nil {
		return nil, err
	}
	return store.SigningKeys(context.Background())
})

// extend returns another provider on the site's store.
func (s *site) extend(extension *oidc.Extension, secret string) (*oauthkit.Provider, error) {
	return oauthkit.New(issuer, s.store, oauthkit.Config{
		Grants:     grants.Standard(s.store),
		Extensions: []oauthkit.Extension{extension},
		Secret:     secret,
		Now:        s.clock.Now,
		Fetch:      s.fetch,
	})
}

// authorize makes an authorization request.
func (s *site) authorize(parameters url.Values) (*oauthkit.AuthorizeRequest, error) {
	s.t.Helper()
	form := url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "scope": {"openid"},
		// RFC 7636 appendix B
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	for name, values := range parameters {
		form[name] = values
	}
	return s.provider.NewAuthorizeRequest(s.t.Context(), form)
}

// code approves a request as user and returns the code.
func (s *site) code(user *oauthkit.User, parameters url.Values) string {
	s.t.Helper()
	request, err := s.authorize(parameters)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.provider.Respond(s.t.Context(), request, user, oauthkit.Decision{})
	if err != nil {
		s.t.Fatal(err)
	}
	return response.Get("code")
}

func (s *site) redeem(code string) (*oauthkit.TokenResponse, error) {
	return s.exchange(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
		"code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}, // RFC 7636 appendix B
	})
}

func (s *site) exchange(form url.Values) (*oauthkit.TokenResponse, error) {
	return s.provider.Exchange(s.t.Context(), oauthkit.TokenRequest{Application: s.app, Form: form})
}

// signIn signs alice in and redeems the code.
func (s *site) signIn(parameters url.Values) *oauthkit.TokenResponse {
	s.t.Helper()
	response, err := s.redeem(s.code(alice(), parameters))
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// alice signed in at half past eleven.
func alice() *oauthkit.User {
	return &oauthkit.User{
		Subject: "alice", AuthTime: time.Date(2026, 3, 1, 11, 30, 0, 0, time.UTC), ACR: "urn:test:2", AMR: []string{"pwd", "otp"},
		SessionID: "the session of alice",
	}
}

func idToken(t *testing.T, response *oauthkit.TokenResponse) string {
	t.Helper()
	token, ok := response.Extra["id_token"].(string)
	if !ok {
		t.Fatalf("got %v beside the access token, want an id_token", response.Extra)
	}
	return token
}

// endpoint returns the extension's endpoint at path.
func (s *site) endpoint(path string) oauthkit.Endpoint {
	s.t.Helper()
	endpoints := s.provider.Endpoints()
	i := slices.IndexFunc(endpoints, func(endpoint oauthkit.Endpoint) bool { return endpoint.Path == path })
	if i < 0 {
		s.t.Fatalf("endpoint %s not found", path)
	}
	return endpoints[i]
}

// keySet requests the key set.
func (s *site) keySet() *httptest.ResponseRecorder {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, issuer+"/.well-known/jwks.json", nil)
	if err := s.endpoint(".well-known/jwks.json").Anyone(recorder, request); err != nil {
		s.t.Fatal(err)
	}
	return recorder
}

// clock is a clock that moves only when a test advances it.
type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func (c *clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

// keyStore counts reads, and fails or blocks on request.
type keyStore struct {
	oauthkit.KeyStore
	reads    atomic.Int64
	failing  atomic.Bool
	readOnly atomic.Bool
	blocked  atomic.Pointer[block]
}

// block holds a read: it closes started, and waits until finish is closed.
type block struct{ started, finish chan struct{} }

var errDown = errors.New("the database is down")

func (k *keyStore) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	k.reads.Add(1)
	if k.failing.Load() {
		return nil, errDown
	}
	if block := k.blocked.Load(); block != nil {
		close(block.started)
		<-block.finish
	}
	return k.KeyStore.SigningKeys(ctx)
}

func (k *keyStore) AddSigningKey(ctx context.Context, key *oauthkit.SigningKey) error {
	if k.readOnly.Load() {
		return errDown
	}
	return k.KeyStore.AddSigningKey(ctx, key)
}

func TestExtendRejects(t *testing.T) {
	working := memstore.New()
	failing := &keyStore{KeyStore: working}
	failing.failing.Store(true)
	readOnly := &keyStore{KeyStore: memstore.New()}
	readOnly.readOnly.Store(true)
	used := oidc.New(oidc.Config{Algorithms: pair(), Keys: working})
	tests := map[string]struct {
		extension *oidc.Extension
		want      string
	}{
		"no key store":      {oidc.New(oidc.Config{}), "Config.Keys is nil"},
		"negative lifetime": {oidc.New(oidc.Config{Algorithms: pair(), Keys: working, IDTokenLifetime: -1}), "IDTokenLifetime"},
		"too long lifetime": {oidc.New(oidc.Config{Algorithms: pair(), Keys: working, IDTokenLifetime: 25 * time.Hour}), "IDTokenLifetime"},
		"two deliveries": {oidc.New(oidc.Config{Algorithms: pair(), Keys: working, BackChannelLogout: oidc.BackChannelLogout{
			Disable: true, Deliver: func(context.Context, *oauthkit.Notice) error { return nil },
		}}), "both Disable and Deliver"},
		"used twice":         {used, "already part of a provider"},
		"K-06 failing store": {oidc.New(oidc.Config{Algorithms: pair(), Keys: failing}), "reading the signing keys: " + errDown.Error()},
		"K-06 no new keys":   {oidc.New(oidc.Config{Algorithms: pair(), Keys: readOnly}), "storing a signing key: " + errDown.Error()},
	}
	if _, err := oauthkit.New(issuer, working, oauthkit.Config{Extensions: []oauthkit.Extension{used}}); err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := oauthkit.New(issuer, working, oauthkit.Config{Extensions: []oauthkit.Extension{test.extension}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if keys, err := working.SigningKeys(t.Context()); err != nil || len(keys) != 2 {
		t.Errorf("got %d keys and %v, want two, from the only valid provider", len(keys), err)
	}
}
