package oauthkit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// checkedStore has what it is made of and says nothing about itself. Acts that are named fail.
type checkedStore struct {
	*memstore.Store
	fails string
	stuck bool // ListApplications knows one page
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

func (s *checkedStore) ListApplications(ctx context.Context, page oauthkit.ApplicationPage) ([]oauthkit.Application, error) {
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

// brokenScopes cannot be read.
type brokenScopes struct{ oauthkit.StaticScopes }

func (brokenScopes) All(context.Context) (map[string]string, error) { return nil, errDown }

// checkScene is a provider about which there is nothing to say, before a test changes it.
type checkScene struct {
	*testing.T
	issuer string
	store  *checkedStore
	used   oauthkit.Store // in the place of store
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
	s.add("good", nil)
	return s
}

// add stores a confidential application with a secret, changed beforehand, whatever the rules say.
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
	if err := s.store.CreateApplication(s.Context(), app); err != nil {
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

// checkTest has something that a check reports, and the nearest thing that it does not.
type checkTest struct {
	id                string
	reported, passing func(*checkScene)
}

// TestCheck shows that each check reports what it is about, alone, and not what is just good enough.
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
				t.Errorf("got %v for what is good enough, want nothing", findings)
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

// TestCheck_Order shows errors first, then the order of ids, and one value that is two parts asked without repetition.
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
