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

// interrupted is a store with a token of the client till, in which revoking fails until
// repair is called.
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

// isValid reports whether the token is valid.
func (s *interrupted) isValid() bool {
	s.Helper()
	token, err := s.AccessToken(s.Context(), "token")
	if err != nil {
		s.Fatal(err)
	}
	return token.Authorization.RevokedAt.IsZero()
}

// TestClientOfBefore creates a client with the key of an earlier one. No such client
// exists while the earlier one's token is valid.
func TestClientOfBefore(t *testing.T) {
	s := newInterrupted(t)
	if err := register(t.Context(), s.Store); err == nil {
		t.Error("got a client, want the error from revoking")
	}
	if _, err := s.Application(t.Context(), "till"); !errors.Is(err, oauthkit.ErrNotFound) || !s.isValid() {
		t.Errorf("got %v, want no client while the earlier token is valid", err)
	}
	s.repair()
	if err := register(t.Context(), s.Store); err != nil || s.isValid() {
		t.Errorf("again: got %v, want a client and the earlier token revoked", err)
	}
}

// TestClientTwice checks that a failed creation with a key in use revokes nothing.
func TestClientTwice(t *testing.T) {
	s := newInterrupted(t)
	s.repair()
	if err := s.db.Create(&Client{Key: "till", Title: "Till"}).Error; err != nil {
		t.Fatal(err)
	}
	if err := s.CreateApplication(t.Context(), &Client{Key: "till", Title: "Till"}, time.Now()); err == nil || !s.isValid() {
		t.Errorf("got %v, want an error, and the token of the first client valid", err)
	}
}

// TestSuspensionInterrupted checks that a failed suspension can be repeated.
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
	if err := suspend(); err == nil || !s.isValid() {
		t.Errorf("got %v, want the error from revoking", err)
	}
	s.repair()
	if err := suspend(); err != nil || s.isValid() {
		t.Errorf("again: got %v, want the token revoked", err)
	}
}

// TestSuspensionOfInvalidClient covers a client that violates newer rules: it can be
// suspended but not changed otherwise.
func TestSuspensionOfInvalidClient(t *testing.T) {
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
	if err := s.UpdateApplication(t.Context(), client, time.Now()); !errors.As(err, &problems) || !s.isValid() {
		t.Errorf("got %v, want its problems, and the token valid", err)
	}
	client.Suspended = true
	if err := s.UpdateApplication(t.Context(), client, time.Now()); err != nil || s.isValid() {
		t.Errorf("suspended: got %v, want the token revoked", err)
	}
}

// TestTitle checks the rules for the name that users see.
func TestTitle(t *testing.T) {
	for title, valid := range map[string]bool{
		"Till": true, "می\u200cخواهم": true, "": false, " ": false, "\u2800": false, "\u3164": false, "\u0301": false, "Ti\u200bll": false, "T\u202eill": false,
	} {
		var problems oauthkit.Problems
		(&Client{Title: title, Callback: "https://till.test/cb"}).Validate(&problems)
		if got := len(problems.Of("title")) == 0; got != valid {
			t.Errorf("%q: got %v, want valid: %v", title, problems, valid)
		}
	}
}
