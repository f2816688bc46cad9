//go:build linux || darwin

package nemesis

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

var databaseCases = []Case{
	{
		Name: "RL-05 PostgreSQL restarts", Short: true, Run: restart,
		Fault: "pg_ctl restart, fast and immediate, during all kinds of requests",
	}, {
		Name: "RL-06 connections are ended by the server", Run: terminate,
		Fault: "pg_terminate_backend for every connection, every 100 ms",
	}, {
		Name: "RL-07 connections are refused", Short: true, Run: refuse,
		Fault: "the proxy closes its port and all connections",
	}, {
		Name: "RL-08 PostgreSQL is silent", Short: true, Run: silent,
		Fault: "the proxy forwards nothing, or all processes of PostgreSQL are stopped, during 60 token requests",
	}, {
		Name: "RL-09 PostgreSQL is slow", Run: slow,
		Fault: "each message to the server waits 50 ms",
	}, {
		Name: "RL-09 one table is locked", Run: lockedTable,
		Fault: "LOCK TABLE during 40 anonymous requests that need the table, token requests and introspection",
	}, {
		Name: "RL-09 refresh tokens are locked for longer than a retry may come", Run: lockedRefresh,
		Fault: "LOCK TABLE oauth_refresh_tokens for 35 s while six sessions refresh and retry",
	}, {
		Name: "RL-34 a hook of the host hangs", Run: hangingHook,
		Fault: "LOCK TABLE idp_users, which Config.UserIsActive and the sign-in read, while 20 clients introspect tokens of users",
	}, {
		Name: "RL-10 the reply to a commit is lost", Short: true, Run: loseReplies,
		Fault: "the proxy drops the reply and closes the connection after every 20th writing statement",
	}, {
		Name: "RL-12 transactions are serializable", Run: isolation("serializable"),
		Fault: "default_transaction_isolation=serializable for running instances, with concurrent requests for one credential",
	}, {
		Name: "RL-12 transactions are repeatable read", Run: isolation("repeatable read"),
		Fault: "the same with repeatable read",
	}, {
		Name: "RL-14 rows are locked and locks time out", Run: lockedRows,
		Fault: "lock_timeout=100ms, statement_timeout=200ms, and sessions that lock random rows",
	}, {
		Name: "RL-16 PostgreSQL has no connection left", Run: exhausted,
		Fault: "max_connections=30, all used by other programs",
	}, {
		Name: "RL-19 PostgreSQL is read-only for a time", Run: readOnly,
		Fault: "default_transaction_read_only=on for 3 s, like a managed database with a full disk",
	},
}

func restart(r *Run) {
	w := r.Start(Setup{Instances: 2})
	storm := w.Storm(8)
	var longest time.Duration
	for _, mode := range []string{"fast", "immediate"} {
		for range r.times(1, 3) {
			pause(r.Context(), time.Second)
			w.Server.Restart(r, mode)
			longest = max(longest, w.Heal(time.Now(), time.Minute))
		}
	}
	storm.End()
	r.AtMost("normal again after PostgreSQL accepts", longest.Seconds(), "s", 2, "0.9 s")
	r.verified(w)
}

// othersSQL terminates all connections to the database except its own.
const othersSQL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

func terminate(r *Run) {
	w := r.Start(Setup{Instances: 2})
	storm := w.Storm(8)
	killer := w.Connect()
	for begun := time.Now(); time.Since(begun) < r.seconds(2, 10); pause(r.Context(), 100*time.Millisecond) {
		if _, err := killer.Exec(r.Context(), othersSQL); err != nil {
			r.Fatal(err)
		}
	}
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	r.AtMost("normal again", healed.Seconds(), "s", 2, "0.8 s")
	r.verified(w)
}

func refuse(r *Run) {
	w := r.Start(Setup{Proxied: true})
	storm := w.Storm(4)
	pause(r.Context(), time.Second)
	begun := w.History.Now()
	w.Proxy.Refuse()
	pause(r.Context(), r.seconds(1, 20))
	probes := w.Client(0)
	probes.Unrecorded = true
	ready, lives := probes.Read(r.Context(), "/readyz").Status, probes.Read(r.Context(), "/livez").Status
	ended := w.History.Now()
	if err := w.Proxy.Accept(); err != nil {
		r.Fatal(err)
	}
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	var longest time.Duration
	documents := 0
	for _, op := range w.History.Since(begun) {
		if op.End > ended {
			continue
		}
		if op.Kind == Read && op.Status != http.StatusOK {
			documents++
		}
		longest = max(longest, op.End-op.Start)
	}
	r.AtMost("longest wait during the fault", longest.Seconds(), "s", 1, "0.61 s")
	r.None("discovery and key set not answered", documents, "0")
	if os.Getenv(programVariable) == "" {
		r.None("readyz other than 503, livez other than 200", count(ready != http.StatusServiceUnavailable)+count(lives != http.StatusOK), "")
	}
	r.AtMost("normal again", healed.Seconds(), "s", 2, "0.4 s")
	r.verified(w)
}

// volley sends concurrent requests, each on a new connection. It returns the answers
// and the time of the slowest.
func volley(load *Load, requests int) (stats *Stats, longest time.Duration) {
	stats = newStats()
	var mutex sync.Mutex
	var running sync.WaitGroup
	for range requests {
		running.Go(func() {
			begun := time.Now()
			got, err := once(load.address, load.request, load.Limit)
			mutex.Lock()
			defer mutex.Unlock()
			stats.count(got, err, time.Since(begun))
			longest = max(longest, time.Since(begun))
		})
	}
	running.Wait()
	return stats, longest
}

func silent(r *Run) {
	w := r.Start(Setup{Proxied: true})
	volley(w.TokenLoad(0), 30) // opens the connections of the pool
	for _, fault := range []struct {
		name       string
		begin, end func()
		short      bool
	}{
		{"nothing passes", w.Proxy.Stall, w.Proxy.Resume, true},
		{"PostgreSQL stopped", func() { w.Server.Signal(r, syscall.SIGSTOP) }, func() { w.Server.Signal(r, syscall.SIGCONT) }, false},
	} {
		if !r.Long && !fault.short {
			continue
		}
		fault.begin()
		var stats *Stats
		var longest time.Duration
		var clients sync.WaitGroup
		load := w.TokenLoad(0)
		load.Limit = 70 * time.Second
		clients.Go(func() { stats, longest = volley(load, 60) })
		pause(r.Context(), r.seconds(7, 65))
		fault.end()
		clients.Wait()
		healed := w.Heal(time.Now(), time.Minute)
		r.AtLeast(fault.name+": requests answered 503 of 60", float64(stats.Status[http.StatusServiceUnavailable]), "", 60, "0, then EOF")
		r.AtMost(fault.name+": longest wait", longest.Seconds(), "s", 6.5, "65 s")
		r.None(fault.name+": 503 without Retry-After", stats.Bare503, "0")
		r.AtMost(fault.name+": normal again", healed.Seconds(), "s", 2, "0.8 s")
	}
}

func slow(r *Run) {
	w := r.Start(Setup{Proxied: true})
	load := w.TokenLoad(0)
	w.Proxy.Delay(50 * time.Millisecond)
	stats := during(r.Context(), r.seconds(2, 10), func(ctx context.Context) *Stats { return load.Closed(ctx, 16) })
	w.Proxy.Delay(0)
	r.Tell("median", stats.Quantile(0.5).Seconds(), "s", "")
	r.Tell("99th percentile", stats.Quantile(0.99).Seconds(), "s", "")
	r.None("requests not answered 200", stats.Sent-stats.OK, "0")
}

func lockedTable(r *Run) {
	w := r.Start(Setup{})
	address := w.Instances[0].address
	stranger := &Load{address: address, Limit: time.Minute, request: prepareForm(address, "/o/token", "",
		url.Values{"grant_type": {"refresh_token"}, "client_id": {Native}, "refresh_token": {"ort_unknown"}})}
	client := w.Client(0)
	defer client.Close()
	issued := client.Issue(r.Context())
	grant := client.GrantOf(issued)
	for _, fault := range []struct {
		table  string
		load   *Load
		tokens bool // tokens are issued without that table
		before string
	}{
		{"oauth_interactions", w.AnonymousLoad(0), true, "18.1 s"},
		{"oauth_refresh_tokens", stranger, false, ""},
	} {
		unlock := w.lock("LOCK TABLE " + fault.table + " IN ACCESS EXCLUSIVE MODE")
		var strangers sync.WaitGroup
		var stats *Stats
		strangers.Go(func() { stats, _ = volley(fault.load, 40) })
		pause(r.Context(), 500*time.Millisecond)
		var token, introspection time.Duration
		for begun := time.Now(); time.Since(begun) < r.seconds(2, 10); pause(r.Context(), 50*time.Millisecond) {
			if fault.tokens {
				op := client.Issue(r.Context())
				token = max(token, op.End-op.Start)
			}
			op := client.Introspect(r.Context(), grant, grant.Access)
			introspection = max(introspection, op.End-op.Start)
		}
		unlock()
		strangers.Wait()
		if fault.tokens {
			r.AtMost(fault.table+": longest wait for a token", token.Seconds(), "s", 1, fault.before)
		}
		r.AtMost(fault.table+": longest introspection", introspection.Seconds(), "s", 1, fault.before)
		r.None(fault.table+": strangers without an answer", stats.NoAnswer, "40 until the lock was gone")
	}
	r.AtMost("tokens and introspections not answered 200", float64(w.unavailable()), "", 0, "")
	r.verified(w)
}

// unavailable returns the number of 503 answers in the history.
func (w *World) unavailable() int {
	count := 0
	for _, op := range w.History.Ops() {
		if op.Status == http.StatusServiceUnavailable {
			count++
		}
	}
	return count
}

// lock runs a statement in a transaction that stays open and returns a function
// that ends it.
func (w *World) lock(statement string) (unlock func()) {
	w.TB.Helper()
	connection, err := pgx.Connect(w.TB.Context(), w.Database)
	if err != nil {
		w.TB.Fatal(err)
	}
	for _, step := range []string{"BEGIN", statement} {
		if _, err := connection.Exec(w.TB.Context(), step); err != nil {
			w.TB.Fatal(err)
		}
	}
	return sync.OnceFunc(func() { _ = connection.Close(context.Background()) })
}

func lockedRefresh(r *Run) {
	w := r.Start(Setup{Instances: 2})
	const sessions = 6
	grants := make([]*Grant, sessions)
	clients := make([]*Client, sessions)
	for number := range grants {
		clients[number] = w.Client(number)
		grants[number] = clients[number].session(r, Web)
	}
	unlock := w.lock("LOCK TABLE oauth_refresh_tokens IN ACCESS EXCLUSIVE MODE")
	var running sync.WaitGroup
	revoked := make([]bool, sessions)
	for number, grant := range grants {
		running.Go(func() {
			c := clients[number]
			first := c.Refresh(r.Context(), grant, grant.Refresh)
			for tries := 0; first.Status != http.StatusOK && first.Error != "invalid_grant" && tries < 100; tries++ {
				pause(r.Context(), time.Second)
				first = c.Refresh(r.Context(), grant, grant.Refresh)
			}
			revoked[number] = first.Status != http.StatusOK
		})
	}
	pause(r.Context(), r.seconds(2, 35))
	unlock()
	running.Wait()
	lost := 0
	for _, yes := range revoked {
		if yes {
			lost++
		}
	}
	r.None("sessions revoked of 6", lost, "6")
	w.Allowed.NoAnswer = true
	r.verified(w)
}

func hangingHook(r *Run) {
	w := r.Start(Setup{})
	client := w.Client(0)
	grant := client.session(r, Web)
	unlock := w.lock("LOCK TABLE idp_users IN ACCESS EXCLUSIVE MODE")
	defer unlock()
	var hooks sync.WaitGroup
	answers := make([]*Op, 20)
	for number := range answers {
		hooks.Go(func() { answers[number] = client.Introspect(r.Context(), grant, grant.Access) })
	}
	var longest time.Duration
	for begun := time.Now(); time.Since(begun) < r.seconds(7, 10); pause(r.Context(), 50*time.Millisecond) {
		issued := client.Issue(r.Context())
		longest = max(longest, issued.End-issued.Start)
	}
	unlock()
	hooks.Wait()
	unavailable, slowest := 0, time.Duration(0)
	for _, answer := range answers {
		slowest = max(slowest, answer.End-answer.Start)
		if answer.Status == http.StatusServiceUnavailable {
			unavailable++
		}
	}
	r.AtLeast("introspections answered 503 of 20", float64(unavailable), "", 20, "0")
	r.AtMost("longest of them", slowest.Seconds(), "s", 6.5, "the lock")
	r.AtMost("longest wait for a token of an application", longest.Seconds(), "s", 6.5, "the lock")
	r.AtMost("normal again", w.Heal(time.Now(), time.Minute).Seconds(), "s", 2, "")
	r.verified(w)
}

// session signs in and returns the credentials of the application.
func (c *Client) session(r *Run, clientID string) *Grant {
	r.Helper()
	grant := c.Authorize(r.Context(), clientID)
	if grant == nil {
		r.Fatal("got no code, want one")
	}
	redeemed := c.Redeem(r.Context(), grant)
	if redeemed.Status != http.StatusOK {
		r.Fatalf("redeeming: got %d %s", redeemed.Status, redeemed.Error)
	}
	grant.Access, grant.Refresh = redeemed.Access, redeemed.Refresh
	return grant
}

func loseReplies(r *Run) {
	w := r.Start(Setup{Instances: 2, Proxied: true})
	w.Proxy.LoseReplies(func(statement string) bool {
		upper := strings.ToUpper(statement)
		writes := strings.Contains(upper, "INSERT") || strings.Contains(upper, "UPDATE") || upper == "COMMIT"
		return writes && rand.IntN(20) == 0
	})
	storm := w.Storm(8)
	pause(r.Context(), r.seconds(2, 15))
	w.Proxy.LoseReplies(nil)
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	r.Tell("replies lost", float64(w.Proxy.Lost()), "", "1 154")
	r.AtMost("normal again", healed.Seconds(), "s", 2, "")
	r.verified(w)
}

func isolation(level string) func(r *Run) {
	return func(r *Run) {
		w := r.Start(Setup{Instances: 2})
		name := w.name()
		w.Exec("ALTER DATABASE " + name + " SET default_transaction_isolation = '" + level + "'")
		w.Exec(othersSQL)
		w.Heal(time.Now(), time.Minute)
		winners, successors, refused := raced(r, w)
		r.None("codes without exactly one winner", winners, "0")
		r.None("refresh tokens without exactly one successor", successors, "")
		r.AtMost("losers with another answer than invalid_grant", float64(refused), "", 0, "228 of 1 260")
		storm := w.Storm(8)
		pause(r.Context(), r.seconds(2, 10))
		storm.End()
		r.AtMost("answers of 503", float64(w.unavailable()), "", 0, "251")
		r.verified(w)
		if _, err := w.Instances[0].Stop(syscall.SIGTERM, time.Minute); err != nil {
			r.Fatal(err)
		}
		refusedStart := 0
		if err := w.Instances[0].Start(); err != nil || w.Instances[0].Await(30*time.Second) != nil {
			refusedStart = 1
		}
		r.AtMost("starts refused", float64(refusedStart), "", 0, "1 (E005)")
	}
}

func lockedRows(r *Run) {
	w := r.Start(Setup{Instances: 2})
	name := w.name()
	for _, setting := range []string{"lock_timeout = '100ms'", "statement_timeout = '200ms'"} {
		w.Exec("ALTER DATABASE " + name + " SET " + setting)
	}
	w.Exec(othersSQL)
	w.Heal(time.Now(), time.Minute)
	storm := w.Storm(8)
	for begun := time.Now(); time.Since(begun) < r.seconds(2, 10); {
		unlock := w.lock("SELECT id FROM oauth_authorizations ORDER BY random() LIMIT 50 FOR UPDATE SKIP LOCKED")
		pause(r.Context(), 300*time.Millisecond)
		unlock()
	}
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	r.AtMost("normal again", healed.Seconds(), "s", 2, "1.1 s")
	r.verified(w)
}

func exhausted(r *Run) {
	r.lab.server.Restart(r, "fast", "max_connections=30")
	defer r.lab.server.Restart(r, "fast", "max_connections=300")
	w := r.Start(Setup{})
	storm := w.Storm(8)
	pause(r.Context(), time.Second)
	w.Exec(othersSQL)
	var taken []*pgx.Conn
	for begun := time.Now(); time.Since(begun) < r.seconds(2, 10); {
		connection, err := pgx.Connect(r.Context(), w.Server.URL)
		if err != nil {
			pause(r.Context(), 20*time.Millisecond)
			continue
		}
		taken = append(taken, connection)
	}
	for _, connection := range taken {
		_ = connection.Close(r.Context())
	}
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	r.Tell("connections taken by others", float64(len(taken)), "", "")
	r.AtMost("normal again", healed.Seconds(), "s", 2, "0")
	r.verified(w)
}

func readOnly(r *Run) {
	w := r.Start(Setup{})
	name := w.name()
	client := w.Client(0)
	grant := client.session(r, Web)
	w.Exec("ALTER DATABASE " + name + " SET default_transaction_read_only = on")
	w.Exec(othersSQL)
	writes, reads := 0, 0
	for begun := time.Now(); time.Since(begun) < r.seconds(1, 3); pause(r.Context(), 20*time.Millisecond) {
		if client.Issue(r.Context()).Status != http.StatusServiceUnavailable {
			writes++
		}
		if !client.Introspect(r.Context(), grant, grant.Access).Active {
			reads++
		}
	}
	w.execOn(w.Server.URL, "ALTER DATABASE "+name+" RESET default_transaction_read_only")
	begun, unavailable := time.Now(), 0
	var last time.Duration
	for time.Since(begun) < r.seconds(2, 12) {
		if client.Issue(r.Context()).Status != http.StatusOK {
			unavailable, last = unavailable+1, time.Since(begun)
		}
		pause(r.Context(), 10*time.Millisecond)
	}
	r.AtMost("writes not answered 503 while it is read-only", float64(writes), "", 1, "0")
	r.AtMost("reads not answered while it is read-only", float64(reads), "", 1, "0")
	r.AtMost("answers of 503 in the 12 s after it is writable", float64(unavailable), "", 20, "816")
	r.AtMost("last 503 after", last.Seconds(), "s", 2, "1 h")
	r.verified(w)
}
