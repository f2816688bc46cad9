package memstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// expiring stores an access token with an expiry and its Authorization.
func expiring(t *testing.T, store oauthkit.Store, at time.Time) {
	t.Helper()
	authorization := &oauthkit.Authorization{ID: at.String(), ClientID: "good", CreatedAt: at.Add(-time.Hour), ExpiresAt: at}
	tokens := oauthkit.Tokens{Access: &oauthkit.AccessToken{
		Hash: at.String(), Authorization: authorization, IssuedAt: authorization.CreatedAt, ExpiresAt: at,
	}}
	if err := store.SaveTokens(t.Context(), authorization, tokens); err != nil {
		t.Fatal(err)
	}
}

func cleanupChecks() []checkTest {
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	expired := func(before time.Duration) func(*checkScene) {
		return func(s *checkScene) {
			s.config.Now = func() time.Time { return now }
			expiring(s.T, s.store, now.Add(-before))
		}
	}
	return []checkTest{
		{"oauthkit.W010", expired(48 * time.Hour), expired(48*time.Hour - time.Second)},
		{
			"oauthkit.W010", expired(100 * 24 * time.Hour),
			func(s *checkScene) { // the store is not a Cleaner
				expired(100 * 24 * time.Hour)(s)
				s.used = onlyStore{s.store}
			},
		},
		{"oauthkit.E001", func(s *checkScene) { s.store.fails = "Cleanup" }, func(*checkScene) {}},
	}
}

// onlyStore hides the optional interfaces of a store.
type onlyStore struct{ oauthkit.Store }

// TestCleanupEvent shows that every cleanup sends an event, even if it was stopped, but
// a dry run does not. Times are those of the provider's clock.
func TestCleanupEvent(t *testing.T) {
	s := newCheckScene(t)
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	var events []oauthkit.Event
	s.config.Now = func() time.Time { return now }
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { events = append(events, event) }
	for minutes := range 5 {
		expiring(t, s.store, now.Add(time.Duration(minutes-3)*time.Minute)) // four are expired
	}
	provider := s.provider()
	cleanup := func(ctx context.Context, limits oauthkit.CleanupLimits) (int, error) {
		t.Helper()
		events = nil
		removed, err := provider.Cleanup(ctx, limits)
		return removed["access_tokens"], err
	}

	if rows, err := cleanup(t.Context(), oauthkit.CleanupLimits{DryRun: true}); rows != 4 || err != nil || len(events) > 0 {
		t.Errorf("dry run: got %d rows, %v and %v, want 4 rows and no event", rows, err, events)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	progress := func(string, int) {
		now = now.Add(3 * time.Second) // no further token expires
		cancel()
	}
	rows, err := cleanup(ctx, oauthkit.CleanupLimits{Batch: 1, Progress: progress})
	want := []oauthkit.Event{oauthkit.CleanupFinished{
		Removed: map[string]int{
			"refresh_tokens.sealed": 0, "interactions": 0, "authorization_codes": 0, "access_tokens": 1,
		}, Duration: 3 * time.Second, Stopped: true,
	}}
	if rows != 1 || !errors.Is(err, context.Canceled) || !reflect.DeepEqual(events, want) {
		t.Errorf("stopped: got %d rows, %v and %v, want 1 row and %v", rows, err, events, want)
	}
	rows, err = cleanup(t.Context(), oauthkit.CleanupLimits{})
	want = []oauthkit.Event{oauthkit.CleanupFinished{Removed: map[string]int{
		"refresh_tokens.sealed": 0, "interactions": 0, "authorization_codes": 0, "access_tokens": 3, "refresh_tokens": 0,
		"authorizations": 4, "notices": 0,
	}}}
	if rows != 3 || err != nil || !reflect.DeepEqual(events, want) {
		t.Errorf("got %d rows, %v and %v, want the other 3 and %v", rows, err, events, want)
	}
	if rows, err := cleanup(t.Context(), oauthkit.CleanupLimits{Now: now.Add(time.Hour)}); rows != 1 || err != nil {
		t.Errorf("at another time: got %d rows and %v, want the one that expires by then", rows, err)
	}
}

// TestCleanupWithoutCleaner shows that Cleanup returns an error if the store is not a
// Cleaner.
func TestCleanupWithoutCleaner(t *testing.T) {
	s := newCheckScene(t)
	s.used = onlyStore{s.store}
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { t.Errorf("got %v, want no event", event) }
	if removed, err := s.provider().Cleanup(t.Context(), oauthkit.CleanupLimits{}); err == nil || removed != nil {
		t.Errorf("got %v and no error, want one", removed)
	}
}

// upkept is an extension with a function as its Upkeep.
type upkept func(ctx context.Context) error

func (upkept) Extend(*oauthkit.Registry) error { return nil }

func (u upkept) Upkeep(ctx context.Context) error { return u(ctx) }

// runScene is a provider for Run in a bubble of synthetic time.
type runScene struct {
	*testing.T
	store  *expiringStore
	config oauthkit.RunConfig
	log    bytes.Buffer
	parts  []oauthkit.Extension
}

// expiringStore is a store with a configurable result of Cleanup.
type expiringStore struct {
	*memstore.Store
	cleanups []oauthkit.CleanupLimits
	removes  int // access tokens per cleanup
	err      error
	panics   any
}

func (s *expiringStore) Cleanup(_ context.Context, limits oauthkit.CleanupLimits) (map[string]int, error) {
	s.cleanups = append(s.cleanups, limits)
	if s.panics != nil {
		panic(s.panics)
	}
	return map[string]int{"access_tokens": s.removes}, s.err
}

// during runs the provider for some time. Afterwards Run must return nil at once.
func (s *runScene) during(runs time.Duration) {
	s.Helper()
	provider, err := oauthkit.New("https://as.test/o", s.store, oauthkit.Config{
		Extensions: s.parts, Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.Context(), runs)
	defer cancel()
	begun := time.Now()
	if err := oauthkit.Run(ctx, provider, s.config); err != nil {
		s.Errorf("got %v at the end, want nil", err)
	}
	if got := time.Since(begun); got != runs {
		s.Errorf("Run has returned after %s, want %s", got, runs)
	}
}

// inBubble runs a test in synthetic time. The test fails if a goroutine is left.
func inBubble(t *testing.T, test func(s *runScene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(&runScene{T: t, store: &expiringStore{Store: memstore.New()}})
	})
}

// TestRun shows that rounds continue after errors and panics.
func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *expiringStore)
		logged []string
	}{
		{"nothing to do", func(*expiringStore) {}, nil},
		{"the store fails", func(s *expiringStore) { s.err = errors.New("no database") }, []string{"task=cleanup", "no database"}},
		{"the store panics", func(s *expiringStore) { s.panics = "oops" }, []string{"task=cleanup", "panic=oops", "cleanup_test.go"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(s *runScene) {
				upkeeps := 0
				s.parts = []oauthkit.Extension{
					upkept(func(context.Context) error { upkeeps++; return nil }),
					upkept(func(context.Context) error { panic("upkeep") }),
				}
				test.change(s.store)
				s.during(time.Hour)
				if rounds := len(s.store.cleanups); rounds < 50 || rounds > 70 || upkeeps != rounds {
					s.Errorf("got %d cleanups and %d upkeeps in an hour, want about 60", rounds, upkeeps)
				}
				if limits := s.store.cleanups[0]; limits.Batch != 1000 || limits.Batches != 100 {
					s.Errorf("got %+v, want the default limits", limits)
				}
				for _, want := range append(test.logged, "panic=upkeep") {
					if !strings.Contains(s.log.String(), want) {
						s.Errorf("the log does not say %s", want)
					}
				}
				if len(test.logged) == 0 && strings.Contains(s.log.String(), "task=cleanup") {
					s.Errorf("got %s, want nothing logged of the cleanup", s.log.String())
				}
			})
		})
	}
}

// TestRunInterval shows that pauses have the configured length and differ between
// instances.
func TestRunInterval(t *testing.T) {
	inBubble(t, func(s *runScene) {
		s.config.Interval = 10 * time.Minute
		pauses := map[time.Duration]bool{}
		var last time.Time
		s.parts = []oauthkit.Extension{upkept(func(context.Context) error {
			if pause := time.Since(last); !last.IsZero() {
				pauses[pause] = true
			}
			last = time.Now()
			return nil
		})}
		s.during(10 * time.Hour)
		if len(pauses) < 10 {
			s.Errorf("got the pauses %v, want them to differ", pauses)
		}
		for pause := range maps.Keys(pauses) {
			if pause < 9*time.Minute || pause > 11*time.Minute {
				s.Errorf("got a pause of %s, want 10 minutes give or take one", pause)
			}
		}
	})
}

// TestRunBacklog shows that the next round comes sooner if a cleanup left rows.
func TestRunBacklog(t *testing.T) {
	inBubble(t, func(s *runScene) {
		s.config.Cleanup = oauthkit.CleanupLimits{Batch: 10, Batches: 2}
		s.store.removes = 20
		s.during(time.Hour)
		backlog := len(s.store.cleanups)
		s.store.cleanups, s.store.removes = nil, 19
		s.during(time.Hour)
		if usual := len(s.store.cleanups); backlog < 7*usual {
			s.Errorf("got %d cleanups an hour with a backlog and %d without, want ten times as many", backlog, usual)
		}
	})
}

// TestRunTimeout shows that a part that hangs has a deadline, and that the end of Run
// interrupts it without a log entry.
func TestRunTimeout(t *testing.T) {
	inBubble(t, func(s *runScene) {
		s.config.Timeout = 7 * time.Second
		hang := func(ctx context.Context) error {
			begun := time.Now()
			<-ctx.Done()
			if took := time.Since(begun); took > 7*time.Second {
				s.Errorf("a task hung for %s, want at most 7 s", took)
			}
			return ctx.Err()
		}
		s.parts = []oauthkit.Extension{upkept(hang), upkept(hang)}
		s.during(6500 * time.Millisecond) // the first round begins within 6 s and hangs for 7
		if strings.Contains(s.log.String(), "task=") {
			s.Errorf("got %s, want nothing logged of a task that Run's end has stopped", s.log.String())
		}
		s.during(5 * time.Minute)
		if !strings.Contains(s.log.String(), "deadline exceeded") {
			s.Errorf("got %q, want the tasks that hung in the log", s.log.String())
		}
	})
}

// TestRunWithoutCleaner shows that Run works with a store that is not a Cleaner.
func TestRunWithoutCleaner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		upkeeps := 0
		provider, err := oauthkit.New("https://as.test/o", onlyStore{memstore.New()}, oauthkit.Config{
			Logger:     slog.New(slog.NewTextHandler(&log, nil)),
			Extensions: []oauthkit.Extension{upkept(func(context.Context) error { upkeeps++; return nil })},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := oauthkit.Run(ctx, provider, oauthkit.RunConfig{}); err != nil || log.Len() > 0 || upkeeps < 50 {
			t.Errorf("got %v, %q and %d upkeeps, want the upkeep alone", err, log.String(), upkeeps)
		}
	})
}

// TestRunConfig tests invalid settings.
func TestRunConfig(t *testing.T) {
	provider, err := oauthkit.New("https://as.test/o", memstore.New(), oauthkit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []oauthkit.RunConfig{
		{Interval: -1},
		{Timeout: -1},
		{Cleanup: oauthkit.CleanupLimits{Batch: -1}},
		{Cleanup: oauthkit.CleanupLimits{Batches: -1}},
		{Cleanup: oauthkit.CleanupLimits{DryRun: true}},
		{Cleanup: oauthkit.CleanupLimits{Now: time.Now()}},
	} {
		if err := oauthkit.Run(t.Context(), provider, config); err == nil {
			t.Errorf("%+v: got no error, want one", config)
		}
	}
}
