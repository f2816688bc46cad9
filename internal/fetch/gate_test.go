package fetch

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestS16_Concurrency shows the limits of requests in flight: in all and for one host. A
// host whose places are taken does not keep others waiting.
func TestS16_Concurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 2)
		enter := func(host string) (func(), error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return g.enter(ctx, host)
		}
		var leaves []func()
		for _, step := range []struct {
			host string
			want bool
		}{{"a", true}, {"a", true}, {"a", false}, {"b", true}, {"b", false}, {"c", false}} {
			leave, err := enter(step.host)
			if (err == nil) != step.want || err != nil && (!errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("%s: got %v, want a place %t", step.host, err, step.want)
			}
			if err == nil {
				leaves = append(leaves, leave)
			}
		}
		leaves[0]()
		leave, err := enter("c")
		if err != nil {
			t.Fatalf("got %v after a place was given back", err)
		}
		for _, leave := range append(leaves[1:], leave) {
			leave()
		}
		if len(g.hosts) != 0 || len(g.all) != 0 {
			t.Errorf("got %d hosts and %d places taken at the end, want none", len(g.hosts), len(g.all))
		}
	})
}

// TestS16_InFlight counts requests at the server.
func TestS16_InFlight(t *testing.T) {
	var now, most atomic.Int32
	exceeded := make(chan struct{})
	server, config := serve(t, func(http.ResponseWriter, *http.Request) {
		count := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); count > seen && !most.CompareAndSwap(seen, count); seen = most.Load() {
		}
		if count == maxPerHost+1 {
			close(exceeded)
		}
		select { // long enough for another request to arrive
		case <-exceeded:
		case <-time.After(50 * time.Millisecond):
		}
	})
	client := New(config)
	var wait sync.WaitGroup
	for i := range 5 * maxPerHost {
		wait.Go(func() {
			host := []string{"EXAMPLE.com", "example.com"}[i%2]
			address := strings.Replace(named(t, server, "/"), "example.com", host, 1)
			if _, err := client.Do(t.Context(), &Request{URL: address}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := most.Load(); got != maxPerHost {
		t.Errorf("got %d requests at once, want %d", got, maxPerHost)
	}
}
