package main

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// The limits of a passwordGate.
const (
	maxWaiting = 64          // sign-ins that wait for their turn at the same time
	maxHeld    = 1024        // refused sign-ins that are held at the same time
	maxWait    = time.Second // how long one waits or is held
)

// errBusy says that the program has no time to verify a password, or to show the page home, now.
var errBusy = errors.New("too many sign-ins at once")

// passwordGate limits what anyone can make the program spend on passwords, which are slow to verify on purpose: at most
// half the cores do it at the same time, and what does not get its turn within a second is refused. The other half is left
// for everything else, such as the token endpoint.
//
// What is refused without having waited is held for a second: a client that sends the next attempt as soon as it is
// answered could otherwise keep the cores busy with refusals.
type passwordGate struct {
	turns   chan struct{} // one element for each verification that is running
	waiting chan struct{} // one element for each sign-in that waits for a turn
	held    chan struct{} // one element for each refused sign-in that is held
}

func newPasswordGate() *passwordGate {
	return &passwordGate{
		turns:   make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		waiting: make(chan struct{}, maxWaiting),
		held:    make(chan struct{}, maxHeld),
	}
}

// enter waits for a turn, which lasts until leave is called. It returns errBusy if there is none, and the context's error
// if that ends first.
func (g *passwordGate) enter(ctx context.Context) error {
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		g.hold(ctx)
		return errBusy
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case g.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave ends a turn that has lasted for spent. The next one begins after a rest of the same length, a second at most, so
// that verifications take half the time of their cores: on a machine that is busy otherwise, a program that always has
// something to compute is given less time for everything else.
func (g *passwordGate) leave(spent time.Duration) {
	time.AfterFunc(min(spent, maxWait), func() { <-g.turns })
}

// hold returns after a second, when the context ends, or at once if too many are held already.
func (g *passwordGate) hold(ctx context.Context) {
	select {
	case g.held <- struct{}{}:
		defer func() { <-g.held }()
	default:
		return
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
