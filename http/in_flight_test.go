package oauthhttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// crowdedStore has a number of connections and blocks every call until it is released.
type crowdedStore struct {
	oauthkit.Store
	connections int
	mutex       sync.Mutex
	asking      int
	most        int
	asked       []string      // the client_ids in the order of the calls
	gate        chan struct{} // a value releases one call
	open        bool          // only calls for "locked" block
}

func (s *crowdedStore) Connections() int { return s.connections }

func (s *crowdedStore) Application(ctx context.Context, clientID string) (oauthkit.Application, error) {
	s.mutex.Lock()
	s.asking++
	s.most = max(s.most, s.asking)
	s.asked = append(s.asked, clientID)
	free := s.open && clientID != "locked"
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		s.asking--
		s.mutex.Unlock()
	}()
	if free {
		return nil, oauthkit.ErrNotFound
	}
	select {
	case <-s.gate:
		return nil, oauthkit.ErrNotFound
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// crowd sends many requests at the same time.
type crowd struct {
	store    *crowdedStore
	provider *oauthkit.Provider
	handler  *oauthhttp.Handler
	mutex    sync.Mutex
	statuses map[int]int
	events   []oauthkit.Event
	log      bytes.Buffer
	sending  sync.WaitGroup
}

func newCrowd(t *testing.T, connections, maxInFlight int) *crowd {
	t.Helper()
	c := &crowd{
		store:    &crowdedStore{Store: memstore.New(), connections: connections, gate: make(chan struct{})},
		statuses: map[int]int{},
	}
	provider, err := oauthkit.New("https://as.test/o", c.store, oauthkit.Config{
		Observe: func(_ context.Context, event oauthkit.Event) {
			c.mutex.Lock()
			defer c.mutex.Unlock()
			c.events = append(c.events, event)
		},
		Logger: slog.New(slog.NewTextHandler(&c.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.provider = provider
	c.handler = mustHandler(t, provider, oauthhttp.Config{MaxInFlight: maxInFlight})
	return c
}

// send sends a request with a client secret and does not wait for the response.
func (c *crowd) send(clientID string) { c.sendAs(context.Background(), clientID, "a secret") }

// sendAs sends a request with or without a secret. Without one, it is anonymous.
func (c *crowd) sendAs(ctx context.Context, clientID, secret string) {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "https://as.test/o/token",
		strings.NewReader("grant_type=client_credentials&client_id="+clientID))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		request.SetBasicAuth(clientID, secret)
	}
	c.serve(request)
}

func (c *crowd) serve(request *http.Request) {
	c.sending.Go(func() {
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, request)
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.statuses[recorder.Code]++
		if recorder.Code == http.StatusServiceUnavailable && recorder.Header().Get("Retry-After") == "" {
			c.statuses[0]++
		}
	})
}

// got returns the number of responses with the status so far.
func (c *crowd) got(status int) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.statuses[status]
}

// finish releases every request and waits for the responses.
func (c *crowd) finish() {
	close(c.store.gate)
	c.sending.Wait()
}

// TestInFlight_Bounds fills the turns and the queue. Requests that find the queue full
// are refused at once, waiting ones after a second, and few events report them all.
func TestInFlight_Bounds(t *testing.T) {
	t.Run("RL-38 bounds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, 0, 2)
			for range 2 + 640 + 30 {
				c.send("web")
			}
			synctest.Wait()
			if refused, most := c.got(http.StatusServiceUnavailable), c.store.most; refused != 30 || most != 2 {
				t.Errorf("got %d refused at once and %d served at the same time, want 30 and 2", refused, most)
			}
			<-time.After(time.Second)
			synctest.Wait()
			if refused := c.got(http.StatusServiceUnavailable); refused != 670 || c.got(0) > 0 {
				t.Errorf("got %d refused after a second, %d without Retry-After, want 670", refused, c.got(0))
			}
			c.finish()
			if answered := c.got(http.StatusUnauthorized); answered != 2 {
				t.Errorf("got %d answered, want 2", answered)
			}
			<-time.After(2 * time.Second)
			synctest.Wait()
			c.checkReported(t, 670)
		})
	})
}

// checkReported checks that few events and log lines report the refusals.
func (c *crowd) checkReported(t *testing.T, want int) {
	t.Helper()
	reported, times := 0, 0
	for _, event := range c.events {
		if refused, ok := event.(oauthkit.RequestsRefused); ok {
			reported, times = reported+refused.Refused, times+1
		}
	}
	logged := strings.Count(c.log.String(), "level=")
	if reported != want || times > 2 || logged != times || strings.Count(c.log.String(), "level=WARN") != times {
		t.Errorf("got %d refusals reported in %d events and %d lines, want %d in at most two:\n%s", reported, times, logged, want, &c.log)
	}
}

// TestInFlight_Order serves requests in the order of arrival, even if
// their clients hung up.
func TestInFlight_Order(t *testing.T) {
	t.Run("RL-38 order", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, 0, 1)
			var want []string
			for i := range 5 {
				ctx, hangUp := context.WithCancel(t.Context())
				want = append(want, fmt.Sprint("client-", i))
				c.sendAs(ctx, want[i], "a secret")
				synctest.Wait()
				hangUp()
			}
			for range want {
				synctest.Wait()
				c.store.gate <- struct{}{}
			}
			c.finish()
			if !slices.Equal(c.store.asked, want) || c.got(http.StatusUnauthorized) != 5 {
				t.Errorf("got %v asked and %v, want %v", c.store.asked, c.statuses, want)
			}
		})
	})
}

// TestInFlight_Strangers lets anonymous requests wait for a locked table. They take
// at most half of the connections, and requests of clients are served.
func TestInFlight_Strangers(t *testing.T) {
	for _, test := range []struct {
		name                               string
		connections, maxInFlight, expected int
	}{
		{"RL-09 one table locked", 4, 0, 2},
		{"RL-09 one table locked, many turns", 4, 100, 2},
		{"RL-09 one table locked, few turns", 100, 6, 3},
		{"RL-15 one connection", 1, 0, 1},
		{"RL-15 unknown number of connections", 0, 0, 64},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, test.connections, test.maxInFlight)
				c.store.open = true
				for i := range 2000 {
					if i%2 == 0 {
						c.serve(httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize?client_id=locked", nil))
					} else {
						c.sendAs(t.Context(), "locked", "")
					}
				}
				synctest.Wait()
				if c.store.most != test.expected {
					t.Errorf("got %d anonymous requests at the same time, want %d", c.store.most, test.expected)
				}
				for range 100 {
					c.send("web")
				}
				synctest.Wait()
				if answered := c.got(http.StatusUnauthorized); answered != 100 {
					t.Errorf("got %d of 100 requests of clients answered, want all", answered)
				}
				c.finish()
			})
		})
	}
}

// TestInFlight_Claims sends anonymous requests that look like those of clients or users.
func TestInFlight_Claims(t *testing.T) {
	locked := func(r *http.Request) (*oauthkit.User, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	for _, test := range []struct{ name, method, path, body string }{
		{"RL-50 the field in a value", http.MethodPost, "token", "x=client_secret=&client_id=locked"},
		{"RL-50 the field without a value", http.MethodPost, "token", "client_secret=&client_id=locked"},
		{"RL-50 the field in a name", http.MethodPost, "token", "not_client_secret=1&client_id=locked"},
		{"RL-50 an empty assertion", http.MethodPost, "revoke_token", "client_assertion=&client_id=locked"},
		{"RL-50 an invalid session", http.MethodGet, "authorized_tokens/", ""},
		{"RL-50 an invalid session, JSON", http.MethodGet, "api/authorized_tokens/", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrowd(t, 4, 0)
				c.store.open = true
				authorizations := oauthkit.NewAuthorizations(c.provider, memstore.New())
				c.handler = mustHandler(t, c.provider, oauthhttp.Config{CurrentUser: locked, Authorizations: authorizations})
				for range 100 {
					request := httptest.NewRequest(test.method, "https://as.test/o/"+test.path, strings.NewReader(test.body))
					if test.body != "" {
						request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					}
					c.serve(request)
				}
				synctest.Wait()
				c.send("web")
				synctest.Wait()
				if c.got(http.StatusUnauthorized) != 1 {
					t.Error("the request of a client waits for anonymous ones, want it answered")
				}
				c.finish()
			})
		})
	}
}

// stalledWriter is the connection of a client that does not read.
type stalledWriter struct {
	*httptest.ResponseRecorder
	read chan struct{}
}

func (w *stalledWriter) Write(part []byte) (int, error) {
	<-w.read
	return w.ResponseRecorder.Write(part)
}

// TestInFlight_Stalled covers RL-51: clients that do not read their
// responses take no turns.
func TestInFlight_Stalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 0, 1)
		c.store.open = true
		reader := make(chan struct{})
		var stalled sync.WaitGroup
		for range 3 {
			stalled.Go(func() {
				w := &stalledWriter{httptest.NewRecorder(), reader}
				c.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize?client_id=none", nil))
			})
		}
		synctest.Wait()
		c.send("web")
		synctest.Wait()
		if c.got(http.StatusUnauthorized) != 1 {
			t.Error("the request waits for clients that do not read, want it answered")
		}
		close(reader)
		stalled.Wait()
		for range 10 { // each turn was released exactly once
			c.send("locked")
		}
		synctest.Wait()
		if c.store.most != 1 {
			t.Errorf("got %d requests at the same time, want 1", c.store.most)
		}
		c.finish()
	})
}

// brokenLog panics on the log line about refusals.
type brokenLog struct{ slog.Handler }

func (l brokenLog) Handle(ctx context.Context, record slog.Record) error {
	if record.Level == slog.LevelWarn {
		panic("the log is broken")
	}
	return l.Handler.Handle(ctx, record)
}

// TestInFlight_BrokenLog covers RL-44: a log that panics outside of a request does
// not end the program.
func TestInFlight_BrokenLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &crowdedStore{Store: memstore.New(), gate: make(chan struct{})}
		var reports atomic.Int32 // by timers, which may overlap
		provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
			Logger: slog.New(brokenLog{slog.NewTextHandler(io.Discard, nil)}),
			Observe: func(_ context.Context, event oauthkit.Event) {
				if _, refused := event.(oauthkit.RequestsRefused); refused {
					reports.Add(1)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		c := &crowd{store: store, provider: provider, statuses: map[int]int{}}
		c.handler = mustHandler(t, provider, oauthhttp.Config{MaxInFlight: 1})
		for range 1 + 640 + 1 {
			c.serve(httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize?client_id=web", nil))
		}
		<-time.After(3 * time.Second)
		synctest.Wait()
		if reports.Load() == 0 {
			t.Error("got no event, want the refusals reported")
		}
		c.finish()
	})
}

// TestInFlight_Documents serves documents in memory while the server is busy.
func TestInFlight_Documents(t *testing.T) {
	t.Run("RL-07 documents", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, 0, 1)
			c.send("web")
			synctest.Wait()
			for _, path := range []string{"/.well-known/oauth-authorization-server/o", "/o/oauthkit.css"} {
				recorder := httptest.NewRecorder()
				c.handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test"+path, nil))
				if recorder.Code != http.StatusOK {
					t.Errorf("%s: got %d, want 200", path, recorder.Code)
				}
			}
			c.finish()
		})
	})
}

// TestInFlight_BusyPage answers a browser with a page in the user's language.
func TestInFlight_BusyPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 0, 1)
		c.send("web")
		synctest.Wait()
		request := httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize", nil)
		request.Header.Set("Accept-Language", "de")
		recorder := httptest.NewRecorder()
		c.handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Retry-After") == "" || recorder.Header().Get("Content-Language") != "de" ||
			!strings.Contains(recorder.Body.String(), "Gerade nicht verfügbar") {
			t.Errorf("got %d %v %s, want a page in German", recorder.Code, recorder.Header(), recorder.Body)
		}
		c.finish()
	})
}

// TestInFlight_Nested calls an endpoint from another one. It must not wait for the
// turn that the request already has.
func TestInFlight_Nested(t *testing.T) {
	var handler *oauthhttp.Handler
	w := newWatched(t, memstore.New(), endpointExtension{oauthkit.Endpoint{
		Path: "outer", Methods: []string{http.MethodGet}, Anyone: func(w http.ResponseWriter, r *http.Request) error {
			handler.Endpoint("authorize").ServeHTTP(w, r)
			return nil
		},
	}})
	handler = mustHandler(t, w.provider, oauthhttp.Config{MaxInFlight: 1})
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://as.test/o/outer?client_id=nobody", nil))
	if recorder.Code != http.StatusBadRequest {
		t.Errorf("got %d, want the response of the inner endpoint, 400", recorder.Code)
	}
}

// TestInFlight_Negative passes an invalid limit.
func TestInFlight_Negative(t *testing.T) {
	_, err := oauthhttp.NewHandler(newWatched(t, memstore.New()).provider, oauthhttp.Config{MaxInFlight: -1})
	if err == nil || !strings.Contains(err.Error(), "MaxInFlight") {
		t.Errorf("got %v, want an error that names MaxInFlight", err)
	}
}
