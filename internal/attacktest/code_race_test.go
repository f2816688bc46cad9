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

// TestCodeRace redeems one code concurrently. One request succeeds. The others are
// replays, so the tokens of the successful one are revoked (RFC 6749 §4.1.2).
func TestCodeRace(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "C-02 one code, 100 requests", Test: func(t *testing.T, s *fixture.Server) { raceForCode(t, s, 100, s.Web) }},
		{Name: "C-03 one code, 50 requests to each of two instances", Test: func(t *testing.T, s *fixture.Server) {
			raceForCode(t, s, 100, s.Web, s.SecondInstance().Web)
		}},
		{Name: "C-02 two requests read the code before either redeems it", Configure: readTogether, Test: func(t *testing.T, s *fixture.Server) {
			raceForCode(t, s, 2, s.Web)
		}},
	})
}

func raceForCode(t *testing.T, s *fixture.Server, requests int, clients ...*fixture.Client) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	answers := make([]*fixture.Answer, requests)
	fixture.Race(len(answers), func(i int) { answers[i] = clients[i%len(clients)].Redeem(code) })
	var won []fixture.Tokens
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			won = append(won, answer.Tokens())
			continue
		}
		answer.ErrorJSON(400, "invalid_grant")
	}
	if len(won) != 1 {
		t.Fatalf("got %d successes, want 1", len(won))
	}
	s.RS.Introspect(won[0].Access).Inactive()
	s.Web.Refresh(won[0].Refresh).ErrorJSON(400, "invalid_grant")
	if revoked := fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events); len(revoked) != 1 || revoked[0].Reason != oauthkit.RevokedByReplay {
		t.Errorf("got %+v, want one revocation with the reason replay", revoked)
	}
	checkRows(t, s)
}

// meetingStore makes two readers of a code wait for each other.
type meetingStore struct {
	storetest.Store
	reading sync.WaitGroup
}

// Code implements [oauthkit.CodeStore].
func (m *meetingStore) Code(ctx context.Context, hash string) (*oauthkit.AuthorizationCode, error) {
	code, err := m.Store.Code(ctx, hash)
	m.reading.Done()
	m.reading.Wait()
	return code, err
}

func readTogether(config *oauthkit.Config, store storetest.Store) {
	meeting := &meetingStore{Store: store}
	meeting.reading.Add(2)
	config.Grants = grants.Standard(meeting)
}

// checkRows deletes everything and checks the counts of deleted rows. The failed
// requests must have left no rows.
func checkRows(t *testing.T, s *fixture.Server) {
	t.Helper()
	removed, err := s.Store.Cleanup(t.Context(), oauthkit.CleanupLimits{Now: s.Clock.Now().Add(365 * 24 * time.Hour)})
	if err != nil {
		t.Fatalf("deleting everything: %v", err)
	}
	for _, table := range []string{"authorizations", "authorization_codes", "access_tokens", "refresh_tokens"} {
		if removed[table] != 1 {
			t.Errorf("got %d rows of %s, want 1", removed[table], table)
		}
	}
}
