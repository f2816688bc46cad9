package request

import (
	"context"
	"time"
)

// Detached is a context with the values of a request's context, but without its
// cancellation. A client that hangs up must not be able to stop its own revocation or
// the alarm about its replay, nor make the database give up a connection.
// [WithTimeout] limits the time instead.
type Detached struct {
	Request context.Context
}

// Deadline implements [context.Context].
func (d *Detached) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done implements [context.Context].
func (d *Detached) Done() <-chan struct{} { return nil }

// Err implements [context.Context].
func (d *Detached) Err() error { return nil }

// Value implements [context.Context].
func (d *Detached) Value(key any) any { return d.Request.Value(key) }

// WithTimeout returns a copy of a detached context that ends after the timeout, or at
// the deadline of the request's context if the host has set an earlier one. Call the
// CancelFunc after the response.
func WithTimeout(detached, request context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(detached, timeout)
	deadline, limited := request.Deadline()
	if !limited {
		return ctx, cancel
	}
	ctx, cancelEarlier := context.WithDeadline(ctx, deadline)
	return ctx, func() {
		cancelEarlier()
		cancel()
	}
}
