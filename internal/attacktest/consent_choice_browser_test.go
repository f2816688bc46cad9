package attacktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestB04_ChoiceByKeyboard deselects a scope in Chromium with the keyboard alone, for
// users without a mouse.
func TestB04_ChoiceByKeyboard(t *testing.T) {
	given := make(chan oauthkit.Scopes, 2)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/cb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><p id="arrived">Welcome</p>`))
	})
	store := memstore.New()
	err := store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
		ClientID: "cli", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"http://127.0.0.1/cb"}, Scopes: oauthkit.Scopes{"read", "write"},
	}, time.Now())
	if err != nil {
		t.Fatalf("registering the application: %v", err)
	}
	issuer := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/o"
	provider, err := oauthkit.New(issuer, store, oauthkit.Config{
		Grants: grants.Standard(store), Scopes: oauthkit.StaticScopes{"read": "read your messages", "write": "write messages"},
		Observe: func(_ context.Context, event oauthkit.Event) {
			if event, ok := event.(oauthkit.ConsentGranted); ok {
				given <- event.Scopes
			}
		},
	})
	if err != nil {
		t.Fatalf("making the provider: %v", err)
	}
	mux.Handle("/o/", fixture.NewHandler(t, provider, oauthhttp.Config{
		CurrentUser:       func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
		UserChoosesScopes: true,
	}))
	request := "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"cli"}, "redirect_uri": {server.URL + "/cb"}, "scope": {"read write"},
		"code_challenge": {fixture.Challenge(fixture.Verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
	err = chromedp.Do(openBrowser(t),
		chromedp.Navigate(issuer+request),
		chromedp.WaitVisible(chromedp.CSS("fieldset")),
		chromedp.KeyEvent(kb.Tab),          // to the scope read
		chromedp.KeyEvent(kb.Tab+" "),      // to the scope write, which is deselected
		chromedp.KeyEvent(kb.Tab),          // to the button Deny
		chromedp.KeyEvent(kb.Tab+kb.Enter), // to the button Allow
		chromedp.WaitVisible(chromedp.CSS("#arrived")),
	)
	if err != nil {
		t.Fatalf("deciding: %v", err)
	}
	if scopes := <-given; scopes.String() != "read" || len(given) > 0 {
		t.Errorf("got %v approved and %d more consents, want only read", scopes, len(given))
	}
}
