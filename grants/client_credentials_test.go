package grants

import (
	"testing"

	"github.com/oauthkit/oauthkit"
)

// TestT22_PublicClientCredentials has a public application that says it may use the
// grant, as one can that no store of this module has validated.
func TestT22_PublicClientCredentials(t *testing.T) {
	app := &oauthkit.AbstractApplication{ClientID: "app", ClientType: oauthkit.Public}
	response, err := ClientCredentials(nil).Exchange(t.Context(), &oauthkit.TokenRequest{Application: app})
	if response != nil || oauthkit.CodeOf(err) != oauthkit.UnauthorizedClient {
		t.Errorf("got %v, %v, want unauthorized_client", response, err)
	}
}
