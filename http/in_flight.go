package oauthhttp

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
)

// This file limits the requests that are served at the same time. Further requests
// wait for a turn in the order of arrival, and a request that gets none in time is
// refused cheaply. Under overload, the server so keeps serving at full capacity.

const (
	// unknownInFlight is the limit if the store does not report its
	// number of connections.
	unknownInFlight = 128
	// minInFlight is the minimum if it does: a request does more than
	// wait for the database.
	minInFlight = 4
	// maxWaiting is the number of requests that wait in a queue, and
	// maxWait the longest wait.
	maxWaiting = 640
	maxWait    = time.Second
)

// inFlight limits the requests that are being served.
type inFlight struct {
	all queue
	// anonymous limits anonymous requests further, to half of the store's
	// connections. If their statements hang, authenticated clients are still served.
	anonymous queue
	refused   refusals
}

// newInFlight returns the limits of a handler. If limit is zero, it
// follows from the store.
func newInFlight(provider *oauthkit.Provider, limit int) (*inFlight, error) {
	connections := 0
	if pool, ok := provider.Store().(oauthkit.ConnectionPool); ok {
		connections = pool.Connections()
	}
	switch {
	case limit < 0:
		return nil, errors.New("Config.MaxInFlight is negative")
	case limit == 0 && connections > 0:
		limit = max(connections, minInFlight)
	case limit == 0:
		limit = unknownInFlight
	}
	anonymous := limit / 2
	if connections > 0 {
		anonymous = min(anonymous, connections/2)
	}
	return &inFlight{
		all:       queue{slots: semaphore.NewWeighted(int64(limit))},
		anonymous: queue{slots: semaphore.NewWeighted(int64(max(anonymous, 1)))},
		refused:   refusals{provider: provider},
	}, nil
}

// enter waits for a turn and reports whether there was one in time. If so, the
// caller must call leave.
func (f *inFlight) enter(ctx context.Context, anonymous bool) bool {
	if f.tryEnter(anonymous) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if anonymous && !f.anonymous.enter(ctx) {
		return false
	}
	if f.all.enter(ctx) {
		return true
	}
	if anonymous {
		f.anonymous.slots.Release(1)
	}
	return false
}

// tryEnter is enter without waiting.
func (f *inFlight) tryEnter(anonymous bool) bool {
	if anonymous && !f.anonymous.slots.TryAcquire(1) {
		return false
	}
	if f.all.slots.TryAcquire(1) {
		return true
	}
	if anonymous {
		f.anonymous.slots.Release(1)
	}
	return false
}

// isFull reports whether no request to the endpoint can wait, because a queue is full.
func (f *inFlight) isFull(found route) bool {
	return !found.InMemory && (f.all.isFull() || found.isOpen() && f.anonymous.isFull())
}

// leave passes the turn on to the next request.
func (f *inFlight) leave(anonymous bool) {
	f.all.slots.Release(1)
	if anonymous {
		f.anonymous.slots.Release(1)
	}
}

// queue is a number of slots and the requests that wait for one.
type queue struct {
	slots   *semaphore.Weighted // in the order of arrival
	waiting atomic.Int64
}

// enter waits for a slot until the context ends. It does not wait if the queue is full.
func (q *queue) enter(ctx context.Context) bool {
	if q.slots.TryAcquire(1) {
		return true
	}
	defer q.waiting.Add(-1)
	return q.waiting.Add(1) <= maxWaiting && q.slots.Acquire(ctx, 1) == nil
}

func (q *queue) isFull() bool { return q.waiting.Load() >= maxWaiting }

// refusals counts refused requests and reports them once a second: a log line for
// each would cost more than the response.
type refusals struct {
	provider *oauthkit.Provider
	mutex    sync.Mutex
	count    int
}

func (r *refusals) add() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.count++; r.count == 1 {
		time.AfterFunc(time.Second, r.report)
	}
}

// report records and logs the refusals since the last report. It runs outside of any
// request, where a panic of the host's logger would end the program.
func (r *refusals) report() {
	defer func() { _ = recover() }()
	r.mutex.Lock()
	refused := r.count
	r.count = 0
	r.mutex.Unlock()
	r.provider.Record(context.Background(), oauthkit.RequestsRefused{Refused: refused})
	r.provider.Logger().Warn("too many requests at the same time", "refused", refused)
}

// isAnonymous reports whether anyone can send such a request, since it carries no proof
// of a client's identity. Pages for users count as well, because only the host can
// validate a session.
func (h *Handler) isAnonymous(r *http.Request, found route, sent *body) bool {
	switch {
	case found.isOpen():
		return true
	case found.Application != nil:
		return !h.clients.isClaimed(r, sent)
	default:
		return false
	}
}

// detached is the context of an endpoint.
type detached struct {
	request.Detached
	handler *Handler  // serves the request
	turn    *inFlight // the limit in which the request has a turn, or nil
}

// handlerKey is the key of detached.handler, and turnKey that of detached.turn.
type (
	handlerKey struct{}
	turnKey    struct{}
)

// hasTurn reports whether the request has a turn of f. An endpoint that another
// endpoint calls must not wait for the turn of its caller.
func hasTurn(ctx context.Context, f *inFlight) bool {
	turn, ok := ctx.Value(turnKey{}).(*inFlight)
	return ok && turn == f
}

// Value implements [context.Context].
func (d *detached) Value(key any) any {
	switch key.(type) {
	case handlerKey:
		return d.handler
	case turnKey:
		if d.turn != nil {
			return d.turn
		}
	}
	return d.Detached.Value(key)
}
