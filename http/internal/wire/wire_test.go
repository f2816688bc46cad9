package wire

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/oauthkit/oauthkit"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		err  error
		want int
	}{
		{oauthkit.Errorf(oauthkit.InvalidRequest, ""), 400},
		{oauthkit.Errorf(oauthkit.InvalidGrant, ""), 400},
		{oauthkit.Errorf(oauthkit.UnauthorizedClient, ""), 400},
		{oauthkit.Errorf(oauthkit.InvalidClient, ""), 401},
		{oauthkit.Errorf(oauthkit.InvalidToken, ""), 401},
		{oauthkit.Errorf(oauthkit.InsufficientScope, ""), 403},
		{oauthkit.Errorf(oauthkit.AccessDenied, ""), 403},
		{oauthkit.Unavailable(errors.New("down")), 503},
		{fmt.Errorf("wrapped: %w", oauthkit.Unavailable(errors.New("down"))), 503},
		{errors.New("foreign"), 500},
		{WithStatus(http.StatusConflict, oauthkit.Errorf(oauthkit.InvalidRequest, "")), 409},
	}
	for _, test := range tests {
		if got := Status(test.err); got != test.want {
			t.Errorf("%v: got %d, want %d", test.err, got, test.want)
		}
	}
}

// TestForeignErrorsSayNothing checks that the text of an error is sent only if it is
// an oauthkit.Error.
func TestForeignErrorsSayNothing(t *testing.T) {
	recorder := httptest.NewRecorder()
	WriteError(recorder, errors.New("password=hunter2"))
	if body := recorder.Body.String(); body != `{"error":"server_error"}` {
		t.Errorf("got %s, want the code alone", body)
	}
}
