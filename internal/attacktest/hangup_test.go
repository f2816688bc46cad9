package attacktest

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// hangUps is the number of requests of each kind that hang up. About half of them
// were lost when a request had the context of its connection.
const hangUps = 60

// TestHangUp shows that a request is completed even if its client hangs up.
func TestHangUp(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "RL-33 revocation, closed at once", Test: func(t *testing.T, s *fixture.Server) {
			revokeAndClose(t, s, func(int) time.Duration { return 0 })
		}},
		{Name: "RL-33 revocation, closed within 4 ms", Test: func(t *testing.T, s *fixture.Server) {
			revokeAndClose(t, s, step)
		}},
		{Name: "RL-33 revocation, half closed", Test: func(t *testing.T, s *fixture.Server) {
			for range hangUps {
				token := s.Service.ClientCredentials().Tokens().Access
				if status := s.HalfClose(s.Service.Request("/o/revoke_token", url.Values{"token": {token}})); status != 200 {
					t.Errorf("got status %d, want 200", status)
				}
				s.RS.Introspect(token).Inactive()
			}
		}},
		{Name: "RL-33 replay of a code, closed within 4 ms", Test: testHangUpOfReplay},
		{Name: "RL-33 code exchange, closed within 4 ms", Test: testHangUpOfExchange},
	})
}

// step returns the delay of the i-th hang-up, from 0 to 4 ms.
func step(i int) time.Duration { return time.Duration(i%9) * 500 * time.Microsecond }

func revokeAndClose(t *testing.T, s *fixture.Server, after func(i int) time.Duration) {
	t.Helper()
	var tokens []string
	for i := range hangUps {
		tokens = append(tokens, s.Service.ClientCredentials().Tokens().Access)
		s.HangUp(s.Service.Request("/o/revoke_token", url.Values{"token": {tokens[i]}}), after(i))
	}
	wantRevoked(t, s, tokens)
}

// testHangUpOfReplay replays used codes and hangs up before the replay has
// been handled.
func testHangUpOfReplay(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest())
	var tokens []string
	for i := range hangUps {
		code := alice.Authorize(s.Web.AuthorizeRequest()).Code()
		tokens = append(tokens, s.Web.Redeem(code).Tokens().Access)
		s.HangUp(s.Web.Request("/o/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier},
		}), step(i))
	}
	wantRevoked(t, s, tokens)
}

// testHangUpOfExchange expects an exchange to be completed. The next request with the
// code is answered as a replay.
func testHangUpOfExchange(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest())
	for i := range hangUps {
		code := alice.Authorize(s.Web.AuthorizeRequest()).Code()
		s.HangUp(s.Web.Request("/o/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.Web.RedirectURI}, "code_verifier": {fixture.Verifier},
		}), step(i))
		if !within(func() bool { return len(fixture.EventsOf[oauthkit.TokenIssued](s.Events)) > i }) {
			t.Fatalf("got %d exchanges carried out, want %d", i, i+1)
		}
		s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
	}
}

// wantRevoked waits until every token is revoked, and reports how many are not.
func wantRevoked(t *testing.T, s *fixture.Server, tokens []string) {
	t.Helper()
	alive := func(token string) bool { return s.RS.Introspect(token).OK().Members()["active"] != false }
	if !within(func() bool {
		tokens = slices.DeleteFunc(tokens, func(token string) bool { return !alive(token) })
		return len(tokens) == 0
	}) {
		t.Errorf("got %d valid tokens of %d that were revoked, want none", len(tokens), hangUps)
	}
}

// patience is the time that a request may take after a hang-up, on a busy machine.
const patience = 10 * time.Second

// within polls a condition and reports whether it became true.
func within(condition func() bool) bool {
	for begun := time.Now(); time.Since(begun) < patience; {
		if condition() {
			return true
		}
		<-time.After(time.Millisecond)
	}
	return false
}
