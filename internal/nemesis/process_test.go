//go:build linux || darwin

package nemesis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

var processCases = []Case{
	{
		Name: "RL-02 instances are killed", Short: true, Run: kill(false),
		Fault: "repeated SIGKILL of one of two instances on PostgreSQL, during all kinds of requests",
	}, {
		Name: "RL-32 instances on SQLite are killed", Run: kill(true),
		Fault: "the same with two instances on one SQLite file",
	}, {
		Name: "RL-03 an instance is frozen", Run: freeze,
		Fault: "SIGSTOP of one of two instances, and SIGCONT later",
	}, {
		Name: "RL-04 an instance is stopped under load", Short: true, Run: stop,
		Fault: "SIGTERM while 16 connections get tokens",
	}, {
		Name: "RL-24 one credential on two instances", Short: true, Run: race,
		Fault: "the same code, and the same refresh token, in many concurrent requests to two instances",
	}, {
		Name: "RL-43 everything at once", Run: everything,
		Fault: "three instances, a random fault every second, and clients that hang up",
	},
}

// seconds returns the time for the short or the long form.
func (r *Run) seconds(short, long float64) time.Duration {
	if r.Long {
		return time.Duration(long * float64(time.Second))
	}
	return time.Duration(short * float64(time.Second))
}

func (r *Run) times(short, long int) int {
	if r.Long {
		return long
	}
	return short
}

func kill(sqlite bool) func(r *Run) {
	return func(r *Run) {
		w := r.Start(Setup{Instances: 2, SQLite: sqlite})
		w.Allowed.NoAnswer = true
		storm := w.Storm(8)
		var restarts []time.Duration
		for number := range r.times(3, 20) {
			pause(r.Context(), 300*time.Millisecond+rand.N(700*time.Millisecond))
			instance := w.Instances[number%2]
			if _, err := instance.Stop(syscall.SIGKILL, 10*time.Second); err != nil {
				r.Fatal(err)
			}
			restarts = append(restarts, w.restart(instance))
		}
		ended := time.Now()
		healed := w.Heal(ended, time.Minute)
		storm.End()
		slices.Sort(restarts)
		r.Tell("kills", float64(len(restarts)), "", "")
		r.AtMost("median restart", restarts[len(restarts)/2].Seconds(), "s", 3, "1.9 s")
		r.AtMost("normal again", healed.Seconds(), "s", 5, "0.4 s")
		r.verified(w)
		if sqlite {
			r.None("corrupt pages", w.integrity(), "0")
		}
	}
}

// restart starts an instance that has exited and returns the time until it serves.
func (w *World) restart(instance *Instance) time.Duration {
	w.TB.Helper()
	begun := time.Now()
	err := instance.Start()
	if err == nil {
		err = instance.Await(time.Minute)
	}
	if err != nil {
		w.TB.Fatal(err)
	}
	return time.Since(begun)
}

// verified checks all invariants and records the number of violations.
func (r *Run) verified(w *World) {
	r.Helper()
	requests, broken := w.Verify()
	longest, kinds := time.Duration(0), map[Kind]int{}
	for _, op := range w.History.Ops() {
		if op.Status == http.StatusServiceUnavailable {
			if kinds[op.Kind]++; kinds[op.Kind] == 1 {
				r.Logf("the first 503 of %s: %s", op.Kind, op.Error)
			}
		}
		if op.Status != 0 {
			longest = max(longest, op.End-op.Start)
		}
	}
	r.Logf("%d answers of 503, longest wait %v", w.unavailable(), longest)
	r.None(fmt.Sprintf("contradictions among %d requests, and in the rows", requests), broken, "0")
}

func freeze(r *Run) {
	w := r.Start(Setup{Instances: 2})
	w.Allowed.NoAnswer = true // after a long stop the server's own time limits of a connection have passed
	storm := w.Storm(8)
	pause(r.Context(), time.Second)
	signal := func(signal syscall.Signal) {
		if err := w.Instances[1].Signal(signal); err != nil {
			r.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	pause(r.Context(), r.seconds(2, 20))
	signal(syscall.SIGCONT)
	r.AtMost("normal again", w.Heal(time.Now(), time.Minute).Seconds(), "s", 5, "")
	storm.End()
	r.verified(w)
}

func stop(r *Run) {
	w := r.Start(Setup{})
	instance := w.Instances[0]
	var longest time.Duration
	answered, failed := 0, 0
	for range r.times(2, 6) {
		load := w.TokenLoad(0)
		ctx, cancel := context.WithCancel(r.Context())
		var stats *Stats
		var clients sync.WaitGroup
		clients.Go(func() { stats = load.Closed(ctx, 16) })
		pause(r.Context(), 500*time.Millisecond)
		begun := time.Now()
		status, err := instance.Stop(syscall.SIGTERM, time.Minute)
		longest = max(longest, time.Since(begun))
		cancel()
		clients.Wait()
		if err != nil {
			r.Fatal(err)
		}
		if status != 0 {
			failed++
		}
		answered += stats.OK
		w.restart(instance)
	}
	r.None("stops with a status other than 0", failed, "0")
	r.AtMost("longest stop", longest.Seconds(), "s", 10, "0.17 s")
	r.Tell("tokens answered", float64(answered), "", "4 873")
	r.None("tokens stored without an answer", w.Number("SELECT count(*) FROM oauth_access_tokens")-answered, "0")
}

func race(r *Run) {
	w := r.Start(Setup{Instances: 2})
	winners, successors, refused := raced(r, w)
	r.None("codes without exactly one winner", winners, "0")
	r.None("refresh tokens without exactly one successor", successors, "0")
	r.None("losers with another answer than invalid_grant", refused, "0")
	r.verified(w)
}

// raced redeems codes and refresh tokens many times concurrently on all instances. It
// returns the number of codes without exactly one winner, of refresh tokens without
// exactly one successor, and of losers with another answer than invalid_grant.
func raced(r *Run, w *World) (winners, successors, refused int) {
	ctx, ways := r.Context(), r.times(16, 64)
	clients := make([]*Client, ways)
	for number := range clients {
		clients[number] = w.Client(number)
		defer clients[number].Close()
	}
	all := func(do func(client *Client) *Op) []*Op {
		answers, running := make([]*Op, ways), sync.WaitGroup{}
		for number, client := range clients {
			running.Go(func() { answers[number] = do(client) })
		}
		running.Wait()
		return answers
	}
	for range r.times(3, 20) {
		grant := clients[0].Authorize(ctx, Web)
		if grant == nil {
			r.Fatal("got no code")
		}
		won := 0
		for _, answer := range all(func(c *Client) *Op { return c.Redeem(ctx, grant) }) {
			switch {
			case answer.Status == http.StatusOK:
				won++
			case answer.Error != "invalid_grant":
				refused++
			}
		}
		if won != 1 {
			winners++
		}
	}
	for range r.times(3, 10) {
		grant := clients[0].Authorize(ctx, Web)
		if grant == nil {
			r.Fatal("got no code")
		}
		redeemed := clients[0].Redeem(ctx, grant)
		got := map[string]int{}
		for _, answer := range all(func(c *Client) *Op { return c.Refresh(ctx, grant, redeemed.Refresh) }) {
			got[answer.Refresh]++
		}
		delete(got, "") // too many retries are refused
		if len(got) != 1 {
			successors++
		}
	}
	return winners, successors, refused
}

func everything(r *Run) {
	w := r.Start(Setup{Instances: 3, Proxied: true})
	w.Allowed.NoAnswer = true
	storm := w.Storm(12)
	hanging, stopHanging := context.WithCancel(r.Context())
	var strangers sync.WaitGroup
	strangers.Go(func() { w.AnonymousLoad(0).HangUp(hanging, 20, 8*time.Millisecond) })
	faults := []func(){
		func() { w.Proxy.Cut() },
		func() {
			w.Proxy.Stall()
			pause(r.Context(), 500*time.Millisecond)
			w.Proxy.Resume()
		},
		func() {
			w.Proxy.Refuse()
			pause(r.Context(), 300*time.Millisecond)
			if err := w.Proxy.Accept(); err != nil {
				r.Error(err)
			}
		},
		func() {
			w.Proxy.LoseReplies(func(string) bool { return rand.IntN(100) == 0 })
			pause(r.Context(), time.Second)
			w.Proxy.LoseReplies(nil)
		},
		func() {
			instance := w.Instances[rand.IntN(3)]
			if _, err := instance.Stop(syscall.SIGKILL, 10*time.Second); err != nil {
				r.Error(err)
			}
			w.restart(instance)
		},
		func() { w.Server.Restart(r, "immediate") },
	}
	for begun := time.Now(); time.Since(begun) < r.seconds(5, 45); pause(r.Context(), time.Second) {
		faults[rand.IntN(len(faults))]()
	}
	r.AtMost("normal again", w.Heal(time.Now(), time.Minute).Seconds(), "s", 5, "")
	stopHanging()
	strangers.Wait()
	storm.End()
	r.verified(w)
}
