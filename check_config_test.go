package oauthkit_test

import (
	"context"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
)

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
			func(s *checkScene) { // no user ever
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
			func(s *checkScene) { s.config.Secret = "" }, // package oidc has something to say about that
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
			func(s *checkScene) { // which is not asked for then
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
