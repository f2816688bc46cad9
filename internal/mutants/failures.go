package main

// ofFailures returns the mutants that treat a failure as an answer.
func ofFailures() []mutant {
	return []mutant{
		{
			"fault-code-is-denied", "grants",
			"case errors.Is(err, oauthkit.ErrReplayed):\n\t\treturn nil, request.RevokeReplayed(ctx, code.Authorization, code.Hash)\n\tcase errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):",
			"case errors.Is(err, oauthkit.ErrReplayed):\n\t\treturn nil, request.RevokeReplayed(ctx, code.Authorization, code.Hash)\n\tcase err != nil:",
			killer{attacks, "TestFault/memory/token, code"},
		},
		{
			"fault-refresh-is-denied", "grants",
			"return g.repeatAfterRace(ctx, request, value, token.Hash)\n\tcase errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):",
			"return g.repeatAfterRace(ctx, request, value, token.Hash)\n\tcase err != nil:",
			killer{attacks, "TestFault/memory"},
		},
		{
			"fault-bearer-is-not-found", ".",
			"token, err := p.store.AccessToken(ctx, secret.Hash(value))\n\tswitch {\n\tcase errors.Is(err, ErrNotFound):",
			"token, err := p.store.AccessToken(ctx, secret.Hash(value))\n\tswitch {\n\tcase err != nil:",
			killer{attacks, "TestFault/memory"},
		},
		{
			"fault-client-is-unknown", pages,
			`case oauthkit.CodeOf(err) == oauthkit.TemporarilyUnavailable: // a failure`, `case false: // a failure`,
			killer{attacks, "TestFault/memory/token, code"},
		},
		{
			"fault-application-is-unknown", ".",
			"app, err := store.Application(ctx, clientID)\n\tswitch {\n\tcase errors.Is(err, ErrNotFound):",
			"app, err := store.Application(ctx, clientID)\n\tswitch {\n\tcase err != nil:",
			killer{attacks, "TestFault/memory"},
		},
		{
			"fault-revocation-succeeds", ".",
			"changed, err := p.store.RevokeAuthorization(ctx, authorization.ID, revocation)\n\tif err != nil {",
			"changed, err := p.store.RevokeAuthorization(ctx, authorization.ID, revocation)\n\tif false {",
			killer{attacks, "TestRevocation/memory/I-13"},
		},
		{
			"fault-user-is-active", ".",
			"if err != nil {\n\t\treturn false, Unavailable(fmt.Errorf(\"calling Config.UserIsActive", "if err != nil {\n\t\treturn true, nil\n\t}\n\tif err != nil {\n\t\treturn false, Unavailable(fmt.Errorf(\"calling Config.UserIsActive",
			killer{attacks, "TestRefreshState/memory/F-15 the host fails"},
		},
		{
			"fault-nobody-signed-in", requests,
			"user, err := currentUser(r)\n\tif err != nil {", "user, err := currentUser(r)\n\tif false {",
			killer{attacks, "TestHostFault/memory"},
		},
		{
			"fault-consent-is-none", ".",
			"case errors.Is(err, ErrNotFound):\n\t\treturn nil, false, nil\n\tcase err != nil:", "case err != nil:\n\t\treturn nil, false, nil\n\tcase false:",
			killer{attacks, "TestFault/memory"},
		},
		{
			"fault-without-retry-after", wire,
			"if code == oauthkit.TemporarilyUnavailable {\n\t\tw.Header().Set(\"Retry-After\", RetryAfter)", "if code == oauthkit.TemporarilyUnavailable {",
			killer{attacks, "TestFault/memory/token, code"},
		},
		{
			"fault-details-told", wire,
			"var sent *oauthkit.Error\n\tif errors.As(err, &sent) {\n\t\treturn quotable(sent.Description)\n\t}\n\treturn \"\"", "return err.Error()",
			killer{wire, "TestForeignErrorsSayNothing"},
		},
	}
}
