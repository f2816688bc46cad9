package oauthhttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
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

// TestHangUp tells who does not wait for an answer, which anybody can do at any time, from a store that has none.
func TestHangUp(t *testing.T) {
	waits := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("waiting for the database: %w", ctx.Err())
	}
	for name, test := range map[string]struct {
		hangsUp, late bool // late: the host's time limit for a request is over
		answer        func(ctx context.Context) error
		outage        bool
	}{
		"hangs up while the store works":         {true, false, waits, false},
		"hangs up while the store fails":         {true, false, func(context.Context) error { return errors.New("the database is away") }, true},
		"waits for a store that fails":           {false, false, func(context.Context) error { return errors.New("the database is away") }, true},
		"waits for a store that was interrupted": {false, false, func(context.Context) error { return context.Canceled }, true},
		"waits for a store that takes too long":  {false, true, waits, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			if test.late {
				ctx, hangUp = context.WithDeadline(t.Context(), time.Unix(0, 0))
			}
			defer hangUp()
			w := newWatched(t, &answeringStore{memstore.New(), func(ctx context.Context) error {
				if test.hangsUp {
					hangUp()
				}
				return test.answer(ctx)
			}})
			checkOutage(ctx, t, w, test.outage)
		})
	}
}

// checkOutage sends requests to everything that begins with the store, and wants each failure told of once, as an outage or not at all.
func checkOutage(ctx context.Context, t *testing.T, w *watched, outage bool) {
	t.Helper()
	handler := oauthhttp.NewHandler(w.provider, oauthhttp.Config{})
	api := oauthhttp.API{Tokens: w.provider}.RequireScopes("read")(http.NotFoundHandler())
	for endpoint, served := range map[string]http.Handler{"authorize": handler, "token": handler, "": api} {
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
		recorder := httptest.NewRecorder()
		served.ServeHTTP(recorder, request)
		var told int
		for _, event := range w.events {
			if event == (oauthkit.StorageUnavailable{Endpoint: endpoint}) {
				told++
			}
		}
		logged := strings.Count(w.log.String(), "level=ERROR")
		if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Retry-After") == "" {
			t.Errorf("%q: got %d and Retry-After %q, want 503", endpoint, recorder.Code, recorder.Header().Get("Retry-After"))
		}
		if want := map[bool]int{true: 1}[outage]; told != want || logged != want {
			t.Errorf("%q: got %d outages told of and %d errors logged, want %d:\n%+v\n%s", endpoint, told, logged, want, w.events, &w.log)
		}
	}
}
