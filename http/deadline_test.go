package oauthhttp_test

import (
	"context"
	"errors"
	"io"
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

// hostKey is the key of a value that the host puts into the context of requests.
type hostKey struct{}

// TestDeadline_Hooks checks the context of hooks: it has the host's
// values and the provider's deadline, does not end when the client hangs
// up, and ends after the response.
func TestDeadline_Hooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var given context.Context
		w := newWatched(t, memstore.New())
		asked := func(r *http.Request) (*oauthkit.User, error) {
			given = r.Context()
			deadline, limited := given.Deadline()
			if !limited || time.Until(deadline) != 5*time.Second || given.Err() != nil || given.Value(hostKey{}) != "the host's" {
				t.Errorf("got a deadline in %v, %v, and %v", time.Until(deadline), given.Err(), given.Value(hostKey{}))
			}
			return nil, nil
		}
		handler := mustHandler(t, w.provider, oauthhttp.Config{
			CurrentUser: asked, SignOut: func(http.ResponseWriter, *http.Request) error { return nil },
		})
		api := oauthapi.API{Tokens: w.provider}.SignedInOr(asked)(http.NotFoundHandler())
		for name, served := range map[string]http.Handler{"endpoint": handler, "API": api} {
			given = nil
			ctx, hangUp := context.WithCancel(context.WithValue(t.Context(), hostKey{}, "the host's"))
			hangUp()
			served.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "https://as.test/o/logout", nil))
			if given == nil || !errors.Is(given.Err(), context.Canceled) {
				t.Errorf("%s: got %v, want a context that ended after the response", name, given)
			}
		}
	})
}

// TestDeadline_API checks that the host's handler behind the protection gets the
// request's own context, which ends only when the client hangs up.
func TestDeadline_API(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	reached := false
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached = true
		if _, limited := r.Context().Deadline(); limited || r.Context().Err() != nil {
			t.Errorf("got a deadline: %t, and %v, want neither", limited, r.Context().Err())
		}
		hangUp()
		if r.Context().Err() == nil {
			t.Error("the context goes on after the client hung up, want it ended")
		}
	})
	user := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	w := newWatched(t, memstore.New())
	oauthapi.API{Tokens: w.provider}.SignedInOr(user)(next).ServeHTTP(httptest.NewRecorder(),
		httptest.NewRequestWithContext(ctx, http.MethodGet, "https://as.test/api", nil))
	if !reached {
		t.Error("the handler was not reached")
	}
}

// slowBody is a body that arrives in parts, each after a pause.
type slowBody struct {
	parts []string
	pause time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.parts) == 0 {
		return 0, io.EOF
	}
	<-time.After(b.pause)
	n := copy(p, b.parts[0])
	if b.parts[0] = b.parts[0][n:]; b.parts[0] == "" {
		b.parts = b.parts[1:]
	}
	return n, nil
}

// TestDeadline_SlowBody checks that the timeout begins after the body was read.
func TestDeadline_SlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t, &answeringStore{memstore.New(), after(4*time.Second, oauthkit.ErrNotFound)})
		handler := mustHandler(t, w.provider, oauthhttp.Config{})
		body := &slowBody{[]string{"grant_type=authorization_code", "&client_id=", "web"}, 10 * time.Second}
		request := httptest.NewRequest(http.MethodPost, "https://as.test/o/token", body)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusUnauthorized {
			t.Errorf("got %d: %s, want 401 from a store that took 4 s", recorder.Code, recorder.Body)
		}
	})
}

// TestDeadline_Bodies sends bodies of sizes around the limit, with and without a
// length. Each is read unchanged or refused as too large.
func TestDeadline_Bodies(t *testing.T) {
	const limit = 64 << 10
	handler := mustHandler(t, newWatched(t, memstore.New()).provider, oauthhttp.Config{})
	for _, size := range []int{30, 511, 512, 513, 4096, 4097, 8192, limit - 1, limit, limit + 1, limit + 2, 5 * limit} {
		for _, length := range []int64{int64(size), -1, 10} { // 10: the length before the host decompressed the body
			text := "client_id=nobody&x=&x=" // repeated: another error than for a long value
			text += strings.Repeat("x", size-len(text))
			request := httptest.NewRequest(http.MethodPost, "https://as.test/o/token", struct{ io.Reader }{strings.NewReader(text)})
			request.ContentLength = length
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			status, text := http.StatusBadRequest, "x is repeated"
			if size > limit {
				status, text = http.StatusRequestEntityTooLarge, "larger than 65536 bytes"
			}
			if recorder.Code != status || !strings.Contains(recorder.Body.String(), text) {
				t.Errorf("%d bytes, %d announced: got %d %s, want %d, %q", size, length, recorder.Code, recorder.Body, status, text)
			}
		}
	}
}

// TestDeadline_Extension checks that an endpoint which reads the body itself gets
// all of it, and that its failure after the deadline is a 503.
func TestDeadline_Extension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read string
		upload := func(_ http.ResponseWriter, r *http.Request) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			read = string(body)
			if err := r.Body.Close(); err != nil {
				return err
			}
			<-r.Context().Done()
			return r.Context().Err()
		}
		w := newWatched(t, memstore.New(), endpointExtension{oauthkit.Endpoint{
			Path: "upload", Methods: []string{http.MethodPost, http.MethodGet}, Anyone: upload,
		}})
		handler := mustHandler(t, w.provider, oauthhttp.Config{})
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			sent := strings.Repeat("0123456789", 20_000)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(method, "https://as.test/o/upload", strings.NewReader(sent)))
			if read != sent {
				t.Errorf("%s: got %d bytes, want %d", method, len(read), len(sent))
			}
			if recorder.Code != http.StatusServiceUnavailable || recorder.Header().Get("Retry-After") == "" {
				t.Errorf("%s: got %d: %s, want 503 with Retry-After", method, recorder.Code, recorder.Body)
			}
		}
	})
}

// endpointExtension adds one endpoint.
type endpointExtension struct{ endpoint oauthkit.Endpoint }

func (e endpointExtension) Extend(registry *oauthkit.Registry) error {
	registry.Endpoint(e.endpoint)
	return nil
}
