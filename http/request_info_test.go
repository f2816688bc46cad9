package oauthhttp_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// watched is a provider that records its events with the information
// about their requests.
type watched struct {
	provider *oauthkit.Provider
	log      bytes.Buffer
	infos    []oauthkit.RequestInfo
	events   []oauthkit.Event
}

func newWatched(t *testing.T, store oauthkit.Store, extensions ...oauthkit.Extension) *watched {
	t.Helper()
	w := &watched{}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Extensions: extensions,
		Observe: func(ctx context.Context, event oauthkit.Event) {
			w.infos, w.events = append(w.infos, oauthkit.RequestInfoFrom(ctx)), append(w.events, event)
		},
		Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.provider = provider
	return w
}

// refused returns a request that causes an error page and an event.
func refused() *http.Request {
	request := httptest.NewRequest(http.MethodGet, "https://as.test/o/authorize?client_id=nobody", nil)
	request.Header.Set("User-Agent", "a browser")
	request.Header.Set("X-Forwarded-For", "203.0.113.9")
	return request
}

// TestRequestInfo checks the information about a request, and that the trace id is
// the same in the event, in the log and on the page.
func TestRequestInfo(t *testing.T) {
	w := newWatched(t, memstore.New())
	handler := mustHandler(t, w.provider, oauthhttp.Config{})
	for _, served := range []http.Handler{handler, handler.Endpoint("authorize")} {
		for _, test := range []struct{ name, address, want string }{
			{"IPv4", "192.0.2.1:4711", "192.0.2.1"},
			{"IPv6", "[2001:db8::1]:4711", "2001:db8::1"},
			{"IPv4 on an IPv6 socket", "[::ffff:192.0.2.1]:4711", "192.0.2.1"},
			{"IPv4 without a port", "192.0.2.1", "192.0.2.1"},
			{"IPv6 without a port", "2001:db8::1", "2001:db8::1"},
			{"Unix socket", "@", ""},
		} {
			w.infos = nil
			w.log.Reset()
			request, recorder := refused(), httptest.NewRecorder()
			request.RemoteAddr = test.address
			served.ServeHTTP(recorder, request)
			if len(w.infos) != 1 {
				t.Fatalf("%s: got %d events, want one", test.name, len(w.infos))
			}
			got := w.infos[0]
			if len(got.TraceID) != 22 || got.RemoteIP != test.want || got.UserAgent != "a browser" {
				t.Errorf("%s: got %+v, want a trace id, %q, and the browser", test.name, got, test.want)
			}
			if !strings.Contains(w.log.String(), "trace_id="+got.TraceID) || !strings.Contains(recorder.Body.String(), got.TraceID) {
				t.Errorf("%s: got the log %s and the page %s, want %s in both", test.name, &w.log, recorder.Body, got.TraceID)
			}
		}
	}
}

// TestRequestInfo_OfTheHost checks that the host's information is kept and completed.
func TestRequestInfo_OfTheHost(t *testing.T) {
	w := newWatched(t, memstore.New())
	handler := mustHandler(t, w.provider, oauthhttp.Config{})
	known := oauthkit.RequestInfo{TraceID: "trace of the host", RemoteIP: "203.0.113.9"}
	request := refused()
	handler.ServeHTTP(httptest.NewRecorder(), request.WithContext(oauthkit.WithRequestInfo(request.Context(), known)))
	known.UserAgent = "a browser"
	if len(w.infos) != 1 || w.infos[0] != known {
		t.Errorf("got %+v, want %+v", w.infos, known)
	}
}

// TestRequestInfo_OfReplacements checks that a handler in place of an endpoint and
// the endpoint that it calls get the same information.
func TestRequestInfo_OfReplacements(t *testing.T) {
	w := newWatched(t, memstore.New())
	var seen oauthkit.RequestInfo
	var handler *oauthhttp.Handler
	handler = mustHandler(t, w.provider, oauthhttp.Config{Replace: map[string]http.Handler{
		"authorize": http.HandlerFunc(func(writer http.ResponseWriter, r *http.Request) {
			seen = oauthkit.RequestInfoFrom(r.Context())
			handler.Endpoint("authorize").ServeHTTP(writer, r)
		}),
	}})
	handler.ServeHTTP(httptest.NewRecorder(), refused())
	if len(w.infos) != 1 || w.infos[0] != seen || seen.TraceID == "" {
		t.Errorf("got %+v in the event and %+v in the replacement, want the same", w.infos, seen)
	}
}

// brokenStore fails to read tokens.
type brokenStore struct{ oauthkit.Store }

func (brokenStore) AccessToken(context.Context, string) (*oauthkit.AccessToken, error) {
	return nil, errors.New("the database is away")
}

// TestRequestInfo_OfAnAPI checks that the protection of an API reports failures and
// cross-site requests, and nothing else, with the information about the request.
func TestRequestInfo_OfAnAPI(t *testing.T) {
	w := newWatched(t, brokenStore{memstore.New()})
	user := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	protected := oauthapi.API{Tokens: w.provider}.SignedInOr(user, "read")(http.NotFoundHandler())
	call := func(header, value string) {
		request := httptest.NewRequest(http.MethodPost, "https://as.test/api", nil)
		request.Header.Set(header, value)
		protected.ServeHTTP(httptest.NewRecorder(), request)
	}
	call("Authorization", "Bearer oat_nonsense")
	call("Authorization", "Bearer oat_"+strings.Repeat("A", 43))
	call("Origin", "https://evil.test")
	call("Origin", "https://as.test")
	want := []oauthkit.Event{
		oauthkit.StorageUnavailable{},
		oauthkit.CrossSiteBlocked{Reason: oauthkit.ReasonCrossSite, Origin: "https://evil.test"},
	}
	if len(w.events) != 2 || w.events[0] != want[0] || w.events[1] != want[1] {
		t.Fatalf("got %+v, want %+v", w.events, want)
	}
	for _, info := range w.infos {
		if info.RemoteIP != "192.0.2.1" || !strings.Contains(w.log.String(), "trace_id="+info.TraceID) {
			t.Errorf("got %+v, want the address, and the trace id in the log:\n%s", info, &w.log)
		}
	}
}

// TestOriginOfAnEvent checks that an Origin header which no browser
// sends is not recorded.
func TestOriginOfAnEvent(t *testing.T) {
	w := newWatched(t, memstore.New())
	user := func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil }
	protected := oauthapi.API{Tokens: w.provider}.SignedInOr(user)(http.NotFoundHandler())
	for value, want := range map[string]string{"null": "null", "https://" + strings.Repeat("a", 300): "", "https://\xff": ""} {
		w.events = nil
		request := httptest.NewRequest(http.MethodPost, "https://as.test/api", nil)
		request.Header.Set("Origin", value)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		protected.ServeHTTP(httptest.NewRecorder(), request)
		blocked := oauthkit.CrossSiteBlocked{Reason: oauthkit.ReasonCrossSite, Origin: want}
		if len(w.events) != 1 || w.events[0] != blocked {
			t.Errorf("%q: got %+v, want %+v", value, w.events, blocked)
		}
	}
}
