package memstore_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// openApplication allows every redirect URI.
type openApplication struct{ oauthkit.AbstractApplication }

func (*openApplication) AllowsRedirectURI(string) bool { return true }

// TestR24_ApplicationThatAllowsEverything shows that the library's rules for redirect
// URIs also apply to requests of an application that allows everything.
func TestR24_ApplicationThatAllowsEverything(t *testing.T) {
	store := memstore.New()
	app := &openApplication{oauthkit.AbstractApplication{ClientID: "app", ClientType: oauthkit.Public}}
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://as.test/o", store, oauthkit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for uri, allowed := range map[string]bool{
		"https://anywhere.test/cb": true, "javascript:alert(1)": false, "data:text/html,x": false, "http://evil.test/cb": false,
		"https://rp.test/cb#part": false, "https://rp.test@evil.test/cb": false, "//evil.test/cb": false, "https://rp.test/a/../cb": false,
	} {
		request, err := provider.NewAuthorizeRequest(t.Context(), url.Values{"client_id": {"app"}, "redirect_uri": {uri}})
		if got := request != nil; got != allowed {
			t.Errorf("%s: got allowed %t (%v), want %t", uri, got, err, allowed)
		}
	}
}
