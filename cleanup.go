package oauthkit

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

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
		return []Finding{storeFinding("expired rows", err)}
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

// Upkeeper is a [Grant], an [Extension], a [ScopeBackend] or a [Store] with periodic work,
// such as reading the signing keys again.
type Upkeeper interface {
	// Upkeep does the work that is due and returns. [Run] calls it. Concurrent calls, also by
	// other instances, must be safe. An error is logged, and the next call tries again.
	Upkeep(ctx context.Context) error
}

// RunConfig configures [Run]. The zero value is right for most programs.
type RunConfig struct {
	// Interval is the time between two rounds, give or take a tenth, so that instances which started
	// together drift apart. Zero: one minute.
	Interval time.Duration
	// Timeout bounds each part of a round. Zero: one minute.
	Timeout time.Duration
	// Cleanup bounds the cleanup of one round. Its zero Batches are 100, and a cleanup that removes so
	// many of one table brings the next round forward. Now and DryRun must be zero.
	Cleanup CleanupLimits
}

const (
	defaultRunInterval = time.Minute
	defaultRunTimeout  = time.Minute
	defaultRunBatch    = 1000
	defaultRunBatches  = 100
)

// Run keeps a provider in order until ctx ends: in rounds it removes what has expired, as
// [Provider.Cleanup] does, and calls every [Upkeeper] among the parts of the provider. Any number of
// instances may run it at once. It starts no goroutine: call it in one, and wait for it to return before
// the database is closed.
//
// Errors and panics are logged to Config.Logger and end neither Run nor the round. Run returns nil once
// ctx has ended, and an error at once if config is invalid. It cleans up only a store that is a [Cleaner].
func Run(ctx context.Context, provider *Provider, config RunConfig) error {
	config, err := config.withDefaults()
	if err != nil {
		return err
	}
	timer := time.NewTimer(upTo(config.Interval / 10))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			pause := config.Interval
			if provider.runRound(ctx, config) {
				pause /= 10
			}
			timer.Reset(pause - pause/10 + upTo(pause/5))
		}
	}
}

func (c RunConfig) withDefaults() (RunConfig, error) {
	switch {
	case c.Interval < 0 || c.Timeout < 0 || c.Cleanup.Batch < 0 || c.Cleanup.Batches < 0:
		return c, errors.New("oauthkit: Run: a setting is negative")
	case c.Cleanup.DryRun || !c.Cleanup.Now.IsZero():
		return c, errors.New("oauthkit: Run: Cleanup.Now or Cleanup.DryRun is set")
	}
	if c.Interval == 0 {
		c.Interval = defaultRunInterval
	}
	if c.Timeout == 0 {
		c.Timeout = defaultRunTimeout
	}
	if c.Cleanup.Batches == 0 {
		c.Cleanup.Batches = defaultRunBatches
	}
	if c.Cleanup.Batch == 0 {
		c.Cleanup.Batch = defaultRunBatch
	}
	return c, nil
}

// runRound does everything once. It reports whether the cleanup has left something.
func (p *Provider) runRound(ctx context.Context, config RunConfig) (more bool) {
	if _, ok := p.store.(Cleaner); ok {
		p.runTask(ctx, config.Timeout, "cleanup", func(ctx context.Context) error {
			removed, err := p.Cleanup(ctx, config.Cleanup)
			for _, rows := range removed {
				more = more || rows/config.Cleanup.Batch >= config.Cleanup.Batches
			}
			return err
		})
	}
	for _, part := range p.parts() {
		if upkeeper, ok := part.(Upkeeper); ok {
			p.runTask(ctx, config.Timeout, fmt.Sprintf("upkeep of %T", part), upkeeper.Upkeep)
		}
	}
	return more
}

// runTask runs a part of a round, unless ctx has ended.
func (p *Provider) runTask(ctx context.Context, timeout time.Duration, name string, task func(context.Context) error) {
	if ctx.Err() != nil {
		return
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			p.Logger().ErrorContext(ctx, "a periodic task panicked", "task", name, "panic", panicked, "stack", string(debug.Stack()))
		}
	}()
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := task(bounded); err != nil && ctx.Err() == nil {
		p.Logger().ErrorContext(ctx, "a periodic task failed", "task", name, "error", err)
	}
}

// upTo returns a random duration below limit.
func upTo(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	var random [8]byte
	rand.Read(random[:])
	return time.Duration(binary.LittleEndian.Uint64(random[:]) % uint64(limit))
}
