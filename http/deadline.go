package oauthhttp

import (
	"context"
	"errors"
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file is the time that a request has. A client that hangs up ends nothing: otherwise it could
// have its revocation or the alarm about its replay not carried out, and have the database give
// up a connection. In place of the client's patience there is a deadline, [oauthkit.Config] Timeout.

// detached is the context of an endpoint.
type detached struct {
	request.Detached
	turn *inFlight // where the request has got a turn; nil: nowhere yet
}

// turnKey is the key of the inFlight in which a request has got a turn.
type turnKey struct{}

// hasTurn reports whether the request was let in by f: an endpoint can be called by the handler of
// another one, which must not wait for itself.
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

// timely turns a failure of ours that came after the deadline into what it is for the client: the
// answer could not be found out in time.
func timely(ctx context.Context, err error) error {
	if wire.Status(err) == http.StatusInternalServerError && request.AsPanic(err) == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return oauthkit.Unavailable(err)
	}
	return err
}
