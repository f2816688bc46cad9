package clientmatrix

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium are the names of the browser.
const chromium = "chromium|chromium-browser|google-chrome"

// appClients returns the single-page applications, which run in Chromium.
func appClients() []*client {
	app := func(name string, grants ...string) *client {
		return &client{
			name: name, folder: "oidc-client-ts", needs: []string{chromium}, host: "localhost",
			packages: []string{"oidc-client-ts"},
			application: map[string]any{
				"client_type": "public", "grant_types": grants, "allowed_origins": []string{"$ORIGIN"},
				"redirect_uris": []string{"$ORIGIN/"}, "post_logout_redirect_uris": []string{"$ORIGIN/"},
			},
		}
	}
	frame := app("oidc-client-ts", "authorization_code")
	frame.quick, frame.serve, frame.steps = true, serveApp, appSteps("renewed by frame")
	local := app("oidc-client-ts-localhost", "authorization_code", "refresh_token")
	local.clearText, local.serve, local.steps = true, serveApp, appSteps("renewed by refresh token")
	return []*client{frame, local}
}

// serveApp serves the files of the application and opens a browser.
func serveApp(r *run) {
	r.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(r.lab.folder)))
	mux.HandleFunc("/oidc-client-ts.min.js", func(w http.ResponseWriter, request *http.Request) {
		http.ServeFile(w, request, "../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js")
	})
	mux.HandleFunc("/settings.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": r.issuer, "clientID": clientID})
	})
	listener, err := (&net.ListenConfig{}).Listen(r.Context(), "tcp", "localhost:"+r.port)
	if err != nil {
		r.Fatal(err)
	}
	server := httptest.NewUnstartedServer(mux)
	_ = server.Listener.Close()
	server.Listener = listener
	if r.lab.client.clearText {
		server.Start()
	} else {
		server.TLS = r.lab.serverTLS()
		server.StartTLS()
	}
	r.Cleanup(server.Close)
	r.tab = openChromium(r)
}

// openChromium opens a browser that trusts the certificate of the lab.
func openChromium(r *run) context.Context {
	r.Helper()
	program, err := lookPath(chromium)
	if err != nil {
		r.Fatal(err)
	}
	key := sha256.Sum256(r.lab.publicKey)
	ctx, end := chromedp.NewContext(r.Context(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.UserDataDir(r.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(key[:])),
	))
	r.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		r.Fatalf("starting Chromium: %v", err)
	}
	return ctx
}

// appSteps returns the steps in the browser. The application shows the text after a
// silent renewal.
func appSteps(renewed string) steps {
	return steps{
		denied: func(r *run) error {
			tab, end := chromedp.NewContext(r.tab, chromedp.WithNewBrowserContext())
			defer end()
			if err := chromedp.Do(tab); err != nil { // opens the tab, which lives as long as this context
				return err
			}
			if err := appSignIn(tab, r, "bob", "deny"); err != nil {
				return err
			}
			return appShows(tab, "access_denied")
		},
		signIn: func(r *run) error {
			if err := appSignIn(r.tab, r, "alice", "allow"); err != nil {
				return err
			}
			return appShows(r.tab, "signed in as alice")
		},
		userInfo: func(r *run) error { return appShows(r.tab, "alice@example.com") },
		refresh: func(r *run) error {
			if err := appPress(r.tab, "#renew"); err != nil {
				return err
			}
			return appShows(r.tab, renewed)
		},
		signOut: func(r *run) error {
			if err := appPress(r.tab, "#sign-out"); err != nil {
				return err
			}
			if err := appShows(r.tab, "signed out"); err != nil {
				return err
			}
			if err := appPress(r.tab, "#sign-in"); err != nil {
				return err
			}
			return within(r.tab, chromedp.WaitVisible(chromedp.CSS("#password")))
		},
	}
}

// appSignIn opens the application and signs a user in at the provider, who makes the
// decision on the consent page.
func appSignIn(tab context.Context, r *run, user, decision string) error {
	if err := within(tab, chromedp.Navigate(r.origin+"/")); err != nil {
		return err
	}
	if err := appPress(tab, "#sign-in"); err != nil {
		return err
	}
	return within(tab,
		chromedp.WaitVisible(chromedp.CSS("#password")),
		chromedp.SetValue(chromedp.CSS("#username"), user),
		chromedp.SendKeys(chromedp.CSS("#password"), password+kb.Enter),
		chromedp.WaitVisible(chromedp.CSS(`button[name="decision"]`)),
		chromedp.Click(chromedp.CSS(`button[value="`+decision+`"]`)),
	)
}

// appPress presses a button of the application.
func appPress(tab context.Context, button chromedp.CSS) error {
	return within(tab, chromedp.WaitVisible(chromedp.CSS("body[data-ready]")), chromedp.Click(button))
}

// appShows waits until the application shows a text.
func appShows(tab context.Context, text string) error {
	const result = `document.querySelector("#result")?.textContent ?? document.body.innerText`
	condition := fmt.Sprintf("(%s).includes(%q)", result, text)
	deadline, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		shown, err := chromedp.Run(deadline, chromedp.Evaluate[bool](condition))
		if err == nil && shown {
			return nil
		}
		select {
		case <-tick.C: // the page may be loading
		case <-deadline.Done():
			at, _ := chromedp.Run(tab, chromedp.Location())
			content, _ := chromedp.Run(tab, chromedp.Evaluate[string](result))
			return fmt.Errorf("got %q at %s, want %q: %w", strings.TrimSpace(content), at, text, deadline.Err())
		}
	}
}

// within runs actions in a tab for a limited time.
func within(tab context.Context, actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(tab, 30*time.Second)
	defer cancel()
	err := chromedp.Do(ctx, actions...)
	if err == nil {
		return nil
	}
	at, _ := chromedp.Run(tab, chromedp.Location())
	return fmt.Errorf("at %s: %w", at, err)
}
