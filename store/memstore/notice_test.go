package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// courier is a receiver of notices whose deliveries a test decides.
type courier struct {
	mutex     sync.Mutex
	deliver   func(ctx context.Context, notice *oauthkit.Notice) error
	delivered []oauthkit.Notice
}

func (c *courier) Extend(registry *oauthkit.Registry) error {
	registry.NoticeReceiver(c)
	return nil
}

func (c *courier) NoticeReceiver() string { return "courier" }

func (c *courier) Deliver(ctx context.Context, notice *oauthkit.Notice) error {
	err := c.deliver(ctx, notice)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err == nil {
		c.delivered = append(c.delivered, *notice)
	}
	return err
}

func (c *courier) clients() (clients []string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, notice := range c.delivered {
		clients = append(clients, notice.ClientID)
	}
	return clients
}

// post is a provider with a courier and a clock that a test moves.
type post struct {
	*testing.T
	*courier
	store    *memstore.Store
	provider *oauthkit.Provider
	mutex    sync.Mutex
	now      time.Time
	events   []oauthkit.Event
}

// newPost returns a provider on a store, as one of several instances.
func newPost(t *testing.T, store *memstore.Store, deliver func(context.Context, *oauthkit.Notice) error) *post {
	t.Helper()
	p := &post{T: t, store: store, courier: &courier{deliver: deliver}, now: time.Date(2026, time.March, 29, 0, 0, 0, 0, time.UTC)}
	var err error
	p.provider, err = oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Extensions: []oauthkit.Extension{p.courier}, Now: p.clock,
		Observe: func(_ context.Context, event oauthkit.Event) {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.events = append(p.events, event)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *post) clock() time.Time {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.now
}

func (p *post) pass(duration time.Duration) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.now = p.now.Add(duration)
}

// endSession ends a new session of a new user at these applications.
func (p *post) endSession(subject string, clients ...string) {
	p.Helper()
	user := &oauthkit.User{Subject: subject, SessionID: "session of " + subject}
	for _, client := range clients {
		authorization := &oauthkit.Authorization{
			ID: subject + client, ClientID: client, Subject: subject, SessionID: p.provider.SessionID(user),
			CreatedAt: p.clock(), ExpiresAt: p.clock().Add(time.Hour),
		}
		access := &oauthkit.AccessToken{Hash: subject + client, Authorization: authorization, ExpiresAt: authorization.ExpiresAt}
		if err := p.store.SaveTokens(p.Context(), authorization, oauthkit.Tokens{Access: access}); err != nil {
			p.Fatal(err)
		}
	}
	ended, err := p.provider.EndSession(p.Context(), oauthkit.Session{Subject: subject, ID: p.provider.SessionID(user)})
	if err != nil || len(ended) != len(clients) {
		p.Fatalf("EndSession: got %q, %v, want %d applications", ended, err, len(clients))
	}
}

func (p *post) round() {
	p.Helper()
	if err := p.provider.DeliverNotices(p.Context()); err != nil {
		p.Fatal(err)
	}
}

// count returns how many events have the name.
func (p *post) count(name string) (events int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, event := range p.events {
		if oauthkit.EventName(event) == name {
			events++
		}
	}
	return events
}

// TestReceiverIsDown shows that a notice arrives after a receiver was down for ten
// minutes, once.
func TestReceiverIsDown(t *testing.T) {
	var p *post
	down := true
	p = newPost(t, memstore.New(), func(context.Context, *oauthkit.Notice) error {
		if down {
			return errors.New("down")
		}
		return nil
	})
	p.endSession("alice", "web")
	for range 60 {
		p.round()
		p.pass(10 * time.Second)
	}
	failed := p.count("notice.failed")
	if failed < 4 || failed > 8 || len(p.clients()) != 0 {
		t.Errorf("got %d failures in ten minutes, want one each 10, 20, 40 … seconds", failed)
	}
	down = false
	for range 70 {
		p.round()
		p.pass(10 * time.Second)
	}
	if got := p.clients(); !slices.Equal(got, []string{"web"}) || p.count("notice.delivered") != 1 {
		t.Errorf("got deliveries to %q, want one", got)
	}
}

// TestNoticeAbandoned shows that a notice is given up after a day, or at once.
func TestNoticeAbandoned(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		attempts int // at least
	}{
		"after a day":     {errors.New("down"), 20},
		"asked for later": {oauthkit.DeliverLater(100*24*time.Hour, errors.New("later")), 2},
		"refused":         {oauthkit.DeliverNever(errors.New("refused")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, memstore.New(), func(context.Context, *oauthkit.Notice) error { return test.err })
			p.endSession("alice", "web")
			for range 26 * 6 {
				p.round()
				p.pass(10 * time.Minute)
			}
			failed, abandoned := p.count("notice.failed"), p.count("notice.abandoned")
			if failed+1 < test.attempts || abandoned != 1 || test.attempts == 1 && failed > 0 {
				t.Errorf("got %d failures and %d abandoned, want at least %d attempts and one abandoned", failed, abandoned, test.attempts)
			}
		})
	}
}

// TestInstanceIsKilled shows that another instance delivers what an instance claimed that
// was killed, once the lease has ended.
func TestInstanceIsKilled(t *testing.T) {
	store := memstore.New()
	killed := newPost(t, store, nil)
	killed.endSession("alice", "web")
	claimed, err := store.ClaimNotices(t.Context(), oauthkit.NoticeClaim{
		Receiver: "courier", Now: killed.clock(), Until: killed.clock().Add(time.Minute), Limit: 8,
	})
	if err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	other := newPost(t, store, func(context.Context, *oauthkit.Notice) error { return nil })
	other.round()
	if got := other.clients(); len(got) != 0 {
		t.Errorf("during the lease: got deliveries to %q, want none", got)
	}
	other.pass(time.Minute)
	other.round()
	if got := other.clients(); !slices.Equal(got, []string{"web"}) {
		t.Errorf("after the lease: got deliveries to %q, want one", got)
	}
}

// TestSlowApplications shows that seven applications of which each delivery hangs do not
// keep the notices of another one back.
func TestSlowApplications(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan struct{})
	p := newPost(t, memstore.New(), func(ctx context.Context, notice *oauthkit.Notice) error {
		switch notice.ClientID {
		case "fast":
			close(arrived)
			return nil
		default:
			<-ctx.Done()
			return ctx.Err()
		}
	})
	for _, user := range []string{"alice", "bob", "carol"} {
		p.endSession(user, "slow1", "slow2", "slow3", "slow4", "slow5", "slow6", "slow7")
	}
	p.pass(time.Second)
	p.endSession("dave", "fast")
	var rounds sync.WaitGroup
	defer rounds.Wait()
	defer cancel()
	rounds.Go(func() { _ = oauthkit.Run(ctx, p.provider, oauthkit.RunConfig{}) })
	select {
	case <-arrived:
	case <-time.After(5 * time.Second):
		t.Error("the notice of the fast application did not arrive")
	}
}

// TestSlowBacklog shows that many notices of one application that answers slowly, and
// the first ones of many applications that hang, do not keep the notice of another one
// back.
func TestSlowBacklog(t *testing.T) {
	for name, clients := range map[string]int{"one application": 1, "twelve applications": 12} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			arrived := make(chan struct{})
			p := newPost(t, memstore.New(), func(ctx context.Context, notice *oauthkit.Notice) error {
				if notice.ClientID == "fast" {
					close(arrived)
					return nil
				}
				select {
				case <-time.After(4 * time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			for i := range 200 / clients {
				var slow []string
				for j := range clients {
					slow = append(slow, fmt.Sprintf("slow%d", j))
				}
				p.endSession(fmt.Sprintf("user%d", i), slow...)
			}
			p.pass(time.Second)
			p.endSession("dave", "fast")
			var rounds sync.WaitGroup
			defer rounds.Wait()
			defer cancel()
			start := time.Now()
			rounds.Go(func() { _ = oauthkit.Run(ctx, p.provider, oauthkit.RunConfig{Interval: time.Second}) })
			select {
			case <-arrived:
				t.Logf("after %s", time.Since(start))
			case <-time.After(3 * time.Second):
				t.Error("the notice of the fast application did not arrive")
			}
		})
	}
}

// failingNotices is a store whose notices cannot be postponed.
type failingNotices struct {
	*memstore.Store
	postpone func(context.Context) error
	calls    atomic.Int32
}

func (s *failingNotices) PostponeNotice(ctx context.Context, _ string, _ int, _ time.Time) error {
	s.calls.Add(1)
	return s.postpone(ctx)
}

// TestRunEndsWithFailingStore shows that Run waits for a store that hangs or panics once
// for each running delivery, and not for each notice.
func TestRunEndsWithFailingStore(t *testing.T) {
	for name, postpone := range map[string]func(context.Context) error{
		"hangs":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"panics": func(context.Context) error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := newPost(t, memstore.New(), func(ctx context.Context, _ *oauthkit.Notice) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			})
			store := &failingNotices{Store: p.store, postpone: postpone}
			provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
				Extensions: []oauthkit.Extension{p.courier}, Now: p.clock, Timeout: 50 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				p.endSession(fmt.Sprintf("user%d", i), "web")
			}
			if err := oauthkit.Run(ctx, provider, oauthkit.RunConfig{Interval: 10 * time.Millisecond}); err != nil {
				t.Error(err)
			}
			if calls := store.calls.Load(); calls < 1 || calls > 4 {
				t.Errorf("got %d calls of the store, want one for each running delivery and one more", calls)
			}
		})
	}
}

// TestRunDeliversAtOnce shows that Run does not wait for its interval, and that notices
// that were not delivered when it ends are due at once.
func TestRunDeliversAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan string, 8)
	p := newPost(t, memstore.New(), func(ctx context.Context, notice *oauthkit.Notice) error {
		arrived <- notice.Subject
		if notice.Subject == "bob" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	var rounds sync.WaitGroup
	rounds.Go(func() { _ = oauthkit.Run(ctx, p.provider, oauthkit.RunConfig{Interval: 24 * time.Hour}) })
	for _, user := range []string{"alice", "bob"} {
		p.endSession(user, "web")
		select {
		case got := <-arrived:
			if got != user {
				t.Errorf("got a notice about %s, want %s", got, user)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("no notice arrived")
		}
	}
	cancel()
	rounds.Wait()
	left, err := p.store.ClaimNotices(t.Context(), oauthkit.NoticeClaim{Receiver: "courier", Now: p.clock(), Until: p.clock(), Limit: 8})
	if err != nil || len(left) != 1 || left[0].Subject != "bob" {
		t.Errorf("got %v, %v, want the notice about bob", left, err)
	}
}

// TestNoticeReceivers shows which receivers are refused.
func TestNoticeReceivers(t *testing.T) {
	one := &courier{}
	if _, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{Extensions: []oauthkit.Extension{one, one}}); err == nil {
		t.Error("got no error for two receivers with one name")
	}
	less := struct{ oauthkit.Store }{memstore.New()}
	if _, err := oauthkit.New("https://as.test/o", less, oauthkit.Config{Extensions: []oauthkit.Extension{one}}); err == nil {
		t.Error("got no error for a store without notices")
	}
	if _, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{Logout: "some"}); err == nil {
		t.Error("got no error for an unknown LogoutPolicy")
	}
}
