package main

// ofClients returns the mutants of client authentication.
func ofClients() []mutant {
	return []mutant{
		{
			"client-method-not-registered", pages,
			`case !app.AllowsAuthMethod(c.method):`, `case false:`,
			killer{attacks, "TestClientAuth/memory/T-15"},
		},
		{
			"client-secret-not-checked", pages,
			`case c.method != oauthkit.AuthMethodNone && !oauthkit.VerifyPassword(app, c.secret, now):`, `case false:`,
			killer{attacks, "TestClientAuth/memory/T-16"},
		},
		{
			"client-proof-ignored", pages,
			`err = claim.verify(app, h.provider.Now())`, `err = nil`,
			killer{attacks, "TestClientAuth/memory/T-18"},
		},
		{
			"client-two-methods", pages,
			`case hasBasic && (hasPost || hasAssertion), hasPost && hasAssertion:`, `case false:`,
			killer{attacks, "TestClientAuth/memory/T-13"},
		},
		{
			"client-two-ids", pages,
			`case hasBasic && form.Has("client_id") && form.Get("client_id") != basic.id:`, `case false:`,
			killer{attacks, "TestClientAuth/memory/T-14"},
		},
		{
			"client-two-headers", pages,
			"if len(values) > 1 {\n\t\treturn clientClaim{}", "if false {\n\t\treturn clientClaim{}",
			killer{attacks, "TestClientAuth/memory/T-12"},
		},
		{
			"client-basic-not-decoded", pages,
			`password, errPassword := url.QueryUnescape(rawPassword)`, `password, errPassword := rawPassword, error(nil)`,
			killer{attacks, "TestClientAuth/memory/T-10"},
		},
		{
			"client-basic-line-breaks", pages,
			`if strings.ContainsAny(encoded, "\r\n") { // the decoder`, `if false { // the decoder`,
			killer{pages, "TestReadClientClaim"},
		},
		{
			"client-assertion-ignored", pages,
			"case hasAssertion:\n\t\treturn clientClaim{}, oauthkit.Errorf", "case false:\n\t\treturn clientClaim{}, oauthkit.Errorf",
			killer{pages, "TestReadClientClaim"},
		},
		{
			"secret-empty", ".",
			`return same && h != "" && presented != ""`, `return same || h == "" && presented == ""`,
			killer{".", "TestZeroApplicationMayDoNothing"},
		},
		{
			"secret-previous-for-ever", ".",
			`a.PreviousSecretExpiresAt != nil && now.Before(*a.PreviousSecretExpiresAt) &&`, `a.PreviousSecretExpiresAt != nil &&`,
			killer{attacks, "TestSecretRotation/memory/T-21"},
		},
		{
			"secret-previous-kept", ".",
			`a.ClientSecret, a.PreviousSecret, a.PreviousSecretExpiresAt = hashSecret(value), "", nil`, `a.ClientSecret = hashSecret(value)`,
			killer{"store/memstore", "TestT21_NewSecretEndsAll"},
		},
		{
			"secret-not-hashed", ".",
			`return SecretHash(sha256Scheme + secret.Hash(value))`, `return SecretHash(sha256Scheme + value)`,
			killer{attacks, "TestClientAuth/memory/T-16"},
		},
		{
			"client-disabled", ".",
			`if err == nil && !IsUsable(app) {`, `if false {`,
			killer{attacks, "TestRefreshState/memory/F-17"},
		},
		{
			"client-credentials-of-public", "grants",
			`if request.Application.IsPublic() { // RFC 6749`, `if false { // RFC 6749`,
			killer{"grants", "TestT22_PublicClientCredentials"},
		},
		{
			"client-type-unknown-is-confidential", ".",
			`return a.ClientType != Confidential }`, `return a.ClientType == Public }`,
			killer{".", "TestZeroApplicationMayDoNothing"},
		},
	}
}
