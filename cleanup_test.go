package oauthkit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// expiring stores an access token that expires at a time, with its Authorization.
func expiring(t *testing.T, store oauthkit.Store, at time.Time) {
	t.Helper()
	authorization := &oauthkit.Authorization{ID: at.String(), ApplicationID: "good", CreatedAt: at.Add(-time.Hour), ExpiresAt: at}
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
			func(s *checkScene) { // whose store is cleaned up in a way of its own
				expired(100 * 24 * time.Hour)(s)
				s.used = onlyStore{s.store}
			},
		},
		{"oauthkit.E001", func(s *checkScene) { s.store.fails = "Cleanup" }, func(*checkScene) {}},
	}
}

// onlyStore hides what a store promises besides.
type onlyStore struct{ oauthkit.Store }

// TestCleanupEvent shows that a cleanup is told of, also one that was stopped, but not a dry run; by the provider's clock.
func TestCleanupEvent(t *testing.T) {
	s := newCheckScene(t)
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	var events []oauthkit.Event
	s.config.Now = func() time.Time { return now }
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { events = append(events, event) }
	for minutes := range 5 {
		expiring(t, s.store, now.Add(time.Duration(minutes-3)*time.Minute)) // four of them by now
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
		now = now.Add(3 * time.Second) // and nothing more expires by that
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
		"authorizations": 4,
	}}}
	if rows != 3 || err != nil || !reflect.DeepEqual(events, want) {
		t.Errorf("got %d rows, %v and %v, want the other 3 and %v", rows, err, events, want)
	}
	if rows, err := cleanup(t.Context(), oauthkit.CleanupLimits{Now: now.Add(time.Hour)}); rows != 1 || err != nil {
		t.Errorf("at another time: got %d rows and %v, want the one that expires by then", rows, err)
	}
}

// TestCleanupWithoutCleaner shows that a store which cannot be cleaned up is not taken for a clean one.
func TestCleanupWithoutCleaner(t *testing.T) {
	s := newCheckScene(t)
	s.used = onlyStore{s.store}
	s.config.Observe = func(_ context.Context, event oauthkit.Event) { t.Errorf("got %v, want no event", event) }
	if removed, err := s.provider().Cleanup(t.Context(), oauthkit.CleanupLimits{}); err == nil || removed != nil {
		t.Errorf("got %v and no error, want one", removed)
	}
}

// A timer removes what has expired, and tells how it gets on.
func ExampleProvider_Cleanup() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	authorization := &oauthkit.Authorization{ID: "1", ApplicationID: "shop"} // expired for ever
	token := &oauthkit.AccessToken{Hash: "1", Authorization: authorization}
	if err := store.SaveTokens(ctx, authorization, oauthkit.Tokens{Access: token}); err != nil {
		fmt.Println(err)
		return
	}
	for _, dryRun := range []bool{true, false} {
		removed, err := provider.Cleanup(ctx, oauthkit.CleanupLimits{
			Batch: 500, Batches: 20, DryRun: dryRun,
			Progress: func(table string, rows int) { fmt.Println("  ", rows, table) },
		})
		fmt.Println("dry run:", dryRun, "access tokens:", removed["access_tokens"], "complete:", err == nil)
	}
	// Output:
	//    1 access_tokens
	//    1 authorizations
	// dry run: true access tokens: 1 complete: true
	//    1 access_tokens
	//    1 authorizations
	// dry run: false access tokens: 1 complete: true
}
