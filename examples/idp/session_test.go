package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestB35_ChangedPassword checks that a new password in the seed file ends the sessions
// of that user and no others.
func TestB35_ChangedPassword(t *testing.T) {
	s := newTestSite(t, "https://as.test/o")
	alice := s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
	bob := s.expect(http.StatusSeeOther, "bob", "builder", home)
	again := testSeed(alicesPassword)
	again.Users[0].Claims = json.RawMessage(`{"name":"Alice"}`)
	for _, step := range []struct {
		name       string
		seed       *seed
		alicesLast bool
	}{
		{"the same", testSeed(alicesPassword), true},
		{"other claims", again, true},
		{"another password", testSeed("looking-glass"), false},
		{"the first password again", testSeed(alicesPassword), false},
	} {
		if err := step.seed.apply(t.Context(), s.database); err != nil {
			t.Fatal(err)
		}
		if got := s.isSignedIn(alice); got != step.alicesLast {
			t.Errorf("%s: got alice signed in: %v, want %v", step.name, got, step.alicesLast)
		}
		if !s.isSignedIn(bob) {
			t.Errorf("%s: got bob signed out", step.name)
		}
	}
	if !s.isSignedIn(s.expect(http.StatusSeeOther, "alice", alicesPassword, home)) {
		t.Error("got no session for a new sign-in")
	}
}

// TestSessions checks that signing in replaces the browser's session, and that expired
// sessions are deleted.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSite(t, "https://as.test/o")
		for range 3 {
			s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
		}
		time.Sleep(sessionLifetime + time.Second)
		bob := s.expect(http.StatusSeeOther, "bob", "builder", home)
		var users []string
		if err := s.database.db.Model(&session{}).Pluck("username", &users).Error; err != nil || len(users) != 1 || users[0] != "bob" {
			t.Errorf("got the sessions of %q, %v, want only bob's", users, err)
		}
		if !s.isSignedIn(bob) {
			t.Error("got bob signed out")
		}
	})
}

// TestB21_SessionID checks that a new sign-in of the same user in the same browser keeps
// the id of the session and changes the cookie, and that every other sign-in has a new
// id.
func TestB21_SessionID(t *testing.T) {
	s := newTestSite(t, "https://as.test/o")
	first := s.expect(http.StatusSeeOther, "alice", alicesPassword, home)
	again := s.signInAgain("alice", alicesPassword, home, first)
	if s.user(first) != nil || s.user(again) == nil {
		t.Fatal("got the first cookie valid or the second not, want a new cookie for each sign-in")
	}
	known := s.user(again).SessionID
	if first := s.user(s.signInAgain("alice", alicesPassword, home, again)); first.SessionID != known {
		t.Errorf("got the id %q for the same user again, want %q", first.SessionID, known)
	}
	seen := []string{known}
	expectNew := func(name string, signedIn *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		found := s.user(signedIn)
		if found == nil || found.SessionID == "" || slices.Contains(seen, found.SessionID) {
			t.Fatalf("%s: got %+v after the ids %q, want a new one", name, found, seen)
		}
		seen = append(seen, found.SessionID)
		return signedIn
	}
	browser := expectNew("another browser", s.expect(http.StatusSeeOther, "alice", alicesPassword, home))
	expectNew("a planted cookie", s.signInAgain("alice", alicesPassword, home, first))
	expectNew("another user", s.signInAgain("bob", "builder", home, browser))
	browser = expectNew("alice, before the change", s.expect(http.StatusSeeOther, "alice", alicesPassword, home))
	if err := testSeed("looking-glass").apply(t.Context(), s.database); err != nil {
		t.Fatal(err)
	}
	expectNew("a changed password", s.signInAgain("alice", "looking-glass", home, browser))
}
