package attacktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestRefresh tests rotation: one use, a retry, and revocation when two parties use
// the same token.
func TestRefresh(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-01 each use replaces the token", Test: rotation},
		{Name: "F-02 reuse revokes everything", Configure: withoutRetry, Test: reuse},
		{Name: "F-02 reuse after the retry window revokes everything", Test: lateReuse},
		{Name: "F-04 a retry gets the same successor", Test: retry},
		{Name: "F-04 a retry after the successor was used is reuse", Test: retryTooFar},
		{Name: "F-05 no retry after revocation", Test: retryAfterRevocation},
		{Name: "F-06 an older generation is reuse, not a retry", Test: olderGeneration},
		{Name: "F-07 generations do not depend on the time", Configure: withoutRetry, Test: sameSecond},
		{Name: "F-08 reuse is detected after a restart", Configure: withoutRetry, Test: restart},
		{Name: "F-23 a long family is revoked as fast as a short one", Configure: withoutRetry, Test: longFamily},
		{Name: "F-24 failure before the rotation", Test: failureBeforeRotation},
		{Name: "F-25 response lost, with a retry", Test: answerLost},
		{Name: "F-25 response lost, without a retry", Configure: withoutRetry, Test: answerLostWithoutRetry},
		{Name: "F-26 token value that exists already", Configure: withStaleGenerator, Test: existingValue},
	})
}

// withoutRetry makes every second use of a refresh token a replay.
func withoutRetry(config *oauthkit.Config, store storetest.Store) {
	config.Grants = []oauthkit.Grant{
		grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}), grants.RefreshToken(store, grants.RefreshTokenConfig{}),
	}
}

// ended expects all the tokens, of a confidential application, to be invalid.
func ended(s *fixture.Server, client *fixture.Client, all ...fixture.Tokens) {
	for _, tokens := range all {
		s.RS.Introspect(tokens.Access).Inactive()
		client.Introspect(tokens.Access).Inactive()
		client.Introspect(tokens.Refresh).Inactive()
		client.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
		s.Bearer("/api/read", tokens.Access).ErrorJSON(401, "invalid_token")
	}
}

// replays returns the number of replay events and of the revocations that
// follow them.
func replays(s *fixture.Server) (seen, revoked int) {
	for _, event := range fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events) {
		if event.Reason == oauthkit.RevokedByReplay {
			revoked++
		}
	}
	return len(fixture.EventsOf[oauthkit.CredentialReplayed](s.Events)), revoked
}

func rotation(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	third := s.Web.Refresh(second.Refresh).Tokens()
	if first.Refresh == second.Refresh || second.Refresh == third.Refresh || second.Access == third.Access {
		t.Errorf("got %+v, %+v and %+v, want new tokens each time", first, second, third)
	}
	s.Web.Introspect(first.Refresh).Inactive()
	s.Web.Introspect(second.Refresh).Inactive()
	s.Web.Introspect(third.Refresh).Active()
	for _, tokens := range []fixture.Tokens{first, second, third} {
		s.RS.Introspect(tokens.Access).Active() // still valid until it expires: rotation does not revoke
	}
	s.Web.Refresh(second.Refresh).Tokens() // the retry of F-04
	s.Web.Refresh(third.Refresh).Tokens()
	s.Web.Refresh(second.Refresh).ErrorJSON(400, "invalid_grant")
}

func reuse(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	other := s.Browser("alice").Tokens(s.Web)
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	if seen, revoked := replays(s); seen != 1 || revoked != 1 {
		t.Errorf("got %d replay and %d revocation events, want one of each", seen, revoked)
	}
	ended(s, s.Web, first, second)
	s.RS.Introspect(other.Access).Active() // another sign-in has another Authorization
	s.Web.Refresh(other.Refresh).Tokens()
}

func lateReuse(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	s.Wait(30*time.Second + time.Microsecond)
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first, second)
}

// retry follows the design and not the catalogue, which expects a new successor each
// time: reuse detection exists to find two valid successors of one token.
func retry(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	for _, wait := range []time.Duration{0, 10 * time.Second, 15 * time.Second} {
		s.Wait(wait)
		again := s.Web.Refresh(first.Refresh).Tokens()
		if again.Refresh != second.Refresh || again.Access != second.Access || again.ID != second.ID || again.Scope != second.Scope {
			t.Errorf("got %+v, want the first response, %+v", again, second)
		}
		second.ExpiresIn -= int64(wait / time.Second)
		if again.ExpiresIn != second.ExpiresIn {
			t.Errorf("got expires_in %d, want %d: the token is not renewed", again.ExpiresIn, second.ExpiresIn)
		}
	}
	s.Evil.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(second.Access).Active()
	s.Web.Refresh(second.Refresh).Tokens()
}

func retryTooFar(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	third := s.Web.Refresh(second.Refresh).Tokens()
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first, second, third)
}

func retryAfterRevocation(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, revoke := range []func(first, second fixture.Tokens) *fixture.Answer{
		func(first, _ fixture.Tokens) *fixture.Answer { return s.Web.Revoke(first.Refresh) },
		func(_, second fixture.Tokens) *fixture.Answer { return s.Web.Revoke(second.Refresh) },
		func(_, second fixture.Tokens) *fixture.Answer { return s.Web.Revoke(second.Access) },
	} {
		first := alice.Tokens(s.Web)
		second := s.Web.Refresh(first.Refresh).Tokens()
		revoke(first, second).OK()
		ended(s, s.Web, first, second)
	}
	unused := alice.Tokens(s.Web)
	s.Web.Revoke(unused.Refresh).OK()
	ended(s, s.Web, unused)
}

func olderGeneration(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	third := s.Web.Refresh(second.Refresh).Tokens()
	s.Clock.Advance(time.Second)
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first, second, third)
}

func sameSecond(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for reused := range 2 {
		family := []fixture.Tokens{alice.Tokens(s.Web)}
		for range 2 {
			family = append(family, s.Web.Refresh(family[len(family)-1].Refresh).Tokens())
		}
		s.Web.Refresh(family[reused].Refresh).ErrorJSON(400, "invalid_grant")
		ended(s, s.Web, family...)
	}
	if seen, revoked := replays(s); seen != 2 || revoked != 2 {
		t.Errorf("got %d replay and %d revocation events, want two of each", seen, revoked)
	}
}

func restart(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	second := s.Web.Refresh(first.Refresh).Tokens()
	other := s.SecondInstance()
	other.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(other, other.Web, first, second)
	ended(s, s.Web, second)
}

// longFamily counts the store calls, each of which is one statement.
func longFamily(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web, "scope=api:read")
	last := first
	for range 60 {
		last = s.Web.Refresh(last.Refresh).Tokens()
	}
	s.Store.ClearCalls()
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	if calls := s.Store.Calls(); len(calls) > 3 {
		t.Errorf("got store calls %v, want the application, the token and the revocation", calls)
	}
	ended(s, s.Web, first, last)
}

func failureBeforeRotation(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	s.Store.Fail(3) // after reading the application and the token
	s.Web.Refresh(first.Refresh).Unavailable()
	s.Store.Heal()
	s.Web.Introspect(first.Refresh).Active()
	s.Web.Refresh(first.Refresh).Tokens()
}

func answerLost(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	s.Store.FailAfter("RotateRefreshToken")
	s.Web.Refresh(first.Refresh).Unavailable()
	second := s.Web.Refresh(first.Refresh).Tokens()
	s.Web.Refresh(second.Refresh).Tokens()
	issued := fixture.EventsOf[oauthkit.TokenIssued](s.Events)
	if len(issued) != 3 || !issued[1].Retried || issued[2].Retried {
		t.Errorf("got events %+v, want tokens for the code, a retry and a refresh", issued)
	}
}

func answerLostWithoutRetry(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	s.Store.FailAfter("RotateRefreshToken")
	s.Web.Refresh(first.Refresh).Unavailable()
	s.Web.Refresh(first.Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, first)
}

// staleGenerator generates the same access token twice, then different ones.
type staleGenerator struct{ made int }

// Token implements [oauth2.AccessGenerate].
func (g *staleGenerator) Token(context.Context, *oauth2.GenerateBasic, bool) (access, refresh string, err error) {
	g.made++
	return []string{"twice", "twice", "third"}[g.made-1], "", nil
}

func withStaleGenerator(config *oauthkit.Config, _ storetest.Store) {
	config.AccessTokens = &staleGenerator{}
}

func existingValue(_ *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.Web)
	s.Users.Fail(errors.New("the fixture then allows 503"))
	s.Users.Fail(nil)
	s.Web.Refresh(first.Refresh).Unavailable() // nothing was consumed or overwritten
	s.RS.Introspect(first.Access).Active()
	second := s.Web.Refresh(first.Refresh).Tokens()
	s.RS.Introspect(first.Access).Active()
	s.RS.Introspect(second.Access).Active()
}
