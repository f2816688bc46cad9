package main

// ofConsent returns the mutants of approval and remembered consent.
func ofConsent() []mutant {
	return []mutant{
		{
			"consent-more-than-asked", ".",
			`if !request.Scopes.ContainsAll(d.Scopes) {`, `if false {`,
			killer{"store/memstore", "TestFewerScopes"},
		},
		{
			"consent-more-than-asked-in-form", pages,
			`if !request.Scopes.Contains(scope) {`, `if false && !request.Scopes.Contains(scope) {`,
			killer{attacks, "TestConsentChoice/memory/B-04 scopes that were not requested"},
		},
		{
			"consent-for-ever", ".",
			`if expired || consent.ApplicationDigest != request.ApplicationDigest() {`, `if expired && consent.ApplicationDigest != request.ApplicationDigest() {`,
			killer{"store/memstore", "TestConsentKeepsItsEnd"},
		},
		{
			"consent-for-another-name", ".",
			`if expired || consent.ApplicationDigest != request.ApplicationDigest() {`, `if expired {`,
			killer{"store/memstore", "TestConsentIsForWhatWasShown"},
		},
		{
			"consent-not-asked-again", ".",
			`enough = !request.AskConsent && request.ApprovalPrompt`, `enough = request.ApprovalPrompt`,
			killer{attacks, "TestAuthorizeUser/memory/A-25"},
		},
		{
			"consent-not-forced", ".",
			` && request.ApprovalPrompt != ApprovalForce &&`, ` &&`,
			killer{"store/memstore", "TestApprovalPrompt"},
		},
		{
			"consent-token-without-secret", ".",
			`request.withoutSecret = request.ResponseType != ResponseTypeCode`, ``,
			killer{attacks, "TestResponseTypes/memory/a secret does not protect a token in the response"},
		},
		{
			"decision-of-another-user", ".",
			`case d.Consent != nil && (d.Consent.ClientID != request.Application.GetID() || d.Consent.Subject != user.Subject):`, `case false:`,
			killer{"store/memstore", "TestApproveIsOfOneUser"},
		},
		{
			"consent-keeps-client-secret", ".",
			"form = maps.Clone(form)\n\tp.keepKnown(form)", "",
			killer{"store/memstore", "TestConsentRequestKeepsNoSecret"},
		},
		{
			"consent-grows", ".",
			"consent.Covers(request.Scopes, request.Resources) && request.identifiesApplication()", "request.identifiesApplication()",
			killer{attacks, "TestAuthorizeUser/memory/A-28"},
		},
		{
			"consent-of-impostor", ".",
			"consent.Covers(request.Scopes, request.Resources) && request.identifiesApplication()", "consent.Covers(request.Scopes, request.Resources)",
			killer{attacks, "TestAuthorizeUser/memory/A-27"},
		},
		{
			"consent-skipped-for-impostor", ".",
			`if request.AskConsent || !request.identifiesApplication() {`, `if request.AskConsent {`,
			killer{"store/memstore", "TestSkipConsentNeedsIdentity"},
		},
		{
			"consent-skipped-though-asked", ".",
			`if request.AskConsent || !request.identifiesApplication() {`, `if !request.identifiesApplication() {`,
			killer{"store/memstore", "TestApprovalPrompt/prompt=consent beats"},
		},
		{
			"consent-of-one-api-for-all", ".",
			"if len(resources) == 0 {\n\t\treturn c.Scopes.ContainsAll(scopes)", "if len(resources) == 0 {\n\t\treturn c.allScopes().ContainsAll(scopes)",
			killer{attacks, "TestResource/memory/A-28"},
		},
		{
			"consent-taken-back-stays", ".",
			`return request.Scopes.Contains(scope) && !a.Authorization.Scopes.Contains(scope)`, `return false`,
			killer{attacks, "TestConsentChoice/memory/B-04 a scope that is deselected later"},
		},
		{
			"consent-withdrawn-comes-back", ".",
			`if approval.ConsentUse == ConsentWidened && errors.Is(err, ErrRevoked) {`, `if false {`,
			killer{"store/memstore", "TestWithdrawnConsentStaysWithdrawn"},
		},
		{
			"consent-of-inactive-user", ".",
			"switch active, err := p.userIsActive(ctx, user.Subject); {\n\tcase err != nil:\n\t\treturn err\n\tcase !active:",
			"switch _, err := p.userIsActive(ctx, user.Subject); {\n\tcase err != nil:\n\t\treturn err\n\tcase false:",
			killer{attacks, "TestConsentUser/memory/B-17"},
		},
		{
			"consent-digest-without-addresses", ".",
			`addresses = slices.Sorted(slices.Values(described.RegisteredRedirectURIs()))`, `addresses = described.RegisteredRedirectURIs()[:0]`,
			killer{attacks, "TestConsentChoice/memory/B-10 a redirect URI added"},
		},
		{
			"consent-form-token", pages,
			`if !secret.Equal(form.Get("token"), request.formToken(user)) {`, `if false {`,
			killer{attacks, "TestConsentForm/memory/B-01"},
		},
		{
			"consent-form-scopes-unsealed", pages,
			`shown := []string{id, request.ApplicationDigest(), request.Scopes.String(), request.Resources.String()}`, `shown := []string{id, request.ApplicationDigest(), request.Resources.String()}`,
			killer{attacks, "TestConsentPageChanged/memory/B-10 other default"},
		},
		{
			"consent-form-digest-unsealed", pages,
			`shown := []string{id, request.ApplicationDigest(), request.Scopes.String(), request.Resources.String()}`, `shown := []string{id, request.Scopes.String(), request.Resources.String()}`,
			killer{attacks, "TestConsentPageChanged/memory/B-10 another name"},
		},
		{
			"consent-nothing-chosen", pages,
			"if len(chosen) == 0 {\n\t\treturn nil, errNothingChosen", "if false {\n\t\treturn nil, errNothingChosen",
			killer{pages, "TestNothingChosen"},
		},
		{
			"sign-in-of-another-user", pages,
			`case request.Subject != "" && user.Subject != request.Subject:`, `case false:`,
			killer{attacks, "TestAuthorizeUser/memory/A-29"},
		},
		{
			"sign-in-not-new", pages,
			`signedIn := waited && user.AuthTime.After(since)`, `signedIn := waited`,
			killer{attacks, "TestAuthorizeUser/memory/A-23"},
		},
		{
			"sign-in-too-old", pages,
			`return request.MaxAge != nil && (request.Now`, `return false && request.MaxAge != nil && (request.Now`,
			killer{attacks, "TestAuthorizeUser/memory/A-24"},
		},
		{
			"silent-request-shows-page", pages,
			`if err == nil && must != demandNone && request.Silent {`, `if false {`,
			killer{attacks, "TestAuthorizeUser/memory/A-21"},
		},
		{
			"account-not-selected", pages,
			`chosen := signedIn || waited && user.SelectedAt.After(since)`, `chosen := signedIn || waited`,
			killer{attacks, "TestSelectAccount/memory/A-22 select_account"},
		},
		{
			"account-selected-for-sign-in", pages,
			`case signedIn: // which is new`, `case chosen: // which is new`,
			killer{attacks, "TestSelectAccount/memory/A-23 selection"},
		},
		{
			"acr-essential-unmet", pages,
			`case otherClass && (signedIn || user.AuthTime.IsZero()):`, `case otherClass && user.AuthTime.IsZero():`,
			killer{attacks, "TestStepUp/memory/A-30 essential"},
		},
		{
			"acr-preferred-ignored", pages,
			`case !waited && prefersOtherClass(request, user):`, `case false:`,
			killer{attacks, "TestStepUp/memory/A-31 acr_values"},
		},
		{
			"sign-up-without-page", pages,
			`if request.AskSignUp && h.config.SignUpURL == "" {`, `if false {`,
			killer{attacks, "TestAuthorizeUser/memory/A-22 malformed"},
		},
		{
			"sign-in-acr-unchecked", "http/api",
			`case len(a.ACRValues) > 0 && (acr == ""`, `case false && (acr == ""`,
			killer{attacks, "TestStepUp/memory/U-11 sign-in"},
		},
		{
			"sign-in-age-unchecked", "http/api",
			`case a.MaxAge != 0 && (at.IsZero()`, `case false && (at.IsZero()`,
			killer{attacks, "TestStepUp/memory/U-11 sign-in"},
		},
		{
			"sign-in-of-session-unchecked", "http/api",
			`err = a.checkSignIn(user.ACR, user.AuthTime)`, `err = nil`,
			killer{"http/api", "TestSignIn"},
		},
		{
			"silent-request-asks", pages,
			`if request.Silent {`, `if false {`,
			killer{attacks, "TestAuthorizeUser/memory/A-21"},
		},
	}
}
