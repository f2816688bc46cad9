package main

// ofLogout returns the mutants of sign-outs that applications ask for, and of telling
// them in the browser.
func ofLogout() []mutant {
	return []mutant{
		{
			"logout-of-any-session", ".",
			`return id != "" && request.SessionID == id && request.Subject == user.Subject`, `return id != "" && request.Subject == user.Subject`,
			killer{attacks, "TestLogout/memory/L-05 hint of another session"},
		},
		{
			"logout-without-question", pages,
			`case h.provider.Proves(request.SignOutRequest, withSession(user, h.browser(r))):`, `case request.Application != nil:`,
			killer{attacks, "TestLogout/memory/L-01 sign-out without a proof"},
		},
		{
			"logout-redirect-any", ".",
			`redirect.Check(uri) != nil || !AllowsPostLogoutRedirectURI(r.Application, uri)`, `redirect.Check(uri) != nil`,
			killer{attacks, "TestLogout/memory/L-02 bad redirect"},
		},
		{
			"logout-redirect-script", ".",
			`redirect.Check(uri) != nil || !AllowsPostLogoutRedirectURI(r.Application, uri)`, `!AllowsPostLogoutRedirectURI(r.Application, uri)`,
			killer{attacks, "TestLogout/memory/L-07 dangerous schemes"},
		},
		{
			"logout-redirector", pages,
			`(r.proven || !isUserRegistered(r.Application))`, `(r.proven || r.Application != nil)`,
			killer{attacks, "TestLogout/memory/L-15 open redirector"},
		},
		{
			"logout-form-token-any", pages,
			`case browser == "" || !secret.Equal(form.token, formToken(browser, h.signOutAction(request), user)):`, `case browser == "":`,
			killer{attacks, "TestSignOut/memory/sign-out by another site"},
		},
		{
			"logout-form-of-another-request", pages,
			`return h.signOutPath() + "?" + request.Form.Encode()`, `return h.signOutPath() + "?"`,
			killer{attacks, "TestLogout/memory/L-01 sign-out without a proof"},
		},
		{
			"logout-form-of-another-site", pages,
			`return newOwnSignOutForm(body), h.checkOrigin(r)`, `return newOwnSignOutForm(body), nil`,
			killer{attacks, "TestSignOut/memory/sign-out by another site"},
		},
		{
			"logout-leaves-the-session", pages,
			`if ended.id != "" {`, `if false {`,
			killer{attacks, "TestLogout/memory/L-08 effect"},
		},
		{
			"logout-frame-any", pages,
			`uri.Fragment != "" || redirecturi.Origin(address) == ""`, `uri.Fragment != "" || address == ""`,
			killer{attacks, "TestFrontChannelLogout/memory/L-12 addresses that no frame may have"},
		},
		{
			"logout-frame-policy", pages,
			`policy += "frame-src " + response.frames + "; "`, `policy += "frame-src *; "`,
			killer{attacks, "TestFrontChannelLogout/memory/L-12 frames"},
		},
		{
			"logout-hint-of-another-client", "oidc",
			`audience = request.Application.GetID()`, `audience = ""`,
			killer{attacks, "TestLogout/memory/L-03 forged hint"},
		},
		{
			"session-cookie-in-clear", "oidc",
			`issuer.Scheme != "https" && !redirect.IsLoopback(issuer.Hostname())`, `issuer.Scheme == ""`,
			killer{"oidc", "TestSessionManagementNeedsHTTPS"},
		},
	}
}
