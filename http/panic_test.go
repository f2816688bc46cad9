package oauthhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// panicScene is a provider one of whose hooks panics, behind a handler that answers one request at a
// time, so that one which kept its turn would be noticed.
type panicScene struct {
	*testing.T
	panics  string // the name of the hook
	handler *oauthhttp.Handler
	api     http.Handler
	secret  string
	token   string // alice's
	events  []oauthkit.Event
	log     bytes.Buffer
}

// hook panics if it is the one that should.
func (s *panicScene) hook(name string) {
	if s.panics == name {
		panic("the hook " + name)
	}
}

func (s *panicScene) currentUser(*http.Request) (*oauthkit.User, error) {
	s.hook("CurrentUser")
	return &oauthkit.User{Subject: "alice"}, nil
}

func newPanicScene(t *testing.T) *panicScene {
	t.Helper()
	s, store := &panicScene{T: t}, memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "svc", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
		Scopes: oauthkit.Scopes{"introspection"},
	}
	s.secret = app.GenerateSecret()
	s.token = secret.New(secret.AccessToken)
	now := time.Now()
	authorization := &oauthkit.Authorization{ID: "alices", ClientID: "svc", Subject: "alice", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	err := errors.Join(store.CreateApplication(t.Context(), app, time.Now()), store.SaveTokens(t.Context(), authorization, oauthkit.Tokens{
		Access: &oauthkit.AccessToken{Hash: secret.Hash(s.token), Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(time.Hour)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Extensions: []oauthkit.Extension{
			endpointExtension{oauthkit.Endpoint{Path: "bearer", Methods: []string{http.MethodGet}, Bearer: func(http.ResponseWriter, *http.Request, *oauthkit.AccessToken) error {
				s.hook("Bearer")
				return nil
			}}},
			endpointExtension{oauthkit.Endpoint{Path: "half", Methods: []string{http.MethodGet}, Anyone: s.half}},
		},
		UserIsActive: func(context.Context, string) (bool, error) { s.hook("UserIsActive"); return true, nil },
		ChooseAccessTokenLifetime: func(context.Context, oauthkit.LifetimeRequest) (time.Duration, error) {
			s.hook("ChooseAccessTokenLifetime")
			return time.Minute, nil
		},
		Observe: func(_ context.Context, event oauthkit.Event) {
			s.events = append(s.events, event)
			s.hook("Observe")
		},
		Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = mustHandler(t, provider, oauthhttp.Config{
		MaxInFlight: 1, CurrentUser: s.currentUser,
		SignOut:      func(http.ResponseWriter, *http.Request) error { return nil },
		Applications: applications,
	})
	s.api = oauthapi.API{Tokens: provider}.SignedInOr(s.currentUser)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		s.hook("next")
	}))
	return s
}

// half writes half an answer before it panics.
func (s *panicScene) half(w http.ResponseWriter, _ *http.Request) error {
	if s.panics == "abort" {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "half")
	_ = http.NewResponseController(w).Flush()
	s.hook("half")
	return nil
}

// send sends a request: GET, or POST with a form as the application.
func (s *panicScene) send(to, form, bearer string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodGet, "https://as.test"+to, nil)
	if form != "" {
		request = httptest.NewRequest(http.MethodPost, "https://as.test"+to, strings.NewReader(form))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth("svc", s.secret)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	recorder := httptest.NewRecorder()
	var handler http.Handler = s.handler
	if to == "/api" {
		handler = s.api
	}
	handler.ServeHTTP(recorder, request)
	return recorder
}

// TestHookPanics has each hook panic and wants the failure of one request: 500 in the form of the
// endpoint, one event, one line in the log with the stack, and the next request answered.
func TestHookPanics(t *testing.T) {
	for _, test := range []struct {
		name, hook, to, form string
		bearer               bool
		endpoint, mediaType  string
	}{
		{"RL-34 page", "CurrentUser", "/o/logout", "", false, "logout", "text/html"},
		{"RL-34 page of a user", "CurrentUser", "/o/applications/", "", false, "applications", "text/html"},
		{"RL-34 JSON of a user", "CurrentUser", "/o/api/applications", "", false, "api/applications", "application/json"},
		{"RL-34 token", "ChooseAccessTokenLifetime", "/o/token", "grant_type=client_credentials", false, "token", "application/json"},
		{"RL-34 introspection", "UserIsActive", "/o/introspect", "token=%s", false, "introspect", "application/json"},
		{"RL-34 bearer", "Bearer", "/o/bearer", "", true, "bearer", "application/json"},
		{"RL-34 API, token", "UserIsActive", "/api", "", true, "", "application/json"},
		{"RL-34 API, signed in", "CurrentUser", "/api", "", false, "", "application/json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newPanicScene(t)
			bearer := ""
			if test.bearer {
				bearer = s.token
			}
			form := strings.ReplaceAll(test.form, "%s", s.token)
			s.panics = test.hook
			answer := s.send(test.to, form, bearer)
			if answer.Code != http.StatusInternalServerError || !strings.HasPrefix(answer.Header().Get("Content-Type"), test.mediaType) {
				t.Errorf("got %d, %s: %s, want 500, %s", answer.Code, answer.Header().Get("Content-Type"), answer.Body, test.mediaType)
			}
			if test.mediaType == "application/json" && member(answer.Body.String(), "error") != "server_error" {
				t.Errorf("got %s, want server_error", answer.Body)
			}
			if strings.Contains(answer.Body.String(), "hook") {
				t.Errorf("got %s, want nothing of the panic", answer.Body)
			}
			if want := []oauthkit.Event{oauthkit.RequestPanicked{Endpoint: test.endpoint}}; !slices.Equal(s.events, want) {
				t.Errorf("got the events %+v, want %+v", s.events, want)
			}
			logged := s.log.String()
			if strings.Count(logged, "level=ERROR") != 1 || !strings.Contains(logged, "panic_test.go") || !strings.Contains(logged, "the hook "+test.hook) ||
				strings.Contains(logged, `trace_id="" `) || !strings.Contains(logged, "trace_id=") {
				t.Errorf("got the log %s, want one error with its trace id and stack", logged)
			}
			s.panics = ""
			if answer := s.send(test.to, form, bearer); answer.Code != http.StatusOK {
				t.Errorf("afterwards: got %d: %s, want 200", answer.Code, answer.Body)
			}
		})
	}
}

// TestObservePanics wants what was committed to be answered as committed.
func TestObservePanics(t *testing.T) {
	t.Run("RL-34 Observe", func(t *testing.T) {
		s := newPanicScene(t)
		s.panics = "Observe"
		token := member(s.send("/o/token", "grant_type=client_credentials", "").Body.String(), "access_token")
		if answer := s.send("/o/introspect", "token="+token, ""); token == "" || !strings.Contains(answer.Body.String(), `"active":true`) {
			t.Errorf("got the token %q, and of it %s, want one that is active", token, answer.Body)
		}
		if answer := s.send("/o/revoke_token", "token="+token, ""); answer.Code != http.StatusOK {
			t.Errorf("revocation: got %d, want 200", answer.Code)
		}
		logged := s.log.String()
		if strings.Count(logged, "level=ERROR") != 2 || !strings.Contains(logged, "event=token.issued") || !strings.Contains(logged, "panic_test.go") {
			t.Errorf("got the log %s, want an error for each of two events, with the stack", logged)
		}
	})
}

// TestPanic_HalfAnswer sends requests over a connection: an answer that has begun is aborted, and so
// is one that a hook aborts by itself, which is nobody's failure.
func TestPanic_HalfAnswer(t *testing.T) {
	for _, test := range []struct {
		name, hook string
		told       int
	}{
		{"Q-10 half an answer", "half", 1},
		{"Q-10 http.ErrAbortHandler", "abort", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newPanicScene(t)
			get := func() (string, error) { // when it returns, the server has ended
				server := httptest.NewUnstartedServer(s.handler)
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.Start()
				defer server.Close()
				response, err := server.Client().Get(server.URL + "/o/half")
				if err != nil {
					return "", err
				}
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				return string(body), err
			}
			s.panics = test.hook
			if body, err := get(); err == nil {
				t.Errorf("got %q as a whole answer, want it cut off", body)
			}
			if told, logged := len(s.events), strings.Count(s.log.String(), "level=ERROR"); told != test.told || logged != test.told {
				t.Errorf("got %d events and %d errors logged, want %d", told, logged, test.told)
			}
			s.panics = ""
			if body, err := get(); body != "half" || err != nil {
				t.Errorf("afterwards: got %q, %v", body, err)
			}
		})
	}
}

// TestPanic_OfTheHostsHandlers lets a panic of a handler of the host's through, as it is.
func TestPanic_OfTheHostsHandlers(t *testing.T) {
	s := newPanicScene(t)
	s.panics = "next"
	replaced := mustHandler(t, newWatched(t, memstore.New()).provider, oauthhttp.Config{Replace: map[string]http.Handler{
		"token": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.hook("next") }),
	}})
	for name, handler := range map[string]http.Handler{"/api": s.api, "/o/token": replaced} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != "the hook next" {
					t.Errorf("%s: got the panic %q, want the handler's own", name, got)
				}
			}()
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "https://as.test"+name, nil))
		}()
	}
	if len(s.events) > 0 {
		t.Errorf("got the events %+v, want none", s.events)
	}
}
