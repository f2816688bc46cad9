//go:build linux || darwin

package nemesis

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

var endingCases = []Case{
	{
		Name: "RL-47 an application is disabled while it gets tokens", Run: end("applications", "set", "-disabled", Trusted),
		Fault: "idp applications set -disabled for an application with 200 000 Authorizations while 8 clients get tokens for it",
	}, {
		Name: "RL-48 an application is deleted while it gets tokens", Run: end("applications", "delete", Trusted),
		Fault: "the same with idp applications delete",
	}, {
		Name: "RL-49 a user with many Authorizations is revoked", Run: end("revoke", "-user", "user0"),
		Fault: "idp revoke -user for a user with 200 000 Authorizations while 8 clients get tokens",
	}, {
		Name: "RL-26 expired rows are removed while tokens are issued", Run: clean(false),
		Fault: "idp cleartokens with 200 000 expired tokens and 8 clients",
	}, {
		Name: "RL-27 the removal of expired rows is killed", Run: clean(true),
		Fault: "the same, killed while it runs, then twice concurrently",
	}, {
		Name: "RL-13 everything is ended at once", Run: deadlock,
		Fault: "users and applications are revoked and expired rows deleted repeatedly, with 8 clients",
	},
}

// fillSQL inserts Authorizations of the application Trusted and the user user0,
// copied from an existing one.
const fillSQL = `INSERT INTO oauth_authorizations
	SELECT (jsonb_populate_record(NULL::oauth_authorizations, old.row || jsonb_build_object('id', 'filled-' || i))).*
	FROM (SELECT to_jsonb(a) AS row FROM oauth_authorizations AS a WHERE client_id = 'trusted' AND subject = 'user0' LIMIT 1) AS old,
		generate_series(1, %d) AS i`

// fillTokensSQL inserts an access token for each of them.
const fillTokensSQL = `INSERT INTO oauth_access_tokens
	SELECT (jsonb_populate_record(NULL::oauth_access_tokens,
		old.row || jsonb_build_object('hash', 'filled-' || i, 'authorization_id', 'filled-' || i%s))).*
	FROM (SELECT to_jsonb(token) AS row FROM oauth_access_tokens AS token
		JOIN oauth_authorizations AS a ON a.id = token.authorization_id
		WHERE a.client_id = 'trusted' AND a.subject = 'user0' LIMIT 1) AS old, generate_series(1, %d) AS i`

// fill creates a number of Authorizations of the application Trusted and the
// user user0.
func (w *World) fill(r *Run, rows int, more string) {
	r.Helper()
	client := w.Client(0)
	defer client.Close()
	client.session(r, Trusted)
	w.Exec(fmt.Sprintf(fillSQL, rows))
	w.Exec(fmt.Sprintf(fillTokensSQL, more, rows))
	w.Exec("ANALYZE oauth_authorizations, oauth_access_tokens")
}

// end runs a command that revokes everything of an application or a user while
// sessions start. After the command has returned, no earlier credential may be valid.
func end(command ...string) func(r *Run) {
	return func(r *Run) {
		w := r.Start(Setup{Instances: 2})
		w.fill(r, r.times(20_000, 200_000), "")
		isUser, before := command[0] == "revoke", "906 of 988"
		if isUser {
			before = "115 of 420"
		}
		ctx, cancel := context.WithCancel(r.Context())
		var running sync.WaitGroup
		var lastMark func() time.Time
		if isUser {
			lastMark = w.watchMark(ctx, r, "user:"+command[len(command)-1])
		}
		sessions := w.startSessions(ctx, &running)
		pause(ctx, time.Second)
		foreground := w.TokenLoad(0)
		var stats *Stats
		running.Go(func() { stats = foreground.Closed(ctx, 2) })
		begun := time.Now()
		w.operate(r, command...)
		took := time.Since(begun)
		pause(ctx, time.Second)
		cancel()
		running.Wait()
		grants := sessions()
		if isUser {
			// After the revocation a user may get new credentials, but an application
			// may not. The program exits a moment after the revocation, so the mark
			// is the reference.
			last := lastMark()
			grants = slices.DeleteFunc(grants, func(grant *Grant) bool { return grant.issued.After(last) })
		}
		client := w.Client(0)
		defer client.Close()
		client.Unrecorded = true
		active := 0
		for _, grant := range grants {
			if client.Introspect(r.Context(), grant, grant.Access).Active {
				active++
			}
		}
		rows := w.Number("SELECT count(*) FROM oauth_authorizations WHERE id LIKE 'filled-%' AND revoked_at IS NULL AND expires_at > now()")
		if command[0] == "applications" && command[1] == "set" {
			r.None("works again after enabling", w.enable(r, client, grants), "906 of 988")
		}
		r.Tell("tokens issued beside it", float64(len(grants)), "", "")
		r.None("tokens alive after it returned", active, before)
		r.AtMost("rows that it left", float64(rows), "", 0, "")
		r.Tell("it took", took.Seconds(), "s", "31 s")
		longest := stats.Quantile(1)
		r.AtMost("longest wait for a token of another application", longest.Seconds(), "s", 1, "0.82 s")
		r.None("of those not answered 200", stats.Sent-stats.OK, "0")
	}
}

// startSessions starts clients that sign the user user0 in to the application Trusted
// until ctx ends. The returned function returns their credentials; call it after
// running has finished.
func (w *World) startSessions(ctx context.Context, running *sync.WaitGroup) func() []*Grant {
	var mutex sync.Mutex
	var grants []*Grant
	for number := range 8 {
		running.Go(func() {
			client := w.Client(number * len(w.Users)) // the user is always user0
			client.instance, client.Unrecorded = number%2, true
			defer client.Close()
			for ctx.Err() == nil {
				grant := client.Authorize(ctx, Trusted)
				if grant == nil {
					pause(ctx, 20*time.Millisecond)
					continue
				}
				if op := client.Redeem(ctx, grant); op.Status == http.StatusOK {
					grant.Access, grant.Refresh, grant.issued = op.Access, op.Refresh, time.Now()
					mutex.Lock()
					grants = append(grants, grant)
					mutex.Unlock()
				}
			}
		})
	}
	return func() []*Grant { return grants }
}

// enable enables the application Trusted again and returns the number of grants that
// are valid then.
func (w *World) enable(r *Run, client *Client, grants []*Grant) (revived int) {
	r.Helper()
	w.operate(r, "applications", "set", "-disabled=false", Trusted)
	for _, grant := range grants {
		if client.Refresh(r.Context(), grant, grant.Refresh).Status == http.StatusOK ||
			client.Introspect(r.Context(), grant, grant.Access).Active {
			revived++
		}
	}
	return revived
}

// watchMark watches the mark of a revocation until ctx ends. The returned function
// waits for that and returns the last time at which the mark was present.
func (w *World) watchMark(ctx context.Context, r *Run, name string) func() time.Time {
	r.Helper()
	connection, err := pgx.Connect(ctx, w.Database)
	if err != nil {
		r.Fatal(err)
	}
	last := make(chan time.Time, 1)
	go func() {
		defer connection.Close(context.WithoutCancel(ctx))
		var seen time.Time
		for ; ctx.Err() == nil; pause(ctx, time.Millisecond) {
			before, marks := time.Now(), 0
			err := connection.QueryRow(ctx, "SELECT count(*) FROM oauth_endings WHERE name = $1", name).Scan(&marks)
			if err == nil && marks > 0 {
				seen = before
			}
		}
		last <- seen
	}()
	return func() time.Time {
		seen := <-last
		if seen.IsZero() {
			r.Errorf("got no mark of %s, want one", name)
		}
		return seen
	}
}

func clean(killed bool) func(r *Run) {
	return func(r *Run) {
		w := r.Start(Setup{})
		w.fill(r, r.times(20_000, 200_000), ", 'expires_at', now() - interval '1 day'")
		storm := w.Storm(8)
		cleaners := 1
		if killed {
			limited, cancel := context.WithTimeout(r.Context(), r.seconds(0.3, 1))
			defer cancel()
			w.runUntil(limited, r.lab.builder.program(r, r.lab.directory), "cleartokens")
			cleaners = 2
		}
		begun := time.Now()
		var running sync.WaitGroup
		for range cleaners {
			running.Go(func() { w.operate(r, "cleartokens") })
		}
		running.Wait()
		took := time.Since(begun)
		storm.End()
		var longest time.Duration
		for _, op := range w.History.Ops() {
			if op.Kind == Issue {
				longest = max(longest, op.End-op.Start)
			}
		}
		r.None("expired rows left", w.Number("SELECT count(*) FROM oauth_access_tokens WHERE expires_at < now()"), "0")
		r.Tell("it took", took.Seconds(), "s", "14.2 s for 300 000")
		r.AtMost("longest wait for a token", longest.Seconds(), "s", 1, "0.30 s")
		r.verified(w)
	}
}

// operate runs a command of idp that must succeed.
func (w *World) operate(r *Run, args ...string) {
	r.Helper()
	if output, err := w.Run(r.lab.builder.program(r, r.lab.directory), args...); err != nil {
		r.Errorf("%v: %v\n%s", args, err, output)
	}
}

func deadlock(r *Run) {
	w := r.Start(Setup{Instances: 2})
	w.Allowed.Loss = true // sessions are revoked from outside, which the history does not show
	w.Allowed.Ended = true
	storm := w.Storm(8)
	ctx, cancel := context.WithTimeout(r.Context(), r.seconds(3, 15))
	defer cancel()
	var operators sync.WaitGroup
	for _, command := range [][]string{
		{"revoke", "-user", "user0"}, {"revoke", "-user", "user1"}, {"revoke", "-application", Web}, {"cleartokens"},
	} {
		operators.Go(func() {
			for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
				w.operate(r, command...)
			}
		})
	}
	operators.Wait()
	storm.End()
	pause(r.Context(), time.Second) // the server writes its statistics once a second
	r.AtMost("deadlocks", float64(w.Number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")), "", 0, "")
	r.verified(w)
}
