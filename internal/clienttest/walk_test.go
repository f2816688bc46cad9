package clienttest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"
)

// TestWalk walks through all pages of examples/idp on each screen, with the provider
// under a prefix and at the root: sign in, register an application, deny it, allow
// fewer scopes, allow all, revoke, edit, rotate, delete, sign out. It uses the
// keyboard alone, without scripts. axe-core may find nothing, no page may be wider
// than the screen, and the focus must be visible. On phones, at the root, the
// language is German, which has the longest words. If OAUTHKIT_SCREENSHOTS names a
// folder, the test saves a screenshot of each page there.
func TestWalk(t *testing.T) {
	chromium, axe := findChromium(t), readAxe(t)
	browser, closeBrowser := chromedp.NewContext(t.Context(), withProgram(t, chromium))
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	for _, mount := range []struct{ name, prefix, onPhones string }{{"prefix", "/o", "en"}, {"root", "", "de"}} {
		for _, screen := range screens {
			language := "en"
			if strings.HasPrefix(screen.name, "phone") {
				language = mount.onPhones
			}
			screen.name = mount.name + "-" + screen.name
			t.Run(screen.name, func(t *testing.T) {
				t.Parallel()
				w := beginWalk(browser, t, screen, mount.prefix, language)
				w.axe = axe
				w.signIn()
				w.register()
				w.decide()
				w.disconnect()
				w.edit()
				w.rotate()
				w.remove()
				w.fail()
				w.signOut()
			})
		}
	}
}

// walk is a walk through the pages in a separate browser.
type walk struct {
	*page
	host, issuer string            // where the pages of the identity provider and of the library begin
	language     string            // of the library's pages
	texts        map[string]string // in that language, by key
	axe          string            // the script that finds violations
	audited      map[string]bool   // the pages already checked with it
	shop         *oauth2.Config    // the application that the walk registers
	tokens       []*oauth2.Token   // the application's tokens
}

func beginWalk(browser context.Context, t *testing.T, screen screen, prefix, language string) *walk {
	t.Helper()
	address := freeAddress(t)
	w := &walk{host: "http://" + address, issuer: "http://" + address + prefix, language: language, audited: map[string]bool{}}
	launchAt(t, address, "idp", "-issuer", w.issuer, "-db", filepath.Join(t.TempDir(), "idp.db"), "-seed", walkSeed(t)).wait(t)
	texts, err := os.ReadFile(filepath.Join("../../http/texts", language+".json"))
	if err == nil {
		err = json.Unmarshal(texts, &w.texts)
	}
	if err != nil {
		t.Fatal(err)
	}
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write([]byte("<!doctype html><title>Shop</title><script>document.title = 'Script'</script>"))
	}))
	t.Cleanup(shop.Close)
	w.shop = &oauth2.Config{
		RedirectURL: shop.URL + "/cb", Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: w.issuer + "/authorize", TokenURL: w.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	w.page = openTab(browser, t, screen, chromedp.WithNewBrowserContext())
	w.do(scripts(false), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
		return err
	}))
	return w
}

func walkSeed(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(path, []byte(`{
		"users": [{"username": "alice", "password": "`+alicesWords+`", "claims": {"name": "Alice Liddell"}}],
		"user_chooses_scopes": true
	}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens an address.
func (w *walk) open(address string) {
	w.t.Helper()
	w.do(chromedp.Navigate(address))
}

// tabTo presses Tab until the element has the focus, which must be visible.
func (w *walk) tabTo(selector string) {
	w.t.Helper()
	const where = `((selector, focused) => {
		if (!focused.matches(selector)) return "elsewhere"
		const style = getComputedStyle(focused)
		return focused.matches(":focus-visible") && style.outlineStyle == "solid" && parseFloat(style.outlineWidth) >= 2 ? "seen" : "unseen"
	})`
	for range 100 {
		switch ask(w.page, chromedp.Evaluate[string](fmt.Sprintf("%s(%q, document.activeElement)", where, selector))) {
		case "seen":
			return
		case "unseen":
			w.t.Errorf("got no visible focus on %s, want one", selector)
			return
		}
		w.do(chromedp.KeyEvent(kb.Tab))
	}
	w.t.Fatalf("at %s: Tab never leads to %s", ask(w.page, chromedp.Location()), selector)
}

// enter presses Enter on a link or button and waits for the next page.
func (w *walk) enter(selector string) {
	w.t.Helper()
	w.tabTo(selector)
	ask(w.page, chromedp.WaitEvent(cdpage.LoadEventFired, nil, chromedp.KeyEvent(kb.Enter)))
}

// toggle presses Space on a checkbox.
func (w *walk) toggle(selector string) {
	w.t.Helper()
	w.tabTo(selector)
	w.do(chromedp.KeyEvent(" "))
}

// write replaces the text of a field.
func (w *walk) write(selector, text string) {
	w.t.Helper()
	w.tabTo(selector)
	w.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent(text))
}

// look checks a page of the library by the key of its heading.
func (w *walk) look(name, heading string) {
	w.t.Helper()
	w.check(name, w.language, w.text(heading))
}

// text returns the text of the library's pages for a key.
func (w *walk) text(key string) string {
	w.t.Helper()
	if w.texts[key] == "" {
		w.t.Fatalf("got no text %q in %s, want one", key, w.language)
	}
	return w.texts[key]
}

// checkLogin checks the login page, which belongs to examples/idp.
func (w *walk) checkLogin(name string) {
	w.check(name, w.language, map[string]string{"en": "Sign in", "de": "Anmelden"}[w.language])
}

// checkHome checks the home page of idp.
func (w *walk) checkHome(name string) {
	w.check(name, w.language, map[string]string{"en": "Identity provider", "de": "Identitätsanbieter"}[w.language])
}

// check checks the current page, the first time also with axe-core.
func (w *walk) check(name, language, heading string) {
	w.t.Helper()
	w.see(name, heading)
	w.checkStructure(name, language, heading)
	if !w.audited[name] {
		w.audited[name] = true
		w.audit(name)
	}
}

// shows reports whether a text is on the page.
func (w *walk) shows(text string) bool {
	w.t.Helper()
	return strings.Contains(ask(w.page, chromedp.Text(chromedp.CSS(`main`))), text)
}

// field returns the value of a field.
func (w *walk) field(selector chromedp.CSS) string {
	w.t.Helper()
	return ask(w.page, chromedp.Value(selector))
}

// answer returns the parameters of the response to the application.
func (w *walk) answer() url.Values {
	w.t.Helper()
	address, title := ask(w.page, chromedp.Location()), ask(w.page, chromedp.Title())
	if !strings.HasPrefix(address, w.shop.RedirectURL+"?") || title != "Shop" {
		w.t.Fatalf("got to %s with title %s, want the application, whose script does not run", address, title)
	}
	parsed, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	return parsed.Query()
}
