package main

// ofWaiting returns the mutants of pending authorization requests.
func ofWaiting() []mutant {
	return []mutant{
		{
			"waiting-expired", pages,
			`case !h.provider.Now().Before(found.pending.expires):`, `case false:`,
			killer{attacks, "TestWaitingRequest/memory/B-27"},
		},
		{
			"waiting-in-another-browser", pages,
			`case !hmac.Equal(browserHash[:], found.pending.browserHash[:]):`, `case false && browserHash[0] == 0:`,
			killer{attacks, "TestWaitingRequest/memory"},
		},
		{
			"waiting-too-large", pages,
			`if size > limit {`, `if false {`,
			killer{attacks, "TestWaitingRequest/memory/B-28"},
		},
		{
			"waiting-row-of-another-user", pages,
			`mac.Write([]byte(user.Subject))`, ``,
			killer{attacks, "TestWaitingRequest/memory/B-30"},
		},
		{
			"waiting-row-each-time", pages,
			`mac := hmac.New(sha256.New, p.seed[:])`, `mac := hmac.New(sha256.New, []byte(secret.NewID()))`,
			killer{attacks, "TestWaitingRequest/memory/B-26"},
		},
		{
			"waiting-rows-unbounded", pages,
			`}, maxInteractions)`, `}, 1<<30)`,
			killer{attacks, "TestWaitingRequest/memory/Q-02 requests of one user"},
		},
		{
			"waiting-of-another-issuer", ".",
			`return append([]byte(p.issuer+"\x00"), bound...)`, `return bound`,
			killer{attacks, "TestWaitingRequest/memory/B-25"},
		},
		{
			"row-expired", pages,
			`case !h.provider.Now().Before(found.pending.expires):`, `case false:`,
			killer{attacks, "TestWaitingRequest/memory/B-27"},
		},
		{
			"row-of-another-browser", pages,
			`case !hmac.Equal(browserHash[:], found.pending.browserHash[:]):`, `case false && browserHash[0] == 0:`,
			killer{attacks, "TestConsentForm/memory/B-06"},
		},
		{
			"row-decided-before", pages,
			"case found.decided:", "case false:",
			killer{attacks, "TestConsentForm/memory/B-09 decided twice"},
		},
		{
			"login-page-hides-failures", pages,
			`case wire.Status(err) < http.StatusInternalServerError:`, `case wire.Status(err) < 600:`,
			killer{attacks, "TestLoginPage/memory/B-38 failed store"},
		},
		{
			"login-page-unlimited", pages,
			`if !hasTurn(ctx, h.inFlight) { // anyone can open a login page`, `if false {`,
			killer{pages, "TestPendingLogin_Busy"},
		},
		{
			"login-hint-unbounded", "oidc",
			`case len(request.Form.Get("login_hint")) > maxLoginHint:`, `case false:`,
			killer{"oidc", "TestAuthorizeParameters"},
		},
	}
}

// ofRetries returns the mutants of refresh retries.
func ofRetries() []mutant {
	return []mutant{
		{
			"retry-constant-key", "grants",
			`return value + configured }`, `return "the same for every token" + configured }`,
			killer{attacks, "TestRefreshRepeat/memory/ST-01"},
		},
		{
			"retry-without-secret", "grants",
			`return value + configured }`, `return value }`,
			killer{attacks, "TestRefreshRepeat/memory/ST-01 the response of a used token without"},
		},
		{
			"retry-for-another-question", "grants",
			`if parametersOf(r.request).equal(r.sealed.Parameters) {`, `if true {`,
			killer{attacks, "TestRefreshRepeat/memory/F-19 a repeat"},
		},
		{
			"retry-unbounded", "store/memstore",
			`case token.repeats >= repeat.Limit:`, `case false:`,
			killer{attacks, "TestRefreshRepeat/memory/F-04 repeats are limited"},
		},
		{
			"retry-after-the-window", "store/memstore",
			`case !token.repeatable(repeat.Now()), !replaced, !successor.follows(token):`, `case !replaced, !successor.follows(token):`,
			killer{attacks, "TestRefresh/memory/F-02 reuse after"},
		},
		{
			"retry-though-revoked", "store/memstore",
			"switch {\n\tcase !token.Authorization.RevokedAt.IsZero():", "switch {\n\tcase false:",
			killer{"store/memstore", "TestContract/refresh"},
		},
		{
			"retry-unbounded-postgres", store,
			`WHERE t.hash = @hash AND t.repeats < @limit AND`, `WHERE t.hash = @hash AND @limit = @limit AND`,
			killer{store, "TestContract/postgres/refresh"},
		},
	}
}

// ofLoad returns the mutants of limits on time and on the number of requests.
func ofLoad() []mutant {
	return []mutant{
		{
			"hang-up-ends-request", requests,
			`func (d *Detached) Done() <-chan struct{} { return nil }`, `func (d *Detached) Done() <-chan struct{} { return d.Request.Done() }`,
			killer{pages, "TestHangUp"},
		},
		{
			"no-deadline", requests,
			`ctx, cancel := context.WithTimeout(detached, timeout)`, `ctx, cancel := context.WithTimeout(detached, 1000*timeout)`,
			killer{pages, "TestHangUp"},
		},
		{
			"in-flight-unbounded", pages,
			`if f.all.slots.TryAcquire(1) {`, `if f.all.slots.TryAcquire(0) {`,
			killer{pages, "TestInFlight_Bounds"},
		},
		{
			"in-flight-queue-unbounded", pages,
			`maxWaiting = 640`, `maxWaiting = 1 << 30`,
			killer{pages, "TestInFlight_Bounds"},
		},
		{
			"in-flight-all-for-strangers", pages,
			`anonymous = min(anonymous, connections/2)`, `anonymous = limit`,
			killer{pages, "TestInFlight_Strangers"},
		},
	}
}
