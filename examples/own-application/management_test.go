package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/sqlite"
)

// interrupted is a store in which nothing can be ended until it is repaired, with a token of the client till.
type interrupted struct {
	*testing.T
	*Store
}

func newInterrupted(t *testing.T) *interrupted {
	t.Helper()
	file := filepath.Join(t.TempDir(), "own.db")
	s := &interrupted{t, openStore(t, func() (*gorm.DB, error) { return sqlite.OpenDB(file) })}
	now := time.Now()
	authorization := &oauthkit.Authorization{ID: "a", ClientID: "till", Subject: "alice", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	tokens := oauthkit.Tokens{Access: &oauthkit.AccessToken{Hash: "token", Authorization: authorization, IssuedAt: now, ExpiresAt: now.Add(time.Hour)}}
	if err := s.SaveTokens(t.Context(), authorization, tokens); err != nil {
		t.Fatal(err)
	}
	s.execute("CREATE TRIGGER failing BEFORE UPDATE ON oauth_authorizations BEGIN SELECT RAISE(ABORT, 'the database is down'); END")
	return s
}

func (s *interrupted) execute(statement string) {
	s.Helper()
	if err := s.db.Exec(statement).Error; err != nil {
		s.Fatal(err)
	}
}

func (s *interrupted) repair() {
	s.Helper()
	s.execute("DROP TRIGGER failing")
}

// alive reports whether the token is good.
func (s *interrupted) alive() bool {
	s.Helper()
	token, err := s.AccessToken(s.Context(), "token")
	if err != nil {
		s.Fatal(err)
	}
	return token.Authorization.RevokedAt.IsZero()
}

// TestClientOfBefore is about a key that somebody else's client has had: as long as its token is good, there is no client that could
// use it.
func TestClientOfBefore(t *testing.T) {
	s := newInterrupted(t)
	if err := register(t.Context(), s.Store); err == nil {
		t.Error("got a client, want the failure to end what was before")
	}
	if _, err := s.Application(t.Context(), "till"); !errors.Is(err, oauthkit.ErrNotFound) || !s.alive() {
		t.Errorf("got %v, want no client beside the token of before", err)
	}
	s.repair()
	if err := register(t.Context(), s.Store); err != nil || s.alive() {
		t.Errorf("again: got %v, want a client without the token of before", err)
	}
}

// TestClientTwice shows that what is refused because the key is taken ends nothing.
func TestClientTwice(t *testing.T) {
	s := newInterrupted(t)
	s.repair()
	if err := s.db.Create(&Client{Key: "till", Title: "Till"}).Error; err != nil {
		t.Fatal(err)
	}
	if err := s.CreateApplication(t.Context(), &Client{Key: "till", Title: "Till"}, time.Now()); err == nil || !s.alive() {
		t.Errorf("got %v, want it refused, and the token of the first good", err)
	}
}

// TestSuspensionInterrupted follows what is said at UpdateApplication.
func TestSuspensionInterrupted(t *testing.T) {
	s := newInterrupted(t)
	if err := s.db.Create(&Client{Key: "till", Title: "Till"}).Error; err != nil {
		t.Fatal(err)
	}
	suspend := func() error {
		found, err := s.Application(t.Context(), "till")
		if err != nil {
			return err
		}
		client := found.(*Client)
		client.Suspended = true
		return s.UpdateApplication(t.Context(), client, time.Now())
	}
	if err := suspend(); err == nil || !s.alive() {
		t.Errorf("got %v, want the failure to end what it has", err)
	}
	s.repair()
	if err := suspend(); err != nil || s.alive() {
		t.Errorf("again: got %v, want the token ended", err)
	}
}

// TestSuspensionOfWhatIsNotValid is about a client from before the rules were as they are: it can be stopped, but not changed otherwise.
func TestSuspensionOfWhatIsNotValid(t *testing.T) {
	s := newInterrupted(t)
	s.repair()
	if err := s.db.Create(&Client{Key: "till", Callback: "http://evil.test/"}).Error; err != nil {
		t.Fatal(err)
	}
	found, err := s.Application(t.Context(), "till")
	if err != nil {
		t.Fatal(err)
	}
	client := found.(*Client)
	var problems oauthkit.Problems
	if err := s.UpdateApplication(t.Context(), client, time.Now()); !errors.As(err, &problems) || !s.alive() {
		t.Errorf("got %v, want its problems, and its token good", err)
	}
	client.Suspended = true
	if err := s.UpdateApplication(t.Context(), client, time.Now()); err != nil || s.alive() {
		t.Errorf("suspended: got %v, want the token ended", err)
	}
}

// TestTitle shows that people see what a client is called.
func TestTitle(t *testing.T) {
	for title, good := range map[string]bool{
		"Till": true, "می\u200cخواهم": true, "": false, " ": false, "\u2800": false, "\u3164": false, "\u0301": false, "Ti\u200bll": false, "T\u202eill": false,
	} {
		var problems oauthkit.Problems
		(&Client{Title: title, Callback: "https://till.test/cb"}).Validate(&problems)
		if got := len(problems.Of("title")) == 0; got != good {
			t.Errorf("%q: got %v, want it good: %v", title, problems, good)
		}
	}
}
