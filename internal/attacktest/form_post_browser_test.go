package attacktest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestA09_FormPostInBrowser posts a response in Chromium: by the page's script, and by
// its button if scripts are disabled. If OAUTHKIT_SCREENSHOTS names a folder, the test
// saves screenshots of the page there.
func TestA09_FormPostInBrowser(t *testing.T) {
	site := newFormPostSite(t)
	const state = `"><script>document.title = "attacked"</script>' & <b>`
	t.Run("with scripts", func(t *testing.T) {
		tab := openBrowser(t)
		err := chromedp.Do(tab, chromedp.Navigate(site.request(state)), chromedp.WaitVisible(chromedp.CSS("#arrived")))
		if err != nil {
			t.Fatalf("posting the response: %v", err)
		}
		site.checkPosted(t, state)
	})
	for _, width := range []int64{390, 1280} {
		t.Run("without scripts", func(t *testing.T) {
			var wide bool
			tab := openBrowser(t)
			err := chromedp.Do(tab, chromedp.EmulateViewport(width, 844), scripts(false), chromedp.Navigate(site.request(state)), chromedp.WaitVisible(chromedp.CSS("button.primary")))
			if err != nil {
				t.Fatalf("opening the page: %v", err)
			}
			saveScreenshot(tab, t, "form-post", width)
			wide, err = chromedp.Run(tab, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth"))
			if err != nil || wide {
				t.Errorf("got a page wider than the screen: %t, %v", wide, err)
			}
			if err := chromedp.Do(tab, chromedp.Click(chromedp.CSS("button.primary")), chromedp.WaitVisible(chromedp.CSS("#arrived"))); err != nil {
				t.Fatalf("posting the response: %v", err)
			}
			site.checkPosted(t, state)
		})
	}
}

// formPostSite is a provider whose user is not asked, and an application that receives
// posted responses.
type formPostSite struct {
	issuer, redirectURI string
	posted              chan *http.Request
}

func newFormPostSite(t *testing.T) *formPostSite {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	site := &formPostSite{
		issuer: strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/o", redirectURI: server.URL + "/cb?a='(b)'", posted: make(chan *http.Request, 10),
	}
	mux.HandleFunc("POST /cb", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // checkPosted finds what is missing
		site.posted <- r
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><p id="arrived">Welcome</p>`))
	})
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{site.redirectURI}, SkipAuthorization: true,
	}
	app.GenerateSecret()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatalf("registering the application: %v", err)
	}
	provider, err := oauthkit.New(site.issuer, store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		t.Fatalf("making the provider: %v", err)
	}
	mux.Handle("/o/", fixture.NewHandler(t, provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return &oauthkit.User{Subject: "alice"}, nil },
	}))
	return site
}

func (s *formPostSite) request(state string) string {
	return s.issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "response_mode": {"form_post"}, "client_id": {"web"}, "redirect_uri": {s.redirectURI}, "state": {state},
		"code_challenge": {fixture.Challenge(fixture.Verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
}

// checkPosted checks that the application got exactly one response, without the address
// of the provider's page.
func (s *formPostSite) checkPosted(t *testing.T, state string) {
	t.Helper()
	r := <-s.posted
	if r.PostForm.Get("code") == "" || r.PostForm.Get("state") != state || r.PostForm.Get("iss") != s.issuer || len(r.PostForm) != 3 || len(s.posted) > 0 {
		t.Errorf("got %v and %d more, want the response", r.PostForm, len(s.posted))
	}
	if r.Referer() != "" || r.Header.Get("Origin") != "null" {
		t.Errorf("got the referrer %q and the origin %q, want none", r.Referer(), r.Header.Get("Origin"))
	}
}

// scripts enables or disables the scripts of pages.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// saveScreenshot saves a screenshot if OAUTHKIT_SCREENSHOTS names a folder.
func saveScreenshot(tab context.Context, t *testing.T, name string, width int64) {
	t.Helper()
	folder := os.Getenv("OAUTHKIT_SCREENSHOTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+"-"+map[int64]string{390: "phone", 1280: "desktop"}[width]+".png"), picture, 0o600)
	}
	if err != nil {
		t.Errorf("saving a screenshot: %v", err)
	}
}
