package nemesis

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// Load sends a prepared request to an instance repeatedly.
type Load struct {
	address string
	request []byte
	// Limit is the time after which a client without an answer closes its connection.
	Limit time.Duration
}

// Stats counts the answers to a Load.
type Stats struct {
	Sent, OK, NoAnswer int
	Status             map[int]int
	Bare503            int // without Retry-After
	Elapsed            time.Duration
	slowest            time.Duration   // of all answers
	times              []time.Duration // of successful answers
}

// Rate returns the number of successful answers per second.
func (s *Stats) Rate() float64 { return float64(s.OK) / s.Elapsed.Seconds() }

// Quantile returns the time within which that share of the successful
// answers arrived.
func (s *Stats) Quantile(share float64) time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	slices.Sort(s.times)
	return s.times[min(int(share*float64(len(s.times))), len(s.times)-1)]
}

func (s *Stats) add(other *Stats) {
	s.Sent, s.OK, s.NoAnswer, s.Bare503 = s.Sent+other.Sent, s.OK+other.OK, s.NoAnswer+other.NoAnswer, s.Bare503+other.Bare503
	for status, count := range other.Status {
		s.Status[status] += count
	}
	s.times, s.slowest = append(s.times, other.times...), max(s.slowest, other.slowest)
}

func (s *Stats) count(got answer, err error, took time.Duration) {
	s.Sent++
	switch {
	case err != nil:
		s.NoAnswer++
		return
	case got.status == http.StatusServiceUnavailable && !got.retryAfter:
		s.Bare503++
	}
	s.slowest = max(s.slowest, took)
	if got.status < 400 {
		s.OK++
		s.times = append(s.times, took)
	}
	s.Status[got.status]++
}

func newStats() *Stats { return &Stats{Status: map[int]int{}} }

// TokenLoad requests tokens for the application Machine.
func (w *World) TokenLoad(instance int) *Load {
	address := w.Instances[instance].address
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}
	return &Load{address: address, request: prepareForm(address, "/o/token", Machine, form), Limit: patience}
}

// AnonymousLoad sends authorization requests of browsers without a session.
func (w *World) AnonymousLoad(instance int) *Load {
	address := w.Instances[instance].address
	return &Load{address: address, Limit: patience, request: prepareGet(address, "/o/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {Web}, "redirect_uri": {callback}, "scope": {"read"}, "state": {"s"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(strings.Repeat("v", 43))}, "code_challenge_method": {"S256"},
	}.Encode())}
}

// LoginLoad submits the sign-in form with a wrong password.
func (w *World) LoginLoad(instance int) *Load {
	address := w.Instances[instance].address
	form := url.Values{"username": {w.Users[0]}, "password": {"wrong"}}
	return &Load{address: address, request: prepareForm(address, "/login", "", form), Limit: patience}
}

// Closed keeps a number of connections busy until ctx ends: each sends its next
// request after the previous answer.
func (l *Load) Closed(ctx context.Context, connections int) *Stats {
	var (
		mutex   sync.Mutex
		total   = newStats()
		workers sync.WaitGroup
		begun   = time.Now()
	)
	for range connections {
		workers.Go(func() {
			own := newStats()
			l.keep(ctx, own)
			mutex.Lock()
			defer mutex.Unlock()
			total.add(own)
		})
	}
	workers.Wait()
	total.Elapsed = time.Since(begun)
	return total
}

// keep sends requests on one connection and reopens it when it is closed. Requests
// that ctx interrupts are not counted.
func (l *Load) keep(ctx context.Context, own *Stats) {
	var open *wire
	for ctx.Err() == nil {
		begun := time.Now()
		var got answer
		var err error
		if open == nil {
			open, err = dial(l.address, l.Limit)
		}
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = open.connection.SetDeadline(time.Now().Add(time.Second)) })
			got, err = open.send(l.request, l.Limit)
			stop()
		}
		if err != nil && ctx.Err() != nil {
			break
		}
		own.count(got, err, time.Since(begun))
		if open != nil && (err != nil || got.last) {
			open.close()
			open = nil
		}
		if open == nil && err != nil {
			pause(ctx, 5*time.Millisecond)
		}
	}
	if open != nil {
		open.close()
	}
}

// Open sends requests at a rate per second until ctx ends, whether or not answers
// arrive. Connections are kept alive and reused. A client without an answer within
// Limit closes its connection.
func (l *Load) Open(ctx context.Context, rate float64) *Stats {
	total, mutex, workers := newStats(), sync.Mutex{}, sync.WaitGroup{}
	idle := &pool{address: l.address}
	begun := time.Now()
	paced(ctx, rate, func() {
		workers.Go(func() {
			sent := time.Now()
			got, err := idle.send(l.request, l.Limit)
			mutex.Lock()
			defer mutex.Unlock()
			total.count(got, err, time.Since(sent))
		})
	})
	total.Elapsed = time.Since(begun)
	workers.Wait()
	idle.close()
	return total
}

// HangUp sends requests at a rate per second until ctx ends, each on a new
// connection. Each client closes its connection within the given time. If that is 0,
// it waits for the answer.
func (l *Load) HangUp(ctx context.Context, rate float64, within time.Duration) *Stats {
	total, mutex, workers := newStats(), sync.Mutex{}, sync.WaitGroup{}
	begun := time.Now()
	paced(ctx, rate, func() {
		workers.Go(func() {
			sent, limit := time.Now(), l.Limit
			if within > 0 {
				limit = rand.N(within)
			}
			got, err := once(l.address, l.request, limit)
			mutex.Lock()
			defer mutex.Unlock()
			total.count(got, err, time.Since(sent))
		})
	})
	total.Elapsed = time.Since(begun)
	workers.Wait()
	return total
}

// once sends one request on a new connection and waits for the answer for at
// most limit.
func once(address string, request []byte, limit time.Duration) (answer, error) {
	connection, err := dial(address, patience)
	if err != nil {
		return answer{}, err
	}
	defer connection.close()
	return connection.send(request, limit)
}

// paced calls do at a rate per second until ctx ends. It catches up after a delay.
func paced(ctx context.Context, rate float64, do func()) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begun, done := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(begun).Seconds() * rate); done < due; done++ {
			do()
		}
	}
}

// pool holds idle connections.
type pool struct {
	address string
	mutex   sync.Mutex
	idle    []*wire
}

func (p *pool) send(request []byte, limit time.Duration) (answer, error) {
	p.mutex.Lock()
	var open *wire
	if last := len(p.idle) - 1; last >= 0 {
		open, p.idle = p.idle[last], p.idle[:last]
	}
	p.mutex.Unlock()
	if open == nil {
		var err error
		if open, err = dial(p.address, limit); err != nil {
			return answer{}, err
		}
	}
	got, err := open.send(request, limit)
	if err != nil || got.last {
		open.close()
		return got, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.idle = append(p.idle, open)
	return got, nil
}

func (p *pool) close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, open := range p.idle {
		open.close()
	}
	p.idle = nil
}

// during calls do with a context that ends after d.
func during(ctx context.Context, d time.Duration, do func(ctx context.Context) *Stats) *Stats {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(limited)
}
