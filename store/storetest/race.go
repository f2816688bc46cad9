package storetest

import (
	"runtime"
	"sync"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
)

// race runs act in n goroutines and returns their errors. All goroutines exist before
// the first one starts.
func (t *trial) race(n int, act func(i int) error) []error {
	var ready, done sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, n)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			errs[i] = act(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return errs
}

// side returns the instance for a participant of a race: participants alternate between
// the two.
func (t *trial) side(i int) Store {
	if i%2 == 0 {
		return t.Store
	}
	return t.second
}

// pair runs two acts concurrently on two instances.
func (t *trial) pair(first, second func(Store) error) (firstErr, secondErr error) {
	errs := t.race(2, func(i int) error {
		if i == 0 {
			return first(t.Store)
		}
		return second(t.second)
	})
	return errs[0], errs[1]
}

// pairs runs n pairs of acts, a few at a time, so that pairs also compete with each
// other.
func (t *trial) pairs(n int, hold func(*trial)) {
	const lanes = 4
	lane := *t
	lane.TB = laneReporter{t.TB}
	t.race(lanes, func(int) error {
		for range n / lanes {
			hold(&lane)
		}
		return nil
	})
}

// laneReporter ends its own goroutine on Fatalf, because only the goroutine of a test
// may end a [testing.T].
type laneReporter struct{ rapid.TB }

func (l laneReporter) Fatalf(format string, args ...any) {
	l.Helper()
	l.Errorf(format, args...)
	runtime.Goexit()
}

// wantOneWinner returns the index of the winner of a race. It reports errors other than
// one nil and otherwise ErrReplayed.
func (t *trial) wantOneWinner(act string, errs []error) int {
	t.Helper()
	winner, winners := 0, 0
	for i, err := range errs {
		t.wantError(act, err, nil, oauthkit.ErrReplayed)
		if err == nil {
			winner = i
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%s, %d at once: got %d successes, want exactly 1", act, len(errs), winners)
	}
	return winner
}
