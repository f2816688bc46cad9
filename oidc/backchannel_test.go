package oidc_test

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// relyingParty is a back-channel logout endpoint over TLS.
type relyingParty struct {
	server   *httptest.Server
	requests []*http.Request
	tokens   []string
}

// newRelyingParty starts an endpoint that answers with handler, and registers it for the
// application of a site whose provider may reach it.
func newRelyingParty(t *testing.T, config oidc.Config, handler http.HandlerFunc) (*site, *relyingParty) {
	t.Helper()
	rp := &relyingParty{}
	rp.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		rp.requests = append(rp.requests, r)
		rp.tokens = append(rp.tokens, r.PostForm.Get("logout_token"))
		handler(w, r)
	}))
	t.Cleanup(rp.server.Close)
	s := newSite(t, config)
	roots := x509.NewCertPool()
	roots.AddCert(rp.server.Certificate())
	s.fetch = oauthkit.FetchConfig{AllowLoopback: true, RootCAs: roots}
	config.Keys = s.keys
	s.extension = oidc.New(config)
	var err error
	if s.provider, err = s.extend(s.extension, secret); err != nil {
		t.Fatal(err)
	}
	s.update(func(app *application) { app.BackChannelLogoutURI = rp.server.URL + "/logout?tenant=1" })
	return s, rp
}

// update changes the application in the store.
func (s *site) update(change func(app *application)) {
	s.t.Helper()
	found, err := s.store.Application(s.t.Context(), "web")
	if err != nil {
		s.t.Fatal(err)
	}
	app, ok := found.(*application)
	if !ok {
		s.t.Fatalf("got a %T", found)
	}
	change(app)
	if err := s.store.UpdateApplication(s.t.Context(), app, s.clock.Now()); err != nil {
		s.t.Fatal(err)
	}
}

func ok(http.ResponseWriter, *http.Request) {}

// notice is about the end of a session.
func notice() *oauthkit.Notice {
	return &oauthkit.Notice{
		ID: "n1", Receiver: "backchannel_logout", Kind: oauthkit.NoticeSessionEnded, ClientID: "web", Subject: "alice", SessionID: "sid-1",
		CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Attempts: 1,
	}
}

// TestLogoutToken (L-10) shows the request and the token of Back-Channel Logout §2.4 and
// §2.5.
func TestLogoutToken(t *testing.T) {
	for _, algorithm := range []string{"", "ES256"} {
		s, rp := newRelyingParty(t, oidc.Config{}, ok)
		s.update(func(app *application) { app.Algorithm = algorithm })
		for range 2 {
			if err := s.extension.SendLogoutToken(t.Context(), notice()); err != nil {
				t.Fatal(err)
			}
		}
		got := rp.requests[0]
		if got.Method != http.MethodPost || got.URL.RequestURI() != "/logout?tenant=1" || got.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("got %s %s %v, want a POST of a form to the registered URI", got.Method, got.URL, got.Header)
		}
		signed := header(t, rp.tokens[0])
		expect(t, signed, map[string]any{"typ": "logout+jwt", "alg": cmp.Or(algorithm, "RS256"), "kid": signed["kid"]})
		claims := s.verifyToken(rp.tokens[0])
		now := float64(s.clock.Now().Unix())
		expect(t, claims, map[string]any{
			"iss": issuer, "aud": "web", "sub": "alice", "sid": "sid-1", "iat": now, "exp": now + 120, "jti": claims["jti"],
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		})
		if second := s.verifyToken(rp.tokens[1]); claims["jti"] == "" || claims["jti"] == second["jti"] {
			t.Errorf("got jti %v and %v, want different ones", claims["jti"], second["jti"])
		}
	}
}

// TestLogoutTokenWithoutSession shows a token about all sessions of a user.
func TestLogoutTokenWithoutSession(t *testing.T) {
	s, rp := newRelyingParty(t, oidc.Config{}, ok)
	revoked := notice()
	revoked.Kind, revoked.SessionID = oauthkit.NoticeAccessRevoked, ""
	if err := s.extension.SendLogoutToken(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}
	if claims := s.verifyToken(rp.tokens[0]); claims["sid"] != nil || claims["sub"] != "alice" {
		t.Errorf("got %v, want sub and no sid", claims)
	}
	s.update(func(app *application) { app.BackChannelLogoutSessionRequired = true })
	err := s.extension.SendLogoutToken(t.Context(), revoked)
	if again, _ := oauthkit.NextDelivery(err); err == nil || again || len(rp.tokens) != 1 {
		t.Errorf("got %v and %d tokens for an application that requires a sid, want a final error", err, len(rp.tokens))
	}
	if err := s.extension.SendLogoutToken(t.Context(), notice()); err != nil || len(rp.tokens) != 2 {
		t.Errorf("got %v and %d tokens, want a second token, with a sid", err, len(rp.tokens))
	}
}

// TestLogoutTokenIsNoIDToken shows that a logout token is refused where an ID token is
// accepted (RFC 8725 §3.11).
func TestLogoutTokenIsNoIDToken(t *testing.T) {
	s, rp := newRelyingParty(t, oidc.Config{}, ok)
	if err := s.extension.SendLogoutToken(t.Context(), notice()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.authorize(map[string][]string{"id_token_hint": rp.tokens}); err == nil || !strings.Contains(err.Error(), "id_token_hint") {
		t.Errorf("got %v for a logout token as id_token_hint, want an error", err)
	}
	if _, err := s.authorize(map[string][]string{"id_token_hint": {idToken(t, s.signIn(nil))}}); err != nil {
		t.Errorf("got %v for an ID token as id_token_hint, want no error", err)
	}
}

// TestLogoutResult shows which responses are a success, and which are tried again (§2.5,
// §2.8).
func TestLogoutResult(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header string // Retry-After
		body   string
		again  bool
		after  time.Duration
		want   string // part of the error; empty: delivered
	}{
		{"ok", 200, "", "", false, 0, ""},
		{"no content", 204, "", "", false, 0, ""},
		{"accepted", 202, "", "", false, 0, ""},
		{"S-06 redirect", 302, "", "", false, 0, "302"},
		{"refused", 400, "", `{"error":"invalid_request","error_description":"unknown\nsid"}`, false, 0, `400: "invalid_request" "unknown\nsid"`},
		{"refused with Retry-After", 400, "60", "", false, 0, "400"},
		{"refused without JSON", 400, "", "<html>", false, 0, "with 400"},
		{"unauthorized", 401, "", "", false, 0, "401"},
		{"gone", 410, "", "", false, 0, "410"},
		{"timeout", 408, "", "", true, 0, "408"},
		{"busy", 429, "30", "", true, 30 * time.Second, "429"},
		{"failed", 500, "", "", true, 0, "500"},
		{"in maintenance", 503, "Sun, 01 Mar 2026 12:10:00 GMT", "", true, 10 * time.Minute, "503"},
		{"S-08 large error", 500, "", strings.Repeat("x", 1<<20), true, 0, "500"},
		{"S-08 large success", 200, "", strings.Repeat("x", 1<<20), false, 0, ""},
		{"long error", 400, "", `{"error":"` + strings.Repeat("e", 3000) + `"}`, false, 0, strings.Repeat("e", 100) + `"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newRelyingParty(t, oidc.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", test.header)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			err := s.extension.SendLogoutToken(t.Context(), notice())
			again, after := oauthkit.NextDelivery(err)
			if again != test.again || after != test.after || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, again %t after %s, want %q, again %t after %s", err, again, after, test.want, test.again, test.after)
			}
		})
	}
}

// TestLogoutAddress (L-11) shows that a logout token is sent to public addresses only,
// unless the host allows others, and that an address that does not answer is tried again.
func TestLogoutAddress(t *testing.T) {
	tests := []struct {
		name, uri string
		fetch     oauthkit.FetchConfig
		again     bool
	}{
		{"S-01 this machine", "https://127.0.0.1/", oauthkit.FetchConfig{}, false},
		{"S-01 metadata", "https://169.254.169.254/latest", oauthkit.FetchConfig{AllowLoopback: true}, false},
		{"S-07 port", "https://8.8.8.8:6379/", oauthkit.FetchConfig{}, false},
		{"closed port", "https://127.0.0.1:1/", oauthkit.FetchConfig{AllowLoopback: true}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, oidc.Config{})
			s.fetch = test.fetch
			extension := oidc.New(oidc.Config{Keys: s.keys})
			if _, err := s.extend(extension, secret); err != nil {
				t.Fatal(err)
			}
			s.update(func(app *application) { app.BackChannelLogoutURI = test.uri })
			err := extension.SendLogoutToken(t.Context(), notice())
			if again, _ := oauthkit.NextDelivery(err); err == nil || again != test.again {
				t.Errorf("got %v, again %t, want an error, again %t", err, again, test.again)
			}
		})
	}
}

// TestLogoutWithoutTarget shows which notices end without a request.
func TestLogoutWithoutTarget(t *testing.T) {
	s, rp := newRelyingParty(t, oidc.Config{}, ok)
	unknown := notice()
	unknown.ClientID = "unknown"
	if err := s.extension.SendLogoutToken(t.Context(), unknown); err != nil {
		t.Errorf("unknown application: got %v, want no error", err)
	}
	s.update(func(app *application) { app.Disabled = true })
	if err := s.extension.SendLogoutToken(t.Context(), notice()); err != nil {
		t.Errorf("disabled application: got %v, want no error", err)
	}
	s.update(func(app *application) { app.Disabled, app.BackChannelLogoutURI = false, "" })
	if err := s.extension.SendLogoutToken(t.Context(), notice()); err != nil {
		t.Errorf("no URI: got %v, want no error", err)
	}
	if len(rp.requests) > 0 {
		t.Errorf("got %d requests, want none", len(rp.requests))
	}
	if err := oidc.New(oidc.Config{}).SendLogoutToken(t.Context(), notice()); err == nil {
		t.Error("extension without provider: got no error")
	}
}

// TestBackChannelLogout shows the way from the end of a session to the application, by
// the library and by the host's job queue.
func TestBackChannelLogout(t *testing.T) {
	var jobs []*oauthkit.Notice
	var queueErr error
	queue := func(_ context.Context, notice *oauthkit.Notice) error {
		jobs = append(jobs, notice)
		return queueErr
	}
	for name, config := range map[string]oidc.BackChannelLogout{"library": {}, "job queue": {Deliver: queue}} {
		t.Run(name, func(t *testing.T) {
			s, rp := newRelyingParty(t, oidc.Config{BackChannelLogout: config}, ok)
			s.signIn(nil)
			sid := s.provider.SessionID(alice())
			end := func() {
				t.Helper()
				if _, err := s.provider.EndSession(t.Context(), oauthkit.Session{Subject: "alice", ID: sid}); err != nil {
					t.Fatal(err)
				}
				if err := s.provider.DeliverNotices(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			queueErr = errors.New("the queue is full")
			end()
			if config.Deliver != nil {
				queueErr = nil
				s.clock.advance(time.Minute)
				end()
				if len(rp.tokens) != 0 || len(jobs) != 2 || jobs[1].ID != jobs[0].ID || jobs[1].Attempts != 2 {
					t.Fatalf("got %d tokens and the jobs %+v, want the same notice twice", len(rp.tokens), jobs)
				}
				data, err := json.Marshal(jobs[1])
				var job oauthkit.Notice
				if err == nil {
					err = json.Unmarshal(data, &job)
				}
				if err == nil {
					err = s.extension.SendLogoutToken(t.Context(), &job)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if len(rp.tokens) != 1 {
				t.Fatalf("got %d tokens, want 1", len(rp.tokens))
			}
			if claims := s.verifyToken(rp.tokens[0]); claims["sid"] != sid || claims["sub"] != "alice" {
				t.Errorf("got %v, want sid %s of alice", claims, sid)
			}
			s.clock.advance(time.Hour)
			if err := s.provider.DeliverNotices(t.Context()); err != nil || len(rp.tokens) != 1 {
				t.Errorf("got %v and %d tokens an hour later, want no other", err, len(rp.tokens))
			}
		})
	}
}

// TestRevocationNamesSession shows that an application that requires a sid is told of a
// revocation that is not about one session only (Back-Channel Logout 1.0 §2.2).
func TestRevocationNamesSession(t *testing.T) {
	for name, revoke := range map[string]func(*site, *oauthkit.Authorizations) error{
		"user": func(s *site, a *oauthkit.Authorizations) error {
			_, err := a.RevokeUser(t.Context(), "alice")
			return err
		},
		"application": func(s *site, a *oauthkit.Authorizations) error {
			_, err := a.RevokeApplication(t.Context(), "web")
			return err
		},
		"consent": func(s *site, _ *oauthkit.Authorizations) error {
			return s.provider.RevokeConsent(t.Context(), "web", "alice")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, rp := newRelyingParty(t, oidc.Config{}, ok)
			s.update(func(app *application) { app.BackChannelLogoutSessionRequired = true })
			s.signIn(nil)
			if err := revoke(s, oauthkit.NewAuthorizations(s.provider, s.store)); err != nil {
				t.Fatal(err)
			}
			if err := s.provider.DeliverNotices(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(rp.tokens) != 1 {
				t.Fatalf("got %d tokens, want 1", len(rp.tokens))
			}
			if claims := s.verifyToken(rp.tokens[0]); claims["sid"] != s.provider.SessionID(alice()) {
				t.Errorf("got %v, want the sid of the session", claims)
			}
		})
	}
}

// TestBackChannelLogoutDisabled shows that nothing is saved or published if logout tokens
// are switched off or the store cannot save notices.
func TestBackChannelLogoutDisabled(t *testing.T) {
	for name, test := range map[string]struct {
		config oidc.BackChannelLogout
		store  oauthkit.Store
	}{
		"switched off":        {oidc.BackChannelLogout{Disable: true}, memstore.New()},
		"store without queue": {oidc.BackChannelLogout{}, struct{ oauthkit.Store }{memstore.New()}},
	} {
		t.Run(name, func(t *testing.T) {
			provider, err := oauthkit.New(issuer, test.store, oauthkit.Config{
				Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: memstore.New(), BackChannelLogout: test.config})},
			})
			if err != nil {
				t.Fatal(err)
			}
			metadata := map[string]any{}
			provider.DecorateMetadata(metadata, func(oauthkit.Group) bool { return true })
			for name := range metadata {
				if strings.HasPrefix(name, "backchannel_logout") {
					t.Errorf("got %s in the metadata", name)
				}
			}
		})
	}
}
