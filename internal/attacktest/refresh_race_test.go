package attacktest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestRefreshRace presents one refresh token many times concurrently.
func TestRefreshRace(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-03 one refresh token, 100 requests", Configure: withoutRetry, Test: func(t *testing.T, s *fixture.Server) {
			raceToRotate(t, s, 100, s.Web)
		}},
		{Name: "F-03 one refresh token, 50 requests to each of two instances", Configure: withoutRetry, Test: func(t *testing.T, s *fixture.Server) {
			raceToRotate(t, s, 100, s.Web, s.SecondInstance().Web)
		}},
		{Name: "F-03 two requests read the token before either rotates it", Configure: rotateTogether(0), Test: func(t *testing.T, s *fixture.Server) {
			raceToRotate(t, s, 2, s.Web)
		}},
		{Name: "F-03 300 refreshes, each while its token is revoked at another instance", Test: func(t *testing.T, s *fixture.Server) {
			raceWithRevocation(t, s, 300, s.SecondInstance().Web)
		}},
		{Name: "F-04 one refresh token, 50 retries at each of two instances", Test: func(t *testing.T, s *fixture.Server) {
			raceToRetry(t, s, 100, s.Web, s.SecondInstance().Web)
		}},
		{Name: "F-04 two requests read the token before either rotates it, with a retry", Configure: rotateTogether(30 * time.Second), Test: func(t *testing.T, s *fixture.Server) {
			raceToRetry(t, s, 2, s.Web)
		}},
	})
}

// meetingRotations is a store in which two rotations wait for each other.
type meetingRotations struct {
	storetest.Store
	rotating sync.WaitGroup
}

// RotateRefreshToken implements [oauthkit.RefreshTokenStore].
func (m *meetingRotations) RotateRefreshToken(ctx context.Context, rotation oauthkit.Rotation) error {
	m.rotating.Done()
	m.rotating.Wait()
	return m.Store.RotateRefreshToken(ctx, rotation)
}

func rotateTogether(window time.Duration) func(*oauthkit.Config, storetest.Store) {
	return func(config *oauthkit.Config, store storetest.Store) {
		meeting := &meetingRotations{Store: store}
		meeting.rotating.Add(2)
		config.Grants = []oauthkit.Grant{
			grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}),
			grants.RefreshToken(meeting, grants.RefreshTokenConfig{RetryWindow: window}),
		}
	}
}

// refreshAtOnce presents one refresh token concurrently, to the instances in turn.
func refreshAtOnce(token string, requests int, clients []*fixture.Client) []*fixture.Answer {
	answers := make([]*fixture.Answer, requests)
	fixture.Race(requests, func(i int) { answers[i] = clients[i%len(clients)].Refresh(token) })
	return answers
}

// raceToRotate expects one success. The others are replays, so everything is revoked.
func raceToRotate(t *testing.T, s *fixture.Server, requests int, clients ...*fixture.Client) {
	first := s.Browser("alice").Tokens(s.Web)
	var won []fixture.Tokens
	for _, answer := range refreshAtOnce(first.Refresh, requests, clients) {
		if answer.Status == http.StatusOK {
			won = append(won, answer.Tokens())
			continue
		}
		answer.ErrorJSON(400, "invalid_grant")
	}
	if len(won) != 1 {
		t.Errorf("got %d successes, want one", len(won))
	}
	ended(s, s.Web, append(won, first)...)
	if _, revoked := replays(s); revoked != 1 {
		t.Errorf("got %d revocation events, want one", revoked)
	}
}

// raceToRetry expects the same successor in every successful answer: the first and up
// to five retries.
func raceToRetry(t *testing.T, s *fixture.Server, requests int, clients ...*fixture.Client) {
	first := s.Browser("alice").Tokens(s.Web)
	var answered []fixture.Tokens
	for _, answer := range refreshAtOnce(first.Refresh, requests, clients) {
		if answer.Status != http.StatusOK {
			answer.ErrorJSON(400, "invalid_grant")
			continue
		}
		answered = append(answered, answer.Tokens())
		if got := answered[len(answered)-1]; got != answered[0] {
			t.Errorf("got %+v, want the answer of the others, %+v", got, answered[0])
		}
	}
	if len(answered) != min(requests, 6) {
		t.Fatalf("got %d answers with tokens, want the first and at most five retries", len(answered))
	}
	s.Web.Introspect(answered[0].Refresh).Active()
	s.RS.Introspect(answered[0].Access).Active()
	if seen, revoked := replays(s); seen != 0 || revoked != 0 {
		t.Errorf("got %d replay and %d revocation events, want none", seen, revoked)
	}
}

// raceWithRevocation expects no valid token after each pair, in whichever order
// the two ran.
func raceWithRevocation(t *testing.T, s *fixture.Server, pairs int, elsewhere *fixture.Client) {
	for range pairs {
		first := s.Browser("alice").Tokens(s.Web)
		var refreshed *fixture.Answer
		fixture.Race(2, func(i int) {
			if i == 0 {
				refreshed = s.Web.Refresh(first.Refresh)
			} else {
				elsewhere.Revoke(first.Refresh).OK()
			}
		})
		live := []string{first.Access, first.Refresh}
		if refreshed.Status == http.StatusOK {
			tokens := refreshed.Tokens()
			live = append(live, tokens.Access, tokens.Refresh)
		} else {
			refreshed.ErrorJSON(400, "invalid_grant")
		}
		for _, token := range live {
			s.Web.Introspect(token).Inactive()
		}
		if t.Failed() {
			return
		}
	}
}
