package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestB33_GuessedPassword checks that wrong passwords delay the next attempt, even a
// correct one, and that a success resets the count.
func TestB33_GuessedPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		for range byUserAndAddress.free + 1 {
			s.expect(http.StatusUnauthorized, "alice", "wrong", home)
		}
		refused := s.expect(http.StatusTooManyRequests, "alice", alicesPassword, home) // held for the second
		if refused.Header().Get("Retry-After") != "1" || !strings.Contains(refused.Body.String(), `name="password"`) {
			t.Errorf("got Retry-After %q and\n%s\nwant a second and the form", refused.Header().Get("Retry-After"), refused.Body)
		}
		if len(refused.Result().Cookies()) != 0 {
			t.Error("got a session for a refused sign-in")
		}
		s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
		for range byUserAndAddress.free + 1 {
			s.expect(http.StatusUnauthorized, "alice", "wrong", home)
		}
		s.expect(http.StatusTooManyRequests, "alice", "wrong", home)
	})
}

// TestB33_UnknownUser checks that unknown user names have the same budget, so that a
// lockout does not reveal which names exist.
func TestB33_UnknownUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		for range byUserAndAddress.free + 1 {
			s.expect(http.StatusUnauthorized, "nobody", "wrong", home)
		}
		s.expect(http.StatusTooManyRequests, "nobody", "wrong", home)
	})
}

// TestB36_OneComparison checks that a sign-in makes one comparison of the same cost
// whether or not the user exists, so that the time does not reveal it, and none during
// a wait.
func TestB36_OneComparison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		var costs []int
		s.pages.signIns.compare = func(hash, password []byte) error {
			cost, err := bcrypt.Cost(hash)
			costs = append(costs, cost)
			return errors.Join(err, bcrypt.ErrMismatchedHashAndPassword)
		}
		for _, username := range []string{"alice", "nobody", "", "not\x00stored", "not\xffstored", strings.Repeat("long", 1000)} {
			costs = nil
			s.expect(http.StatusUnauthorized, username, "wrong", home)
			if len(costs) != 1 || costs[0] != bcrypt.DefaultCost {
				t.Errorf("%.10q: got comparisons of cost %v, want one of %d", username, costs, bcrypt.DefaultCost)
			}
		}
		for range byUserAndAddress.free {
			s.expect(http.StatusUnauthorized, "alice", "wrong", home)
		}
		costs = nil
		s.expect(http.StatusTooManyRequests, "alice", alicesPassword, home)
		if len(costs) != 0 {
			t.Errorf("during a wait: got comparisons of cost %v, want none", costs)
		}
	})
}

// TestB34_LockedOut checks that an attacker cannot lock a user out at another address.
func TestB34_LockedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		for range byUserAndAddress.free + 2 {
			s.signIn("alice", "wrong", elsewhere)
		}
		s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
		s.expect(http.StatusSeeOther, "bob", "builder", elsewhere)
	})
}

// TestB36_SignInLog checks that every outcome of a sign-in is logged as an event with
// the address, the request and an existing user, and without any other input.
func TestB36_SignInLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		const typed = "my-password-in-the-wrong-field"
		for _, step := range []struct {
			username, password string
			want               []map[string]any
		}{
			{"alice", alicesPassword, []map[string]any{{"level": "INFO", "msg": "sign_in.succeeded", "user": "alice"}}},
			{"alice", typed, []map[string]any{{"level": "INFO", "msg": "sign_in.failed", "reason": "wrong_password", "user": "alice"}}},
			{typed, "x", []map[string]any{{"level": "INFO", "msg": "sign_in.failed", "reason": "unknown_user", "user": nil}}},
		} {
			s.signIn(step.username, step.password, home)
			s.expectEvents(step.want, typed)
		}
		for range byUserAndAddress.free - 1 {
			s.signIn("alice", typed, home)
		}
		s.events()
		s.signIn("alice", typed, home)
		s.expectEvents([]map[string]any{
			{"msg": "sign_in.failed", "user": "alice"},
			{"level": "WARN", "msg": "sign_in.locked", "scope": "user_and_address", "wait": float64(time.Second), "user": "alice"},
		}, typed)
		s.signIn("alice", typed, home)
		s.expectEvents([]map[string]any{{"level": "INFO", "msg": "sign_in.refused", "reason": "locked", "user": nil}}, typed)
	})
}

func (s *testSite) expectEvents(want []map[string]any, secret string) {
	s.Helper()
	if strings.Contains(s.log.String(), secret) {
		s.Errorf("got\n%s\nwant no user input", &s.log)
	}
	got := s.events()
	if len(got) != len(want) {
		s.Fatalf("got the events %v, want %v", got, want)
	}
	for i, event := range got {
		for name, value := range want[i] {
			if event[name] != value {
				s.Errorf("got the event %v, want %s %v", event, name, value)
			}
		}
		if trace, _ := event["trace_id"].(string); event["remote_ip"] != "192.0.2.1" || len(trace) < 20 {
			s.Errorf("got the event %v, want the address and the trace id", event)
		}
	}
}

// TestQ01_BusySignIn checks that a sign-in without a turn is refused in time on the
// login page, and logged.
func TestQ01_BusySignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		turns := s.pages.signIns.gate.turns
		for range cap(turns) {
			turns <- struct{}{}
		}
		began := time.Now()
		refused := s.expect(http.StatusServiceUnavailable, "alice", alicesPassword, home)
		if time.Since(began) != maxWait {
			t.Errorf("got a response after %s, want %s", time.Since(began), maxWait)
		}
		if refused.Header().Get("Retry-After") != "1" || !strings.Contains(refused.Body.String(), `name="password"`) {
			t.Errorf("got Retry-After %q and\n%s\nwant a second and the form", refused.Header().Get("Retry-After"), refused.Body)
		}
		s.expectEvents([]map[string]any{{"level": "INFO", "msg": "sign_in.refused", "reason": "busy", "user": nil}}, alicesPassword)
		<-turns
		s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
	})
}
