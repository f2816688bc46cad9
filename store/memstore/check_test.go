package memstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// checkedStore has no findings of its own. The act named by fails returns an error.
type checkedStore struct {
	*memstore.Store
	fails string
	stuck bool // ListApplications always returns the first page
}

var errDown = errors.New("the database is down")

func (s *checkedStore) Check(context.Context) []oauthkit.Finding { return nil }

func (s *checkedStore) AccessToken(ctx context.Context, hash string) (*oauthkit.AccessToken, error) {
	if s.fails == "AccessToken" {
		return nil, errDown
	}
	return s.Store.AccessToken(ctx, hash)
}

func (s *checkedStore) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	if s.fails == "Application" {
		return nil, errDown
	}
	return s.Store.Application(ctx, clientID)
}

func (s *checkedStore) ListApplications(ctx context.Context, page oauthkit.ApplicationQuery) ([]oauthkit.Application, error) {
	if s.fails == "ListApplications" {
		return nil, errDown
	}
	if s.stuck {
		page.After = ""
	}
	return s.Store.ListApplications(ctx, page)
}

func (s *checkedStore) Cleanup(ctx context.Context, limits oauthkit.CleanupLimits) (map[string]int, error) {
	if s.fails == "Cleanup" {
		return nil, errDown
	}
	return s.Store.Cleanup(ctx, limits)
}

func (s *checkedStore) SigningKeys(ctx context.Context) ([]*oauthkit.SigningKey, error) {
	if s.fails == "SigningKeys" {
		return nil, errDown
	}
	return s.Store.SigningKeys(ctx)
}

// brokenScopes is a ScopeBackend that fails.
type brokenScopes struct{ oauthkit.StaticScopes }

func (brokenScopes) All(context.Context) (map[string]string, error) { return nil, errDown }

// checkScene is a provider without findings, until a test changes it.
type checkScene struct {
	*testing.T
	issuer string
	store  *checkedStore
	used   oauthkit.Store // replaces store, if not nil
	config oauthkit.Config
	log    bytes.Buffer
}

func newCheckScene(t *testing.T) *checkScene {
	t.Helper()
	s := &checkScene{T: t, issuer: "https://as.test/o", store: &checkedStore{Store: memstore.New()}}
	s.used = s.store
	s.config = oauthkit.Config{
		Grants:       grants.Standard(s.store),
		Resources:    []string{"https://api.test/"},
		Secret:       "8c6976e5b5410415bde908bd4dee15df",
		UserIsActive: func(context.Context, string) (bool, error) { return true, nil },
		Observe:      func(context.Context, oauthkit.Event) {},
		Logger:       slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	s.add("good", func(app *oauthkit.AbstractApplication) {
		app.GrantTypes = oauthkit.GrantTypes{oauth2.ClientCredentials}
	})
	return s
}

// add stores a confidential application with a secret, after change and without
// validation.
func (s *checkScene) add(clientID string, change func(*oauthkit.AbstractApplication)) {
	s.Helper()
	app := &oauthkit.AbstractApplication{
		ClientID: clientID, ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://app.test/callback"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
	}
	app.GenerateSecret()
	if change != nil {
		change(app)
	}
	s.addApplication(app)
}

func (s *checkScene) addApplication(app oauthkit.Application) {
	s.Helper()
	rules := s.store.Rules
	defer func() { s.store.Rules = rules }()
	s.store.Rules = permissive()
	if err := s.store.CreateApplication(s.Context(), app, time.Now()); err != nil {
		s.Fatal(err)
	}
}

func permissive() oauthkit.ApplicationRules {
	return oauthkit.ApplicationRules{RedirectURI: func(oauthkit.Application) func(string) error {
		return func(string) error { return nil }
	}}
}

func (s *checkScene) provider() *oauthkit.Provider {
	s.Helper()
	provider, err := oauthkit.New(s.issuer, s.used, s.config)
	if err != nil {
		s.Fatal(err)
	}
	return provider
}

// extend adds OpenID Connect.
func (s *checkScene) extend() {
	s.config.Extensions = append(s.config.Extensions, oidc.New(oidc.Config{Keys: s.store}))
}

// checkTest has a configuration that a check reports, and the closest one that it
// accepts.
type checkTest struct {
	id                string
	reported, passing func(*checkScene)
}

// TestCheck shows that each check reports exactly its own finding, and none for the
// closest valid configuration.
func TestCheck(t *testing.T) {
	tests := slices.Concat(storeChecks(), configChecks(), lifetimeChecks(), applicationChecks(), partChecks(), cleanupChecks())
	for i, test := range tests {
		t.Run(fmt.Sprintf("%02d %s", i, test.id), func(t *testing.T) {
			reported := newCheckScene(t)
			test.reported(reported)
			findings := reported.provider().Check(t.Context())
			if len(findings) != 1 || findings[0].ID != test.id || findings[0].Message == "" || findings[0].Hint == "" {
				t.Fatalf("got %v, want %s alone, with a message and a hint", findings, test.id)
			}
			want := oauthkit.SeverityWarning
			if strings.Contains(test.id, ".E") {
				want = oauthkit.SeverityError
			}
			if findings[0].Severity != want {
				t.Errorf("got severity %s, want %s", findings[0].Severity, want)
			}
			passing := newCheckScene(t)
			test.passing(passing)
			if findings := passing.provider().Check(t.Context()); len(findings) != 0 {
				t.Errorf("got %v for a valid configuration, want no findings", findings)
			}
		})
	}
}

func ids(findings []oauthkit.Finding) []string {
	var all []string
	for _, finding := range findings {
		all = append(all, finding.ID)
	}
	return all
}

// TestCheck_Order shows that errors come first, in the order of their ids, and that a
// value used as two parts is checked once.
func TestCheck_Order(t *testing.T) {
	s := newCheckScene(t)
	finding := oauthkit.Finding{ID: "host.W001", Severity: oauthkit.SeverityWarning, Message: "m", Hint: "h"}
	s.config.Observe, s.config.Scopes = nil, brokenScopes{}
	s.config.Extensions = []oauthkit.Extension{sayer{finding}, sayer{finding}}
	s.store.fails = "AccessToken"
	want := []string{"oauthkit.E001", "oauthkit.E002", "host.W001", "oauthkit.W003"}
	if got := ids(s.provider().Check(t.Context())); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func configChecks() []checkTest {
	return []checkTest{
		{
			"oauthkit.W001",
			func(s *checkScene) { s.issuer, s.config.AllowInsecureIssuer = "http://as.test", true },
			func(s *checkScene) { s.issuer, s.config.AllowInsecureIssuer = "http://127.0.0.1:8080/o", true },
		},
		{
			"oauthkit.W002",
			func(s *checkScene) { s.config.Grants = nil },
			func(s *checkScene) { s.config.Grants = []oauthkit.Grant{grants.ClientCredentials(s.store)} },
		},
		{"oauthkit.W003", func(s *checkScene) { s.config.Observe = nil }, func(*checkScene) {}},
		{"oauthkit.W004", func(s *checkScene) { s.config.Logger = nil }, func(*checkScene) {}},
		{
			"oauthkit.W005",
			func(s *checkScene) { s.config.UserIsActive = nil },
			func(s *checkScene) { // no users
				s.config.UserIsActive, s.config.Grants = nil, []oauthkit.Grant{grants.ClientCredentials(s.store)}
			},
		},
		{
			"oauthkit.W011",
			func(s *checkScene) { s.config.Secret = "12345678901234567890123456789012" },
			func(s *checkScene) { s.config.Secret = "8c6976e5b5410415bde908bd4dee15df" },
		},
		{
			"oauthkit.W011",
			func(s *checkScene) { s.config.Secret = "secretsecretsecretsecretsecretsecret" },
			func(s *checkScene) { s.config.Secret = "" }, // package oidc has a finding for this
		},
		{
			"oauthkit.W012",
			func(s *checkScene) { s.config.PKCE = oauthkit.PKCENonce },
			func(s *checkScene) { s.config.PKCE = oauthkit.PKCERequired },
		},
		{
			"oauthkit.W006",
			func(s *checkScene) { s.config.Resources = append(s.config.Resources, "http://api.test/") },
			func(s *checkScene) { s.config.Resources = []string{"http://localhost:8081/", "urn:example:api"} },
		},
	}
}

func lifetimeChecks() []checkTest {
	const day = 24 * time.Hour
	return []checkTest{
		{
			"oauthkit.W007",
			func(s *checkScene) { s.config.AccessTokenLifetime = time.Hour + time.Second },
			func(s *checkScene) { s.config.AccessTokenLifetime = time.Hour },
		},
		{
			"oauthkit.W007",
			func(s *checkScene) { s.config.AccessTokenLifetime = 2 * time.Hour },
			func(s *checkScene) { // not checked in this case
				s.config.AccessTokenLifetime = 2 * time.Hour
				s.config.ChooseAccessTokenLifetime = func(context.Context, oauthkit.LifetimeRequest) (time.Duration, error) { return time.Minute, nil }
			},
		},
		{
			"oauthkit.W008",
			func(s *checkScene) { s.config.RefreshTokenIdleLifetime = 91 * day },
			func(s *checkScene) { s.config.RefreshTokenIdleLifetime = 90 * day },
		},
		{
			"oauthkit.W009",
			func(s *checkScene) { s.config.RefreshTokenLifetime = 366 * day },
			func(s *checkScene) { s.config.RefreshTokenLifetime = 365 * day },
		},
	}
}

func storeChecks() []checkTest {
	return []checkTest{
		{"oauthkit.E001", func(s *checkScene) { s.store.fails = "AccessToken" }, func(*checkScene) {}},
		{"oauthkit.E001", func(s *checkScene) { s.store.fails = "ListApplications" }, func(s *checkScene) { s.store.fails = "Application" }},
		{"oauthkit.E001", func(s *checkScene) { s.store.stuck = true }, func(*checkScene) {}},
		{
			"oauthkit.E001",
			func(s *checkScene) { s.store.fails, s.used = "Application", struct{ oauthkit.Store }{s.store} },
			func(s *checkScene) { s.used = struct{ oauthkit.Store }{s.store} },
		},
		{
			"oauthkit.E002",
			func(s *checkScene) { s.config.Scopes = brokenScopes{} },
			func(s *checkScene) { s.config.Scopes = oauthkit.StaticScopes{"read": ""} },
		},
		{
			"oauthkit.E003",
			func(s *checkScene) { s.config.Grants[0] = codesFor(memstore.New(), time.Minute) },
			func(s *checkScene) { s.config.Grants[0] = codesFor(s.store.Store, time.Minute) },
		},
		{
			"oauthkit.E003",
			func(s *checkScene) {
				s.config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{Keys: memstore.New()})}
			},
			(*checkScene).extend,
		},
	}
}

func partChecks() []checkTest {
	return []checkTest{
		{
			"grants.W001",
			func(s *checkScene) { s.config.Grants[0] = codesFor(s.store, time.Minute+time.Second) },
			func(s *checkScene) { s.config.Grants[0] = codesFor(s.store, time.Minute) },
		},
		{
			"grants.W002",
			func(s *checkScene) { s.config.Grants[1] = retriesFor(s.store, 31*time.Second) },
			func(s *checkScene) { s.config.Grants[1] = retriesFor(s.store, 30*time.Second) },
		},
		{
			"grants.W003",
			func(s *checkScene) {
				s.config.Grants[0] = grants.AuthorizationCode(s.store, grants.AuthorizationCodeConfig{AllowPlainPKCE: true})
			},
			func(s *checkScene) {
				s.config.Grants[0] = grants.AuthorizationCode(s.store, grants.AuthorizationCodeConfig{})
			},
		},
		{"memstore.W001", func(s *checkScene) { s.used = s.store.Store }, func(*checkScene) {}},
		{"oidc.W001", func(s *checkScene) { s.config.Secret = ""; s.extend() }, (*checkScene).extend},
		{"oidc.W002", func(s *checkScene) { s.clearKeys(true) }, (*checkScene).extend},
		{"oidc.W003", func(s *checkScene) { s.clearKeys(false) }, (*checkScene).extend},
	}
}

// clearKeys sets a secret after keys were stored in clear, and may accept them.
func (s *checkScene) clearKeys(accepted bool) {
	s.Helper()
	s.config.Secret = ""
	s.extend()
	s.provider()
	keys, err := s.store.SigningKeys(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	var accept []string
	for _, key := range keys {
		if accepted {
			accept = append(accept, key.ID)
		}
	}
	s.config.Secret = "8c6976e5b5410415bde908bd4dee15df"
	s.config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{Keys: s.store, AcceptClearKeys: accept})}
}

func codesFor(store oauthkit.CodeStore, lifetime time.Duration) oauthkit.Grant {
	return grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{Lifetime: lifetime})
}

func retriesFor(store oauthkit.RefreshTokenStore, window time.Duration) oauthkit.Grant {
	return grants.RefreshToken(store, grants.RefreshTokenConfig{RetryWindow: window})
}

// TestCheck_SigningKeys tests oidc.E001 with an extension that was created while the
// store worked.
func TestCheck_SigningKeys(t *testing.T) {
	s := newCheckScene(t)
	s.extend()
	provider := s.provider()
	if findings := provider.Check(t.Context()); len(findings) != 0 {
		t.Errorf("got %v before the store failed, want nothing", findings)
	}
	s.store.fails = "SigningKeys"
	if got := ids(provider.Check(t.Context())); !slices.Equal(got, []string{"oidc.E001"}) {
		t.Errorf("got %v, want oidc.E001", got)
	}
}

// sayer is an extension of the host with findings.
type sayer []oauthkit.Finding

func (sayer) Extend(*oauthkit.Registry) error { return nil }

func (s sayer) Check(context.Context) []oauthkit.Finding { return s }

// TestCheckAtStart shows that all findings except warnings stop a program, including
// those without a severity.
func TestCheckAtStart(t *testing.T) {
	warning := oauthkit.Finding{ID: "host.W001", Severity: oauthkit.SeverityWarning, Message: "old", Hint: "renew"}
	broken := oauthkit.Finding{ID: "host.E001", Severity: oauthkit.SeverityError, Message: "broken", Hint: "repair"}
	unknown := oauthkit.Finding{ID: "host.X001", Message: "nobody knows", Hint: "find out"}
	tests := map[string]struct {
		findings            sayer
		accepted            []string
		failed, logged, not []string
	}{
		"nothing":             {nil, nil, nil, nil, []string{"host"}},
		"a warning":           {sayer{warning}, nil, nil, []string{"level=WARN msg=old id=host.W001 hint=renew"}, nil},
		"an accepted warning": {sayer{warning}, []string{"host.W001"}, nil, nil, []string{"host"}},
		"an error":            {sayer{warning, broken}, nil, []string{"host.E001: broken. repair"}, []string{"level=WARN", "level=ERROR msg=broken"}, nil},
		"an accepted error":   {sayer{broken}, []string{"host.E001"}, []string{"host.E001"}, []string{"level=ERROR"}, nil},
		"no severity":         {sayer{unknown}, nil, []string{"host.X001"}, []string{"level=ERROR"}, nil},
		"two errors":          {sayer{unknown, broken}, nil, []string{"host.E001", "host.X001"}, nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newCheckScene(t)
			s.config.Extensions = []oauthkit.Extension{test.findings}
			err := s.provider().CheckAtStart(t.Context(), test.accepted...)
			if (err != nil) != (test.failed != nil) {
				t.Fatalf("got %v, want an error: %t", err, test.failed != nil)
			}
			for _, want := range test.failed {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to name %s", err, want)
				}
			}
			for _, want := range test.logged {
				if !strings.Contains(s.log.String(), want) {
					t.Errorf("got the log %q, want it to hold %q", s.log.String(), want)
				}
			}
			for _, not := range test.not {
				if strings.Contains(s.log.String(), not) {
					t.Errorf("got the log %q, want nothing with %q", s.log.String(), not)
				}
			}
		})
	}
}

// TestCheckAtStart_Events shows that an observer gets one event for each finding that
// stops the program, and no others.
func TestCheckAtStart_Events(t *testing.T) {
	s := newCheckScene(t)
	s.config.Extensions = []oauthkit.Extension{sayer{
		{ID: "host.W001", Severity: oauthkit.SeverityWarning, Message: "old"},
		{ID: "host.E001", Severity: oauthkit.SeverityError, Message: "broken"},
		{ID: "host.E002", Severity: oauthkit.SeverityError, Message: "lost"},
	}}
	var events []oauthkit.Event
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { events = append(events, event) }
	if err := s.provider().CheckAtStart(t.Context()); err == nil {
		t.Error("got no error, want the findings")
	}
	want := []oauthkit.Event{
		oauthkit.CheckFailed{FindingID: "host.E001", Message: "broken"},
		oauthkit.CheckFailed{FindingID: "host.E002", Message: "lost"},
	}
	if !slices.Equal(events, want) {
		t.Errorf("got %+v, want %+v", events, want)
	}
}
