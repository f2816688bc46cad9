package grants

import (
	"testing"

	"github.com/oauthkit/oauthkit"
)

// TestT22_PublicClientCredentials shows that a public application cannot use the
// grant, even if it says so, which is possible if no store of this module has
// validated it.
func TestT22_PublicClientCredentials(t *testing.T) {
	app := &oauthkit.AbstractApplication{ClientID: "app", ClientType: oauthkit.Public}
	response, err := ClientCredentials(nil).Exchange(t.Context(), &oauthkit.TokenRequest{Application: app})
	if response != nil || oauthkit.CodeOf(err) != oauthkit.UnauthorizedClient {
		t.Errorf("got %v, %v, want unauthorized_client", response, err)
	}
}
