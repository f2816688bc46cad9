package main

// ofBrowsers returns the mutants of the protection of browsers: cookies, forms,
// origins and headers.
func ofBrowsers() []mutant {
	return []mutant{
		{
			"form-token-any", pages,
			`if browser == "" || !secret.Equal(form.Get("token"), formToken(browser, action, user)) {`, `if browser == "" {`,
			killer{attacks, "TestManagement/memory/M-02 forged forms"},
		},
		{
			"form-token-without-cookie", pages,
			`if browser == "" || !secret.Equal(`, `if !secret.Equal(`,
			killer{attacks, "TestManagement/memory/M-02 a form token"},
		},
		{
			"consent-form-token-any", pages,
			`shown := browser != "" && secret.Equal(sent.Get("token"), form.token(browser, user, request))`, `shown := browser != ""`,
			killer{pages, "TestAskConsent/B-01 another token"},
		},
		{
			"consent-form-of-another-request", pages,
			`[]string{f.Action, f.ID, f.Intro,`, `[]string{f.Action, f.Intro,`,
			killer{pages, "TestB03_AskConsentShowsSomethingElse"},
		},
		{
			"consent-form-remembered", pages,
			"case enough && form.AcceptRemembered:", "case enough:",
			killer{pages, "TestAskConsentTrusted"},
		},
		{
			"denial-approves", ".",
			"	if decision.Denied {\n		return p.Deny(", "	if false {\n		return p.Deny(",
			killer{pages, "TestAskConsentAgain"},
		},
		{
			"form-post-any-script", pages,
			`policy += "script-src " + response.script + "; "`, `policy += "script-src 'unsafe-inline'; "`,
			killer{pages, "TestA09_FormPostPage"},
		},
		{
			"form-post-unescaped", pages,
			"[]byte(html.EscapeString(redirectURI))", "[]byte(html.UnescapeString(redirectURI))",
			killer{pages, "TestA09_FormPostPage"},
		},
		{
			"form-token-of-another-action", pages,
			`strings.Join([]string{form, user.Subject, user.SessionID}, "\x00")`, `strings.Join([]string{user.Subject, user.SessionID}, "\x00")`,
			killer{attacks, "TestConsentPageChanged/memory/B-10"},
		},
		{
			"form-token-of-another-user", pages,
			`strings.Join([]string{form, user.Subject, user.SessionID}, "\x00")`, `strings.Join([]string{form, user.SessionID}, "\x00")`,
			killer{attacks, "TestConsentForm/memory/B-08 another user decides, in a host without session ids"},
		},
		{
			"form-token-of-another-session", pages,
			`strings.Join([]string{form, user.Subject, user.SessionID}, "\x00")`, `strings.Join([]string{form, user.Subject}, "\x00")`,
			killer{attacks, "TestConsentForm/memory/B-01"},
		},
		{
			"origin-not-checked", requests,
			`err := crossOrigin.Check(r)`, `err := error(nil)`,
			killer{attacks, "TestConsentForm/memory/B-02"},
		},
		{
			"origin-plain-http", requests,
			`err == nil && secure && r.Header.Get("Sec-Fetch-Site") == "" &&`, `err == nil && false &&`,
			killer{attacks, "TestOrigin/memory/H-04 a form"},
		},
		{
			"origin-not-checked-at-pages", pages,
			"if err := h.checkOrigin(r); err != nil {\n\t\treturn err\n\t}\n\tuser, err := h.currentUser(r)\n\tif err != nil {", "user, err := h.currentUser(r)\n\tif err != nil {",
			killer{pages, "TestManagementJSONFromAnotherSite"},
		},
		{
			"origin-not-checked-beside-tokens", api,
			`if err == nil && user != nil && request.CheckSameOrigin(crossOrigin, r, a.isHTTPS()) != nil {`, `if false && err == nil && user != nil && request.CheckSameOrigin(crossOrigin, r, a.isHTTPS()) != nil {`,
			killer{api, "TestSignedInOr"},
		},
		{
			"sign-out-keeps-browser", pages,
			"h.forgetBrowser(w)\n", "\n",
			killer{attacks, "TestSignOut/memory/B-07"},
		},
		{
			"cookie-not-http-only", pages,
			`HttpOnly: true, Secure: h.secure()`, `HttpOnly: false, Secure: h.secure()`,
			killer{attacks, "TestConsentPage/memory/B-18"},
		},
		{
			"cookie-not-secure", pages,
			`HttpOnly: true, Secure: h.secure()`, `HttpOnly: true, Secure: false`,
			killer{attacks, "TestConsentPage/memory/B-18"},
		},
		{
			"cookie-host-prefix", pages,
			`return "__Host-" + name`, `return name`,
			killer{attacks, "TestConsentPage/memory/B-18"},
		},
		{
			"cookie-of-another-issuer", pages,
			`name := "oauthkit-" + secret.Hash(h.provider.Issuer())[:8]`, `name := "oauthkit"`,
			killer{attacks, "TestIssuer/path and path/memory/V-01 cookies"},
		},
		{
			"cookie-planted", pages,
			`if err != nil || !secret.Browser.Is(cookie.Value) {`, `if err != nil {`,
			killer{attacks, "TestConsentPage/memory/B-18"},
		},
		{
			"cors-any-origin", pages,
			`if err != nil || !oauthkit.AllowsOrigin(app, origins[0]) {`, `if err != nil || app == nil {`,
			killer{attacks, "TestCORS/memory/X-03 origins"},
		},
		{
			"cors-opaque-origin", pages,
			` || len(origins) != 1 || !wire.IsOrigin(origins[0]) {`, ` || len(origins) != 1 {`,
			killer{attacks, "TestCORS/memory/X-04"},
		},
		{
			"cors-api-any-origin", api,
			` || !settings.AllowOrigin(origins[0]) {`, ` {`,
			killer{api, "TestCORS/X-03"},
		},
		{
			"cors-api-opaque-origin", api,
			` || !wire.IsWebOrigin(origins[0]) ||`, ` ||`,
			killer{api, "TestCORS/X-04"},
		},
		{
			"cors-introspection", pages,
			"Application: h.introspect, Group: GroupBase,", "Application: h.introspect, Group: GroupBase, CrossOrigin: oauthkit.CrossOriginApplication,",
			killer{attacks, "TestCORS/memory/X-08"},
		},
		{
			"cors-pages", pages,
			"Anyone: h.authorize, Group: GroupBase,", "Anyone: h.authorize, Group: GroupBase, CrossOrigin: oauthkit.CrossOriginAny,",
			killer{attacks, "TestCORS/memory/X-01"},
		},
		{
			"header-cached", wire,
			`"no-store", "default-src 'none'; frame-ancestors 'none'"`, `"public", "default-src 'none'; frame-ancestors 'none'"`,
			killer{attacks, "TestHeaders/memory/H-01"},
		},
		{
			"header-frames", wire,
			`"no-referrer", "nosniff", "DENY"}`, `"no-referrer", "nosniff", "SAMEORIGIN"}`,
			killer{attacks, "TestHeaders/memory/H-02"},
		},
		{
			"header-sniffing", wire,
			`"no-referrer", "nosniff", "DENY"}`, `"no-referrer", "sniff", "DENY"}`,
			killer{attacks, "TestHeaders/memory/H-02"},
		},
		{
			"header-referrer", pages,
			`header.Set("Referrer-Policy", "same-origin")`, `header.Set("Referrer-Policy", "unsafe-url")`,
			killer{attacks, "TestHeaders/memory/H-02"},
		},
		{
			"half-signed-in", requests,
			`if user != nil && (user.Subject == "" || len(user.Subject) > 255) {`, `if user != nil && len(user.Subject) > 255 {`,
			killer{requests, "TestB16_ImpossibleUsers"},
		},
		{
			"trusted-proxy-header", requests,
			`info.RemoteIP = remoteIP(r.RemoteAddr)`, `info.RemoteIP = r.Header.Get("X-Forwarded-For")`,
			killer{pages, "TestRequestInfo"},
		},
	}
}
