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

// panicScene is a provider with a hook that panics. The handler serves one request
// at a time, so that a turn which is not released blocks the next request.
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

// hook panics if s.panics names it.
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

// half writes half a response and panics.
func (s *panicScene) half(w http.ResponseWriter, _ *http.Request) error {
	if s.panics == "abort" {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "half")
	_ = http.NewResponseController(w).Flush()
	s.hook("half")
	return nil
}

// send sends a GET, or a POST with a form and client credentials.
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

// TestHookPanics lets each hook panic. One request fails: with 500 in the format of the
// endpoint, one event, and one log line with the stack. The next request is answered.
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
				t.Errorf("got %s, want a response without the panic", answer.Body)
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

// TestObservePanics checks that a panic of Observe does not change the response.
func TestObservePanics(t *testing.T) {
	t.Run("RL-34 Observe", func(t *testing.T) {
		s := newPanicScene(t)
		s.panics = "Observe"
		token := member(s.send("/o/token", "grant_type=client_credentials", "").Body.String(), "access_token")
		if answer := s.send("/o/introspect", "token="+token, ""); token == "" || !strings.Contains(answer.Body.String(), `"active":true`) {
			t.Errorf("got the token %q and its introspection %s, want an active token", token, answer.Body)
		}
		if answer := s.send("/o/revoke_token", "token="+token, ""); answer.Code != http.StatusOK {
			t.Errorf("revocation: got %d, want 200", answer.Code)
		}
		logged := s.log.String()
		if strings.Count(logged, "level=ERROR") != 2 || !strings.Contains(logged, "event=token.issued") || !strings.Contains(logged, "panic_test.go") {
			t.Errorf("got the log %s, want one error with the stack for each of two events", logged)
		}
	})
}

// TestPanic_HalfAnswer sends requests over a connection. A response that has begun
// is aborted. So is one that the endpoint aborts itself, which is not reported.
func TestPanic_HalfAnswer(t *testing.T) {
	for _, test := range []struct {
		name, hook string
		reports    int
	}{
		{"Q-10 half a response", "half", 1},
		{"Q-10 http.ErrAbortHandler", "abort", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newPanicScene(t)
			get := func() (string, error) { // the server has ended when it returns
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
				t.Errorf("got the complete response %q, want it cut off", body)
			}
			if events, logged := len(s.events), strings.Count(s.log.String(), "level=ERROR"); events != test.reports || logged != test.reports {
				t.Errorf("got %d events and %d logged errors, want %d", events, logged, test.reports)
			}
			s.panics = ""
			if body, err := get(); body != "half" || err != nil {
				t.Errorf("afterwards: got %q, %v", body, err)
			}
		})
	}
}

// TestPanic_OfTheHostsHandlers checks that a panic of the host's
// handler is not recovered.
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
