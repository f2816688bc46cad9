package attacktest

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// hangUps is how many requests of a kind hang up. Of each kind, about half were lost when the
// context of a request was that of its connection.
const hangUps = 60

// TestHangUp shows that a request which was sent is carried out, however soon its client is gone.
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

// step is the time after which a number of hang-ups are, from 0 to 4 ms.
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

// testHangUpOfReplay has thieves who do not wait until their use of a code, which was used before,
// has been noticed.
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

// testHangUpOfExchange wants a code to be used up wholly: whoever sends it once more is told that it
// was used, and nothing in between.
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

// wantRevoked waits until every token is dead, and says how many stay alive.
func wantRevoked(t *testing.T, s *fixture.Server, tokens []string) {
	t.Helper()
	alive := func(token string) bool { return s.RS.Introspect(token).OK().Members()["active"] != false }
	if !within(func() bool {
		tokens = slices.DeleteFunc(tokens, func(token string) bool { return !alive(token) })
		return len(tokens) == 0
	}) {
		t.Errorf("got %d tokens alive of %d that were revoked, want none", len(tokens), hangUps)
	}
}

// patience is how long a request may be carried out after its client is gone, on a busy machine.
const patience = 10 * time.Second

// within asks again and again until something is so, and reports whether it is in the end.
func within(so func() bool) bool {
	for begun := time.Now(); time.Since(begun) < patience; {
		if so() {
			return true
		}
		<-time.After(time.Millisecond)
	}
	return false
}
