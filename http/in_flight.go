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
)

// This file bounds how many requests are answered at the same time. More of them wait for their
// turn in the order in which they came, and what cannot be answered soon is refused at little cost,
// so that a server which is asked too much goes on to answer as much as it can.

const (
	// unknownInFlight is the limit where the store does not say how many connections it has, and
	// minInFlight the least where it does: a request does more than wait for the database.
	unknownInFlight = 128
	minInFlight     = 4
	// maxWaiting is how many requests wait in a queue, and maxWait for how long one does.
	maxWaiting = 640
	maxWait    = time.Second
)

// inFlight are the requests that are being answered.
type inFlight struct {
	all queue
	// strangers are among them. They hold at most half of the store's connections, so that a
	// statement that does not return keeps no client waiting which has shown who it is.
	strangers queue
	refused   refusals
}

// newInFlight returns the bounds of a handler. If limit is zero, it follows from the store.
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
	strangers := limit / 2
	if connections > 0 {
		strangers = min(strangers, connections/2)
	}
	return &inFlight{
		all:       queue{slots: semaphore.NewWeighted(int64(limit))},
		strangers: queue{slots: semaphore.NewWeighted(int64(max(strangers, 1)))},
		refused:   refusals{provider: provider},
	}, nil
}

// enter waits for a turn, and reports whether there was one in time. A request that has got one
// must leave.
func (f *inFlight) enter(ctx context.Context, stranger bool) bool {
	if f.tryEnter(stranger) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if stranger && !f.strangers.enter(ctx) {
		return false
	}
	if f.all.enter(ctx) {
		return true
	}
	if stranger {
		f.strangers.slots.Release(1)
	}
	return false
}

// tryEnter is enter without waiting.
func (f *inFlight) tryEnter(stranger bool) bool {
	if stranger && !f.strangers.slots.TryAcquire(1) {
		return false
	}
	if f.all.slots.TryAcquire(1) {
		return true
	}
	if stranger {
		f.strangers.slots.Release(1)
	}
	return false
}

// isFull reports whether a request to the endpoint could not even wait, whoever sends it.
func (f *inFlight) isFull(found route) bool {
	return !found.InMemory && (f.all.isFull() || found.isOpen() && f.strangers.isFull())
}

// leave gives the turn to the next.
func (f *inFlight) leave(stranger bool) {
	f.all.slots.Release(1)
	if stranger {
		f.strangers.slots.Release(1)
	}
}

// queue is a number of slots, and the requests that wait for one.
type queue struct {
	slots   *semaphore.Weighted // in the order of arrival
	waiting atomic.Int64
}

// enter waits for a slot until the context ends, unless too many wait already.
func (q *queue) enter(ctx context.Context) bool {
	if q.slots.TryAcquire(1) {
		return true
	}
	defer q.waiting.Add(-1)
	return q.waiting.Add(1) <= maxWaiting && q.slots.Acquire(ctx, 1) == nil
}

func (q *queue) isFull() bool { return q.waiting.Load() >= maxWaiting }

// refusals counts the requests that were refused. They are told of together, once a second: a line
// for each would cost more than the answer.
type refusals struct {
	provider *oauthkit.Provider
	mutex    sync.Mutex
	count    int
}

func (r *refusals) add() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.count++; r.count == 1 {
		time.AfterFunc(time.Second, r.tell)
	}
}

// tell is called a second after the first of those that it tells of. There is no request that a panic of
// the log could be the failure of: it would end the program.
func (r *refusals) tell() {
	defer func() { _ = recover() }()
	r.mutex.Lock()
	refused := r.count
	r.count = 0
	r.mutex.Unlock()
	r.provider.Record(context.Background(), oauthkit.RequestsRefused{Refused: refused})
	r.provider.Logger().Warn("too many requests at the same time", "refused", refused)
}

// isStrangers reports whether anybody at all can send such a request: it names no application that has
// to prove itself. That it claims a secret is enough here. What only users get is a stranger's as well
// until the host has been asked, which reads its sessions.
func isStrangers(r *http.Request, found route, sent *body) bool {
	switch {
	case found.isOpen():
		return true
	case found.Application != nil:
		return r.Header.Get("Authorization") == "" && !sent.has("client_secret=") && !sent.has("client_assertion=")
	default:
		return false
	}
}
