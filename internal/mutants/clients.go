package main

// ofClients returns the mutants of client authentication.
func ofClients() []mutant {
	return []mutant{
		{
			"client-method-not-registered", pages,
			`if !app.AllowsAuthMethod(c.by.Method()) {`, `if false {`,
			killer{attacks, "TestClientAuth/memory/T-15"},
		},
		{
			"client-secret-not-checked", ".",
			`if !VerifyPassword(app, claim.Proof, now) {`, `if false {`,
			killer{attacks, "TestClientAuth/memory/T-16"},
		},
		{
			"client-proof-ignored", pages,
			`err = claim.verify(r.Context(), app, h.provider.Now())`, `err = nil`,
			killer{attacks, "TestClientAuth/memory/T-16"},
		},
		{
			"client-without-proof", ".",
			"if !app.IsPublic() {\n\t\treturn Errorf(InvalidClient,", "if false {\n\t\treturn Errorf(InvalidClient,",
			killer{".", "TestT18_MethodsVerify"},
		},
		{
			"client-failure-refuses", pages,
			`if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidClient {`, `if false {`,
			killer{pages, "TestVerifyClaim"},
		},
		{
			"client-two-methods", pages,
			`case carrier != none && unread != "":`, `case false:`,
			killer{attacks, "TestClientAuth/memory/T-13"},
		},
		{
			"client-certificate-beside-proof", pages,
			`func(claim clientClaim) bool { return claim.by.Carrier() != carrier }), nil`, `func(clientClaim) bool { return false }), nil`,
			killer{attacks, "TestClientMethods/memory/T-13"},
		},
		{
			"client-proof-unread", pages,
			`if other != carrier && isCarried(other, header, form) {`, `if false {`,
			killer{pages, "TestReadClientClaims_Own"},
		},
		{
			"client-scheme-unread", pages,
			`if carrier.Scheme == "" && len(header.Values("Authorization")) > 0 {`, `if false {`,
			killer{pages, "TestReadClientClaims"},
		},
		{
			"client-two-ids", pages,
			`if form.Has("client_id") && form.Get("client_id") != clientID {`, `if false {`,
			killer{attacks, "TestClientAuth/memory/T-14"},
		},
		{
			"client-two-claims", pages,
			`if claim.ClientID != clientID {`, `if claim.ClientID == "" {`,
			killer{pages, "TestReadClientClaims_TwoClients"},
		},
		{
			"client-two-headers", pages,
			"if len(r.Header.Values(\"Authorization\")) > 1 {\n\t\treturn nil,", "if false {\n\t\treturn nil,",
			killer{attacks, "TestClientAuth/memory/T-12"},
		},
		{
			"client-basic-not-decoded", ".",
			`password, errPassword := url.QueryUnescape(rawPassword)`, `password, errPassword := rawPassword, error(nil)`,
			killer{attacks, "TestClientAuth/memory/T-10"},
		},
		{
			"client-basic-never-encoded", ".",
			`if decoded != claim.Proof && m.allows != nil && m.allows(app) {`, `if decoded != claim.Proof {`,
			killer{attacks, "TestClientAuth/memory/T-10 Basic"},
		},
		{
			"client-basic-line-breaks", ".",
			`if strings.ContainsAny(encoded, "\r\n") { // the decoder`, `if false { // the decoder`,
			killer{pages, "TestReadClientClaims"},
		},
		{
			"client-assertion-ignored", pages,
			`case carrier.Parameter != "client_assertion" && (form.Has(`, `case false && (form.Has(`,
			killer{pages, "TestReadClientClaims"},
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
