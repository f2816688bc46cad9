package main

// ofManagement returns the mutants of the pages on which users manage applications
// and connected apps.
func ofManagement() []mutant {
	return []mutant{
		{
			"manage-any-application", ".",
			`return o.Everyone || owner != "" && slices.Contains(o.By, owner)`, `return o.Everyone || owner != ""`,
			killer{attacks, "TestIDORInGo/memory/M-01 every method of Applications"},
		},
		{
			"manage-applications-of-nobody", ".",
			`return o.Everyone || owner != "" && slices.Contains(o.By, owner)`, `return o.Everyone || slices.Contains(o.By, owner)`,
			killer{"store/memstore", "TestOwned"},
		},
		{
			"manage-application-found", ".",
			"case !owned.includes(app):\n\t\treturn nil, ErrNotFound", "case false && !owned.includes(app):\n\t\treturn nil, ErrNotFound",
			killer{attacks, "TestIDOR/memory/M-01 every path that names a row"},
		},
		{
			"manage-list-of-others", ".",
			"if owned.includes(app) {\n\t\t\t\tapps", "if true {\n\t\t\t\tapps",
			killer{"store/memstore", "TestM01_ListOfGenerousStore"},
		},
		{
			"manage-may-not-register", ".",
			"case !allowed:\n\t\treturn Errorf(AccessDenied", "case false && !allowed:\n\t\treturn Errorf(AccessDenied",
			killer{"store/memstore", "TestMayRegister"},
		},
		{
			"manage-applications-without-number", ".",
			`if errors.Is(err, ErrTooMany) {`, `if errors.Is(err, ErrTooMany) && a.store.CreateApplication(ctx, app, a.provider.Now()) != nil {`,
			killer{attacks, "TestOwnerLimit/memory/M-17 number of applications"},
		},
		{
			"manage-applications-counted", "store/gormstore",
			`if err == nil && number >= int64(limit) {`, `if err == nil && number > int64(limit) {`,
			killer{attacks, "TestOwnerLimit/sqlite/M-17 number of applications"},
		},
		{
			"manage-applications-at-once", "store/gormstore",
			`return p.lock(ctx, d, tx, "applications of "+owner)`, `return nil`,
			killer{"store/gormstore", "TestContract/postgres/owners"},
		},
		{
			"manage-applications-of-any-size", ".",
			`if size := form.size(); size <= a.config.MaxApplicationBytes || size <= before {`, `if size := form.size(); size >= 0 {`,
			killer{attacks, "TestOwnerLimit/memory/M-17 size of applications"},
		},
		{
			"manage-grants-not-offered", ".",
			`if !slices.Contains(offered, grant) && !slices.Contains(before.GrantTypes, grant) {`, `if false && !slices.Contains(offered, grant) && !slices.Contains(before.GrantTypes, grant) {`,
			killer{attacks, "TestManagement/memory/M-08"},
		},
		{
			"manage-scopes-not-offered", ".",
			`if !a.config.Scopes.Contains(scope) && !before.Scopes.Contains(scope) {`, `if false {`,
			killer{attacks, "TestManagement/memory/M-08"},
		},
		{
			"manage-response-types-not-offered", ".",
			`if !slices.Contains(responses, t) && !before.ResponseTypes.allows(t) {`, `if false && !slices.Contains(responses, t) && !before.ResponseTypes.allows(t) {`,
			killer{"store/memstore", "TestM08_ResponseTypesOfOwners"},
		},
		{
			"manage-token-in-browser", ".",
			`return t.Contains(ResponseTypeToken)`, `return false`,
			killer{"store/memstore", "TestM08_ResponseTypesOfOwners"},
		},
		{
			"manage-trust-with-more-response-types", ".",
			`before.responseTypes.allowsAll(after.responseTypes)`, `true`,
			killer{"store/memstore", "TestM08_TrustForMoreResponseTypes"},
		},
		{
			"manage-trust-of-another-name", ".",
			`abstract.Verified = abstract.Verified && same`, ``,
			killer{"store/memstore", "TestM08_TrustOfAnotherName"},
		},
		{
			"manage-trust-with-more-scopes", ".",
			`abstract.SkipAuthorization && same && before.scopes.ContainsAll(after.scopes)`, `abstract.SkipAuthorization && same`,
			killer{"store/memstore", "TestM08_TrustForMoreScopes"},
		},
		{
			"manage-trust-at-another-address", ".",
			`slices.Equal(after.uris, before.uris) && slices.Equal(after.registered, before.registered)`, `true`,
			killer{"store/memstore", "TestM08_TrustOfAnotherName"},
		},
		{
			"manage-secret-of-public", ".",
			`if abstract := Abstract(app); abstract != nil && app.IsPublic() {`, `if abstract := Abstract(app); false {`,
			killer{"store/memstore", "TestM08_SecretOfPublicApplication"},
		},
		{
			"manage-client-id-changed", ".",
			`if app.GetID() != clientID { // it would`, `if false { // it would`,
			killer{"store/memstore", "TestChangeKeepsClientID"},
		},
		{
			"manage-secret-overlap", ".",
			`min(keep, a.config.SecretOverlap)`, `keep`,
			killer{"store/memstore", "TestApplicationsLife"},
		},
		{
			"manage-user-api-for-nobody", pages,
			"case user == nil && !found.page:\n\t\treturn errNotSignedIn", "case user == nil && !found.page:\n\t\treturn found.User(w, r, &oauthkit.User{Subject: \"nobody\"})",
			killer{pages, "TestManagementNotSignedIn"},
		},
		{
			"manage-entries-unbounded", pages,
			`if entries > maxEntries {`, `if false && entries > maxEntries {`,
			killer{attacks, "TestManagementPage/memory/M-14"},
		},
		{
			"manage-invisible-names", ".",
			`if isHidden(r) && !joins {`, `if false && isHidden(r) && !joins {`,
			killer{attacks, "TestRegistrationText/memory/N-12"},
		},
		{
			"manage-secret-in-json", ".",
			`func (h SecretHash) MarshalText() ([]byte, error) { return []byte(redacted), nil }`, `func (h SecretHash) MarshalText() ([]byte, error) { return []byte(h), nil }`,
			killer{".", "TestST04_SecretHashIsRedacted"},
		},
		{
			"connection-of-another-application", pages,
			`if err == nil && use.ClientID != connection.ClientID {`, `if false {`,
			killer{pages, "TestManySignIns"},
		},
		{
			"connection-form-token", pages,
			`if _, err := h.readUserForm(w, r, action, user); err != nil {
		return err
	}
	if err := h.revokeAccess(`, `if err := h.revokeAccess(`,
			killer{attacks, "TestManagement/memory/M-02 forged forms"},
		},
		{
			"connection-revoked-of-others", ".",
			`found, err := a.Find(ctx, subject, id)
	if err != nil {
		return err
	}
	return a.provider.revoke(ctx, found.Authorization, RevokedByUser)`, `return a.provider.revoke(ctx, &Authorization{ID: id, Subject: subject}, RevokedByUser)`,
			killer{attacks, "TestIDORInGo/memory/M-01 every method of Authorizations"},
		},
		{
			"revoke-user-nobody", ".",
			"if subject == \"\" {\n\t\treturn 0, errors.New(\"oauthkit: RevokeUser: subject is empty\")", "if false {\n\t\treturn 0, errors.New(\"oauthkit: RevokeUser: subject is empty\")",
			killer{"store/memstore", "TestRevokeAll"},
		},
	}
}
