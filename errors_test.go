package oauthkit

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestErrorCauseIsNotSent(t *testing.T) {
	cause := errors.New("password=hunter2")
	err := fmt.Errorf("wrapped: %w", Errorf(InvalidGrant, "used").WithCause(cause))
	if got := CodeOf(err); got != InvalidGrant {
		t.Errorf("got %s, want invalid_grant", got)
	}
	if !errors.Is(err, cause) {
		t.Error("errors.Is does not find the cause")
	}
	if got := Refusal(err).Encode(); strings.Contains(got, "hunter2") {
		t.Errorf("got %s, want it without the cause", got)
	}
	if got := CodeOf(cause); got != ServerError {
		t.Errorf("other error: got %s, want server_error", got)
	}
	if got := Refusal(cause).Encode(); got != "error=server_error" {
		t.Errorf("got %s, want only the code", got)
	}
	if got := CodeOf(Unavailable(cause)); got != TemporarilyUnavailable {
		t.Errorf("got %s, want temporarily_unavailable", got)
	}
}

func TestG5_DescriptionCharacters(t *testing.T) {
	got := Errorf(InvalidRequest, "a\"b\\c\r\n%s\x00é", "\x7f").Description
	for _, r := range got {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			t.Errorf("%q contains %q, which RFC 6749 §5.2 forbids", got, r)
		}
	}
}

// TestReasonOf checks that every error has a reason: its own, even if it is wrapped,
// or that of its code.
func TestReasonOf(t *testing.T) {
	cause := errors.New("the table is locked")
	refusal := Errorf(InvalidRequest, "nothing was chosen").WithReason(ReasonNothingChosen)
	for want, err := range map[Reason]error{
		ReasonNothingChosen: fmt.Errorf("deciding: %w", refusal.WithCause(cause)),
		ReasonOtherBrowser:  Errorf(AccessDenied, "").WithCause(refusal).WithReason(ReasonOtherBrowser),
		"access_denied":     Errorf(AccessDenied, "").WithCause(refusal),
		ReasonUnavailable:   Unavailable(cause),
		ReasonServerError:   cause,
	} {
		if got := ReasonOf(err); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
	if withReason := Unavailable(cause).WithReason(ReasonNotFound); !errors.Is(withReason, cause) || withReason.Description == "" {
		t.Errorf("got %v, want the cause and the description kept", withReason)
	}
	if got := Refusal(refusal); got.Get("error") != "invalid_request" || len(got) != 2 {
		t.Errorf("got %v, want response parameters without the reason", got)
	}
}
