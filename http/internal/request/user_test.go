package request

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// TestB16_ImpossibleUsers returns users from CurrentUser that no token could name.
func TestB16_ImpossibleUsers(t *testing.T) {
	for name, user := range map[string]oauthkit.User{
		"no subject": {Name: "Alice"}, "long subject": {Subject: strings.Repeat("a", 256)}, "NUL in the subject": {Subject: "alice\x00"},
		"NUL in the session": {Subject: "alice", SessionID: "\x00"},
	} {
		got, err := CurrentUser(func(*http.Request) (*oauthkit.User, error) { return &user, nil }, nil)
		if got != nil || oauthkit.CodeOf(err) != oauthkit.ServerError {
			t.Errorf("%s: got %v, %v, want server_error", name, got, err)
		}
	}
}
