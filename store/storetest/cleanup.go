package storetest

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"github.com/oauthkit/oauthkit"
)

// cleanupRules begin with an empty store each, because Cleanup counts every row.
func cleanupRules() []rule {
	rules := []rule{
		{
			"Cleanup removes and counts expired rows of every table",
			"the database grows forever",
			testCleanupRemoves,
		},
		{
			"Cleanup keeps rows that have not expired, even consumed and revoked ones",
			"sessions end early, replays are not detected, or revoked tokens become unknown ones",
			testCleanupKeeps,
		},
		{
			"a consumed code is kept for an hour after its expiry, with its Authorization",
			"a replay looks like an unknown code, and its Authorization is not revoked",
			testCleanupKeepsReplays,
		},
		{
			"an Authorization whose code was never redeemed is removed with the code",
			"any user can fill the database with useless rows",
			testCleanupUnredeemed,
		},
		{
			"an Authorization is kept until its refresh token expires",
			"a user is signed out when the first access token expires",
			testCleanupKeepsRefreshable,
		},
		{
			"Consents, signing keys and applications are kept",
			"users are asked again, and signatures can no longer be verified",
			testCleanupKeepsLasting,
		},
		{
			"Cleanup removes and counts sealed responses whose retry window is over",
			"a database dump and a token that was consumed a month ago reveal the live token",
			testCleanupSealed,
		},
		{
			"concurrent Cleanups succeed and count each row once",
			"two instances that clean up at the same time fail, or report rows that they did not remove",
			testCleanupTwice,
		},
	}
	rules = append(rules, cleanupLimitRules()...)
	rules = append(rules, issuanceCleanupRules()...)
	for i := range rules {
		rules[i].test = afterSweep(rules[i].test)
	}
	return rules
}

// afterSweep runs test after it has removed every row that can expire.
func afterSweep(test func(*trial)) func(*trial) {
	return func(t *trial) {
		t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.AddDate(200, 0, 0)})
		test(t)
	}
}

// cleanup returns the number of rows removed from all tables.
func (t *trial) cleanup(store oauthkit.Cleaner, limits oauthkit.CleanupLimits) (removed int) {
	t.Helper()
	tables, err := store.Cleanup(t.ctx, limits)
	t.mustSucceed("Cleanup", err)
	return sum(tables)
}

// saveSession saves one row in each of the five tables with an expiry.
func (t *trial) saveSession() (*oauthkit.AuthorizationCode, oauthkit.Tokens, *oauthkit.Interaction) {
	t.Helper()
	interaction, code := t.mustSaveInteraction(), t.mustSaveCode()
	tokens := t.tokens(code.Authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, tokens, t.now))
	return code, tokens, interaction
}

const sessionRows = 5 // interaction, code, access token, refresh token, Authorization

func testCleanupRemoves(t *trial) {
	code, tokens, interaction := t.saveSession()
	revokedCode, revokedTokens, _ := t.saveSession()
	t.mustRevoke(revokedCode.Authorization)
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0)}
	t.wantEqual("rows removed", t.cleanup(t, limits), 2*sessionRows)
	t.wantEqual("rows removed the second time", t.cleanup(t, limits), 0)
	t.wantNoTokens(tokens)
	t.wantNoTokens(revokedTokens)
	t.wantNoCode(code)
	t.wantNoCode(revokedCode)
	_, err := t.Interaction(t.ctx, interaction.Hash)
	t.wantError("Interaction, expired and removed", err, oauthkit.ErrNotFound)
}

func testCleanupKeeps(t *trial) {
	code, tokens, interaction := t.saveSession()
	t.mustSucceed("ConsumeInteraction", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now))
	successors := t.tokens(code.Authorization)
	t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, successors, nil)))
	revoked := t.mustSaveTokens()
	t.mustRevoke(revoked.Access.Authorization)
	open := t.mustSaveCode()

	cleanBefore := func(expiry time.Time) {
		t.wantEqual("rows removed", t.cleanup(t, oauthkit.CleanupLimits{Now: expiry.Add(-time.Microsecond)}), 0)
	}
	cleanBefore(open.ExpiresAt)
	t.wantEqual("Code", t.storedCode(open.Hash), open)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, open.Hash, t.tokens(open.Authorization), t.now))
	cleanBefore(interaction.ExpiresAt)
	t.wantError("ConsumeInteraction", t.ConsumeInteraction(t.ctx, interaction.Hash, t.now), oauthkit.ErrReplayed)
	cleanBefore(successors.Access.ExpiresAt)
	t.wantEqual("AccessToken", t.storedAccessToken(successors.Access.Hash), successors.Access)
	if t.storedAccessToken(revoked.Access.Hash).Authorization.RevokedAt.IsZero() {
		t.Errorf("RevokedAt of a revoked Authorization: got none")
	}
	t.cleanup(t, oauthkit.CleanupLimits{Now: tokens.Refresh.ExpiresAt.Add(-time.Microsecond)})
	err := t.RotateRefreshToken(t.ctx, t.rotation(tokens.Refresh.Hash, t.tokens(code.Authorization), nil))
	t.wantError("RotateRefreshToken, consumed before", err, oauthkit.ErrReplayed)
	err = t.RotateRefreshToken(t.ctx, t.rotation(revoked.Refresh.Hash, t.tokens(code.Authorization), nil))
	t.wantError("RotateRefreshToken, revoked before", err, oauthkit.ErrRevoked)
	t.wantEqual("the successor", t.storedRefreshToken(successors.Refresh.Hash), successors.Refresh)
}

func testCleanupKeepsReplays(t *trial) {
	authorization := t.authorization()
	authorization.ExpiresAt = t.now.Add(20 * time.Minute) // within the hour
	code := t.code(authorization)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: code}))
	access := t.accessToken(authorization)
	t.mustSucceed("RedeemCode", t.RedeemCode(t.ctx, code.Hash, oauthkit.Tokens{Access: access}, t.now))

	for _, now := range []time.Time{code.ExpiresAt, authorization.ExpiresAt, code.ExpiresAt.Add(time.Hour - time.Microsecond)} {
		t.cleanup(t, oauthkit.CleanupLimits{Now: now})
		t.wantEqual("Code.Authorization", t.storedCode(code.Hash).Authorization, authorization)
		tokens := t.tokens(authorization)
		t.wantError("RedeemCode, again", t.RedeemCode(t.ctx, code.Hash, tokens, now), oauthkit.ErrReplayed)
	}
	t.cleanup(t, oauthkit.CleanupLimits{Now: code.ExpiresAt.Add(time.Hour + time.Microsecond)})
	t.wantNoCode(code)
}

func testCleanupUnredeemed(t *trial) {
	authorization := t.authorization()
	code := t.code(authorization)
	authorization.ExpiresAt = code.ExpiresAt
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: code}))
	limits := oauthkit.CleanupLimits{Now: code.ExpiresAt.Add(time.Hour + time.Microsecond)}
	t.wantEqual("rows removed", t.cleanTables(limits), map[string]int{"authorization_codes": 1, "authorizations": 1})
	t.wantNoCode(code)
}

func testCleanupKeepsRefreshable(t *trial) {
	token := t.mustSaveTokens().Refresh
	authorization := token.Authorization
	for now := t.now; now.Before(authorization.ExpiresAt); now = now.AddDate(0, 0, 29) {
		t.now = now
		t.cleanup(t, oauthkit.CleanupLimits{Now: now})
		successors := t.tokens(authorization)
		t.mustSucceed("RotateRefreshToken, after Cleanup", t.RotateRefreshToken(t.ctx, t.rotation(token.Hash, successors, nil)))
		t.wantEqual("AccessToken", t.storedAccessToken(successors.Access.Hash), successors.Access)
		token = successors.Refresh
	}
}

func testCleanupKeepsLasting(t *trial) {
	consent, code := t.mustSaveConsent()
	key := t.key("ES256", 1)
	t.mustSucceed("AddSigningKey", t.AddSigningKey(t.ctx, key))
	t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.AddDate(100, 0, 0)})
	t.wantNoCode(code)
	t.wantEqual("Consent", t.storedConsent(consent), consent)
	t.wantEqual("SigningKey", t.keys()[key.ID], key)
	t.mustFind(t.client)
	approval, _ := t.approvalUnder(consent)
	t.mustSucceed("SaveApproval, under the consent", t.SaveApproval(t.ctx, approval))
}

// testCleanupSealed uses windows of zero length, because a store may have its own
// clock. For stores without a clock it uses a time far in the future, so that no other
// row is removed.
func testCleanupSealed(t *trial) {
	t.now = t.now.AddDate(100, 0, 0)
	open, successor := t.mustRotate()
	var over []*oauthkit.RefreshToken
	for range 5 {
		token := t.mustSaveTokens().Refresh
		rotation := t.rotation(token.Hash, t.tokens(token.Authorization), []byte("sealed"))
		rotation.Window = 0
		t.mustSucceed("RotateRefreshToken", t.RotateRefreshToken(t.ctx, rotation))
		over = append(over, token)
	}
	limits := oauthkit.CleanupLimits{Now: t.now.Add(time.Second), Batch: 2}
	dropped := 0
	for dropped < len(over) { // the store's clock may not have moved yet
		dry := limits
		dry.DryRun, dry.Batches = true, 2
		if rows := t.cleanTables(dry)["refresh_tokens.sealed"]; rows > 4 {
			t.Errorf("Cleanup, dry: got %d rows of refresh_tokens.sealed, want at most 4", rows)
		}
		rows := t.cleanTables(limits)
		dropped += rows["refresh_tokens.sealed"]
		t.wantEqual("rows of other tables", sum(rows), rows["refresh_tokens.sealed"])
		t.mustSucceed("Cleanup", t.ctx.Err())
	}
	t.wantEqual("rows of refresh_tokens.sealed", dropped, len(over))
	for _, token := range over {
		t.wantConsumed("a token without what was sealed", t.storedRefreshToken(token.Hash), token)
	}
	t.wantEqual("Sealed, in its window", t.storedRefreshToken(open.Hash).Sealed, []byte("sealed"))
	t.wantRepeat(t.repeat(open, successor), oauthkit.Repeats{Token: 1, Generations: 1})
}

func testCleanupTwice(t *trial) {
	const sessions = 20
	for range sessions {
		t.saveSession()
	}
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0), Batch: 3}
	var removed atomic.Int64
	for _, err := range t.race(4, func(i int) error {
		tables, err := t.side(i).Cleanup(t.ctx, limits)
		for _, rows := range tables {
			removed.Add(int64(rows))
		}
		return err
	}) {
		t.mustSucceed("Cleanup, at the same time as another", err)
	}
	rest := t.cleanup(t, limits) // Authorizations whose credentials the other call was removing
	t.wantEqual("rows removed by all", int(removed.Load())+rest, sessions*sessionRows)
}

// cleanupLimitRules are about limits, progress and interruption of Cleanup.
func cleanupLimitRules() []rule {
	return []rule{
		{
			"Cleanup respects its limits and can be repeated until no row is left",
			"one large transaction blocks all requests",
			testCleanupLimits,
		},
		{
			"a dry run counts the rows that Cleanup would remove and removes none",
			"an operator who wanted a preview loses the rows, or sees a wrong number",
			testCleanupDryRun,
		},
		{
			"a dry run respects the limits",
			"it reports more rows than a call with the same limits removes",
			testCleanupDryRunLimits,
		},
		{
			"Cleanup calls CleanupLimits.Progress after every batch",
			"an operator sees no progress for hours, or false progress",
			testCleanupProgress,
		},
		{
			"Cleanup stops when its context ends and reports the removed rows",
			"a program that shuts down waits for hours, or reports too few removed rows",
			testCleanupStops,
		},
		{
			"Cleanup without CleanupLimits.Now returns an error and removes nothing",
			"a program that forgets the time loses everything, or never notices that no row is removed",
			testCleanupZeroNow,
		},
	}
}

// cleanTables returns the number of rows that Cleanup removed by table, without zeros.
func (t *trial) cleanTables(limits oauthkit.CleanupLimits) map[string]int {
	t.Helper()
	tables, err := t.Cleanup(t.ctx, limits)
	t.mustSucceed("Cleanup", err)
	return nonzero(tables)
}

func nonzero(tables map[string]int) map[string]int {
	rows := maps.Clone(tables)
	maps.DeleteFunc(rows, func(_ string, rows int) bool { return rows == 0 })
	return rows
}

func sum(tables map[string]int) (rows int) {
	for _, one := range tables {
		rows += one
	}
	return rows
}

func testCleanupLimits(t *trial) {
	const sessions = 7
	for range sessions {
		t.saveSession()
	}
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0), Batch: 2, Batches: 2}
	total := 0
	for call := 1; total < sessions*sessionRows; call++ {
		tables := t.cleanTables(limits)
		for table, rows := range tables {
			if rows > limits.Batch*limits.Batches {
				t.Errorf("Cleanup, call %d: got %d rows of %s, want at most %d", call, rows, table, limits.Batch*limits.Batches)
			}
		}
		if len(tables) == 0 {
			t.Fatalf("Cleanup, call %d: got 0 rows, want some of the %d that are left", call, sessions*sessionRows-total)
		}
		total += sum(tables)
	}
	t.wantEqual("rows removed by all calls", total, sessions*sessionRows)
	t.wantEqual("rows that were left", t.cleanup(t, limits), 0)
	for range sessions {
		t.saveSession()
	}
	limits.Batches = 0
	t.wantEqual("rows removed in unlimited batches", t.cleanup(t, limits), sessions*sessionRows)
}

func testCleanupDryRun(t *trial) {
	_, tokens, _ := t.saveSession()
	authorization := t.authorization()
	authorization.ExpiresAt = t.now.Add(10 * time.Minute) // before its code expires
	code := t.code(authorization)
	t.mustSucceed("SaveApproval", t.SaveApproval(t.ctx, &oauthkit.Approval{Authorization: authorization, Code: code}))

	for _, now := range []time.Time{t.now, t.now.Add(30 * time.Minute), t.now.Add(2 * time.Hour), t.now.AddDate(1, 0, 0)} {
		dry := t.cleanTables(oauthkit.CleanupLimits{Now: now, DryRun: true})
		t.wantEqual("the second dry run, as the first has removed nothing", t.cleanTables(oauthkit.CleanupLimits{Now: now, DryRun: true}), dry)
		if now.Equal(t.now) {
			t.wantEqual("AccessToken, after a dry run", t.storedAccessToken(tokens.Access.Hash), tokens.Access)
		}
		t.wantEqual("rows removed after a dry run", t.cleanTables(oauthkit.CleanupLimits{Now: now}), dry)
	}
	t.wantNoTokens(tokens)
}

func testCleanupDryRunLimits(t *trial) {
	for range 5 {
		t.saveSession()
	}
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0), Batch: 2, Batches: 2, DryRun: true}
	for table, rows := range t.cleanTables(limits) {
		t.wantEqual("rows of "+table+" in a dry run", rows, limits.Batch*limits.Batches)
	}
	limits.Batches = 3 // more than needed
	t.wantEqual("rows in a dry run", sum(t.cleanTables(limits)), 5*sessionRows)
}

func testCleanupProgress(t *trial) {
	for range 5 {
		t.saveSession()
	}
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0), Batch: 2}
	for _, dryRun := range []bool{true, false} {
		told := map[string]int{}
		limits.DryRun = dryRun
		limits.Progress = func(table string, rows int) {
			if rows < 1 || rows > limits.Batch && !dryRun {
				t.Errorf("Progress of %s: got %d rows, want a batch of at most %d", table, rows, limits.Batch)
			}
			told[table] += rows
		}
		t.wantEqual("the rows that were returned", t.cleanTables(limits), told)
		t.wantEqual("the rows that Progress was told of", sum(told), 5*sessionRows)
	}
}

func testCleanupStops(t *trial) {
	for range 5 {
		t.saveSession()
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	told := 0
	limits := oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0), Batch: 2}
	limits.Progress = func(_ string, rows int) {
		told += rows
		if told > 5 { // within the second table
			cancel()
		}
	}
	tables, err := t.Cleanup(ctx, limits)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Cleanup, whose context has ended: got error %v, want context.Canceled", err)
	}
	t.wantEqual("the rows that were returned", sum(tables), told)
	limits.Progress = nil
	t.wantEqual("all rows that were removed", sum(tables)+t.cleanup(t, limits), 5*sessionRows)
	if told == 5*sessionRows {
		t.Errorf("Cleanup, whose context has ended: got all rows removed, want it to stop")
	}
}

func testCleanupZeroNow(t *trial) {
	t.now = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)
	t.saveSession()
	_, err := t.Cleanup(t.ctx, oauthkit.CleanupLimits{})
	t.wantFailure("Cleanup, without a time", err)
	t.wantEqual("rows removed with one", t.cleanup(t, oauthkit.CleanupLimits{Now: t.now.AddDate(1, 0, 0)}), sessionRows)
}
