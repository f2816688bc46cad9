package oauthkit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

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
		{"memstore.W001", func(s *checkScene) { s.used = s.store.Store }, func(*checkScene) {}},
		{"oidc.W001", func(s *checkScene) { s.config.Secret = ""; s.extend() }, (*checkScene).extend},
		{"oidc.W002", func(s *checkScene) { s.clearKeys(true) }, (*checkScene).extend},
		{"oidc.W003", func(s *checkScene) { s.clearKeys(false) }, (*checkScene).extend},
	}
}

// clearKeys introduces a secret when there are keys, which are accepted or not.
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

// TestCheck_SigningKeys is oidc.E001: the extension was made while the store worked.
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
