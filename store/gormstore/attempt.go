package gormstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

// attempts is the number of times that a statement or transaction is executed if the
// database undoes it because of concurrent ones.
const attempts = 8

// attemptPause is multiplied by the number of the attempt.
const attemptPause = 5 * time.Millisecond

// attempt executes run, which is one statement outside a transaction, or one
// transaction. On SQLite, a run that writes waits for its turn before it takes a
// connection. If the database undoes run because of a concurrent transaction, it is
// executed again until ctx ends. A failure after which the commit is uncertain is not
// repeated.
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
			return withContextError(ctx, err)
		}
	}
}

// transaction executes run in a transaction, several times if the database undoes it.
func (d *database) transaction(ctx context.Context, run func(tx *gorm.DB) error) error {
	return d.attempt(ctx, true, func() error { return d.begin(ctx, run) })
}

// begin executes run in a transaction once.
func (d *database) begin(ctx context.Context, run func(tx *gorm.DB) error) error {
	return d.db.WithContext(ctx).Transaction(run, d.dialect.transactionOptions()...)
}

// isUndone reports whether the server undid a transaction because of another one,
// with a serialization failure or a deadlock.
func isUndone(err error) bool {
	code := sqlState(err)
	return code == "40001" || code == "40P01"
}

// sqlState returns the code of an error of a PostgreSQL server, or "".
func sqlState(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

// pause waits for a random time up to longest. It returns false if ctx ends.
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

// withContextError adds the error of a context that has ended to the error that the
// database returned because of it.
func withContextError(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	var busy interface{ Temporary() bool } // of SQLite's drivers, if another program is writing
	if sqlState(err) == "57014" || errors.As(err, &busy) && busy.Temporary() {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}
