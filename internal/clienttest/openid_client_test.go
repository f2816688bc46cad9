package clienttest

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// TestOpenIDClient signs alice in with a client written with npm's
// openid-client, which validates every response on its own, and then refreshes,
// introspects and revokes.
func TestOpenIDClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		oauthtest.Missing(t, "the tests with npm's openid-client", "Node is not installed")
	}
	if _, err := os.Stat("../../node_modules/openid-client"); err != nil {
		oauthtest.Missing(t, "the tests with npm's openid-client", "its package is not installed; run make setup")
	}
	eachDatabase(t, func(t *testing.T, idp *process) {
		for clientID, algorithm := range map[string]string{"web": "RS256", "web-es256": "ES256"} {
			t.Run(clientID, func(t *testing.T) {
				command := exec.CommandContext(t.Context(), node, "openid_client.mjs", idp.issuer(), clientID, webSecret, callback, alicesWords, algorithm)
				output, err := command.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
				var got, want struct {
					Subject, Name, Email, MachineScope string
					MachineRefresh                     *string
					Refreshed, Active, Revoked         bool
				}
				if err := json.Unmarshal(output, &got); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
				want.Subject, want.Name, want.Email, want.MachineScope = "alice", "Alice Liddell", "alice@example.com", "read"
				want.Refreshed, want.Active, want.Revoked = true, true, true
				if got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		}
	})
}
