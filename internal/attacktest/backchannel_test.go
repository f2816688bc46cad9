package attacktest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestBackChannelLogout tests the delivery of logout tokens to applications that answer
// late, badly or not at all.
func TestBackChannelLogout(t *testing.T) {
	// Every server of httptest has this certificate.
	server := httptest.NewTLSServer(http.NotFoundHandler())
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	server.Close()
	cases := []fixture.Case{
		{Name: "L-10 one token for each application of the session", Test: backChannelTokens},
		{Name: "L-10 access revoked by the user", Test: logoutTokenOfRevocation},
		{Name: "L-11 application down for ten minutes", Test: logoutReceiverDown},
		{Name: "L-11 application down for ever", Test: logoutReceiverGone},
		{Name: "L-11 Retry-After", Test: logoutRetryAfter},
		{Name: "L-11 refused token", Test: logoutRefused},
		{Name: "L-11 slow application", Test: logoutSlowReceiver},
		{Name: "L-11 hundred sessions on two instances", Test: logoutTwoInstances},
		{Name: "L-11 instance that vanished with its notices", Test: logoutInstanceLost},
		{Name: "L-11 token within seconds by Run", Test: logoutByRun},
	}
	for i := range cases {
		cases[i].Configure = func(config *oauthkit.Config, _ storetest.Store) {
			config.Fetch = oauthkit.FetchConfig{AllowLoopback: true, RootCAs: roots}
		}
	}
	fixture.Run(t, cases)
}

// logoutReceiver is the back-channel logout endpoint of an application.
type logoutReceiver struct {
	mu     sync.Mutex
	answer http.HandlerFunc
	tokens []map[string]any // the claims of the logout tokens in their order
	came   chan struct{}    // receives one value for each token
}

// receiveLogouts registers an endpoint for a client, which accepts every token.
func receiveLogouts(t *testing.T, s *fixture.Server, client *fixture.Client) *logoutReceiver {
	t.Helper()
	received := &logoutReceiver{came: make(chan struct{}, 1000)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims := logoutClaims(r.PostFormValue("logout_token"))
		received.mu.Lock()
		received.tokens = append(received.tokens, claims)
		answer := received.answer
		received.mu.Unlock()
		received.came <- struct{}{}
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) { app.BackChannelLogoutURI = server.URL + "/logout" })
	return received
}

// logoutClaims returns the claims of a logout token, or nil if it is none.
func logoutClaims(token string) map[string]any {
	var header, claims map[string]any
	for i, part := range strings.Split(token, ".") {
		data, err := base64.RawURLEncoding.DecodeString(part)
		switch {
		case err != nil:
			return nil
		case i == 0 && (json.Unmarshal(data, &header) != nil || header["typ"] != "logout+jwt"):
			return nil
		case i == 1 && json.Unmarshal(data, &claims) != nil:
			return nil
		}
	}
	return claims
}

func (r *logoutReceiver) answerWith(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// claims returns the claims of the tokens so far.
func (r *logoutReceiver) claims() []map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tokens)
}

// check expects as many tokens.
func (r *logoutReceiver) check(t *testing.T, want int) []map[string]any {
	t.Helper()
	got := r.claims()
	if len(got) != want {
		t.Fatalf("got %d logout tokens, want %d", len(got), want)
	}
	return got
}

// sessionOf returns the subject and sid of the session in which tokens were issued.
func sessionOf(t *testing.T, s *fixture.Server, tokens fixture.Tokens) oauthkit.Session {
	t.Helper()
	token, err := s.Store.AccessToken(t.Context(), secret.Hash(tokens.Access))
	if err != nil {
		t.Fatal(err)
	}
	return oauthkit.Session{Subject: token.Authorization.Subject, ID: token.Authorization.SessionID}
}

// endSession signs a user in, and ends the session of the tokens.
func endSession(t *testing.T, s *fixture.Server, user string, client *fixture.Client) oauthkit.Session {
	t.Helper()
	session := sessionOf(t, s, s.Browser(user).Tokens(client))
	endSessionOf(t, s, session)
	return session
}

func endSessionOf(t *testing.T, s *fixture.Server, session oauthkit.Session) {
	t.Helper()
	if _, err := s.Provider.EndSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
}

func deliver(t *testing.T, s *fixture.Server) {
	t.Helper()
	if err := s.Provider.DeliverNotices(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// backChannelTokens expects one token for each application of the session with an
// address, and none for the others.
func backChannelTokens(t *testing.T, s *fixture.Server) {
	web, webPost, evil := receiveLogouts(t, s, s.Web), receiveLogouts(t, s, s.WebPost), receiveLogouts(t, s, s.Evil)
	browser := s.Browser("alice")
	session := sessionOf(t, s, browser.Tokens(s.Web))
	browser.Tokens(s.WebPost)
	browser.Tokens(s.SPA)
	s.Browser("alice").Tokens(s.Evil) // another session
	endSessionOf(t, s, session)
	deliver(t, s)
	evil.check(t, 0)
	for id, receiver := range map[string]*logoutReceiver{"web": web, "webp": webPost} {
		claims := receiver.check(t, 1)[0]
		if claims["aud"] != id || claims["sid"] != session.ID || claims["sub"] != "alice" || claims["iss"] != fixture.Issuer || claims["nonce"] != nil {
			t.Errorf("%s: got %v, want the session %s", id, claims, session.ID)
		}
	}
	s.Clock.Advance(time.Hour)
	deliver(t, s)
	web.check(t, 1)
}

// logoutTokenOfRevocation expects a token about each session of the user.
func logoutTokenOfRevocation(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	want := map[any]bool{}
	for range 2 {
		browser := s.Browser("alice")
		want[sessionOf(t, s, browser.Tokens(s.Web)).ID] = true
		browser.Tokens(s.Web)
	}
	s.Browser("bob").Tokens(s.Web)
	if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
		t.Fatal(err)
	}
	deliver(t, s)
	for _, claims := range web.check(t, len(want)) {
		if claims["sub"] != "alice" || !want[claims["sid"]] {
			t.Errorf("got %v, want a token for each session of alice, once", claims)
		}
		delete(want, claims["sid"])
	}
}

// logoutReceiverDown expects few attempts, each with a new token, and a success.
func logoutReceiverDown(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	web.answerWith(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	endSession(t, s, "alice", s.Web)
	for range 60 {
		deliver(t, s)
		s.Clock.Advance(10 * time.Second)
	}
	failed := len(web.claims())
	if failed < 4 || failed > 10 {
		t.Errorf("got %d attempts in ten minutes, want some", failed)
	}
	web.answerWith(nil)
	for range 6 {
		deliver(t, s)
		s.Clock.Advance(5 * time.Minute)
	}
	seen := map[any]bool{}
	for _, claims := range web.check(t, failed+1) {
		if seen[claims["jti"]] {
			t.Errorf("got the jti %v twice", claims["jti"])
		}
		seen[claims["jti"]] = true
	}
	if delivered := fixture.EventsOf[oauthkit.NoticeDelivered](s.Events); len(delivered) != 1 || delivered[0].Attempts != failed+1 {
		t.Errorf("got %+v, want one delivery", delivered)
	}
}

// logoutReceiverGone expects that the notice is given up after a day.
func logoutReceiverGone(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	web.answerWith(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	endSession(t, s, "alice", s.Web)
	for range 3 * 24 {
		deliver(t, s)
		s.Clock.Advance(20 * time.Minute)
	}
	deliver(t, s)
	attempts := len(web.claims())
	abandoned := fixture.EventsOf[oauthkit.NoticeAbandoned](s.Events)
	if len(abandoned) != 1 || abandoned[0].ClientID != "web" || abandoned[0].Attempts != attempts || !strings.Contains(abandoned[0].Error, "500") {
		t.Errorf("got %+v after %d attempts, want one abandoned notice", abandoned, attempts)
	}
	s.Clock.Advance(48 * time.Hour)
	deliver(t, s)
	web.check(t, attempts)
}

func logoutRetryAfter(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	web.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	endSession(t, s, "alice", s.Web)
	deliver(t, s)
	web.answerWith(nil)
	s.Clock.Advance(19 * time.Minute)
	deliver(t, s)
	web.check(t, 1)
	s.Clock.Advance(2 * time.Minute)
	deliver(t, s)
	web.check(t, 2)
}

// logoutRefused expects that a token is not sent again after the application refused it,
// and that its error is for the operator.
func logoutRefused(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	web.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_request","error_description":"no such session"}`)
	})
	endSession(t, s, "alice", s.Web)
	deliver(t, s)
	s.Clock.Advance(time.Hour)
	deliver(t, s)
	web.check(t, 1)
	abandoned := fixture.EventsOf[oauthkit.NoticeAbandoned](s.Events)
	if len(abandoned) != 1 || !strings.Contains(abandoned[0].Error, "no such session") {
		t.Errorf("got %+v, want one abandoned notice with the error of the application", abandoned)
	}
}

// logoutSlowReceiver expects that an application which does not answer delays neither the
// logout nor the other application.
func logoutSlowReceiver(t *testing.T, s *fixture.Server) {
	web, webPost := receiveLogouts(t, s, s.Web), receiveLogouts(t, s, s.WebPost)
	release := make(chan struct{})
	web.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	started := time.Now()
	for range 10 {
		browser := s.Browser("alice")
		session := sessionOf(t, s, browser.Tokens(s.Web))
		browser.Tokens(s.WebPost)
		endSessionOf(t, s, session)
	}
	if elapsed := time.Since(started); elapsed > 20*time.Second {
		t.Errorf("got %s for ten sign-ins and logouts", elapsed)
	}
	var delivering sync.WaitGroup
	delivering.Go(func() { deliver(t, s) })
	for range 10 {
		<-webPost.came
	}
	if got := len(web.claims()); got > 1 {
		t.Errorf("got %d requests at once to the slow application, want 1", got)
	}
	close(release)
	delivering.Wait()
	webPost.check(t, 10)
}

// logoutTwoInstances expects that each token is sent by one instance only.
func logoutTwoInstances(t *testing.T, s *fixture.Server) {
	const sessions = 100
	web := receiveLogouts(t, s, s.Web)
	second := s.SecondInstance()
	browser := s.Browser("alice")
	tokens := browser.Tokens(s.Web)
	first := sessionOf(t, s, tokens)
	endSessionOf(t, s, first)
	for i := 1; i < sessions; i++ {
		endSession(t, s, fmt.Sprintf("user%d", i), s.Web)
	}
	var delivering sync.WaitGroup
	for _, instance := range []*fixture.Server{s, second, s, second} {
		delivering.Go(func() { deliver(t, instance) })
	}
	delivering.Wait()
	seen := map[any]bool{}
	for _, claims := range web.check(t, sessions) {
		seen[claims["sid"]] = true
	}
	if len(seen) != sessions {
		t.Errorf("got tokens of %d sessions, want %d", len(seen), sessions)
	}
}

// logoutInstanceLost expects that another instance delivers the notices that an instance
// held when it was killed, but not before their lease is over.
func logoutInstanceLost(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	endSession(t, s, "alice", s.Web)
	now := s.Clock.Now()
	claimed, err := s.Store.ClaimNotices(t.Context(), oauthkit.NoticeClaim{Receiver: "backchannel_logout", Now: now, Until: now.Add(time.Minute), Limit: 10})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("got %v, %v, want one notice", claimed, err)
	}
	second := s.SecondInstance()
	deliver(t, second)
	web.check(t, 0)
	s.Clock.Advance(time.Minute + time.Second)
	deliver(t, second)
	web.check(t, 1)
}

// logoutByRun expects that Run delivers at once, not in its next round.
func logoutByRun(t *testing.T, s *fixture.Server) {
	web := receiveLogouts(t, s, s.Web)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := oauthkit.Run(ctx, s.Provider, oauthkit.RunConfig{}); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer stop()
	for range 3 {
		endSession(t, s, "alice", s.Web)
		started := time.Now()
		select {
		case <-web.came:
			if elapsed := time.Since(started); elapsed > 5*time.Second {
				t.Errorf("got the token after %s", elapsed)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("got no token, want one at once")
		}
	}
}
