package main

// ofRequests returns the mutants of the parsing of requests, and of scopes and
// resources.
func ofRequests() []mutant {
	return []mutant{
		{
			"token-parameter-repeated", pages,
			`if len(values) > 1 && !slices.Contains(repeatable, name) {`, `if false && len(values) > 1 {`,
			killer{attacks, "TestTokenRequest/memory/T-04"},
		},
		{
			"token-parameter-not-text", pages,
			`if len(value) > maxValue || !wire.IsText(value) {`, `if len(value) > maxValue {`,
			killer{attacks, "TestTokenRequest/memory/T-08"},
		},
		{
			"token-parameter-long", pages,
			`if len(value) > maxValue || !wire.IsText(value) {`, `if !wire.IsText(value) {`,
			killer{pages, "TestReadForm"},
		},
		{
			"body-unbounded", pages,
			`io.ReadAll(http.MaxBytesReader(unwrap(w), r.Body, wire.MaxBody))`, `io.ReadAll(r.Body)`,
			killer{attacks, "TestTokenRequest/memory/T-07"},
		},
		{
			"parameters-unbounded", pages,
			`if len(text) > wire.MaxBody || strings.Count(text, "&") >= maxParameters {`, `if false {`,
			killer{attacks, "TestAuthorizeParameters/memory/A-35"},
		},
		{
			"body-compressed", pages,
			` && header.Get("Content-Encoding") == ""`, ``,
			killer{attacks, "TestTokenRequest/memory/T-25"},
		},
		{
			"body-of-any-type", pages,
			`err == nil && mediaType == "application/x-www-form-urlencoded" &&`, `err == nil && mediaType != "" &&`,
			killer{attacks, "TestTokenRequest/memory/T-02"},
		},
		{
			"authorize-parameter-repeated", ".",
			`if len(values) > 1 && name != "resource" {`, `if false && len(values) > 1 && name != "resource" {`,
			killer{attacks, "TestAuthorizeParameters/memory/A-01"},
		},
		{
			"authorize-state-long", ".",
			`len(state) == 1 && (len(state[0]) > maxState || !isText(state[0]))`, `len(state) == 1 && !isText(state[0])`,
			killer{attacks, "TestAuthorizeResponse/memory/A-10"},
		},
		{
			"authorize-request-object", ".",
			"case hasObject:\n\t\treturn Errorf(RequestNotSupported", "case false:\n\t\treturn Errorf(RequestNotSupported",
			killer{attacks, "TestAuthorizeParameters/memory/A-32"},
		},
		{
			"resource-not-allowed", ".",
			`case !AllowsResource(app, resource):`, `case false && !AllowsResource(app, resource):`,
			killer{attacks, "TestResource/memory/A-36 resource that"},
		},
		{
			"resource-default-unknown", ".",
			`if !p.servesResource(app, resource) {`, `if false && !p.servesResource(app, resource) {`,
			killer{attacks, "TestResource/memory/A-36 default resource that"},
		},
		{
			"resource-default-ignored", ".",
			`return p.defaultResources(ctx, app)`, `return nil, nil`,
			killer{attacks, "TestResource/memory/A-36 default resources"},
		},
		{
			"resource-lost-kept", ".",
			`case !slices.ContainsFunc(authorization.Resources, forbidden):`, `case true:`,
			killer{attacks, "TestResource/memory/F-19 resource that"},
		},
		{
			"resource-lost-unrestricted", ".",
			`case !slices.ContainsFunc(authorization.Resources, allowed):`, `case false:`,
			killer{attacks, "TestResource/memory/F-19 resource that"},
		},
		{
			"default-max-age-ignored", ".",
			`MaxAge:       defaultMaxAge(app),`, ``,
			killer{attacks, "TestAuthorizeUser/memory/A-24 default"},
		},
		{
			"authorize-response-mode", ".",
			`case requested == "", requested == string(request.ResponseMode):`, `case true:`,
			killer{attacks, "TestAuthorizeResponse/memory/A-08"},
		},
		{
			"authorize-grant-not-allowed", ".",
			`allowed = allowed && request.Application.AllowsGrant(request.GrantType)`, ``,
			killer{attacks, "TestAuthorizeParameters/memory/A-07"},
		},
		{
			"authorize-pushed-required", ".",
			`case requiresPushedRequests(request.Application) && !request.Provenance.Pushed:`, `case false:`,
			killer{attacks, "TestAuthorizeParameters/memory/A-32"},
		},
		{
			"authorize-type-not-allowed", ".",
			`allowed := AllowsResponseType(request.Application, request.ResponseType)`, `allowed := true`,
			killer{attacks, "TestResponseTypes/memory/A-07"},
		},
		{
			"authorize-token-in-query", ".",
			`case ResponseTypeToken, ResponseTypeIDToken:`, `case "never":`,
			killer{attacks, "TestAuthorizeParameters/memory/A-06"},
		},
		{
			"authorize-form-post-to-app", ".",
			`if scheme == "https" || scheme == "http" {`, `if scheme != "" {`,
			killer{attacks, "TestAuthorizeResponse/memory/A-08"},
		},
		{
			"authorize-parts-in-any-order", ".",
			`return cmp.Compare(position(a.ResponseType()), position(b.ResponseType()))`, `return cmp.Compare(position(b.ResponseType()), position(a.ResponseType()))`,
			killer{attacks, "TestResponseTypes/memory/A-06"},
		},
		{
			"pushed-for-another-client", ".",
			`if len(clientID) != 1 || clientID[0] != app.GetID() {`, `if len(clientID) != 1 && app == nil {`,
			killer{attacks, "TestPushedRequests/memory/PA-02"},
		},
		{
			"pushed-for-the-client-that-it-names", ".",
			`if len(clientID) != 1 || clientID[0] != app.GetID() {`, `if len(clientID) != 1 || app != nil && clientID[0] != source.Application.GetID() {`,
			killer{attacks, "TestPushedRequests/memory/PA-02 parameters and application of another client"},
		},
		{
			"pushed-mark-unsealed", pages,
			`p.provenance = oauthkit.Provenance{Pushed: encoded[1]&pushedBit != 0, Signed: encoded[1]&signedBit != 0}`, `p.provenance = oauthkit.Provenance{Pushed: true}`,
			killer{attacks, "TestPushedRequests/memory/PA-09"},
		},
		{
			"authorize-no-issuer", ".",
			`parameters.Set("iss", r.provider.issuer)`, ``,
			killer{attacks, "TestAuthorizeResponse/memory/A-13"},
		},
		{
			"authorize-no-issuer-with-code", ".",
			`if !parameters.Has("error") || !omitsIssInErrors(r.Application) {`, `if !omitsIssInErrors(r.Application) {`,
			killer{attacks, "TestAuthorizeResponse/memory/A-13"},
		},
		{
			"scope-not-of-application", ".",
			`case !app.AllowsScope(scope), !added && !available.Contains(scope):`, `case !added && !available.Contains(scope):`,
			killer{attacks, "TestAuthorizeParameters/memory/A-20"},
		},
		{
			"scope-not-available", ".",
			`case !app.AllowsScope(scope), !added && !available.Contains(scope):`, `case !app.AllowsScope(scope), false && !available.Contains(scope):`,
			killer{"store/memstore", "TestScopeBackend"},
		},
		{
			"scope-unbounded", ".",
			`if len(scopes) > maxScopes {`, `if false {`,
			killer{".", "TestA20_ParseScopes"},
		},
		{
			"scope-defaults-unchecked", ".",
			`return scope == IntrospectionScope || check(scope) != nil`, `return scope == IntrospectionScope`,
			killer{"store/memstore", "TestScopeBackend"},
		},
		{
			"resource-unknown", ".",
			`case !slices.Contains(p.config.Resources, resource):`, `case false && !slices.Contains(p.config.Resources, resource):`,
			killer{attacks, "TestResource/memory/A-36"},
		},
		{
			"resource-widens", ".",
			`case len(authorization.Resources) > 0 && !containsAll(authorization.Resources, requested):`, `case false:`,
			killer{attacks, "TestResource/memory/F-19"},
		},
		{
			"resource-unbounded", ".",
			`if len(resources) > maxResources {`, `if false {`,
			killer{attacks, "TestResource/memory/A-36 more"},
		},
		{
			"json-member-twice", "internal/strictjson",
			`if seen[name] {`, `if false {`,
			killer{attacks, "TestRegistrationText/memory/N-05"},
		},
		{
			"json-member-in-other-case", "internal/strictjson",
			`if strings.EqualFold(field, name) {`, `if false {`,
			killer{attacks, "TestRegistrationText/memory/N-05"},
		},
		{
			"json-depth", "internal/strictjson",
			`if depth == maxDepth {`, `if false {`,
			killer{"internal/strictjson", "TestUnmarshalRejects/depth"},
		},
		{
			"json-more-after-it", "internal/strictjson",
			`if _, err := w.decoder.Token(); !errors.Is(err, io.EOF) {`, `if false {`,
			killer{"internal/strictjson", "TestUnmarshalRejects"},
		},
		{
			"json-media-type", pages,
			`if err != nil || mediaType != "application/json" || r.Header.Get("Content-Encoding") != "" {`, `if err != nil || mediaType == "" || r.Header.Get("Content-Encoding") != "" {`,
			killer{pages, "TestApplicationsJSONProblems"},
		},
		{
			"nonce-unbounded", "oidc",
			`if len(nonce) > maxNonce {`, `if false {`,
			killer{"oidc", "TestAuthorizeParameters"},
		},
		{
			"prompt-unknown", "oidc",
			`case request.Silent && prompt != promptNone:`, `case false:`,
			killer{attacks, "TestAuthorizeUser/memory/A-22"},
		},
		{
			"claims-unbounded", "oidc",
			`if len(text) > maxClaims {`, `if false {`,
			killer{"oidc", "TestClaimsParameter"},
		},
	}
}
