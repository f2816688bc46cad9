package clientmatrix

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// goClients returns the clients in Go.
func goClients() []*client {
	return []*client{
		{
			name: "x-oauth2-web", folder: "x-oauth2", needs: []string{"go"},
			application: map[string]any{
				"redirect_uris":             []string{"$ORIGIN/callback"},
				"post_logout_redirect_uris": []string{"$ORIGIN/"},
			},
			install: installGo,
			command: func(r *run) *exec.Cmd { return r.goProgram("program") },
		},
		{
			name: "x-oauth2-native", folder: "x-oauth2", needs: []string{"go"}, clearText: true,
			application: map[string]any{
				"client_type":               "public",
				"redirect_uris":             []string{"http://127.0.0.1/callback"}, // any port (RFC 8252 §7.3)
				"post_logout_redirect_uris": []string{"$ORIGIN/"},
			},
			install: installGo,
			command: func(r *run) *exec.Cmd { return r.goProgram("program") },
		},
		{
			name: "x-oauth2-cli", folder: "x-oauth2", needs: []string{"go"},
			application: map[string]any{
				"client_type":   "public",
				"redirect_uris": []string{"http://127.0.0.1/callback"},
			},
			install: installGo, steps: terminalSteps("program"),
		},
		{
			name: "oauth2-proxy", needs: []string{"go"},
			application: map[string]any{
				"redirect_uris":             []string{"$ORIGIN/oauth2/callback"},
				"post_logout_redirect_uris": []string{"$ORIGIN/ping"},
			},
			setting: map[string]any{"pkce": "optional"}, noHint: true,
			install: func(l *lab) error {
				if err := os.MkdirAll(l.folder, 0o700); err != nil {
					return err
				}
				return l.goCommand("install", "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6")
			},
			command: startProxy,
			site:    site{signIn: proxySignIn, userInfo: "/oauth2/userinfo"}, steps: proxySteps(),
		},
	}
}

// installGo builds the client's folder, a module outside the workspace.
func installGo(l *lab) error {
	if err := l.copySources(); err != nil {
		return err
	}
	return l.goCommand("build", "-o", "program", ".")
}

// goCommand runs the go command in the client's folder, outside the workspace.
func (l *lab) goCommand(args ...string) error {
	ctx, cancel := context.WithTimeout(l.Context(), 20*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = l.folder
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=0", "GOBIN="+l.folder)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return nil
}

// goProgram returns the command of a program that installGo built.
func (r *run) goProgram(name string, args ...string) *exec.Cmd {
	command := r.program(filepath.Join(r.lab.folder, name), args...)
	command.Env = append(command.Env, "SSL_CERT_FILE="+r.lab.authority, "SCOPES=openid profile email")
	if r.lab.client.application["client_type"] == "public" {
		command.Env = append(command.Env, "CLIENT_SECRET=")
	}
	if r.lab.client.clearText {
		command.Env = append(command.Env, "CERTIFICATE=", "KEY=")
	}
	return command
}

// terminalSteps are those of a tool for the terminal, which opens the browser and listens
// on a port of its own.
func terminalSteps(program string) steps {
	succeed := func(r *run, command string) error {
		output, err := r.goProgram(program, command).CombinedOutput()
		if err != nil || !strings.Contains(string(output), "alice@example.com") {
			return fmt.Errorf("%s: got %w and\n%s\nwant the claims of alice", command, err, output)
		}
		return nil
	}
	return steps{
		denied: func(r *run) error {
			output, err := r.inTerminal(r.newBrowser("bob", "deny"), r.goProgram(program, "login"))
			if err == nil || !strings.Contains(output, "access_denied") {
				return fmt.Errorf("got %w and\n%s\nwant access_denied", err, output)
			}
			return nil
		},
		signIn: func(r *run) error {
			output, err := r.inTerminal(r.browser, r.goProgram(program, "login"))
			if err != nil || !strings.Contains(output, `"sub":"alice"`) {
				return fmt.Errorf("got %w and\n%s\nwant the claims of alice", err, output)
			}
			return nil
		},
		userInfo: func(r *run) error { return succeed(r, "whoami") },
		refresh:  func(r *run) error { return succeed(r, "refresh") },
		signOut: func(r *run) error {
			address, err := r.goProgram(program, "logout").Output()
			if err != nil {
				return err
			}
			page, err := r.browser.open(strings.TrimSpace(string(address)))
			if err != nil {
				return err
			}
			if page.status != http.StatusOK {
				return page.asError()
			}
			before := r.browser.passwords
			if output, err := r.inTerminal(r.browser, r.goProgram(program, "login")); err != nil || r.browser.passwords == before {
				return fmt.Errorf("got %w and\n%s\nwant a sign-in that asks for the password", err, output)
			}
			return nil
		},
	}
}

// inTerminal runs a command that prints a URL first. It opens the URL in the browser and
// returns the rest of the output with the error of the command.
func (r *run) inTerminal(b *browser, command *exec.Cmd) (string, error) {
	output := &safeBuffer{}
	command.Stderr = output
	lines, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	reader := bufio.NewScanner(lines)
	reader.Buffer(nil, 1<<20)
	if reader.Scan() {
		if _, err := b.open(reader.Text()); err != nil {
			return "", err
		}
	}
	for reader.Scan() {
		_, _ = output.Write(append(reader.Bytes(), '\n'))
	}
	err = command.Wait()
	return output.String(), err
}

// proxySignIn is the path of oauth2-proxy that begins a sign-in.
const proxySignIn = "/oauth2/start?rd=/"

// startProxy starts a program that shows which user and access token it gets from
// oauth2-proxy, and returns the command of oauth2-proxy.
func startProxy(r *run) *exec.Cmd {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(w, request.Header.Get("X-Forwarded-Email"), request.Header.Get("X-Forwarded-Access-Token"))
	}))
	r.Cleanup(upstream.Close)
	address, err := url.Parse(r.issuer)
	if err != nil {
		r.Fatal(err)
	}
	return r.program(filepath.Join(r.lab.folder, "oauth2-proxy"),
		"--provider=oidc", "--oidc-issuer-url="+r.issuer, "--client-id="+clientID, "--client-secret="+clientSecret,
		"--redirect-url="+r.origin+"/oauth2/callback", "--email-domain=example.com",
		"--cookie-secret=0123456789abcdef0123456789abcdef", "--cookie-refresh=1s", "--pass-access-token",
		"--upstream="+upstream.URL, "--whitelist-domain="+address.Host,
		"--https-address=127.0.0.1:"+r.port, "--http-address=",
		"--tls-cert-file="+r.lab.certificate, "--tls-key-file="+r.lab.key, "--provider-ca-file="+r.lab.authority)
}

// proxySteps are those that differ at a program behind oauth2-proxy.
func proxySteps() steps {
	return steps{
		refresh: func(r *run) error { return r.changes("/") },
		signOut: func(r *run) error {
			end := r.issuer + "/logout?" + url.Values{
				"client_id": {clientID}, "post_logout_redirect_uri": {r.origin + "/ping"},
			}.Encode()
			return r.signOut("/oauth2/sign_out?rd="+url.QueryEscape(end), proxySignIn)
		},
	}
}

// changes polls a page until it shows another access token of alice.
func (r *run) changes(path string) error {
	first, err := r.browser.open(r.origin + path)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		page, err := r.browser.open(r.origin + path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(page.body, "alice@example.com oat_") {
			return fmt.Errorf("got %w, want an access token of alice", page.asError())
		}
		if page.body != first.body {
			return nil
		}
		<-time.After(100 * time.Millisecond)
	}
	return fmt.Errorf("after 10 s: got the first access token, want a new one: %w", first.asError())
}
