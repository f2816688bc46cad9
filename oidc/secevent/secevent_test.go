package secevent_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-oauth2/oauth2/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/oidc/secevent"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const issuer = "https://as.test/o"

// site is a host with one subscriber.
type site struct {
	t        *testing.T
	provider *oauthkit.Provider
	now      time.Time
	events   []oauthkit.Event

	answer   http.HandlerFunc // of the subscriber
	requests []*http.Request
	bodies   []string
}

// newSite starts a subscriber, and a provider with it and with a user who approved an
// application.
func newSite(t *testing.T, change func(*secevent.Subscriber)) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), answer: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
		s.answer(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	subscriber := secevent.Subscriber{Name: "audit", URL: server.URL + "/events", Audience: "https://audit.test"}
	if change != nil {
		change(&subscriber)
	}
	store := memstore.New()
	signer := oidc.New(oidc.Config{Keys: store, BackChannelLogout: oidc.BackChannelLogout{Disable: true}})
	var err error
	s.provider, err = oauthkit.New(issuer, store, oauthkit.Config{
		Grants: grants.Standard(store),
		Extensions: []oauthkit.Extension{
			secevent.New(secevent.Config{OIDC: signer, Subscribers: []secevent.Subscriber{subscriber}}), signer,
		},
		Fetch:   oauthkit.FetchConfig{AllowLoopback: true, RootCAs: roots},
		Now:     func() time.Time { return s.now },
		Observe: func(_ context.Context, event oauthkit.Event) { s.events = append(s.events, event) },
	})
	if err != nil {
		t.Fatal(err)
	}
	app := &oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://rp.test/cb"}, Scopes: oauthkit.Scopes{"openid"},
	}
	if err := store.CreateApplication(t.Context(), app, s.now); err != nil {
		t.Fatal(err)
	}
	return s
}

// approve lets alice approve the application in a session of the host.
func (s *site) approve(session string) {
	s.t.Helper()
	request, err := s.provider.NewAuthorizeRequest(s.t.Context(), map[string][]string{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://rp.test/cb"}, "scope": {"openid"},
		// RFC 7636 appendix B
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err == nil {
		_, err = s.provider.Respond(s.t.Context(), request, &oauthkit.User{Subject: "alice", SessionID: session}, oauthkit.Decision{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// endSession ends the first session.
func (s *site) endSession() (sid string) {
	s.t.Helper()
	sid = s.provider.SessionID(&oauthkit.User{Subject: "alice", SessionID: "first"})
	if _, err := s.provider.EndSession(s.t.Context(), oauthkit.Session{Subject: "alice", ID: sid}); err != nil {
		s.t.Fatal(err)
	}
	return sid
}

func (s *site) deliver() {
	s.t.Helper()
	if err := s.provider.DeliverNotices(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// verify verifies an event with the published keys and returns its claims as JSON.
func (s *site) verify(token string) string {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	for _, endpoint := range s.provider.Endpoints() {
		if endpoint.Metadata == "jwks_uri" {
			if err := endpoint.Anyone(recorder, httptest.NewRequest(http.MethodGet, issuer+"/.well-known/jwks.json", nil)); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(recorder.Body.Bytes(), &keys); err != nil {
		s.t.Fatal(err)
	}
	parsed, err := jwt.Parse(token, func(token *jwt.Token) (any, error) {
		if token.Header["typ"] != "secevent+jwt" {
			return nil, fmt.Errorf("got typ %v, want secevent+jwt", token.Header["typ"])
		}
		return keys.Key(token.Header["kid"].(string))[0].Key, nil
	}, jwt.WithValidMethods([]string{"RS256", "ES256"}), jwt.WithIssuer(issuer), jwt.WithAudience("https://audit.test"))
	if err != nil {
		s.t.Fatal(err)
	}
	claims := parsed.Claims.(jwt.MapClaims)
	if id, _ := claims["jti"].(string); len(id) < 20 {
		s.t.Errorf("got jti %q", id)
	}
	delete(claims, "jti")
	text, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// TestEvents shows the events, each with its request (RFC 8935 §2.1).
func TestEvents(t *testing.T) {
	s := newSite(t, func(subscriber *secevent.Subscriber) {
		subscriber.Algorithm = "ES256"
		subscriber.Authorization = func(context.Context) (string, error) { return "Bearer t", nil }
	})
	s.approve("first")
	sid := s.endSession()
	s.deliver()
	s.approve("second")
	if err := s.provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
		t.Fatal(err)
	}
	s.deliver()
	if len(s.bodies) != 2 {
		t.Fatalf("got %d requests, want 2", len(s.bodies))
	}
	for _, request := range s.requests {
		header := request.Header
		if request.Method != http.MethodPost || request.URL.Path != "/events" || header.Get("Content-Type") != "application/secevent+jwt" ||
			header.Get("Accept") != "application/json" || header.Get("Authorization") != "Bearer t" {
			t.Errorf("got %s %s %v", request.Method, request.URL, header)
		}
	}
	const format = `{"aud":"https://audit.test","events":{"%s":{"event_timestamp":1772366400}},"iat":1772366400,"iss":"https://as.test/o",` +
		`"sub_id":{"application":{"format":"opaque","id":"web"},"format":"complex",%s"user":{"format":"iss_sub","iss":"https://as.test/o","sub":"alice"}}}`
	second := s.provider.SessionID(&oauthkit.User{Subject: "alice", SessionID: "second"})
	const session = `"session":{"format":"opaque","id":"%s"},`
	if got, want := s.verify(s.bodies[0]), fmt.Sprintf(format, secevent.SessionRevoked, fmt.Sprintf(session, sid)); got != want {
		t.Errorf("end of a session:\ngot  %s\nwant %s", got, want)
	}
	if got, want := s.verify(s.bodies[1]), fmt.Sprintf(format, secevent.TokensRevoked, fmt.Sprintf(session, second)); got != want {
		t.Errorf("revocation:\ngot  %s\nwant %s", got, want)
	}
}

// TestResults shows which responses are a success, and which are tried again (RFC 8935
// §2.2, §2.3). An event that is sent again is the same one.
func TestResults(t *testing.T) {
	var expired atomic.Bool
	tests := []struct {
		name      string
		status    int
		body      string
		after     string // Retry-After
		delivered bool
		final     string // part of the error of the abandoned notice
		failed    string // part of the error of a failed attempt
	}{
		{name: "accepted", status: 202, delivered: true},
		{name: "ok", status: 200, delivered: true},
		{name: "refused", status: 400, body: `{"err":"invalid_key","description":"unknown\nkey"}`, final: `audit answered with 400: "invalid_key" "unknown\nkey"`},
		{name: "unauthorized", status: 401, failed: "401"},
		{name: "S-06 redirect", status: 307, failed: "307"},
		{name: "busy", status: 503, after: "600", failed: "503"},
		{name: "credentials", status: 202, failed: "the credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			expired.Store(test.name == "credentials")
			s := newSite(t, func(subscriber *secevent.Subscriber) {
				subscriber.Authorization = func(context.Context) (string, error) {
					if expired.Load() {
						return "", errors.New("the credentials have expired")
					}
					return "Bearer t", nil
				}
			})
			s.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", test.after)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}
			s.approve("first")
			s.endSession()
			s.deliver()
			var delivered, final, failed string
			var next time.Time
			for _, event := range s.events {
				switch event := event.(type) {
				case oauthkit.NoticeDelivered:
					delivered = event.Receiver
				case oauthkit.NoticeAbandoned:
					final = event.Error
				case oauthkit.NoticeFailed:
					failed, next = event.Error, event.NextAt
				}
			}
			if (delivered == "secevent:audit") != test.delivered || !strings.Contains(final, test.final) || !strings.Contains(failed, test.failed) ||
				(final == "") != (test.final == "") || (failed == "") != (test.failed == "") {
				t.Fatalf("got delivered %q, final %q, failed %q", delivered, final, failed)
			}
			if test.failed == "" {
				return
			}
			if test.after != "" && next.Sub(s.now) < 10*time.Minute {
				t.Errorf("got the next attempt at %s, want it after Retry-After", next)
			}
			expired.Store(false)
			s.answer = func(http.ResponseWriter, *http.Request) {}
			s.now = next.Add(time.Second)
			s.deliver()
			if last := s.bodies[len(s.bodies)-1]; test.name != "credentials" && last != s.bodies[0] {
				t.Errorf("got another event the second time:\n%s\n%s", s.bodies[0], last)
			}
			s.now = s.now.Add(time.Hour)
			count := len(s.bodies)
			if s.deliver(); len(s.bodies) != count {
				t.Error("got the event again after it was accepted")
			}
		})
	}
}

// TestConfig shows which settings are refused.
func TestConfig(t *testing.T) {
	store := memstore.New()
	valid := secevent.Subscriber{Name: "audit", URL: "https://audit.test/events", Audience: "a"}
	tests := []struct {
		name   string
		change func(*secevent.Config)
		want   string // empty: valid
	}{
		{"valid", func(*secevent.Config) {}, ""},
		{"no subscribers", func(c *secevent.Config) { c.Subscribers = nil }, ""},
		{"no signer", func(c *secevent.Config) { c.OIDC = nil }, "OIDC is nil"},
		{"no name", func(c *secevent.Config) { c.Subscribers[0].Name = "" }, "Name is empty"},
		{"same name", func(c *secevent.Config) { c.Subscribers = append(c.Subscribers, c.Subscribers[0]) }, "twice"},
		{"no audience", func(c *secevent.Config) { c.Subscribers[0].Audience = "" }, "Audience is empty"},
		{"algorithm", func(c *secevent.Config) { c.Subscribers[0].Algorithm = "none" }, "none"},
		{"S-07 scheme", func(c *secevent.Config) { c.Subscribers[0].URL = "ftp://audit.test/" }, "https URL"},
		{"S-07 user", func(c *secevent.Config) { c.Subscribers[0].URL = "https://u:p@audit.test/" }, "https URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			signer := oidc.New(oidc.Config{Keys: store})
			config := secevent.Config{OIDC: signer, Subscribers: []secevent.Subscriber{valid}}
			test.change(&config)
			_, err := oauthkit.New(issuer, store, oauthkit.Config{Extensions: []oauthkit.Extension{signer, secevent.New(config)}})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}
