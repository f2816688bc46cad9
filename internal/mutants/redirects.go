package main

// ofRedirects returns the mutants of redirects.
func ofRedirects() []mutant {
	return []mutant{
		{
			"redirect-any", ".",
			`if redirect.Check(uri) != nil || !app.AllowsRedirectURI(uri) {`, `if redirect.Check(uri) != nil {`,
			killer{attacks, "TestRedirectURIRefused/memory/R-01"},
		},
		{
			"redirect-not-sent", ".",
			`if len(form["redirect_uri"]) != 1 {`, `if len(form["redirect_uri"]) < 1 {`,
			killer{attacks, "TestRedirectURIRefused/memory/R-25"},
		},
		{
			"redirect-lax-host-rules", ".",
			`if redirect.Check(uri) != nil || !app.AllowsRedirectURI(uri) {`, `if !app.AllowsRedirectURI(uri) {`,
			killer{"store/memstore", "TestR24_ApplicationThatAllowsEverything"},
		},
		{
			"redirect-prefix", "internal/redirect",
			"if registered == requested {\n", "if len(requested) >= len(registered) && requested[:len(registered)] == registered {\n",
			killer{attacks, "TestRedirectURIRefused/memory/R-06"},
		},
		{
			"redirect-free-port-for-confidential", "internal/redirect",
			"if !nativeLoopback {", "if false {",
			killer{attacks, "TestRedirectURIRefused/memory/R-21"},
		},
		{
			"redirect-free-port-anywhere", "internal/redirect",
			`(p.host == "127.0.0.1" || p.host == "[::1]") &&`, ``,
			killer{"internal/redirect", "TestMatch"},
		},
		{
			"redirect-free-port-with-user", "internal/redirect",
			`p.scheme == "http:" && p.slashes == "//" && p.userinfo == "" &&`, `p.scheme == "http:" && p.slashes == "//" &&`,
			killer{"internal/redirect", "TestMatch"},
		},
		{
			"redirect-path-free", "internal/redirect",
			`a.port, b.port = "", ""`, `a.port, b.port, a.path, b.path = "", "", "", ""`,
			killer{"internal/redirect", "TestMatch"},
		},
		{
			"redirect-fragment", "internal/redirect",
			"if p.fragment != \"\" {\n\t\treturn errors.New(\"must not have a fragment", "if false {\n\t\treturn errors.New(\"must not have a fragment",
			killer{attacks, "TestRedirectURIRegistered/memory/R-05"},
		},
		{
			"redirect-plain-http", "internal/redirect",
			`if p.host != "127.0.0.1" && p.host != "[::1]" && p.host != "localhost" {`, `if false {`,
			killer{attacks, "TestRedirectURIRegistered/memory/R-17"},
		},
		{
			"redirect-user-in-uri", "internal/redirect",
			"if p.userinfo != \"\" {", "if false {",
			killer{"internal/redirect", "TestCheck"},
		},
		{
			"redirect-dot-segments", "internal/redirect",
			`if segment == "." || segment == ".." {`, `if false {`,
			killer{"internal/redirect", "TestCheck"},
		},
		{
			"redirect-response-parameter", "internal/redirect",
			`if isResponseParameter(name) {`, `if false {`,
			killer{attacks, "TestRedirectURIRegistered/memory/R-30"},
		},
		{
			"redirect-scheme-without-dot", "internal/redirect",
			`if !strings.Contains(scheme, ".") || scheme[0] < 'a' || !isDomainName(scheme) {`, `if scheme[0] < 'a' || !isDomainName(scheme) {`,
			killer{"internal/redirect", "TestCheck/R-23"},
		},
		{
			"redirect-error-of-users-application", pages,
			`if isUserRegistered(request.Application) && !request.Silent {`, `if false {`,
			killer{attacks, "TestRedirector/memory/A-37"},
		},
		{
			"redirect-307", pages,
			`w.WriteHeader(http.StatusSeeOther)`, `w.WriteHeader(http.StatusTemporaryRedirect)`,
			killer{attacks, "TestRedirect/memory/R-31"},
		},
		{
			"return-to-another-site", pages,
			`if !isLocalPath(next) {`, `if next == "" {`,
			killer{pages, "TestB15_ReturnPath"},
		},
		{
			"return-backslash", pages,
			` || r == 0x7f || r == '\\' })`, ` || r == 0x7f })`,
			killer{pages, "TestB15_ReturnPath"},
		},
		{
			"return-two-slashes", pages,
			`strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.HasPrefix(parsed.Path, "//") &&`, `strings.HasPrefix(path, "/") &&`,
			killer{pages, "TestB15_ReturnPath"},
		},
	}
}
