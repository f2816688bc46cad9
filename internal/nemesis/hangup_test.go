//go:build linux || darwin

package nemesis

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

var hangUpCases = []Case{
	{
		Name: "RL-33 strangers hang up", Run: strangersHangUp,
		Fault: "8 clients get tokens during 300 anonymous authorization requests per second that hang up within 8 ms, or stay",
	}, {
		Name: "RL-33 a revocation is sent and the connection closed", Short: true, Run: fireAndForget,
		Fault: "POST /revoke_token and close the connection, or close the client's half and wait for the answer",
	}, {
		Name: "RL-33 a replay hangs up", Short: true, Run: replayHangsUp,
		Fault: "a used code is sent again and the connection is closed within 4 ms",
	}, {
		Name: "RL-11 answers do not reach the client", Run: clientsHangUp,
		Fault: "clients close the connection within 10 ms of redeeming or refreshing, and retry",
	},
}

func strangersHangUp(r *Run) {
	w := r.Start(Setup{})
	honest, strangers := w.TokenLoad(0), w.AnonymousLoad(0)
	sessions := func() int {
		return w.Number("SELECT sessions FROM pg_stat_database WHERE datname = current_database()")
	}
	beside := func(strange func(ctx context.Context)) (*Stats, int) {
		ctx, cancel := context.WithTimeout(r.Context(), r.seconds(2, 7))
		defer cancel()
		before := sessions()
		var others sync.WaitGroup
		others.Go(func() { strange(ctx) })
		stats := honest.Closed(ctx, 8)
		others.Wait()
		pause(r.Context(), time.Second) // the server writes its statistics once a second
		return stats, sessions() - before
	}
	beside(func(context.Context) {}) // warm-up
	alone, _ := beside(func(context.Context) {})
	staying, opened := beside(func(ctx context.Context) { strangers.HangUp(ctx, 300, 0) })
	hanging, openedByHangUps := beside(func(ctx context.Context) { strangers.HangUp(ctx, 300, 8*time.Millisecond) })
	r.Tell("tokens a second, alone", alone.Rate(), "", "3 649")
	r.Tell("beside 300/s that stay", staying.Rate(), "", "3 046")
	r.Tell("beside 300/s that hang up", hanging.Rate(), "", "383")
	r.AtLeast("hanging up in percent of staying", 100*hanging.Rate()/staying.Rate(), "%", 95, "13 %")
	r.Tell("connections opened beside those that stay", float64(opened), "", "4")
	r.AtMost("connections opened beside those that hang up", float64(openedByHangUps), "", float64(opened+4), "1 625")
	r.None("honest requests without an answer", hanging.Sent-hanging.OK, "")
}

// fireAndForget sends a revocation and closes the connection after some time,
// completely or by half.
func fireAndForget(r *Run) {
	w := r.Start(Setup{})
	client := w.Client(0)
	address := w.Instances[0].address
	prepare := func() (*Grant, []byte) {
		issued := client.Issue(r.Context())
		grant := client.GrantOf(issued)
		return grant, prepareForm(address, "/o/revoke_token", Machine, url.Values{"token": {grant.Access}})
	}
	client.Unrecorded = true
	for _, way := range []struct {
		name   string
		wait   time.Duration
		before string
	}{
		{"closed at once", 0, "47 of 60"},
		{"closed after 0 to 2 ms", 2 * time.Millisecond, "45 of 60"},
		{"closed after 2 to 5 ms", 5 * time.Millisecond, "5 of 60"},
	} {
		var grants []*Grant
		for number := range r.times(20, 60) {
			grant, request := prepare()
			connection, err := dial(address, patience)
			if err != nil {
				r.Fatal(err)
			}
			if _, err := connection.connection.Write(request); err != nil {
				r.Fatal(err)
			}
			pause(r.Context(), way.wait*time.Duration(number%5)/5)
			connection.close()
			grants = append(grants, grant)
		}
		r.None(way.name+": still active", stillActive(r, client, grants), way.before)
	}
	var grants []*Grant
	refused := 0
	for range r.times(20, 40) {
		grant, request := prepare()
		if !halfClosed(r, address, request) {
			refused++
		}
		grants = append(grants, grant)
	}
	r.None("half-closed: not answered 200", refused, "38 of 40")
	r.None("half-closed: still active", stillActive(r, client, grants), "36 of 40")
}

// stillActive returns the number of tokens that stay active although a request that
// no client waits for revoked them. It gives those requests time to finish.
func stillActive(r *Run, client *Client, grants []*Grant) int {
	r.Helper()
	for begun := time.Now(); ; pause(r.Context(), 100*time.Millisecond) {
		active := 0
		for _, grant := range grants {
			if client.Introspect(r.Context(), grant, grant.Access).Active {
				active++
			}
		}
		if active == 0 || time.Since(begun) > 10*time.Second {
			return active
		}
	}
}

// halfClosed sends a request, closes its half of the connection, and reports whether
// the answer is 200.
func halfClosed(r *Run, address string, request []byte) bool {
	r.Helper()
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		r.Fatal(err)
	}
	defer connection.Close()
	_, err = connection.Write(request)
	if err == nil {
		err = connection.(*net.TCPConn).CloseWrite()
	}
	if err == nil {
		err = connection.SetReadDeadline(time.Now().Add(patience))
	}
	if err != nil {
		r.Fatal(err)
	}
	got, err := (&wire{connection: connection, reader: bufio.NewReader(connection)}).receive()
	return err == nil && got.status == http.StatusOK
}

func replayHangsUp(r *Run) {
	w := r.Start(Setup{})
	client := w.Client(0)
	address := w.Instances[0].address
	var grants []*Grant
	for number := range r.times(20, 100) {
		grant := client.session(r, Trusted)
		request := prepareForm(address, "/o/token", Trusted, url.Values{
			"grant_type": {"authorization_code"}, "code": {grant.Code}, "redirect_uri": {callback}, "code_verifier": {grant.Verifier},
		})
		connection, err := dial(address, patience)
		if err != nil {
			r.Fatal(err)
		}
		if _, err := connection.connection.Write(request); err != nil {
			r.Fatal(err)
		}
		pause(r.Context(), time.Duration(number%5)*time.Millisecond)
		connection.close()
		grants = append(grants, grant)
	}
	client.Unrecorded = true
	r.None("families alive after a replay", stillActive(r, client, grants), "58 of 100")
}

func clientsHangUp(r *Run) {
	w := r.Start(Setup{Instances: 2})
	var running sync.WaitGroup
	for number := range 4 {
		running.Go(func() {
			client := w.Client(number)
			defer client.Close()
			for step := range r.times(10, 100) {
				hangUpOnce(r.Context(), client, time.Duration(step%10+1)*time.Millisecond)
			}
		})
	}
	running.Wait()
	descriptors := w.Instances[0].Descriptors()
	r.AtMost("descriptors open afterwards", float64(descriptors), "", 60, "21")
	r.verified(w)
}

// hangUpOnce redeems a code and refreshes, each first on a connection that is closed
// after some time.
func hangUpOnce(ctx context.Context, client *Client, after time.Duration) {
	grant := client.Authorize(ctx, Trusted)
	if grant == nil {
		return
	}
	impatient := func(do func(ctx context.Context) *Op) *Op {
		limited, cancel := context.WithTimeout(ctx, after)
		defer cancel()
		return do(limited)
	}
	redeemed := impatient(func(ctx context.Context) *Op { return client.Redeem(ctx, grant) })
	if redeemed.Status != http.StatusOK {
		client.Redeem(ctx, grant) // the code may be used already, which then revokes the family
		return
	}
	grant.Access, grant.Refresh = redeemed.Access, redeemed.Refresh
	impatient(func(ctx context.Context) *Op { return client.Refresh(ctx, grant, grant.Refresh) })
	again := client.Refresh(ctx, grant, grant.Refresh) // succeeds whether or not the first one did
	client.Introspect(ctx, grant, again.Access)
}
