package oauthhttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
)

// This file is the time that a request has. A client that hangs up ends nothing: otherwise it could
// have its revocation or the alarm about its replay not carried out, and have the database give
// up a connection. In place of the client's patience there is a deadline, [oauthkit.Config] Timeout.

// detached is a context with the values of a request's context, and without its end.
type detached struct {
	request context.Context
	turn    *inFlight // where the request has got a turn; nil: nowhere yet
}

// turnKey is the key of the inFlight in which a request has got a turn.
type turnKey struct{}

// hasTurn reports whether the request was let in by f: an endpoint can be called by the handler of
// another one, which must not wait for itself.
func hasTurn(ctx context.Context, f *inFlight) bool {
	turn, ok := ctx.Value(turnKey{}).(*inFlight)
	return ok && turn == f
}

// Deadline implements [context.Context].
func (d *detached) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done implements [context.Context].
func (d *detached) Done() <-chan struct{} { return nil }

// Err implements [context.Context].
func (d *detached) Err() error { return nil }

// Value implements [context.Context].
func (d *detached) Value(key any) any {
	if _, asked := key.(turnKey); asked && d.turn != nil {
		return d.turn
	}
	return d.request.Value(key)
}

// within returns a context that ends after the timeout, or at the deadline of the request's
// context if the host has set an earlier one. Its cancel must be called when the request was answered.
func (d *detached) within(timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(d, timeout)
	deadline, limited := d.request.Deadline()
	if !limited {
		return ctx, cancel
	}
	ctx, cancelEarlier := context.WithDeadline(ctx, deadline)
	return ctx, func() {
		cancelEarlier()
		cancel()
	}
}

// timely turns a failure of ours that came after the deadline into what it is for the client: the
// answer could not be found out in time.
func timely(ctx context.Context, err error) error {
	if statusOf(err) == http.StatusInternalServerError && asPanic(err) == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return oauthkit.Unavailable(err)
	}
	return err
}
