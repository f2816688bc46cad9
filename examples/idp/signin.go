package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/oauthkit/oauthkit"
)

// signIns verifies passwords. It logs each success, failure, refusal and lockout as an
// event.
type signIns struct {
	database *database
	failures *failures
	gate     *passwordGate
	compare  func(hash, password []byte) error // bcrypt.CompareHashAndPassword
	logger   *slog.Logger
}

func newSignIns(database *database, logger *slog.Logger) (*signIns, error) {
	failures, err := newFailures()
	if err != nil {
		return nil, err
	}
	return &signIns{database: database, failures: failures, gate: newPasswordGate(), compare: bcrypt.CompareHashAndPassword, logger: logger}, nil
}

// errWrongPassword is also returned for an unknown user: the response must not reveal
// which users exist.
var errWrongPassword = errors.New("wrong username or password")

// lockedError refuses a sign-in after too many wrong passwords.
type lockedError struct{ wait time.Duration }

func (e *lockedError) Error() string { return fmt.Sprintf("too many wrong passwords, wait %s", e.wait) }

// verify returns the user with this password. It returns a *lockedError or errBusy
// without verifying the password, so a correct one makes no difference.
func (s *signIns) verify(ctx context.Context, username, password string) (*user, error) {
	address, _ := netip.ParseAddr(oauthkit.RequestInfoFrom(ctx).RemoteIP)
	attempt := newAttempt(username, address)
	found, err := s.verifyInTurn(ctx, attempt, username, password)
	var locked *lockedError
	switch {
	case err == nil:
		s.log(ctx, slog.LevelInfo, "sign_in.succeeded", "user", found.Username)
		return found, nil
	case errors.Is(err, errWrongPassword):
		s.logFailure(ctx, found, attempt)
	case errors.Is(err, errBusy):
		s.log(ctx, slog.LevelInfo, "sign_in.refused", "reason", "busy")
	case errors.As(err, &locked):
		s.log(ctx, slog.LevelInfo, "sign_in.refused", "reason", "locked", "wait", locked.wait.Round(time.Second))
		s.gate.hold(ctx)
	}
	return nil, err
}

// verifyInTurn verifies the password if the attempt is within its budgets and gets a
// turn.
func (s *signIns) verifyInTurn(ctx context.Context, attempt attempt, username, password string) (*user, error) {
	if wait := s.failures.wait(attempt, time.Now()); wait > 0 {
		return nil, &lockedError{wait}
	}
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer func(began time.Time) { s.gate.leave(time.Since(began)) }(time.Now())
	if wait := s.failures.charge(attempt, time.Now()); wait > 0 {
		return nil, &lockedError{wait}
	}
	found, err := s.find(ctx, username, password)
	switch {
	case err == nil:
		s.failures.succeed(attempt)
	case !errors.Is(err, errWrongPassword):
		s.failures.refund(attempt)
	}
	return found, err
}

// noUserHash is compared with the password of an unknown user, so that the response
// time does not reveal which users exist.
var noUserHash = sync.OnceValue(func() []byte {
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.DefaultCost)
	if err != nil {
		panic(err) // unreachable: the cost is valid
	}
	return hash
})

// find returns the user with this password. With errWrongPassword it returns the user
// too, or nil if the name is unknown. It always makes exactly one comparison.
func (s *signIns) find(ctx context.Context, username, password string) (*user, error) {
	ctx, cancel := s.database.operation(ctx)
	defer cancel()
	found, err := s.database.user(ctx, username)
	hash := noUserHash()
	switch {
	case err == nil:
		hash = []byte(found.Password)
	case !errors.Is(err, errNoUser):
		return nil, err
	}
	if s.compare(hash, []byte(password)) != nil || found == nil {
		return found, errWrongPassword
	}
	return found, nil
}

// logFailure names the user only if they exist: people type passwords into the username
// field.
func (s *signIns) logFailure(ctx context.Context, found *user, attempt attempt) {
	reason := []any{"reason", "unknown_user"}
	var who []any
	if found != nil {
		reason, who = []any{"reason", "wrong_password"}, []any{"user", found.Username}
	}
	s.log(ctx, slog.LevelInfo, "sign_in.failed", append(reason, who...)...)
	for scope, wait := range s.failures.lockouts(attempt, time.Now()) {
		s.log(ctx, slog.LevelWarn, "sign_in.locked", append([]any{"scope", scope, "wait", wait.Round(time.Second)}, who...)...)
	}
}

func (s *signIns) log(ctx context.Context, level slog.Level, event string, attributes ...any) {
	request := oauthkit.RequestInfoFrom(ctx)
	attributes = append(attributes, "trace_id", request.TraceID, "remote_ip", request.RemoteIP, "user_agent", request.UserAgent)
	s.logger.Log(ctx, level, event, attributes...)
}
