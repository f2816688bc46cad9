package oauthhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// answeringStore answers the first query of a request with a function.
type answeringStore struct {
	oauthkit.Store
	answer func(ctx context.Context) error
}

func (s *answeringStore) Application(ctx context.Context, _ string) (oauthkit.Application, error) {
	return nil, s.answer(ctx)
}

func (s *answeringStore) AccessToken(ctx context.Context, _ string) (*oauthkit.AccessToken, error) {
	return nil, s.answer(ctx)
}

// after returns a function that answers after a delay, unless its context ends before.
func after(delay time.Duration, answer error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the database: %w", ctx.Err())
		case <-time.After(delay):
			return answer
		}
	}
}

// TestHangUp checks that a request is completed even if its client hangs up, and
// that it is limited by Config.Timeout or by the host, if that limit is shorter.
func TestHangUp(t *testing.T) {
	away := errors.New("the database is away")
	for name, test := range map[string]struct {
		hangsUp bool
		host    time.Duration // the host's own timeout; zero: none
		answer  func(ctx context.Context) error
		outage  bool
		took    time.Duration
	}{
		"RL-33 hangs up, the store works":          {true, 0, after(time.Second, oauthkit.ErrNotFound), false, time.Second},
		"RL-33 hangs up, the store fails":          {true, 0, after(time.Second, away), true, time.Second},
		"RL-33 hangs up, the store is silent":      {true, 0, after(time.Hour, nil), true, 5 * time.Second},
		"RL-08 waits, the store is silent":         {false, 0, after(time.Hour, nil), true, 5 * time.Second},
		"RL-08 waits, the host's limit is shorter": {false, time.Second, after(time.Hour, nil), true, time.Second},
		"RL-08 waits, the host's limit is longer":  {false, time.Minute, after(time.Hour, nil), true, 5 * time.Second},
		"RL-07 waits, the store fails":             {false, 0, func(context.Context) error { return away }, true, 0},
		"RL-33 waits, another context is canceled": {false, 0, func(context.Context) error { return context.Canceled }, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, hangUp := context.WithCancel(t.Context())
				defer hangUp()
				if test.host > 0 {
					ctx, hangUp = context.WithTimeout(ctx, 3*test.host) // for each of three requests
					defer hangUp()
				}
				w := newWatched(t, &answeringStore{memstore.New(), func(ctx context.Context) error {
					if test.hangsUp {
						hangUp()
					}
					return test.answer(ctx)
				}})
				checkOutage(ctx, t, w, test.outage, test.host, test.took)
			})
		})
	}
}

// checkOutage sends requests to endpoints that begin with a query. Each must be
// answered after the given time, and each failure reported once.
func checkOutage(ctx context.Context, t *testing.T, w *watched, outage bool, limit, took time.Duration) {
	t.Helper()
	handler := mustHandler(t, w.provider, oauthhttp.Config{})
	api := oauthapi.API{Tokens: w.provider}.RequireScopes("read")(http.NotFoundHandler())
	for endpoint, served := range map[string]http.Handler{"authorize": handler, "token": handler, "": api} {
		ctx := ctx
		if limit > 0 {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			ctx = limited
		}
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://as.test/o/"+endpoint+"?client_id=web", nil)
		switch endpoint {
		case "token":
			form := strings.NewReader("grant_type=authorization_code&client_id=web")
			request = httptest.NewRequestWithContext(ctx, http.MethodPost, "https://as.test/o/token", form)
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		case "":
			request.Header.Set("Authorization", "Bearer oat_"+strings.Repeat("A", 43))
		}
		w.events = nil
		w.log.Reset()
		recorder, begun := httptest.NewRecorder(), time.Now()
		served.ServeHTTP(recorder, request)
		if waited := time.Since(begun); waited != took {
			t.Errorf("%q: got a response after %v, want one after %v", endpoint, waited, took)
		}
		var reported int
		for _, event := range w.events {
			if event == (oauthkit.StorageUnavailable{Endpoint: endpoint}) {
				reported++
			}
		}
		unavailable := recorder.Code == http.StatusServiceUnavailable && recorder.Header().Get("Retry-After") != ""
		if unavailable != outage {
			t.Errorf("%q: got %d and Retry-After %q, want 503: %t", endpoint, recorder.Code, recorder.Header().Get("Retry-After"), outage)
		}
		logged := strings.Count(w.log.String(), "level=ERROR")
		if want := map[bool]int{true: 1}[outage]; reported != want || logged != want {
			t.Errorf("%q: got %d outages reported and %d errors logged, want %d:\n%+v\n%s", endpoint, reported, logged, want, w.events, &w.log)
		}
	}
}
