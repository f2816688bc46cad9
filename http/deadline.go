package oauthhttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// detached is the context of an endpoint.
type detached struct {
	request.Detached
	turn *inFlight // the limit in which the request has a turn, or nil
}

// turnKey is the key of detached.turn.
type turnKey struct{}

// hasTurn reports whether the request has a turn of f. An endpoint that another
// endpoint calls must not wait for the turn of its caller.
func hasTurn(ctx context.Context, f *inFlight) bool {
	turn, ok := ctx.Value(turnKey{}).(*inFlight)
	return ok && turn == f
}

// Value implements [context.Context].
func (d *detached) Value(key any) any {
	if _, asked := key.(turnKey); asked && d.turn != nil {
		return d.turn
	}
	return d.Detached.Value(key)
}

// asTimeout turns an internal error after the deadline into [oauthkit.Unavailable],
// since its cause is probably the deadline.
func asTimeout(ctx context.Context, err error) error {
	if wire.Status(err) == http.StatusInternalServerError && request.AsPanic(err) == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return oauthkit.Unavailable(err)
	}
	return err
}
