package oauthkit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Cleaner removes what has expired.
type Cleaner interface {
	// Cleanup removes expired rows of every table, in batches that are transactions of their own. It may be stopped at any
	// time, may run anywhere at once, and never removes what a request could still need. It returns how many rows it
	// removed from each table, those included that it removed before an error.
	//
	// It also drops what is sealed with refresh tokens whose retry window is over, and counts it as
	// "refresh_tokens.sealed". A store with a clock of its own drops nothing whose window is open by
	// that clock.
	Cleanup(ctx context.Context, limits CleanupLimits) (removed map[string]int, err error)
}

// CleanupLimits bound one call of Cleanup.
type CleanupLimits struct {
	// Now is the time by which rows are expired. Zero: the time of the call.
	Now time.Time
	// Batch is the number of rows that one transaction removes. Zero: 1000.
	Batch int
	// Batches is the number of batches per table. Zero: until nothing is left.
	Batches int
	// DryRun says that nothing is removed, and counts what would be, by the same conditions and within the same limits. An
	// Authorization goes only after its codes: it is counted as if they had gone, also where the limits would keep some of them.
	DryRun bool
	// Progress is told after each batch how many rows it removed from which table, and in a dry run once for each table; never
	// of none. It is called by the goroutine that has called Cleanup, between two transactions. Nil: nobody is told.
	Progress func(table string, rows int)
}

// Cleanup removes what has expired, by the clock of the provider where limits name no other time. Its store has to be a [Cleaner].
// Any number of instances may call it at once, and the next call goes on after an interruption. What was removed
// before an error is returned with it. [Run] calls it from a timer.
func (p *Provider) Cleanup(ctx context.Context, limits CleanupLimits) (removed map[string]int, err error) {
	cleaner, ok := p.store.(Cleaner)
	if !ok {
		return nil, fmt.Errorf("oauthkit: the store %T is no Cleaner, so it has to be cleaned up in a way of its own", p.store)
	}
	begun := p.Now()
	if limits.Now.IsZero() {
		limits.Now = begun
	}
	removed, err = cleaner.Cleanup(ctx, limits)
	if !limits.DryRun {
		p.Record(ctx, CleanupFinished{Removed: maps.Clone(removed), Duration: p.Now().Sub(begun), Stopped: err != nil})
	}
	if err != nil {
		return removed, fmt.Errorf("oauthkit: removing what has expired: %w", err)
	}
	return removed, nil
}

// cleanupOverdue is how long expired rows may be left before Check says so. Whoever cleans up once a day is not late.
const cleanupOverdue = 48 * time.Hour

// checkCleanup looks for a row of each table that expired long ago. Where there is one nobody cleans up, or not enough.
func (p *Provider) checkCleanup(ctx context.Context) []Finding {
	cleaner, ok := p.store.(Cleaner)
	if !ok {
		return nil
	}
	expired, err := cleaner.Cleanup(ctx, CleanupLimits{Now: p.Now().Add(-cleanupOverdue), Batch: 1, Batches: 1, DryRun: true})
	if err != nil {
		return []Finding{storeFailed("expired rows", err)}
	}
	maps.DeleteFunc(expired, func(_ string, rows int) bool { return rows == 0 })
	if len(expired) == 0 {
		return nil
	}
	return []Finding{{
		ID: "oauthkit.W010", Severity: SeverityWarning,
		Message: "rows that expired more than two days ago are still in " + strings.Join(slices.Sorted(maps.Keys(expired)), ", "),
		Hint:    "Call oauthkit.Run, or Provider.Cleanup from a timer of your own with limits as large as the number of new rows",
	}}
}
