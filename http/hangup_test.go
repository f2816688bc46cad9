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

// answeringStore answers whatever requests begin with by a function.
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

// after is a store that answers after some time, unless its context ends before.
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

// TestHangUp shows what becomes of a request: whether its client waits for the answer makes no
// difference, and its time is what Config.Timeout says, or the host if that is shorter.
func TestHangUp(t *testing.T) {
	away := errors.New("the database is away")
	for name, test := range map[string]struct {
		hangsUp bool
		host    time.Duration // the host's own time limit; zero: none
		answer  func(ctx context.Context) error
		outage  bool
		took    time.Duration
	}{
		"RL-33 hangs up, the store works":             {true, 0, after(time.Second, oauthkit.ErrNotFound), false, time.Second},
		"RL-33 hangs up, the store fails":             {true, 0, after(time.Second, away), true, time.Second},
		"RL-33 hangs up, the store is silent":         {true, 0, after(time.Hour, nil), true, 5 * time.Second},
		"RL-08 waits, the store is silent":            {false, 0, after(time.Hour, nil), true, 5 * time.Second},
		"RL-08 waits, the host's limit is shorter":    {false, time.Second, after(time.Hour, nil), true, time.Second},
		"RL-08 waits, the host's limit is longer":     {false, time.Minute, after(time.Hour, nil), true, 5 * time.Second},
		"RL-07 waits, the store fails":                {false, 0, func(context.Context) error { return away }, true, 0},
		"RL-33 waits, something else was interrupted": {false, 0, func(context.Context) error { return context.Canceled }, true, 0},
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

// checkOutage sends requests to everything that begins with the store, and wants each answered after
// a time, and each failure told of once.
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
			t.Errorf("%q: got an answer after %v, want one after %v", endpoint, waited, took)
		}
		var told int
		for _, event := range w.events {
			if event == (oauthkit.StorageUnavailable{Endpoint: endpoint}) {
				told++
			}
		}
		unavailable := recorder.Code == http.StatusServiceUnavailable && recorder.Header().Get("Retry-After") != ""
		if unavailable != outage {
			t.Errorf("%q: got %d and Retry-After %q, want 503: %t", endpoint, recorder.Code, recorder.Header().Get("Retry-After"), outage)
		}
		logged := strings.Count(w.log.String(), "level=ERROR")
		if want := map[bool]int{true: 1}[outage]; told != want || logged != want {
			t.Errorf("%q: got %d outages told of and %d errors logged, want %d:\n%+v\n%s", endpoint, told, logged, want, w.events, &w.log)
		}
	}
}
