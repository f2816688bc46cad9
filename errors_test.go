package oauthkit

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestErrorKeepsItsCauseToItself(t *testing.T) {
	cause := errors.New("password=hunter2")
	err := fmt.Errorf("wrapped: %w", Errorf(InvalidGrant, "used").WithCause(cause))
	if got := CodeOf(err); got != InvalidGrant {
		t.Errorf("got %s, want invalid_grant", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost to errors.Is")
	}
	if got := Refusal(err).Encode(); strings.Contains(got, "hunter2") {
		t.Errorf("the cause is sent: %s", got)
	}
	if got := CodeOf(cause); got != ServerError {
		t.Errorf("got %s for a foreign error, want server_error", got)
	}
	if got := Refusal(cause).Encode(); got != "error=server_error" {
		t.Errorf("got %s, want nothing but the code", got)
	}
	if got := CodeOf(Unavailable(cause)); got != TemporarilyUnavailable {
		t.Errorf("got %s, want temporarily_unavailable", got)
	}
}

func TestG5_DescriptionCharacters(t *testing.T) {
	got := Errorf(InvalidRequest, "a\"b\\c\r\n%s\x00é", "\x7f").Description
	for _, r := range got {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			t.Errorf("%q holds %q, which RFC 6749 §5.2 forbids", got, r)
		}
	}
}
