package storetest

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/oauthkit/oauthkit"
)

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
	t.mustSucceed("SaveCode", t.SaveCode(t.ctx, &oauthkit.Approval{Authorization: authorization}, code))

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
