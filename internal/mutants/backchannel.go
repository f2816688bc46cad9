package main

// ofBackChannel returns the mutants of logout tokens and security events.
func ofBackChannel() []mutant {
	const oidc = "oidc"
	return []mutant{
		{
			"logout-token-as-id-token", oidc,
			`logoutTokenType = "logout+jwt"`, `logoutTokenType = "JWT"`,
			killer{oidc, "TestLogoutTokenIsNoIDToken"},
		},
		{
			"logout-token-of-one-attempt", oidc,
			`"jti":    secret.NewID(),`, `"jti":    secret.Hash(notice.ID),`,
			killer{attacks, "TestBackChannelLogout/memory/L-11 application down for ten minutes"},
		},
		{
			"logout-token-long-lived", oidc,
			`logoutTokenLifetime = 2 * time.Minute`, `logoutTokenLifetime = time.Hour`,
			killer{oidc, "TestLogoutToken"},
		},
		{
			"logout-token-repeated-after-refusal", oidc,
			"if response.Status < 500 {", "if response.Status < 400 {",
			killer{oidc, "TestLogoutResult/refused"},
		},
		{
			"logout-token-without-required-sid", oidc,
			`target.URI != "" && target.SessionRequired && notice.SessionID == ""`, `false`,
			killer{oidc, "TestLogoutTokenWithoutSession"},
		},
		{
			"logout-token-to-refused-address", oidc,
			"if errors.Is(err, oauthkit.ErrFetchRefused) {", "if false {",
			killer{oidc, "TestLogoutAddress/S-01 this machine"},
		},
		{
			"security-event-as-logout-token", oidc,
			"case eventType == logoutEvent:", "case false:",
			killer{oidc, "TestSignSecurityEvent/logout"},
		},
		{
			"security-event-of-another-type", oidc,
			`securityEventType = "secevent+jwt"`, `securityEventType = "JWT"`,
			killer{oidc, "TestSignSecurityEvent/valid"},
		},
		{
			"slow-backlog-keeps-others-out", ".",
			"if !d.crowded {", "if d.crowded || !d.crowded {",
			killer{"store/memstore", "TestSlowBacklog/one application"},
		},
		{
			"delivery-of-one-notice", ".",
			"more || d.running > 0 || len(d.turns) > 0", "more || d.running > 0",
			killer{attacks, "TestBackChannelLogout/memory/L-11 hundred sessions"},
		},
	}
}
