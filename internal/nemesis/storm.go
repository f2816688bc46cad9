package nemesis

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Storm is a number of virtual clients that send all kinds of requests until it
// is stopped.
type Storm struct {
	world   *World
	ending  atomic.Bool
	workers sync.WaitGroup
}

// Storm starts clients, distributed over the instances. [Storm.End] stops them.
func (w *World) Storm(clients int) *Storm {
	s := &Storm{world: w}
	for number := range clients {
		s.workers.Go(func() {
			client := w.Client(number)
			defer client.Close()
			for random := rand.New(rand.NewPCG(1, uint64(number))); !s.ending.Load(); {
				s.flow(w.TB.Context(), client, random)
				if ops := w.History.Ops(); len(ops) > 0 && ops[len(ops)-1].Status == 0 {
					pause(w.TB.Context(), 20*time.Millisecond) // an instance is down
				}
			}
		})
	}
	return s
}

// End waits until each client has finished its current request.
func (s *Storm) End() {
	s.ending.Store(true)
	s.workers.Wait()
}

// flow runs the life of one family.
func (s *Storm) flow(ctx context.Context, c *Client, random *rand.Rand) {
	switch choice := random.IntN(10); {
	case choice < 3:
		s.machine(ctx, c, random)
	case choice < 4:
		c.Read(ctx, "/o/.well-known/openid-configuration")
		c.Read(ctx, "/o/.well-known/jwks.json")
	default:
		clients := []string{Web, Trusted, Native}
		s.person(ctx, c, random, clients[random.IntN(len(clients))])
	}
}

// machine gets a token, introspects it, and sometimes revokes it.
func (s *Storm) machine(ctx context.Context, c *Client, random *rand.Rand) {
	issued := c.Issue(ctx)
	if issued.Status != 200 {
		return
	}
	grant := c.GrantOf(issued)
	other := c.On(c.instance + 1)
	other.Introspect(ctx, grant, grant.Access)
	if random.IntN(2) == 0 {
		c.Revoke(ctx, grant, grant.Access)
		other.Introspect(ctx, grant, grant.Access)
	}
}

// person signs in, and the application redeems the code, refreshes, and sometimes
// revokes or replays it.
func (s *Storm) person(ctx context.Context, c *Client, random *rand.Rand, clientID string) {
	grant := c.Authorize(ctx, clientID)
	if grant == nil {
		return
	}
	other := c.On(c.instance + 1)
	if random.IntN(8) == 0 { // two concurrently, on two instances
		s.both(func() { c.Redeem(ctx, grant) }, func() { other.Redeem(ctx, grant) })
		return
	}
	redeemed := c.Redeem(ctx, grant)
	if redeemed.Status != 200 {
		return
	}
	grant.Access, grant.Refresh = redeemed.Access, redeemed.Refresh
	for range random.IntN(4) {
		if !s.refresh(ctx, c, other, random, grant) {
			return
		}
	}
	other.Introspect(ctx, grant, grant.Access)
	switch random.IntN(6) {
	case 0:
		c.Revoke(ctx, grant, grant.Refresh)
	case 1:
		c.Revoke(ctx, grant, grant.Access)
	case 2:
		c.Redeem(ctx, grant) // a replay, which revokes the family
	default:
		return
	}
	other.Introspect(ctx, grant, grant.Access)
	other.Refresh(ctx, grant, grant.Refresh)
}

// refresh redeems the next refresh token. It retries once without an answer, like
// clients do.
func (s *Storm) refresh(ctx context.Context, c, other *Client, random *rand.Rand, grant *Grant) bool {
	var first, second *Op
	if random.IntN(4) == 0 {
		s.both(func() { first = c.Refresh(ctx, grant, grant.Refresh) }, func() { second = other.Refresh(ctx, grant, grant.Refresh) })
	} else {
		first = c.Refresh(ctx, grant, grant.Refresh)
	}
	if first.Status != 200 && second == nil {
		second = other.Refresh(ctx, grant, grant.Refresh)
	}
	for _, answer := range []*Op{first, second} {
		if answer != nil && answer.Status == 200 {
			grant.Access, grant.Refresh = answer.Access, answer.Refresh
			return true
		}
	}
	return false
}

func (s *Storm) both(first, second func()) {
	var pair sync.WaitGroup
	pair.Go(first)
	second()
	pair.Wait()
}

// Sweep introspects the last access token of every family again, to detect lost
// tokens and lost revocations.
func (w *World) Sweep() {
	w.TB.Helper()
	last := map[int]*Op{}
	for _, op := range w.History.Ops() {
		if op.ok() && op.Access != "" {
			last[op.Family] = op
		}
	}
	work := make(chan *Op)
	var workers sync.WaitGroup
	for number := range 4 {
		workers.Go(func() {
			client := w.Client(number)
			defer client.Close()
			for op := range work {
				client.Introspect(w.TB.Context(), client.GrantOf(op), op.Access)
			}
		})
	}
	for _, op := range last {
		work <- op
	}
	close(work)
	workers.Wait()
}

// Verify sweeps and fails the test for every violation in the history or the
// database. It returns the number of requests and of violations.
func (w *World) Verify() (requests, broken int) {
	w.TB.Helper()
	w.Sweep()
	ops := w.History.Ops()
	violations := Check(ops, w.Allowed)
	for number, violation := range violations {
		if number == 10 {
			w.TB.Errorf("and %d more", len(violations)-number)
			break
		}
		w.TB.Error(violation)
	}
	rows := w.CheckRows()
	for _, violation := range rows {
		w.TB.Error(violation)
	}
	return len(ops), len(violations) + len(rows)
}
