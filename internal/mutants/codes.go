package main

// ofCodes returns the mutants of authorization codes.
func ofCodes() []mutant {
	return []mutant{
		{
			"code-of-another-client", "grants",
			`if code.Authorization.ClientID != request.Application.GetID() {`, `if false {`,
			killer{attacks, "TestCodeBinding/memory/C-06"},
		},
		{
			"code-proof-skipped", "grants",
			`if err := checkProof(code, request); err != nil {`, `if err := checkProof(code, request); false {`,
			killer{attacks, "TestCodeBinding/memory/C-10"},
		},
		{
			"code-redirect-uri", "grants",
			`if request.Form.Get("redirect_uri") != code.RedirectURI {`, `if false {`,
			killer{attacks, "TestCodeBinding/memory/C-08"},
		},
		{
			"code-without-redirect-uri", "grants",
			`if code.RedirectURI == "" {`, `if false {`,
			killer{attacks, "TestCodeBinding/memory/C-08 code without"},
		},
		{
			"code-of-code-grant-redeemed-without-proof", "grants",
			`if code.RedirectURI != "" { // it requires`, `if false { // it requires`,
			killer{"grants", "TestRedeemCode/of the code grant"},
		},
		{
			"code-replay-not-seen", "grants",
			`if !code.ConsumedAt.IsZero() { // before`, `if false { // before`,
			killer{attacks, "TestCode/memory/C-05"},
		},
		{
			"code-expiry", "grants",
			`!request.Now.Before(code.ExpiresAt) || !code.Authorization.Valid(request.Now)`, `!code.Authorization.RevokedAt.IsZero()`,
			killer{attacks, "TestCode/memory/C-09 not valid after 61 s"},
		},
		{
			"code-of-ended-authorization", "grants",
			`!request.Now.Before(code.ExpiresAt) || !code.Authorization.Valid(request.Now)`, `!request.Now.Before(code.ExpiresAt)`,
			killer{attacks, "TestCodeBinding/memory/C-18"},
		},
		{
			"code-lifetime-unbounded", "grants",
			`lifetime: min(lifetime, 10*time.Minute)`, `lifetime: lifetime`,
			killer{attacks, "TestCode/memory/C-09 never"},
		},
		{
			"code-form-not-checked", "grants",
			`if !secret.AuthorizationCode.Is(value) {`, `if false {`,
			killer{attacks, "TestCode/memory/C-15"},
		},
	}
}

// ofPKCE returns the mutants of PKCE and of the applications that may omit it.
func ofPKCE() []mutant {
	return []mutant{
		{
			"pkce-optional", "grants",
			"case challenge == \"\":\n\t\treturn", "case challenge == \"\":\n\t\treturn nil\n\tcase challenge == \"\":\n\t\treturn",
			killer{attacks, "TestAuthorizePKCE/memory/A-14"},
		},
		{
			"pkce-policy-of-public", ".",
			`if app.IsPublic() || !policy.isWeak() {`, `if !policy.isWeak() {`,
			killer{attacks, "TestPKCEPolicy/memory/A-14 public"},
		},
		{
			"pkce-policy-unknown", ".",
			`if app.IsPublic() || !policy.isWeak() {`, `if app.IsPublic() || policy == "" {`,
			killer{".", "TestPKCEPolicy"},
		},
		{
			"pkce-policy-stored-for-public", ".",
			`case policy.isWeak() && app.IsPublic():`, `case false:`,
			killer{".", "TestValidateApplication"},
		},
		{
			"pkce-policy-of-other-software", ".",
			`if abstract.PKCE.isWeak() && !sameSoftware {`, `if false {`,
			killer{attacks, "TestPKCEPolicy/memory/M-08"},
		},
		{
			"pkce-nonce-missing", "grants",
			`return nonce != "" && scopes.Contains(scopeOpenID)`, `return scopes.Contains(scopeOpenID)`,
			killer{attacks, "TestPKCEPolicy/memory/A-14 nonce"},
		},
		{
			"pkce-nonce-without-openid", "grants",
			`return nonce != "" && scopes.Contains(scopeOpenID)`, `return nonce != ""`,
			killer{attacks, "TestPKCEPolicy/memory/A-14 nonce"},
		},
		{
			"pkce-method-alone", "grants",
			`case request.Form.Get("code_challenge_method") != "":`, `case false:`,
			killer{attacks, "TestPKCEPolicy/memory/A-18"},
		},
		{
			"pkce-downgrade", "grants",
			"if verifier != \"\" {", "if false {",
			killer{attacks, "TestPKCEPolicy/memory/C-11 PKCE downgrade"},
		},
		{
			"pkce-policy-at-redemption", "grants",
			`if !mayOmitChallenge(request.PKCEPolicy(), scopes, code.Authorization.Params[paramNonce]) {`, `if false && len(scopes) > 0 {`,
			killer{attacks, "TestPKCEPolicy/memory/C-18"},
		},
		{
			"pkce-scope-removed", "grants",
			`scopes := allowedScopes(request.Application, code.Authorization)`, `scopes := code.Authorization.Scopes`,
			killer{attacks, "TestPKCEPolicy/memory/C-18 openid"},
		},
		{
			"pkce-nonce-not-kept", "grants",
			`code.Authorization.Params[paramNonce])`, `"n")`,
			killer{attacks, "TestPKCEPolicy/memory/C-11 no ID token"},
		},
		{
			"pkce-plain-derived", "grants",
			"case !slices.Contains(g.methods, method):\n\t\treturn \"\"", "case false:\n\t\treturn \"\"",
			killer{"grants", "TestC10_CheckVerifier"},
		},
		{
			"pkce-plain-malformed", "grants",
			`case method == oauth2.CodeChallengePlain && !isVerifier(challenge):`, `case false:`,
			killer{"grants", "TestCheckPlainChallenge"},
		},
		{
			"pkce-plain", "grants",
			"case !slices.Contains(g.methods, method):\n\t\treturn oauthkit", "case method != oauth2.CodeChallengePlain && !slices.Contains(g.methods, method):\n\t\treturn oauthkit",
			killer{attacks, "TestAuthorizePKCE/memory/A-15"},
		},
		{
			"pkce-challenge-malformed", "grants",
			`case method == oauth2.CodeChallengeS256 && !isChallenge(challenge):`, `case false:`,
			killer{attacks, "TestAuthorizePKCE/memory/A-17"},
		},
		{
			"pkce-challenge-of-nothing", "grants",
			`case challenge == emptyChallenge:`, `case false:`,
			killer{"grants", "TestCheckChallenge"},
		},
		{
			"pkce-verifier-missing", "grants",
			"if verifier == \"\" {\n\t\treturn", "if verifier == \"\" {\n\t\treturn nil\n\t}\n\tif verifier == \"\" {\n\t\treturn",
			killer{attacks, "TestCodeBinding/memory/C-10"},
		},
		{
			"pkce-verifier-wrong", "grants",
			`!secret.Equal(derived, code.CodeChallenge)`, `derived == ""`,
			killer{attacks, "TestCodeBinding/memory/C-10"},
		},
		{
			"pkce-verifier-short", "grants",
			`len(text) >= 43 && len(text) <= 128`, `len(text) <= 128`,
			killer{attacks, "TestCodeBinding/memory/C-10"},
		},
	}
}

// ofRefreshTokens returns the mutants of refresh tokens.
func ofRefreshTokens() []mutant {
	return []mutant{
		{
			"refresh-of-another-client", "grants",
			`if token.Authorization.ClientID != request.Application.GetID() {`, `if false {`,
			killer{attacks, "TestRefreshRequest/memory/F-12"},
		},
		{
			"refresh-expiry", "grants",
			`if !request.Now.Before(token.ExpiresAt) {`, `if false {`,
			killer{attacks, "TestRefreshRequest/memory/F-14 idle"},
		},
		{
			"refresh-scope-widens", "grants",
			`case !allowed.ContainsAll(requested):`, `case false:`,
			killer{attacks, "TestRefreshRequest/memory/F-11"},
		},
		{
			"refresh-scope-taken-away", "grants",
			`func(scope string) bool { return !app.AllowsScope(scope) })`, `func(string) bool { return false })`,
			killer{attacks, "TestRefreshState/memory/F-16 scope removed"},
		},
		{
			"refresh-idle-lifetime", ".",
			`earlier(r.Now.Add(r.provider.config.RefreshTokenIdleLifetime), authorization.ExpiresAt)`, `authorization.ExpiresAt`,
			killer{attacks, "TestRefreshRequest/memory/F-14 idle"},
		},
		{
			"refresh-without-user", ".",
			`r.provider.issuesRefreshTokens(r.Application) && authorization.Subject != ""`, `r.provider.issuesRefreshTokens(r.Application)`,
			killer{attacks, "TestRefreshRequest/memory/F-21"},
		},
		{
			"refresh-grant-not-allowed", ".",
			`return exists && app.AllowsGrant(oauth2.Refreshing)`, `return exists`,
			killer{attacks, "TestRefreshRequest/memory/F-21"},
		},
		{
			"replay-ends-nothing", ".",
			`if err := r.provider.revoke(ctx, authorization, RevokedByReplay); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestCode/memory/C-04"},
		},
		{
			"user-not-checked-at-issue", ".",
			`if err := r.checkUser(ctx, issuance.Authorization); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestRefreshState/memory/F-15 user deactivated"},
		},
		{
			"user-inactive-keeps-authorization", ".",
			`if err := r.provider.revoke(ctx, authorization, RevokedByInactivity); err != nil {`, `if err := error(nil); err != nil {`,
			killer{attacks, "TestRefreshState/memory/F-15 user deactivated"},
		},
		{
			"grant-not-allowed", ".",
			`if !request.Application.AllowsGrant(grantType) {`, `if false {`,
			killer{attacks, "TestTokenRequest/memory/T-06"},
		},
	}
}
