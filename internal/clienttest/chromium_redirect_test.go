package clienttest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"
)

// TestChromiumRedirects shows that responses reach native applications in a real
// browser, which applies the policy of the consent page to every redirect after its
// form. It uses both loopback addresses and an application that redirects to a
// third origin.
func TestChromiumRedirects(t *testing.T) {
	chromium := findChromium(t)
	last := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>Done</title><h1>arrived</h1>"))
	}))
	t.Cleanup(last.Close)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			app := listen(t, address, http.RedirectHandler(last.URL, http.StatusSeeOther))
			idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"), "-seed", seedFile(t))
			p := openChromium(t, chromium, screens[0])
			p.do(chromedp.Navigate(idp.issuer() + "/authorize?" + url.Values{
				"response_type": {"code"}, "client_id": {"native"}, "redirect_uri": {app + "/cb"}, "scope": {"openid"},
				"code_challenge": {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())}, "code_challenge_method": {"S256"},
			}.Encode()))
			p.do(chromedp.SendKeys(chromedp.CSS(`#username`), "alice"), chromedp.SendKeys(chromedp.CSS(`#password`), alicesWords+kb.Enter))
			p.press(`button[value="allow"]`)
			p.do(chromedp.WaitVisible(chromedp.CSS(`h1`)))
			if got := ask(p, chromedp.Text(chromedp.CSS(`h1`))); got != "arrived" {
				t.Errorf("got to a page with the heading %q, want arrived; the browser says %v", got, p.complaints)
			}
		})
	}
}

// listen serves a handler at an address and returns its origin.
func listen(t *testing.T, address string, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}
