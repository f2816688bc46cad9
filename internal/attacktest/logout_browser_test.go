package attacktest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestL12_LogoutInBrowser signs a user out in Chromium: the page loads the frame of the
// application and then goes on to it, by its script, without scripts, and although the
// frame never loads. If OAUTHKIT_SCREENSHOTS names a folder, the test saves screenshots.
func TestL12_LogoutInBrowser(t *testing.T) {
	for name, test := range map[string]struct {
		scripts bool
		frame   string
	}{
		"with scripts":    {true, "/front"},
		"without scripts": {false, "/front"},
		"a slow frame":    {true, "/slow"},
	} {
		t.Run(name, func(t *testing.T) {
			site := newLogoutSite(t, test.frame)
			tab := openBrowser(t)
			err := chromedp.Do(tab, chromedp.Navigate(site.request("")), chromedp.WaitVisible(chromedp.CSS("#arrived")),
				scripts(test.scripts), chromedp.Navigate(site.issuer+"/logout?"+url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {site.app + "/out"}, "state": {"s"}}.Encode()),
				chromedp.WaitVisible(chromedp.CSS("button[name=logout]")))
			if err != nil {
				t.Fatalf("opening the question: %v", err)
			}
			for _, width := range []int64{390, 1280} {
				if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 844)); err != nil {
					t.Fatal(err)
				}
				saveScreenshot(tab, t, "signout", width)
			}
			err = chromedp.Do(tab, chromedp.Click(chromedp.CSS("button[name=logout]")), chromedp.WaitVisible(chromedp.CSS("#out")))
			if err != nil {
				t.Fatalf("signing out: %v", err)
			}
			framed := (<-site.framed).URL
			if framed.Query().Get("iss") != site.issuer || framed.Query().Get("sid") == "" || len(framed.Query()) != 2 {
				t.Errorf("got a frame %s, want the issuer and the sid", framed)
			}
			if r := <-site.out; r.URL.Query().Get("state") != "s" || r.Referer() != "" {
				t.Errorf("got %s from %q, want the state and no address of the page", r.URL, r.Referer())
			}
		})
	}
}

// TestL16_SessionInBrowser asks the frame of session management in Chromium, before and
// after the sign-out, and with messages that are malformed.
func TestL16_SessionInBrowser(t *testing.T) {
	site := newLogoutSite(t, "")
	tab := openBrowser(t)
	if err := chromedp.Do(tab, chromedp.Navigate(site.request("")), chromedp.WaitVisible(chromedp.CSS("#arrived"))); err != nil {
		t.Fatal(err)
	}
	state := (<-site.responses).URL.Query().Get("session_state")
	ask := func(message string) string {
		t.Helper()
		address := site.app + "/watch?" + url.Values{"op": {site.issuer + "/check_session"}, "message": {message}}.Encode()
		var answer string
		err := chromedp.Do(tab, chromedp.Navigate(address), chromedp.WaitVisible(chromedp.CSS("#answer")))
		if err == nil {
			answer, err = chromedp.Run(tab, chromedp.Evaluate[string]("document.querySelector('#answer').textContent"))
		}
		if err != nil {
			t.Fatalf("asking for %q: %v", message, err)
		}
		return answer
	}
	for message, want := range map[string]string{
		"web " + state: "unchanged", "other " + state: "changed", "web " + state + "x": "changed",
		"web": "error", "": "error", "web x": "error", state: "error",
	} {
		if got := ask(message); got != want {
			t.Errorf("got %q for %q, want %q", got, message, want)
		}
	}
	err := chromedp.Do(tab, chromedp.Navigate(site.issuer+"/logout"), chromedp.WaitVisible(chromedp.CSS("button[name=logout]")),
		chromedp.Click(chromedp.CSS("button[name=logout]")), chromedp.WaitVisible(chromedp.CSS("a.button.primary")))
	if err != nil {
		t.Fatalf("signing out: %v", err)
	}
	if got := ask("web " + state); got != "changed" {
		t.Errorf("got %q after the sign-out, want changed", got)
	}
	if err := chromedp.Do(tab, chromedp.Navigate(site.request("none")), chromedp.WaitVisible(chromedp.CSS("#arrived"))); err != nil {
		t.Fatal(err)
	}
	refused := (<-site.responses).URL.Query()
	if got := ask("web " + refused.Get("session_state")); refused.Get("error") != "login_required" || got != "unchanged" {
		t.Errorf("got %v and %q for its state, want login_required and unchanged", refused, got)
	}
}

// logoutSite is a provider and an application on different ports of one host.
type logoutSite struct {
	issuer, app            string
	framed, out, responses chan *http.Request
}

const watchPage = `<!doctype html><title>watch</title><p id="waiting">waiting</p><iframe id="op"></iframe><script>
const asked = new URLSearchParams(location.search), op = document.querySelector("#op");
addEventListener("message", (event) => {
	const answer = document.createElement("p");
	answer.id = "answer";
	answer.textContent = event.data;
	document.body.append(answer);
});
op.onload = () => op.contentWindow.postMessage(asked.get("message"), new URL(asked.get("op")).origin);
op.src = asked.get("op");
</script>`

func newLogoutSite(t *testing.T, frame string) *logoutSite {
	t.Helper()
	site := &logoutSite{framed: make(chan *http.Request, 10), out: make(chan *http.Request, 10), responses: make(chan *http.Request, 10)}
	app, idp := http.NewServeMux(), http.NewServeMux()
	page := func(text string, seen chan *http.Request) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			seen <- r
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html>" + text))
		}
	}
	app.HandleFunc("/cb", page(`<p id="arrived">Welcome</p>`, site.responses))
	app.HandleFunc("/out", page(`<p id="out">Bye</p>`, site.out))
	app.HandleFunc("/front", page("", site.framed))
	app.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		site.framed <- r
		<-r.Context().Done()
	})
	app.HandleFunc("/watch", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(watchPage))
	})
	appServer, idpServer := httptest.NewServer(app), httptest.NewServer(idp)
	t.Cleanup(appServer.Close)
	t.Cleanup(idpServer.Close)
	site.app, site.issuer = appServer.URL, idpServer.URL+"/o"

	store := memstore.New()
	client := &oauthkit.AbstractApplication{
		ClientID: "web", Name: "Photo Prints", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid"},
		RedirectURIs: oauthkit.URIs{site.app + "/cb"}, PostLogoutRedirectURIs: oauthkit.URIs{site.app + "/out"}, SkipAuthorization: true,
	}
	if frame != "" {
		client.FrontChannelLogoutURI = site.app + frame
	}
	client.GenerateSecret()
	if err := store.CreateApplication(t.Context(), client, time.Now()); err != nil {
		t.Fatalf("registering the application: %v", err)
	}
	provider, err := oauthkit.New(site.issuer, store, oauthkit.Config{
		Grants: grants.Standard(store), Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store, SessionManagement: true})},
	})
	if err != nil {
		t.Fatalf("making the provider: %v", err)
	}
	signedIn := true
	idp.Handle("/o/", fixture.NewHandler(t, provider, oauthhttp.Config{
		LoginURL: "/login",
		CurrentUser: func(*http.Request) (*oauthkit.User, error) {
			if !signedIn {
				return nil, nil
			}
			return &oauthkit.User{Subject: "alice", Name: "Alice Example", SessionID: strings.Repeat("s", 32)}, nil
		},
		SignOut: func(http.ResponseWriter, *http.Request) error {
			signedIn = false
			return nil
		},
	}))
	return site
}

// request returns the address of an authorization request.
func (s *logoutSite) request(prompt string) string {
	return s.issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {s.app + "/cb"}, "scope": {"openid"}, "prompt": {prompt},
		"code_challenge": {fixture.Challenge(fixture.Verifier)}, "code_challenge_method": {"S256"},
	}.Encode()
}
