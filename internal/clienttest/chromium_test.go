package clienttest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// screen is a kind of display.
type screen struct {
	name  string
	width int64
	dark  bool
}

var screens = []screen{{"phone", 390, false}, {"phone-dark", 390, true}, {"desktop", 1280, false}, {"desktop-dark", 1280, true}}

// TestChromium walks through the quickstart in Chromium on a phone and a desktop, in
// light and dark mode, with the keyboard alone: sign in, deny, allow, refresh. No
// page may be wider than the screen, and the browser may not report anything, such as
// content blocked by the page's policy. If OAUTHKIT_SCREENSHOTS names a folder, the
// test saves a screenshot of each page there.
func TestChromium(t *testing.T) {
	chromium := findChromium(t)
	for _, screen := range screens {
		t.Run(screen.name, func(t *testing.T) {
			quickstart := start(t, "quickstart", "-db", filepath.Join(t.TempDir(), "q.db"))
			p := openChromium(t, chromium, screen)
			p.do(chromedp.Navigate(quickstart.origin + "/demo/"))
			p.see("start", "Sign in")
			p.do(chromedp.Navigate(quickstart.origin + "/demo/login"))
			p.see("login", "Sign in")
			p.do(chromedp.KeyEvent("alice"+kb.Tab+"wrong"+kb.Enter), chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
			p.see("login-failed", "Incorrect username or password")
			p.do(chromedp.SetValue(chromedp.CSS(`#username`), "alice"), chromedp.SendKeys(chromedp.CSS(`#password`), "wonderland"+kb.Enter))
			p.do(chromedp.WaitVisible(chromedp.CSS(`button[value="allow"]`)))
			p.see("consent", "Quickstart demo")
			p.press(`button[value="deny"]`)
			p.see("denied", "access_denied")
			p.do(chromedp.Navigate(quickstart.origin + "/demo/login"))
			p.press(`button[value="allow"]`)
			p.see("signed-in", "Hello, alice!")
			p.press(`form[action="/demo/refresh"] button`)
			p.see("refreshed", "refreshed once")
			p.do(chromedp.Navigate(quickstart.issuer() + "/authorize?client_id=nobody"))
			p.see("error", "application_unknown")
		})
	}
}

// findChromium returns the path of the browser. It skips the test if there is none.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	oauthtest.Missing(t, "the tests of pages in a browser", "Chromium is not installed (Debian: apt-get install chromium)")
	return ""
}

// page is a tab of the browser.
type page struct {
	t      *testing.T
	ctx    context.Context
	screen screen

	mutex      sync.Mutex
	complaints []string
}

func openChromium(t *testing.T, program string, screen screen) *page {
	t.Helper()
	return openTab(t.Context(), t, screen, withProgram(t, program))
}

func withProgram(t *testing.T, program string) chromedp.ContextOption {
	t.Helper()
	return chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	)
}

func openTab(parent context.Context, t *testing.T, screen screen, option chromedp.ContextOption) *page {
	t.Helper()
	p := &page{t: t, screen: screen}
	ctx, closeTab := chromedp.NewContext(parent, chromedp.WithListener(p.listen), option)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	p.ctx = ctx
	scheme := "light"
	if screen.dark {
		scheme = "dark"
	}
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, log.Enable, cdp.Empty{})
		return err
	}), chromedp.EmulateViewport(screen.width, 844), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
	return p
}

// listen collects the messages of the browser.
func (p *page) listen(event any) {
	if entry, ok := event.(*log.EventEntryAdded); ok {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.complaints = append(p.complaints, fmt.Sprintf("%+v", *entry.Entry))
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		at, _ := chromedp.Run(p.ctx, chromedp.Location())
		p.t.Fatalf("at %s: %v", at, err)
	}
}

// ask returns the result of an action.
func ask[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	found, err := chromedp.Run(p.ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}

// press focuses a button, presses Enter, and waits for the next page.
func (p *page) press(selector chromedp.CSS) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(selector), chromedp.Focus(selector))
	ask(p, chromedp.Evaluate[int](`document.body.dataset.old = 1`))
	p.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(`body:not([data-old])`)))
}

// see checks the current page.
func (p *page) see(name, text string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(`h1`)))
	body := ask(p, chromedp.Text(chromedp.CSS(`body`)))
	if !strings.Contains(body, text) {
		p.t.Errorf("%s: got a page without %q:\n%s", name, text, body)
	}
	if wider := ask(p, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); wider > 0 {
		p.t.Errorf("%s: got a page %d pixels wider than the screen, want none wider", name, wider)
	}
	if unnamed := ask(p, chromedp.Evaluate[string](`document.documentElement.lang && document.title ? "" : "no"`)); unnamed != "" {
		p.t.Errorf("%s: got a page without a language or title, want both", name)
	}
	p.picture(name)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, complaint := range p.complaints {
		if !expected(name, complaint) {
			p.t.Errorf("%s: got the browser's message %s, want none", name, complaint)
		}
	}
	p.complaints = nil
}

// expected reports whether the browser complains about an expected error status or a
// missing icon of the examples.
func expected(name, complaint string) bool {
	withStatus := []string{"login-failed", "error", "register-problem", "update-problem", "consent-nothing"}
	return strings.Contains(complaint, "Failed to load resource") &&
		(slices.Contains(withStatus, name) || strings.Contains(complaint, "favicon.ico"))
}

// picture saves a screenshot.
func (p *page) picture(name string) {
	p.t.Helper()
	folder := os.Getenv("OAUTHKIT_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		p.t.Fatal(err)
	}
	image := ask(p, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(folder, name+"-"+p.screen.name+".png"), image, 0o600); err != nil {
		p.t.Error(err)
	}
}
