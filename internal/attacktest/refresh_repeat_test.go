package attacktest

import (
	"context"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestRefreshRepeat tests used refresh tokens that are presented again within the
// retry window.
func TestRefreshRepeat(t *testing.T) {
	wait, meeting, secrets, swapped := &waitingRotations{}, &meetingAPIs{}, &otherSecrets{}, &swappedRows{}
	fixture.Run(t, []fixture.Case{
		{Name: "F-04 repeats are limited, and each is an event", Test: fewRepeats},
		{Name: "F-04 the window begins when the token is consumed", Configure: wait.configure, Test: func(t *testing.T, s *fixture.Server) {
			waitForLock(t, s, wait)
		}},
		{Name: "F-05 revocation after a repeat for something else", Test: revokedRepeat},
		{Name: "F-06 an older generation with other parameters", Test: olderQuestion},
		{Name: "F-07 generations within one second, with a retry", Test: sameMoment},
		{Name: "F-08 a repeat after a restart, and a late one", Test: repeatAfterRestart},
		{Name: "F-11 a repeat for other scopes", Test: repeatedScope},
		{Name: "F-19 a repeat for other resources", Test: repeatedResource},
		{Name: "F-19 20 concurrent pairs for two APIs", Test: apisAtOnce},
		{Name: "F-19 two requests for two APIs read the token before either rotates it", Configure: meeting.configure, Test: apisMeet},
		{Name: "F-25 three generations of lost responses are an event", Test: sharedGenerations},
		{Name: "F-25 three generations of lost responses revoke, if configured", Configure: revokeShared, Test: sharedGenerationsRevoked},
		{Name: "RL-22 the clocks of two instances are minutes apart", Test: clocksApart},
		{Name: "ST-01 the response of a used token without Config.Secret", Configure: secrets.configure, Test: func(t *testing.T, s *fixture.Server) {
			secrets.test(t, s)
		}},
		{Name: "F-08 a late repeat after Config.Secret was replaced", Configure: secrets.configure, Test: lateUnderAnotherSecret},
		{Name: "ST-01 the response of a used token with another token", Configure: swapped.configure, Test: func(t *testing.T, s *fixture.Server) {
			swapped.test(t, s)
		}},
		{Name: "ST-01 a dump and a used token open nothing", Test: deadTokenOpensNothing},
		{Name: "ST-01 a dump and a used token open nothing once the window is over", Configure: withoutSecret, Test: sealedIsGone},
	})
}

func repeatEvents(s *fixture.Server) (repeated, refused int) {
	for _, event := range fixture.EventsOf[oauthkit.CredentialRepeated](s.Events) {
		if event.Refused {
			refused++
		} else {
			repeated++
		}
	}
	return repeated, refused
}

// wantLive expects the last tokens of an Authorization to be valid, and no replay.
func wantLive(t *testing.T, s *fixture.Server, tokens fixture.Tokens) {
	t.Helper()
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Introspect(tokens.Refresh).Active()
	if seen, revoked := replays(s); seen != 0 || revoked != 0 {
		t.Errorf("got %d replay and %d revocation events, want none", seen, revoked)
	}
}

func fewRepeats(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	for i := range 50 {
		answer := s.Web.Refresh(first.Refresh, "scope="+[]string{"", "openid"}[i%2])
		switch {
		case i >= 5:
			answer.ErrorJSON(400, "invalid_grant")
		case answer.Tokens().Refresh != second.Refresh:
			t.Errorf("repeat %d: got another refresh token, want the successor", i+1)
		}
	}
	s.Web.Refresh(first.Refresh, "scope=nonsense").ErrorJSON(400, "invalid_grant")
	if repeated, refused := repeatEvents(s); repeated != 5 || refused != 46 {
		t.Errorf("got %d repeat and %d refusal events, want 5 and 46", repeated, refused)
	}
	want := oauthkit.CredentialRepeated{
		ClientID: "web", Subject: "alice", CredentialID: oauthkit.CredentialID(first.Refresh), Repeats: 1,
	}
	got := fixture.EventsOf[oauthkit.CredentialRepeated](s.Events)[0]
	if want.AuthorizationID = got.AuthorizationID; got != want || got.AuthorizationID == "" {
		t.Errorf("got events %+v, want %+v", got, want)
	}
	wantLive(t, s, second)
	s.Web.Refresh(second.Refresh).Tokens()
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	if seen, revoked := replays(s); seen != 1 || revoked != 1 {
		t.Errorf("got %d replay and %d revocation events after the successor was used, want one of each", seen, revoked)
	}
}

// waitingRotations is a store in which a rotation waits 35 seconds for a lock.
type waitingRotations struct {
	storetest.Store
	clock *fixture.Clock
}

func (w *waitingRotations) configure(config *oauthkit.Config, store storetest.Store) {
	w.Store, w.clock = store, nil
	config.Grants = []oauthkit.Grant{
		grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}),
		grants.RefreshToken(w, grants.RefreshTokenConfig{RetryWindow: 30 * time.Second}),
	}
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (w *waitingRotations) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	w.clock.Advance(35 * time.Second)
	return w.Store.RotateRefreshToken(ctx, rotation)
}

func waitForLock(t *testing.T, s *fixture.Server, wait *waitingRotations) {
	wait.clock = s.Clock
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	if again := s.Web.Refresh(first.Refresh).Tokens(); again.Refresh != second.Refresh {
		t.Errorf("got %+v, want the lost response, %+v", again, second)
	}
	wantLive(t, s, second)
}

func revokedRepeat(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	other := s.Web.Refresh(first.Refresh, "scope=openid").Tokens()
	s.Web.Revoke(other.Access).OK()
	for _, question := range []string{"scope=", "scope=openid", "resource=https://api.test"} {
		s.Web.Refresh(first.Refresh, question).ErrorJSON(400, "invalid_grant")
	}
	ended(s, s.Web, first, second, other)
}

func olderQuestion(_ *testing.T, s *fixture.Server) {
	for _, question := range []string{"scope=openid", "scope=nonsense", "resource=https://unknown.test"} {
		first := s.Browser("alice").Tokens(s.Web)
		second := s.Web.Refresh(first.Refresh).Tokens()
		third := s.Web.Refresh(second.Refresh).Tokens()
		s.Web.Refresh(first.Refresh, question).ErrorJSON(400, "invalid_grant")
		ended(s, s.Web, first, second, third)
	}
}

// sameMoment retries each generation before it is used, all at the same time of
// the clock.
func sameMoment(t *testing.T, s *fixture.Server) {
	family := []fixture.Tokens{s.Browser("alice").Tokens(s.Web)}
	for i := range 2 {
		next := s.Web.Refresh(family[i].Refresh).Tokens()
		if again := s.Web.Refresh(family[i].Refresh).Tokens(); again != next {
			t.Errorf("generation %d: got %+v, want the first response, %+v", i, again, next)
		}
		family = append(family, next)
	}
	s.Web.Refresh(family[0].Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, family...)
}

func repeatAfterRestart(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	other := s.SecondInstance()
	if again := other.Web.Refresh(first.Refresh).Tokens(); again != second {
		t.Errorf("got %+v, want the response from before the restart, %+v", again, second)
	}
	s.Wait(31 * time.Second)
	other.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(other, other.Web, first, second)
}

func repeatedScope(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web, "scope=openid email api:read")
	second := s.Web.Refresh(first.Refresh, "scope=openid api:read").Tokens()
	if again := s.Web.Refresh(first.Refresh, "scope=api:read  openid").Tokens(); again != second {
		t.Errorf("the same scopes in another order: got %+v, want %+v", again, second)
	}
	for _, scope := range []string{"openid", "openid email api:read"} { // narrower and wider
		other := s.Web.Refresh(first.Refresh, "scope="+scope).Tokens()
		if other.Scope != scope || s.RS.Introspect(other.Access).Active()["scope"] != scope {
			t.Errorf("got scope %q, want %q", other.Scope, scope)
		}
		if other.Refresh != second.Refresh || other.Access == second.Access || other.ID == "" || other.ID == second.ID {
			t.Errorf("got %+v, want other tokens than the successor of %+v", other, second)
		}
	}
	for _, scope := range []string{"openid api:write", "nonsense"} {
		s.Web.Refresh(first.Refresh, "scope="+scope).ErrorJSON(400, "invalid_scope")
	}
	wantLive(t, s, second)
	s.Wait(31 * time.Second)
	s.Web.Refresh(first.Refresh, "scope=nonsense").ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first, second)
}

func repeatedResource(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh, "resource=https://api.test").Tokens()
	other := s.Web.Refresh(first.Refresh, "resource=https://other.test").Tokens()
	both := s.Web.Refresh(first.Refresh, "resource=https://other.test", "+resource=https://api.test").Tokens()
	wantAudience(t, s, second.Access, "https://api.test")
	wantAudience(t, s, other.Access, "https://other.test")
	wantAudience(t, s, both.Access, "https://other.test", "https://api.test")
	if other.Refresh != second.Refresh || both.Refresh != second.Refresh {
		t.Errorf("got other refresh tokens, want the successor for every API")
	}
	if again := s.Web.Refresh(first.Refresh, "resource=https://api.test", "+resource=https://api.test").Tokens(); again != second {
		t.Errorf("got %+v for the first parameters, want their response, %+v", again, second)
	}
	s.Web.Refresh(first.Refresh, "resource=https://unknown.test").ErrorJSON(400, "invalid_target")
	wantLive(t, s, second)
	s.Web.Refresh(second.Refresh, "resource=https://api.test").Tokens()
}

// meetingAPIs makes two rotations wait for each other.
type meetingAPIs struct{}

func (*meetingAPIs) configure(config *oauthkit.Config, store storetest.Store) {
	rotateTogether(30*time.Second)(config, store)
}

func apisAtOnce(t *testing.T, s *fixture.Server) {
	for range 20 {
		apisMeet(t, s)
	}
}

func apisMeet(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	apis, answers := []string{"https://api.test", "https://other.test"}, make([]fixture.Tokens, 2)
	fixture.Race(2, func(i int) { answers[i] = s.Web.Refresh(first.Refresh, "resource="+apis[i]).Tokens() })
	for i, answer := range answers {
		wantAudience(t, s, answer.Access, apis[i])
	}
	if answers[0].Refresh != answers[1].Refresh || answers[0].Access == answers[1].Access {
		t.Errorf("got %+v, want two access tokens with one refresh token", answers)
	}
	wantLive(t, s, answers[0])
}

// lostAnswers refreshes through this number of generations, each of whose responses
// is lost once. It returns the last answer.
func lostAnswers(s *fixture.Server, tokens fixture.Tokens, generations int) (token string, last *fixture.Answer) {
	last, token = nil, tokens.Refresh
	for i := range generations {
		if i > 0 {
			token = last.Tokens().Refresh
		}
		s.Web.Refresh(token).Tokens()
		last = s.Web.Refresh(token)
	}
	return token, last
}

func sharedGenerations(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	_, second := lostAnswers(s, first, 2)
	arrived := s.Web.Refresh(second.Tokens().Refresh).Tokens()
	_, fourth := lostAnswers(s, arrived, 2)
	if shared := fixture.EventsOf[oauthkit.CredentialShared](s.Events); len(shared) > 0 {
		t.Errorf("got events %+v, want none: there were never three in a row", shared)
	}
	token, last := lostAnswers(s, fourth.Tokens(), 1)
	s.Web.Refresh(token).Tokens()
	shared := fixture.EventsOf[oauthkit.CredentialShared](s.Events)
	if len(shared) != 1 || shared[0].Generations != 3 || shared[0].CredentialID != oauthkit.CredentialID(token) || shared[0].ClientID != "web" {
		t.Errorf("got events %+v, want one for the third token in a row", shared)
	}
	wantLive(t, s, last.Tokens())
}

func revokeShared(config *oauthkit.Config, store storetest.Store) {
	config.Grants = []oauthkit.Grant{
		grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}),
		grants.RefreshToken(store, grants.RefreshTokenConfig{RetryWindow: 30 * time.Second, RevokeShared: true}),
	}
}

func sharedGenerationsRevoked(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	_, second := lostAnswers(s, first, 2)
	third := s.Web.Refresh(second.Tokens().Refresh).Tokens()
	s.Web.Refresh(second.Tokens().Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first, third)
	if shared := fixture.EventsOf[oauthkit.CredentialShared](s.Events); len(shared) != 1 {
		t.Errorf("got events %+v, want one", shared)
	}
}

// clocksApart repeats a request at an instance whose clock is minutes ahead or
// behind. Memory and SQLite use the machine's clock, which all instances share.
func clocksApart(t *testing.T, s *fixture.Server) {
	for _, skew := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		first := s.Browser("alice").Tokens(s.Web)
		second := s.Web.Refresh(first.Refresh).Tokens()
		s.Clock.Advance(skew)
		again := s.Web.Refresh(first.Refresh)
		if s.HasOwnClock() {
			if tokens := again.Tokens(); tokens.Access != second.Access || tokens.Refresh != second.Refresh {
				t.Errorf("clock off by %v: got %+v, want the first response, %+v", skew, tokens, second)
			}
			wantLive(t, s, second)
		} else {
			again.ErrorJSON(400, "invalid_grant")
		}
		s.Clock.Advance(-skew)
	}
}

// otherSecrets gives each instance another Config.Secret.
type otherSecrets struct{ instances int }

func (o *otherSecrets) configure(config *oauthkit.Config, _ storetest.Store) {
	config.Extensions = nil // the signing keys are sealed with the fixture's secret
	config.Secret = []string{"", "one secret that is long enough for it", "another secret that is long enough"}[o.instances%3]
	o.instances++
}

func (o *otherSecrets) test(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web, "scope=api:read")
	instances := []*fixture.Server{s, s.SecondInstance(), s.SecondInstance()}
	for i := range instances {
		own, other := instances[i], instances[(i+1)%3]
		answered := own.Web.Refresh(first.Refresh).Tokens()
		other.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
		if again := own.Web.Refresh(first.Refresh).Tokens(); again != answered {
			t.Errorf("got %+v, want the first response, %+v", again, answered)
		}
		first = answered
	}
	wantLive(t, s, first)
}

// lateUnderAnotherSecret lets an attacker use a token before Config.Secret is
// replaced. The owner uses it long after the window, before any cleanup.
func lateUnderAnotherSecret(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web, "scope=api:read")
	thief := s.Web.Refresh(first.Refresh).Tokens()
	replaced := s.SecondInstance()
	replaced.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	wantLive(t, s, thief)
	s.Wait(5 * time.Minute)
	replaced.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(thief.Access).Inactive()
	s.Web.Refresh(thief.Refresh).ErrorJSON(400, "invalid_grant")
}

// swappedRows is a store that returns the row of a used token for another token.
type swappedRows struct {
	storetest.Store
	used string // its hash
}

func (r *swappedRows) configure(config *oauthkit.Config, store storetest.Store) {
	r.Store, r.used = store, ""
	config.Grants = []oauthkit.Grant{
		grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}),
		grants.RefreshToken(r, grants.RefreshTokenConfig{RetryWindow: 30 * time.Second}),
	}
}

// RefreshToken implements [oauthkit.RefreshTokenStore].
func (r *swappedRows) RefreshToken(ctx context.Context, hash string) (*oauthkit.RefreshToken, error) {
	if r.used != "" {
		hash = r.used
	}
	return r.Store.RefreshToken(ctx, hash)
}

func (r *swappedRows) test(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	r.used = secret.Hash(first.Refresh)
	if again := s.Web.Refresh(first.Refresh).Tokens(); again != second {
		t.Errorf("got %+v, want the first response, %+v: otherwise the test shows nothing", again, second)
	}
	for range 3 {
		s.Web.Refresh(secret.New(secret.RefreshToken)).ErrorJSON(400, "invalid_grant")
	}
}

// opensSealed tries to decrypt the response sealed with a used token with everything
// in a dump and the token, and reports whether it succeeds.
func opensSealed(t *testing.T, s *fixture.Server, used string) bool {
	t.Helper()
	token, err := s.Store.RefreshToken(t.Context(), secret.Hash(used))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		used, used[4:], token.Hash, token.Authorization.ID, token.Authorization.Subject, "", "oauthkit refresh token retry",
		"oauthkit", used + used, used + token.Hash, used + token.Authorization.ID, used + "web",
	} {
		for _, bound := range []string{token.Hash, used, ""} {
			for _, purpose := range []string{"oauthkit refresh token retry", ""} {
				if _, err := secret.Open(key, purpose, token.Sealed, []byte(bound)); err == nil {
					return true
				}
			}
		}
	}
	return false
}

func deadTokenOpensNothing(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	if opensSealed(t, s, first.Refresh) {
		t.Error("got the response decrypted with a dump and the used token, want Config.Secret to be required")
	}
	s.Web.Revoke(second.Refresh).OK()
	wantUnsealed(t, s, first.Refresh)
}

func withoutSecret(config *oauthkit.Config, _ storetest.Store) {
	config.Secret, config.Extensions = "", nil
}

// sealedIsGone shows that without Config.Secret the response can be decrypted while
// it can be repeated, but not after the next cleanup or the next act of the
// Authorization.
func sealedIsGone(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web, "scope=api:read")
	second := s.Web.Refresh(first.Refresh).Tokens()
	if !opensSealed(t, s, first.Refresh) {
		t.Error("got no response decrypted within the window, want one: otherwise the test shows nothing")
	}
	s.Wait(20 * time.Second)
	clean(t, s, 0)
	s.Web.Refresh(first.Refresh).Tokens()
	s.Wait(11 * time.Second)
	clean(t, s, 1)
	wantUnsealed(t, s, first.Refresh)
	third := s.Web.Refresh(second.Refresh).Tokens()
	s.Web.Refresh(third.Refresh).Tokens()
	wantUnsealed(t, s, second.Refresh)
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant") // still a replay
	ended(s, s.Web, first, second, third)
}

func clean(t *testing.T, s *fixture.Server, want int) {
	t.Helper()
	removed, err := s.Provider.Cleanup(t.Context(), oauthkit.CleanupLimits{})
	if got := removed["refresh_tokens.sealed"]; err != nil || got != want {
		t.Errorf("Cleanup: got %d sealed responses, %v; want %d", got, err, want)
	}
}

func wantUnsealed(t *testing.T, s *fixture.Server, used string) {
	t.Helper()
	token, err := s.Store.RefreshToken(t.Context(), secret.Hash(used))
	if err != nil || len(token.Sealed) > 0 {
		t.Errorf("got %+v, %v; want no sealed response", token, err)
	}
}
