package oauthkit

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"sync"
	"time"
)

// Cleanup removes expired rows. If limits.Now is zero, it is the provider's time.
// The store must be a [Cleaner]. Concurrent calls, also by other instances, are
// safe; an interrupted call is continued by the next one. It returns the number of
// removed rows by table, also if it returns an error. [Run] calls it periodically.
func (p *Provider) Cleanup(ctx context.Context, limits CleanupLimits) (removed map[string]int, err error) {
	cleaner, ok := p.store.(Cleaner)
	if !ok {
		return nil, fmt.Errorf("oauthkit: Cleanup: store %T does not implement Cleaner", p.store)
	}
	start := p.Now()
	if limits.Now.IsZero() {
		limits.Now = start
	}
	removed, err = cleaner.Cleanup(ctx, limits)
	if !limits.DryRun {
		p.Record(ctx, CleanupFinished{Removed: maps.Clone(removed), Duration: p.Now().Sub(start), Stopped: err != nil})
	}
	if err != nil {
		return removed, fmt.Errorf("oauthkit: Cleanup: %w", err)
	}
	return removed, nil
}

// Run does the upkeep of a provider until ctx is canceled: in each round it calls
// [Provider.Cleanup], and every [Upkeeper] among the parts of the provider. At the same
// time it delivers notices: those of this instance at once, those that another instance
// saved in the next round, and those that could not be delivered as
// [Provider.DeliverNotices] describes. Any number of instances may run it at the same
// time. Call it in a goroutine, and wait for it to return before you close the database:
// then nothing that it started is running.
//
// Errors and panics are logged to Config.Logger and stop neither Run nor the round.
// Run returns nil once ctx is canceled, and returns an error at once if config is
// invalid. It cleans up only a store that is a [Cleaner].
func Run(ctx context.Context, provider *Provider, config RunConfig) error {
	config, err := config.withDefaults()
	if err != nil {
		return err
	}
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	for _, receiver := range provider.receivers {
		deliveries.Go(func() { provider.runDelivery(ctx, receiver, config.Interval) })
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

// RunConfig configures [Run]. The zero value is right for most programs.
type RunConfig struct {
	// Interval is the time between two rounds. It varies by a tenth, so that
	// instances which started together drift apart. If zero, it is one minute.
	Interval time.Duration
	// Timeout limits each part of a round. If zero, it is one minute.
	Timeout time.Duration
	// Cleanup limits the cleanup of one round. If Batches is zero, it is 100. If a
	// cleanup reaches the limit in a table, the next round starts sooner. Now and
	// DryRun must be zero.
	Cleanup CleanupLimits
}

const (
	defaultRunInterval = time.Minute
	defaultRunTimeout  = time.Minute
	defaultRunBatch    = 1000
	defaultRunBatches  = 100
)

func (c RunConfig) withDefaults() (RunConfig, error) {
	switch {
	case c.Interval < 0 || c.Timeout < 0 || c.Cleanup.Batch < 0 || c.Cleanup.Batches < 0:
		return c, errors.New("oauthkit: Run: a limit is negative")
	case c.Cleanup.DryRun || !c.Cleanup.Now.IsZero():
		return c, errors.New("oauthkit: Run: Cleanup.Now and Cleanup.DryRun must be zero")
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

// Upkeeper is a [Grant], an [Extension], a [ScopeBackend] or a [Store] with periodic
// work, such as reading the signing keys again.
type Upkeeper interface {
	// Upkeep does the work that is due and returns. [Run] calls it.
	// Concurrent calls, also by other instances, must be safe. An error is
	// logged, and the next call tries again.
	Upkeep(ctx context.Context) error
}

// runRound runs every task once. It reports whether the cleanup left expired rows.
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

// runTask runs a task of a round, unless ctx is canceled.
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
