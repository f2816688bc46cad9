package oauthkit

import (
	"errors"
	"fmt"
	"testing"
)

// TestReasonOf wants a reason for every error: its own, however it is wrapped, or that of its code.
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
		t.Errorf("got %v sent to the application, want no reason", got)
	}
}
