package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestQ01_PasswordGate sends more sign-ins than the gate has turns. As many as there
// are turns enter, the allowed number waits, and all others are refused within a
// second.
func TestQ01_PasswordGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := newPasswordGate(), time.Now()
		const beyond = 10
		var entered, busy sync.WaitGroup
		leave := make(chan struct{})
		results := make(chan error, cap(g.turns)+maxWaiting+beyond)
		for range cap(results) {
			entered.Add(1)
			busy.Go(func() {
				err := g.enter(t.Context())
				results <- err
				entered.Done()
				if err == nil {
					<-leave
					g.leave(0)
				}
			})
		}
		entered.Wait()
		close(leave)
		busy.Wait()
		close(results)
		admitted := 0
		for err := range results {
			switch {
			case err == nil:
				admitted++
			case !errors.Is(err, errBusy):
				t.Errorf("got %v, want errBusy", err)
			}
		}
		if admitted != cap(g.turns) {
			t.Errorf("got %d in at the same time, want %d", admitted, cap(g.turns))
		}
		if took := time.Since(began); took != maxWait {
			t.Errorf("got all results after %s, want %s", took, maxWait)
		}
		if err := g.enter(t.Context()); err != nil {
			t.Errorf("got %v after the flood, want a turn", err)
		}
	})
}

// TestQ01_HalfTheCores checks how many passwords are verified at the same time.
func TestQ01_HalfTheCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for cores, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 9: 4} {
		runtime.GOMAXPROCS(cores)
		if got := cap(newPasswordGate().turns); got != want {
			t.Errorf("%d cores: got %d turns, want %d", cores, got, want)
		}
	}
}

// TestQ01_Turn checks that a finished turn goes to the next sign-in, and that a
// canceled wait leaves no trace.
func TestQ01_Turn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &passwordGate{turns: make(chan struct{}, 1), waiting: make(chan struct{}, 1), held: make(chan struct{}, 1)}
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		if err := g.enter(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
		began := time.Now()
		g.leave(maxWait / 2)
		if err := g.enter(t.Context()); err != nil || time.Since(began) != maxWait/2 {
			t.Errorf("got %v after %s, want the turn after a rest of %s", err, time.Since(began), maxWait/2)
		}
	})
}

// TestQ01_Held checks that a refused sign-in is held for a second, up to a maximum
// number of held ones.
func TestQ01_Held(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := &passwordGate{held: make(chan struct{}, 1)}, time.Now()
		var held sync.WaitGroup
		held.Go(func() { g.hold(t.Context()) })
		synctest.Wait()
		g.hold(t.Context())
		if took := time.Since(began); took != 0 {
			t.Errorf("got held for %s beyond the limit, want 0", took)
		}
		held.Wait()
		if took := time.Since(began); took != maxWait {
			t.Errorf("got held for %s, want %s", took, maxWait)
		}
	})
}
