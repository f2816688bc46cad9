package main

// ofStatements returns the mutants of SQL conditions.
func ofStatements() []mutant {
	return []mutant{
		{
			"sqlite-code-used-twice", store,
			"AND issued_at IS NULL AND revoked_at IS NULL RETURNING id`", "AND revoked_at IS NULL RETURNING id`",
			killer{store, "TestContract/sqlite/codes"},
		},
		{
			"sqlite-code-used-though-revoked", store,
			"AND issued_at IS NULL AND revoked_at IS NULL RETURNING id`", "AND issued_at IS NULL RETURNING id`",
			killer{store, "TestContract/sqlite/codes"},
		},
		{
			"sqlite-refresh-used-twice", store,
			`WHERE hash = @hash AND consumed_at IS NULL
AND EXISTS`, `WHERE hash = @hash
AND EXISTS`,
			killer{store, "TestContract/sqlite/refresh"},
		},
		{
			"sqlite-refresh-used-though-revoked", store,
			`WHERE id = authorization_id AND revoked_at IS NULL) RETURNING authorization_id`, `WHERE id = authorization_id) RETURNING authorization_id`,
			killer{store, "TestContract/sqlite/refresh"},
		},
		{
			"sqlite-sealed-kept", store,
			"WHERE hash = @hash) AND hash <> @hash`", "WHERE hash = @hash) AND hash = @hash AND 1 = 0`",
			killer{store, "TestContract/sqlite/refresh"},
		},
		{
			"postgres-code-used-twice", store,
			"AND issued_at IS NULL AND revoked_at IS NULL RETURNING id\n), `", "AND revoked_at IS NULL RETURNING id\n), `",
			killer{store, "TestContract/postgres/codes"},
		},
		{
			"postgres-code-used-though-revoked", store,
			"AND issued_at IS NULL AND revoked_at IS NULL RETURNING id\n), `", "AND issued_at IS NULL RETURNING id\n), `",
			killer{store, "TestContract/postgres/codes"},
		},
		{
			"postgres-sealed-kept", store,
			`AND earlier.sealed IS NOT NULL AND earlier.hash <> @hash`, `AND earlier.sealed IS NULL AND earlier.hash <> @hash`,
			killer{store, "TestContract/postgres/refresh"},
		},
		{
			"postgres-interaction-decided-twice", store,
			`SELECT hash FROM {interactions} WHERE hash = @hash AND consumed_at IS NULL FOR UPDATE`, `SELECT hash FROM {interactions} WHERE hash = @hash FOR UPDATE`,
			killer{store, "TestContract/postgres/approvals"},
		},
		{
			"interaction-denied-twice", store,
			"UPDATE {interactions} SET consumed_at = @now WHERE hash = @hash AND consumed_at IS NULL`", "UPDATE {interactions} SET consumed_at = @now WHERE hash = @hash`",
			killer{store, "TestContract/sqlite/interactions"},
		},
		{
			"revocation-without-effect", store,
			"`UPDATE {authorizations} SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL`", "`UPDATE {authorizations} SET revoked_at = @now WHERE id = @id AND revoked_at IS NOT NULL`",
			killer{store, "TestContract/sqlite/tokens"},
		},
		{
			"consent-withdrawn-leaves-tokens", store,
			`revoked, err = c.queryConsented(ctx, tx, revokeConsented, a, sessions)`, ``,
			killer{store, "TestContract/sqlite/consents"},
		},
		{
			"consent-of-another-user", store,
			"FROM {consents} WHERE client_id = @client_id AND subject = @subject`\n\n// Consent", "FROM {consents} WHERE client_id = @client_id AND subject <> @subject`\n\n// Consent",
			killer{store, "TestContract/sqlite/consents"},
		},
		{
			"ending-revokes-nothing", store,
			`if err != nil || len(ids) == 0 {`, `if err != nil || len(ids) >= 0 {`,
			killer{store, "TestContract/sqlite/management"},
		},
		{
			"ending-does-not-wait", store,
			`if err := c.dialect.awaitActs(ctx, c.database, renew); err != nil {`, `if err := error(nil); err != nil {`,
			killer{store, "TestRevokeAllAwaitsActs"},
		},
		{
			"mark-ignored-postgres-tokens", store,
			"{endings}\n\t\tWHERE name IN ", "{endings}\n\t\tWHERE false AND name IN ",
			killer{store, "TestRevokeAllRefusesActs"},
		},
		{
			"mark-ignored-postgres-code", store,
			"ended AS (\n\tSELECT 1 FROM {endings}\n\tWHERE name IN ", "ended AS (\n\tSELECT 1 FROM {endings}\n\tWHERE false AND name IN ",
			killer{store, "TestRevokeAllRefusesActs"},
		},
		{
			"session-membership-ends", ".",
			"authorization.SessionID == \"\" || BackChannelLogout(app).URI", "true || BackChannelLogout(app).URI",
			killer{"store/memstore", "TestMembership"},
		},
		{
			"notice-of-own-revocation", ".",
			"return r == RevokedByUser || r == RevokedByHost", "return true || r == RevokedByUser",
			killer{"store/memstore", "TestWhoIsTold"},
		},
		{
			"notice-never-abandoned", ".",
			"case wish != nil && wish.never, !now.Before(notice.CreatedAt.Add(deliveryLife)):", "case wish != nil && wish.never:",
			killer{"store/memstore", "TestNoticeAbandoned"},
		},
		{
			"session-mark-ignored-postgres", store,
			`'session:' || @authorization.session_id::text`, `'nothing:' || @authorization.session_id::text`,
			killer{store, "TestContract/postgres/sessions"},
		},
		{
			"session-mark-ignored-sqlite", store,
			`'session:' || @authorization.session_id ||`, `'nothing:' || @authorization.session_id ||`,
			killer{store, "TestContract/sqlite/sessions"},
		},
		{
			"session-of-all-users", store,
			"WHERE subject = @subject` + signedIn + `\n\tUNION ALL SELECT id FROM {authorizations} WHERE subject = @subject AND", "WHERE subject <> ''` + signedIn + `\n\tUNION ALL SELECT id FROM {authorizations} WHERE subject <> '' AND",
			killer{store, "TestContract/sqlite/sessions"},
		},
		{
			"session-keeps-similar-scopes", store,
			`strpos(' ' || scopes || ' ', ' ' || @keep::text || ' ') > 0`, `strpos(scopes, @keep::text) > 0`,
			killer{store, "TestContract/sqlite/sessions"},
		},
		{
			"notice-keeps-id", store,
			"id = excluded.id, kind = excluded.kind", "kind = excluded.kind",
			killer{store, "TestContract/sqlite/notices"},
		},
		{
			"notice-of-revocation-without-session", store,
			"SELECT DISTINCT client_id, subject, session_id FROM", "SELECT DISTINCT client_id, subject, '' AS session_id FROM",
			killer{store, "TestContract/sqlite/revocation notices"},
		},
		{
			"notice-without-lease", store,
			"SET attempts = attempts + 1, due_at = @until", "SET attempts = attempts + 1, due_at = CASE WHEN @until IS NULL THEN due_at ELSE due_at END",
			killer{store, "TestContract/sqlite/notices"},
		},
		{
			"notice-postponed-by-another", store,
			"WHERE id = @id AND attempts = @attempts", "WHERE id = @id AND @attempts >= 0",
			killer{store, "TestContract/sqlite/notices"},
		},
		{
			"mark-ignored-sqlite", store,
			`name IN ('application:' || @authorization.client_id, 'user:'`, `name IN ('nothing:' || @authorization.client_id, 'user:'`,
			killer{store, "TestContract/sqlite/management"},
		},
		{
			"enabling-revives", store,
			"if err := a.credentials.DisableApplication(ctx, clientID, now); err != nil {\n\t\treturn err\n\t}\n\treturn a.withLifted", "if err := error(nil); err != nil {\n\t\treturn err\n\t}\n\treturn a.withLifted",
			killer{store, "TestRevokeAllInterrupted"},
		},
		{
			"application-lost-update", store,
			`query, unchanged = query.Where("updated_at = ?", abstract.UpdatedAt), true`, `unchanged = true`,
			killer{store, "TestContract/sqlite/management"},
		},
		{
			"application-not-validated", store,
			`if err := a.rules.Prepare(app); err != nil {`, `if err := error(nil); err != nil {`,
			killer{store, "TestApplications"},
		},
		{
			"applications-of-nobody", store,
			`"user_id IN ? AND user_id <> ''"`, `"user_id IN ?"`,
			killer{store, "TestContract/sqlite/management"},
		},
		{
			"cleanup-forgets-replays", store,
			`"hash", now.Add(-replayWindow)`, `"hash", now`,
			killer{store, "TestContract/sqlite/cleanup"},
		},
	}
}

// ofMemory returns the mutants of the store in memory.
func ofMemory() []mutant {
	const memory = "store/memstore"
	return []mutant{
		{
			"memory-code-used-twice", memory,
			"case !code.ConsumedAt.IsZero():\n\t\treturn oauthkit.ErrReplayed", "case false:\n\t\treturn oauthkit.ErrReplayed",
			killer{attacks, "TestCodeRace/memory/C-02 two requests"},
		},
		{
			"memory-code-used-though-revoked", memory,
			`case !code.Authorization.RevokedAt.IsZero():`, `case false:`,
			killer{memory, "TestContract/codes"},
		},
		{
			"memory-refresh-used-twice", memory,
			"case !token.ConsumedAt.IsZero():\n\t\treturn oauthkit.ErrReplayed", "case false:\n\t\treturn oauthkit.ErrReplayed",
			killer{memory, "TestContract/refresh"},
		},
		{
			"memory-refresh-used-though-revoked", memory,
			"case !token.ConsumedAt.IsZero():\n\t\treturn oauthkit.ErrReplayed\n\tcase !token.Authorization.RevokedAt.IsZero():", "case !token.ConsumedAt.IsZero():\n\t\treturn oauthkit.ErrReplayed\n\tcase false:",
			killer{memory, "TestContract/refresh"},
		},
		{
			"memory-interaction-decided-twice", memory,
			`case !interaction.ConsumedAt.IsZero():`, `case false:`,
			killer{memory, "TestContract/approvals"},
		},
		{
			"memory-consent-brought-back", memory,
			`case approval.ConsentUse != oauthkit.ConsentNew && (!exists || stored.ID != approval.Consent.ID):`, `case approval.ConsentUse != oauthkit.ConsentNew && !exists:`,
			killer{memory, "TestContract/approvals"},
		},
		{
			"memory-user-of-machines", memory,
			`return subject != "" && authorization.Subject == subject`, `return authorization.Subject == subject`,
			killer{memory, "TestContract/connections"},
		},
	}
}
