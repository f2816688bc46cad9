package main

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// Limits of a passwordGate.
const (
	maxWaiting = 64          // sign-ins that wait for a turn at the same time
	maxHeld    = 1024        // refused sign-ins that are held at the same time
	maxWait    = time.Second // how long a sign-in waits or is held
)

// errBusy means that there is no capacity to verify a password, or to show the home
// page, now.
var errBusy = errors.New("too many sign-ins at once")

// passwordGate limits the CPU time that anyone can spend on passwords, which are slow
// to verify on purpose. At most half the cores verify passwords at the same time; the
// other half stays free for everything else, such as the token endpoint. A sign-in that
// gets no turn within a second is refused.
//
// A sign-in that is refused without waiting is held for a second. A client that sends
// the next attempt after each response could otherwise keep the cores busy with
// refusals.
type passwordGate struct {
	turns   chan struct{} // an element for each running verification
	waiting chan struct{} // an element for each sign-in that waits for a turn
	held    chan struct{} // an element for each refused sign-in that is held
}

func newPasswordGate() *passwordGate {
	return &passwordGate{
		turns:   make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		waiting: make(chan struct{}, maxWaiting),
		held:    make(chan struct{}, maxHeld),
	}
}

// enter waits for a turn, which lasts until leave is called. It returns errBusy if it
// gets none, or the context's error if ctx ends first.
func (g *passwordGate) enter(ctx context.Context) error {
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		g.hold(ctx)
		return errBusy
	}
	return acquire(ctx, g.turns)
}

// leave ends a turn that lasted for spent. The next turn begins after a pause of the
// same length, at most a second, so that verifications use half the time of their
// cores: on a busy machine a program that always computes gets less time for everything
// else.
func (g *passwordGate) leave(spent time.Duration) {
	time.AfterFunc(min(spent, maxWait), func() { <-g.turns })
}

// hold returns after a second or when ctx ends. It returns at once if too many sign-ins
// are held already.
func (g *passwordGate) hold(ctx context.Context) {
	select {
	case g.held <- struct{}{}:
		defer func() { <-g.held }()
	default:
		return
	}
	_ = acquire(ctx, nil) // sending to a nil channel blocks until the time is over
}

// acquire waits until it can send to turns, for at most maxWait. It returns errBusy
// after that time, or the context's error if ctx ends first.
func acquire(ctx context.Context, turns chan<- struct{}) error {
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case turns <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}
