package memstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// silentStore blocks until the context ends.
type silentStore struct{ oauthkit.Store }

func (silentStore) Ready(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestReady tests stores with and without Readier.
func TestReady(t *testing.T) {
	down := &checkedStore{Store: memstore.New(), fails: "AccessToken"}
	for name, test := range map[string]struct {
		store oauthkit.Store
		want  error
	}{
		"a store that is ready":               {memstore.New(), nil},
		"a store that is silent":              {silentStore{memstore.New()}, context.DeadlineExceeded},
		"a store that cannot tell and works":  {struct{ oauthkit.Store }{memstore.New()}, nil},
		"a store that cannot tell and is off": {struct{ oauthkit.Store }{down}, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider, err := oauthkit.New("https://as.test/o", test.store, oauthkit.Config{})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				if err := provider.Ready(t.Context()); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				if waited := time.Since(begun); waited > provider.Timeout() {
					t.Errorf("got an answer after %v, want one within %v", waited, provider.Timeout())
				}
			})
		})
	}
}

// TestReady_CallerGivesUp shows that an earlier deadline of the caller applies.
func TestReady_CallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, err := oauthkit.New("https://as.test/o", silentStore{memstore.New()}, oauthkit.Config{Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if err := provider.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("got %v after %v, want the caller's deadline after 1s", err, time.Since(begun))
		}
	})
}
