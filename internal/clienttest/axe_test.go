package clienttest

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// readAxe returns the script of npm's axe-core, which finds accessibility problems.
// It skips the test if axe-core is not installed.
func readAxe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../node_modules/axe-core/axe.min.js")
	if errors.Is(err, fs.ErrNotExist) {
		oauthtest.Missing(t, "the walk through the pages", "npm's axe-core is not installed; run make setup")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// audit checks the page with axe-core. Scripts are enabled only for this check.
func (w *walk) audit(name string) {
	w.t.Helper()
	w.do(scripts(true))
	for _, violation := range violations(w.page, w.axe) {
		w.t.Errorf("%s: axe-core finds %s", name, violation)
	}
	w.do(scripts(false))
}

// violations returns the findings of all rules of axe-core, best practices included.
// The browser injects the script, so the page's policy does not block it.
func violations(p *page, axe string) []string {
	p.t.Helper()
	return ask(p, chromedp.Evaluate[[]string](axe+`;
		axe.run({resultTypes: ["violations"]}).then(results => results.violations.flatMap(violation => violation.nodes.map(
			node => violation.id + " at " + node.target.join(" ") + ", " + node.html + ": " + node.failureSummary)))`, chromedp.EvalAwaitPromise))
}

// TestAxeFinds shows that findings of axe-core are reported: a field without a label,
// and text with low contrast in dark mode.
func TestAxeFinds(t *testing.T) {
	p, axe := openChromium(t, findChromium(t), screens[1]), readAxe(t)
	p.do(chromedp.Navigate("data:text/html," + url.PathEscape(`<!doctype html><html lang=en><title>Bad</title>
		<style>@media (prefers-color-scheme: dark) { p { background: #000; color: #333 } }</style><main><h1>Bad</h1><p>dark<input></main>`)))
	found := strings.Join(violations(p, axe), "\n")
	for _, rule := range []string{"label at input", "color-contrast at p"} {
		if !strings.Contains(found, rule) {
			t.Errorf("got %q, want %s", found, rule)
		}
	}
}

// scripts enables or disables the scripts of pages.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// checkStructure checks the structure of a page: its language, one heading with this
// text, one main landmark, and no script.
func (w *walk) checkStructure(name, language, heading string) {
	w.t.Helper()
	type structure struct {
		Language string   `json:"language"`
		Headings []string `json:"headings"`
		Mains    int      `json:"mains"`
		Scripts  int      `json:"scripts"`
	}
	got := ask(w.page, chromedp.Evaluate[structure](`({
		language: document.documentElement.lang, headings: [...document.querySelectorAll("h1")].map(h => h.innerText),
		mains: document.querySelectorAll("main, [role=main]").length, scripts: document.scripts.length})`))
	if got.Language != language || len(got.Headings) != 1 || got.Headings[0] != heading || got.Mains != 1 || got.Scripts != 0 {
		w.t.Errorf("%s: got %+v, want language %s, one heading %q, one main landmark and no script", name, got, language, heading)
	}
}
