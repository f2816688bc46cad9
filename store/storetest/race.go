package storetest

import (
	"runtime"
	"sync"

	"pgregory.net/rapid"

	"github.com/oauthkit/oauthkit"
)

// race runs act n times at once and returns each one's error. Nobody starts before everybody is there.
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

// side returns the instance that a participant of a race uses: neighbours have different ones.
func (t *trial) side(i int) Store {
	if i%2 == 0 {
		return t.Store
	}
	return t.second
}

// pair runs two acts at once, on two instances.
func (t *trial) pair(first, second func(Store) error) (firstErr, secondErr error) {
	errs := t.race(2, func(i int) error {
		if i == 0 {
			return first(t.Store)
		}
		return second(t.second)
	})
	return errs[0], errs[1]
}

// pairs holds n pairs of acts, of which a few run at a time so that they are in each other's way too.
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

// laneReporter ends its lane where a [testing.T] may only be ended by the goroutine of the test.
type laneReporter struct{ rapid.TB }

func (l laneReporter) Fatalf(format string, args ...any) {
	l.Helper()
	l.Errorf(format, args...)
	runtime.Goexit()
}

// oneWinner notes when the errors of a race are not one success and otherwise ErrReplayed, and returns who won.
func (t *trial) oneWinner(act string, errs []error) int {
	t.Helper()
	winner, winners := 0, 0
	for i, err := range errs {
		t.answered(act, err, nil, oauthkit.ErrReplayed)
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
