package attacktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/oauthtest"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestB14_FormActionInBrowser presses the buttons of the consent page in Chromium,
// which applies the policy of the page to the following redirect. The application has
// another origin than the provider.
func TestB14_FormActionInBrowser(t *testing.T) {
	arrived := make(chan url.Values, 1)
	application := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cb" {
			arrived <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><p id="arrived">Welcome</p>`))
	}))
	t.Cleanup(application.Close)
	request := "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"cli"}, "redirect_uri": {application.URL + "/cb"},
		"code_challenge": {fixture.Challenge(fixture.Verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
	issuer, browser := serveProvider(t), openBrowser(t)
	for decision, parameter := range map[string]string{"allow": "code", "deny": "error"} {
		err := chromedp.Do(browser,
			chromedp.Navigate(issuer+request), chromedp.Click(chromedp.CSS(`button[value="`+decision+`"]`)), chromedp.WaitVisible(chromedp.CSS("#arrived")))
		if err != nil {
			t.Fatalf("%s: %v", decision, err)
		}
		if response := <-arrived; !response.Has(parameter) {
			t.Errorf("%s: got response %v, want %s", decision, response, parameter)
		}
	}
}

// serveProvider serves a provider on localhost with an application on the same device
// and alice signed in. It returns the issuer.
func serveProvider(t *testing.T) string {
	t.Helper()
	store := memstore.New()
	err := store.CreateApplication(t.Context(), &oauthkit.AbstractApplication{
		ClientID: "cli", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"http://127.0.0.1/cb"},
	}, time.Now())
	if err != nil {
		t.Fatalf("registering the application: %v", err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	issuer := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/o"
	provider, err := oauthkit.New(issuer, store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		t.Fatalf("making the provider: %v", err)
	}
	mux.Handle("/o/", fixture.NewHandler(t, provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
	}))
	return issuer
}

// openBrowser opens a tab of Chromium. It skips the test if Chromium is not
// installed.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		oauthtest.Missing(t, "the tests of pages in a browser", "Chromium is not installed (Debian: apt-get install chromium)")
	}
	tab, closeBrowser := chromedp.NewContext(t.Context(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
	))
	t.Cleanup(closeBrowser)
	tab, cancel := context.WithTimeout(tab, time.Minute)
	t.Cleanup(cancel)
	return tab
}
