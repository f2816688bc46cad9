package main

// ofAccessTokens returns the mutants of access tokens, introspection and revocation.
func ofAccessTokens() []mutant {
	return []mutant{
		{
			"bearer-expiry", ".",
			`if !now.Before(token.ExpiresAt) || !token.Authorization.Valid(now) {`, `if !token.Authorization.Valid(now) {`,
			killer{attacks, "TestAPI/memory/U-01"},
		},
		{
			"bearer-revoked", ".",
			`if !now.Before(token.ExpiresAt) || !token.Authorization.Valid(now) {`, `if !now.Before(token.ExpiresAt) {`,
			killer{attacks, "TestRefresh/memory/F-02 reuse revokes everything"},
		},
		{
			"bearer-inactive-user", ".",
			"switch active, err := p.userIsActive(ctx, token.Authorization.Subject); {\n\tcase err != nil:\n\t\treturn nil, err\n\tcase !active:",
			"switch _, err := p.userIsActive(ctx, token.Authorization.Subject); {\n\tcase err != nil:\n\t\treturn nil, err\n\tcase false:",
			killer{attacks, "TestAPI/memory/U-10"},
		},
		{
			"authorization-never-expires", ".",
			`return a.RevokedAt.IsZero() && now.Before(a.ExpiresAt)`, `return a.RevokedAt.IsZero()`,
			killer{".", "TestAuthorizationValid"},
		},
		{
			"authorization-never-revoked", ".",
			`return a.RevokedAt.IsZero() && now.Before(a.ExpiresAt)`, `return now.Before(a.ExpiresAt)`,
			killer{attacks, "TestRevocation/memory/I-08"},
		},
		{
			"access-token-outlives-authorization", ".",
			`earlier(r.Now.Add(lifetime), authorization.ExpiresAt)`, `r.Now.Add(lifetime)`,
			killer{attacks, "TestRefreshRequest/memory/F-14 absolute"},
		},
		{
			"bearer-scope", pages,
			`if !token.Scopes.ContainsAll(requiredScopes(found.Scope)) {`, `if false {`,
			killer{attacks, "TestUserInfo/memory/U-02"},
		},
		{
			"api-scope", api,
			`case !slices.ContainsFunc(required, token.Scopes.ContainsAll):`, `case false:`,
			killer{attacks, "TestAPI/memory/U-02"},
		},
		{
			"api-audience", api,
			`case !a.accepts(token):`, `case false:`,
			killer{attacks, "TestNamedAPI/memory/U-11"},
		},
		{
			"api-audience-of-unnamed", api,
			`return len(token.Resources) == 0`, `return true`,
			killer{attacks, "TestNamedAPI/memory/U-11"},
		},
		{
			"bearer-in-query", wire,
			"values := r.Header.Values(\"Authorization\")\n\tinBody :=", "values := r.Header.Values(\"X-Authorization\")\n\tinBody :=",
			killer{attacks, "TestAPI/memory/U-02"},
		},
		{
			"bearer-in-two-places", wire,
			`case len(values) > 1 || len(values) == 1 && inBody:`, `case len(values) > 1:`,
			killer{attacks, "TestAPI/memory/U-04"},
		},
		{
			"introspect-tokens-of-others", ".",
			`if !isOwner && (credential.Kind != KindAccessToken || !app.AllowsScope(IntrospectionScope)) {`, `if false && (!isOwner && (credential.Kind != KindAccessToken || !app.AllowsScope(IntrospectionScope))) {`,
			killer{attacks, "TestIntrospection/memory/I-03"},
		},
		{
			"introspect-refresh-tokens-of-others", ".",
			`(credential.Kind != KindAccessToken || !app.AllowsScope(IntrospectionScope))`, `!app.AllowsScope(IntrospectionScope)`,
			killer{attacks, "TestIntrospection/memory/I-03"},
		},
		{
			"introspect-used-up", ".",
			`if credential.Consumed || !now.Before(credential.ExpiresAt)`, `if !now.Before(credential.ExpiresAt)`,
			killer{attacks, "TestRefresh/memory/F-01"},
		},
		{
			"introspect-expired", ".",
			`credential.Consumed || !now.Before(credential.ExpiresAt) ||`, `credential.Consumed ||`,
			killer{attacks, "TestIntrospection/memory/I-02"},
		},
		{
			"introspect-revoked", ".",
			` || !credential.Authorization.Valid(now)`, ``,
			killer{attacks, "TestRevocation/memory/I-08"},
		},
		{
			"introspect-inactive-user", ".",
			"switch active, err := p.userIsActive(ctx, credential.Authorization.Subject); {\n\tcase err != nil:\n\t\treturn nil, err\n\tcase !active:",
			"switch _, err := p.userIsActive(ctx, credential.Authorization.Subject); {\n\tcase err != nil:\n\t\treturn nil, err\n\tcase false:",
			killer{attacks, "TestIntrospection/memory/I-18"},
		},
		{
			"introspect-by-public-client", pages,
			`if app.IsPublic() { // RFC 7662`, `if false { // RFC 7662`,
			killer{attacks, "TestIntrospection/memory/I-01"},
		},
		{
			"introspection-scope-granted", ".",
			`case !exists && !added, scope == IntrospectionScope:`, `case !exists && !added && scope != IntrospectionScope:`,
			killer{"store/memstore", "TestIntrospectionScope_User"},
		},
		{
			"introspection-scope-to-users", ".",
			`introspects := request.GrantType == oauth2.ClientCredentials && app`, `introspects := app`,
			killer{attacks, "TestIntrospectionByToken/memory/I-01 the scope"},
		},
		{
			"introspection-scope-by-default", ".",
			`return scope == IntrospectionScope || check(scope) != nil`, `return check(scope) != nil`,
			killer{"store/memstore", "TestScopeBackend/introspection by default"},
		},
		{
			"introspect-by-any-token", pages,
			`case !token.Scopes.Contains(scope):`, `case false:`,
			killer{attacks, "TestIntrospectionByToken/memory/I-01 other"},
		},
		{
			"introspect-by-token-for-another-api", pages,
			` || len(token.Resources) > 0:`, `:`,
			killer{attacks, "TestIntrospectionByToken/memory/I-01 other"},
		},
		{
			"introspect-by-token-and-secret", pages,
			`if h.clients.unreadProof(r.Header, form, oauthkit.ProofCarrier{Scheme: presented.Scheme}) != "" {`, `if false {`,
			killer{attacks, "TestIntrospectionByToken/memory/I-01 two"},
		},
		{
			"introspect-by-token-after-change", pages,
			`case app.IsPublic() || !app.AllowsScope(scope): // changed`, `case false: // changed`,
			killer{attacks, "TestIntrospectionByToken/memory/I-03"},
		},
		{
			"revoke-tokens-of-others", ".",
			`case credential.Authorization.ClientID != app.GetID():`, `case false:`,
			killer{attacks, "TestRevocation/memory/I-10"},
		},
		{
			"revoke-nothing", pages,
			`if err := h.provider.Revoke(r.Context(), app, token); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestRevocation/memory/I-08"},
		},
		{
			"remote-not-active", api,
			`return r.Active && r.ClientID != ""`, `return r.ClientID != ""`,
			killer{api, "TestIntrospectorAnswers"},
		},
		{
			"remote-token-type", api,
			`exists && strings.EqualFold(answer.TokenType, tokenType) &&`, `exists && tokenType != "" &&`,
			killer{api, "TestIntrospectorAnswers"},
		},
		{
			"remote-bound-token", api,
			`if err := i.config.KeyBindings.Verify(ctx, presented, token); err != nil {`, `if err := error(nil); err != nil {`,
			killer{api, "TestIntrospectorKeyBinding"},
		},
		{
			"remote-cache-too-long", api,
			`if entry, ok := i.cache.Get(hash); ok && now.Before(entry.until) {`, `if entry, ok := i.cache.Get(hash); ok {`,
			killer{api, "TestIntrospectorCache"},
		},
		{
			"remote-redirect-followed", api,
			`func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }`, `nil`,
			killer{api, "TestIntrospectorAnswers"},
		},
		{
			"userinfo-of-machine", "oidc",
			"if token.Authorization.Subject == \"\" {\n\t\treturn oauthkit.Errorf(oauthkit.InsufficientScope", "if false {\n\t\treturn oauthkit.Errorf(oauthkit.InsufficientScope",
			killer{attacks, "TestUserInfo/memory/U-06"},
		},
		{
			"userinfo-claims-beyond-scope", "oidc",
			`maps.DeleteFunc(members, func(name string, _ any) bool { return !request.Allows(name) })`, ``,
			killer{attacks, "TestUserInfo/memory/U-07"},
		},
		{
			"userinfo-of-restricted-token", "oidc",
			`len(token.Resources) > 0 && !slices.Contains(token.Resources, self)`, `false && !slices.Contains(token.Resources, self)`,
			killer{attacks, "TestUserInfo/memory/U-11"},
		},
		{
			"id-token-user-claims-unasked", "oidc",
			`wants := oauthkit.WantsIDTokenClaims(issued.Application, e.config.IDTokenUserClaims)`, `wants := true`,
			killer{attacks, "TestUserInfo/memory/U-07"},
		},
		{
			"claims-parameter-not-shown", "oidc",
			`request.Claims = slices.Sorted(maps.Keys(shown))`, `_ = slices.Sorted(maps.Keys(shown))`,
			killer{attacks, "TestAuthorizeParameters/memory/A-30"},
		},
		{
			"claims-parameter-beyond-request", "oidc",
			`if requested && !isReserved(claim) && slices.Contains(r.shown, claim) {`, `if !isReserved(claim) && slices.Contains(r.shown, claim) {`,
			killer{"oidc", "TestRequestedClaims"},
		},
		{
			"claims-parameter-remembered", ".",
			`request.ApprovalPrompt != ApprovalForce && len(request.Claims) == 0 &&`, `request.ApprovalPrompt != ApprovalForce &&`,
			killer{attacks, "TestAuthorizeParameters/memory/A-30"},
		},
		{
			"claims-of-wrong-type", "oidc",
			`if scopeOf(name) != "" && !hasType(value, typeOf(name)) {`, `if false && !hasType(value, typeOf(name)) {`,
			killer{"oidc", "TestMistypedClaims"},
		},
		{
			"id-token-reserved-claims", "oidc",
			`return !isReserved(claim) && (scope == "" || scopes.Contains(scope))`, `return scope == "" || scopes.Contains(scope)`,
			killer{"oidc", "TestIDTokenClaims"},
		},
		{
			"id-token-nonce-dropped", "oidc",
			`claims["nonce"] = nonce`, `claims["n"] = nonce`,
			killer{attacks, "TestAuthorizeResponse/memory/A-12"},
		},
	}
}
