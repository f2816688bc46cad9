package gormstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

// attempts is how often a statement or transaction is executed that the database undoes because of others at the same time.
const attempts = 8

// attemptPause is multiplied with the number of the attempt.
const attemptPause = 5 * time.Millisecond

// attempt executes run, which is one statement outside a transaction, or one transaction. On SQLite, run waits for its turn before it
// takes a connection if it writes. What the database has undone because of a concurrent transaction is executed again, as long as
// ctx lasts. A failure that leaves open whether something was committed is not.
func (d *database) attempt(ctx context.Context, writes bool, run func() error) error {
	if err := d.file.check(ctx, d); err != nil {
		return err
	}
	if writes && d.writers != nil {
		if err := d.writers.Acquire(ctx, 1); err != nil {
			return err
		}
		defer d.writers.Release(1)
	}
	for n := 1; ; n++ {
		err := run()
		if err == nil || n == attempts || !isUndone(err) || !pause(ctx, time.Duration(n)*attemptPause) {
			return ended(ctx, err)
		}
	}
}

// transaction executes run in a transaction, as attempt does. Run may be executed several times.
func (d *database) transaction(ctx context.Context, run func(tx *gorm.DB) error) error {
	return d.attempt(ctx, true, func() error { return d.begin(ctx, run) })
}

// begin executes run in a transaction once.
func (d *database) begin(ctx context.Context, run func(tx *gorm.DB) error) error {
	return d.db.WithContext(ctx).Transaction(run, d.dialect.transactionOptions()...)
}

// isUndone reports whether the server has undone a transaction because of another one: a serialization failure or a deadlock.
func isUndone(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}

// sqlState returns the code of an error that a PostgreSQL server has sent, or "".
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// pause waits for a random time up to longest. It reports false if ctx ends.
func pause(ctx context.Context, longest time.Duration) bool {
	timer := time.NewTimer(rand.N(longest)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ended adds the error of a context that has ended to the failure that this was for the database.
func ended(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	var busy interface{ Temporary() bool } // how SQLite's drivers say that another program was writing
	if sqlState(err) == "57014" || errors.As(err, &busy) && busy.Temporary() {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}
