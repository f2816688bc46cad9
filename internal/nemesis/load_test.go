//go:build linux || darwin

package nemesis

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

var loadCases = []Case{
	{
		Name: "RL-38 512 connections", Run: crowd(false),
		Fault: "512 connections, each with one token request after the other",
	}, {
		Name: "RL-15 512 connections on SQLite, which has one writer", Run: crowd(true),
		Fault: "the same on SQLite",
	}, {
		Name: "RL-38 five times the capacity", Run: overload,
		Fault: "token requests at five times the peak rate from clients that give up after 5 s; the clients on one processor, the provider and PostgreSQL on another",
	}, {
		Name: "RL-46 sign-in is flooded", Run: loginFlood,
		Fault: "64 connections send wrong passwords to /login during one token request after the other",
	}, {
		Name: "RL-31 another process holds SQLite's write lock", Run: sqliteLocked,
		Fault: "a writing transaction stays open for 10 s while 30 clients request tokens and one introspects",
	},
}

func crowd(sqlite bool) func(r *Run) {
	return func(r *Run) {
		w := r.Start(Setup{SQLite: sqlite})
		load := w.TokenLoad(0)
		stats := during(r.Context(), r.seconds(2, 10), func(ctx context.Context) *Stats { return load.Closed(ctx, 512) })
		before, slowest := "0; 943/s, p99 1.8 s", 1.8
		if sqlite {
			before, slowest = "0; 924/s, p99 1.7 s", 1.7
		}
		r.AtMost("answers of 503", float64(stats.Status[503]), "", 0, before)
		r.None("requests without an answer", stats.NoAnswer, "0")
		r.Tell("tokens a second", stats.Rate(), "", "")
		r.AtMost("99th percentile", stats.Quantile(0.99).Seconds(), "s", 2*slowest, "")
		r.Tell("memory", w.Instances[0].Resident(), "MB", "")
	}
}

// pin binds a process and its threads to processors with taskset.
func pin(r *Run, pid int, processors string) {
	r.Helper()
	output, err := exec.Command("taskset", "-a", "-c", "-p", processors, strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		r.Fatalf("taskset: %v\n%s", err, output)
	}
}

func overload(r *Run) {
	if _, err := exec.LookPath("taskset"); err != nil || runtime.NumCPU() < 2 {
		oauthtest.Missing(r, "the overload case", "it needs taskset and two processors")
	}
	all := "0-" + strconv.Itoa(runtime.NumCPU()-1)
	pin(r, r.lab.server.PID(r), "1")
	pin(r, os.Getpid(), "0")
	defer pin(r, os.Getpid(), all)
	defer pin(r, r.lab.server.PID(r), all)
	w := r.Start(Setup{CPU: "1"})
	load, ctx := w.TokenLoad(0), r.Context()
	during(ctx, r.seconds(1, 3), func(ctx context.Context) *Stats { return load.Closed(ctx, 16) })
	peak := during(ctx, r.seconds(2, 5), func(ctx context.Context) *Stats { return load.Closed(ctx, 16) }).Rate()

	load.Limit = 5 * time.Second
	watching, stop := context.WithCancel(ctx)
	var resident float64
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for ; watching.Err() == nil; pause(watching, 100*time.Millisecond) {
			resident = max(resident, w.Instances[0].Resident())
		}
	})
	stats := during(ctx, r.seconds(3, 20), func(ctx context.Context) *Stats { return load.Open(ctx, 5*peak) })
	stop()
	watcher.Wait()
	// Open waits for the last answers, so the flood has ended here.
	after := time.Now()
	var recovered time.Duration
	for load.Limit = patience; recovered == 0 && time.Since(after) < time.Minute; {
		again := during(ctx, 500*time.Millisecond, func(ctx context.Context) *Stats { return load.Closed(ctx, 16) })
		if again.Rate() >= 0.9*peak && again.OK == again.Sent {
			recovered = time.Since(after)
		}
	}
	r.Tell("peak with 16 connections", peak, "/s", "894/s")
	r.Tell("requests sent", float64(stats.Sent)/stats.Elapsed.Seconds(), "/s", "")
	r.AtLeast("tokens in percent of the peak", 100*stats.Rate()/peak, "%", 80, "26 %")
	r.AtMost("memory", resident, "MB", 100, "430 MB")
	r.AtMost("answers of 503 without Retry-After", float64(stats.Bare503), "", 0, "")
	r.Tell("answers of 503", float64(stats.Status[503]), "", "0")
	r.Tell("requests without an answer in 5 s", float64(stats.NoAnswer), "", "")
	r.AtMost("99th percentile of good answers", stats.Quantile(0.99).Seconds(), "s", 5, "")
	r.AtMost("normal again", recovered.Seconds(), "s", 5, "1 s")
}

func loginFlood(r *Run) {
	w := r.Start(Setup{})
	tokens, logins := w.TokenLoad(0), w.LoginLoad(0)
	median := func(ctx context.Context) time.Duration { return tokens.Closed(ctx, 1).Quantile(0.5) }
	alone, cancel := context.WithTimeout(r.Context(), r.seconds(1, 5))
	defer cancel()
	quiet := median(alone)
	flooded, cancelFlood := context.WithTimeout(r.Context(), r.seconds(2, 10))
	defer cancelFlood()
	var strangers sync.WaitGroup
	var stats *Stats
	strangers.Go(func() { stats = logins.Closed(flooded, 64) })
	beside := median(flooded)
	strangers.Wait()
	r.Tell("median of a token alone", float64(quiet.Microseconds())/1000, "ms", "2 ms")
	r.Tell("median beside the flood", float64(beside.Microseconds())/1000, "ms", "1 544 ms")
	r.AtMost("ratio", float64(beside)/float64(max(quiet, time.Microsecond)), "", 3, "772")
	r.Tell("sign-ins answered 503", float64(stats.Status[503]), "", "0")
	r.AtMost("answers of 503 without Retry-After", float64(stats.Bare503), "", 0, "")
}

func sqliteLocked(r *Run) {
	w := r.Start(Setup{SQLite: true})
	client := w.Client(0)
	grant := client.session(r, Web)
	unlock := w.lockFile()
	ctx, cancel := context.WithTimeout(r.Context(), r.seconds(2, 10))
	defer cancel()
	var writers sync.WaitGroup
	var stats *Stats
	load := w.TokenLoad(0)
	writers.Go(func() { stats, _ = volley(load, 30) })
	pause(ctx, 200*time.Millisecond)
	var longest time.Duration
	for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		op := client.Introspect(r.Context(), grant, grant.Access)
		longest = max(longest, op.End-op.Start)
	}
	unlock()
	writers.Wait()
	r.AtMost("longest introspection", longest.Seconds(), "s", 1, "3.9 s")
	r.AtMost("longest wait of a writer", stats.slowest.Seconds(), "s", 6.5, "20 s")
	r.None("writers without an answer", stats.NoAnswer, "0")
	r.None("answers of 503 without Retry-After", stats.Bare503, "0")
	r.AtMost("normal again", w.Heal(time.Now(), time.Minute).Seconds(), "s", 2, "")
	r.verified(w)
}
