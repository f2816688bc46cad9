package clientmatrix

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// kubernetesClients returns the clients around Kubernetes.
func kubernetesClients() []*client {
	return []*client{
		{
			name: "dex", needs: []string{"go"},
			application: map[string]any{"redirect_uris": []string{"$ORIGIN/dex/callback"}},
			setting:     map[string]any{"id_token_claims": true},
			install: func(l *lab) error {
				if err := l.copySources(); err != nil {
					return err
				}
				return l.goCommand("build", "-o", "program", "github.com/dexidp/dex/cmd/dex")
			},
			command: startDex, steps: dexSteps(),
		},
		{
			name: "kube-apiserver", needs: []string{"go"},
			application: map[string]any{
				"client_type":   "public",
				"redirect_uris": []string{"http://127.0.0.1/callback"},
			},
			setting: map[string]any{"id_token_claims": true},
			install: installAPIServer,
			command: func(r *run) *exec.Cmd { return r.goProgram("program") },
			steps:   apiServerSteps(),
		},
	}
}

// startDex returns the command of dex with the client's config.yaml.
func startDex(r *run) *exec.Cmd {
	template, err := os.ReadFile(filepath.Join(r.lab.folder, "config.yaml"))
	if err != nil {
		r.Fatal(err)
	}
	values := map[string]string{
		"ISSUER": r.issuer, "CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret, "ORIGIN": r.origin, "PORT": r.port,
		"CA": r.lab.authority, "CERTIFICATE": r.lab.certificate, "KEY": r.lab.key,
	}
	config := filepath.Join(r.TempDir(), "config.yaml")
	text := os.Expand(string(template), func(name string) string { return values[name] })
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	return r.program(filepath.Join(r.lab.folder, "program"), "serve", config)
}

// dexCode finds the code on the page that dex shows to a client without a redirect URI.
var dexCode = regexp.MustCompile(`<input[^>]* value="([^"]+)"`)

// dexSteps are those of a user of a client of dex. The name and email of the user come
// from the ID token that dex received.
func dexSteps() steps {
	var tokens struct {
		IDToken string `json:"id_token"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	address := func(r *run) string {
		return r.origin + "/dex/auth?" + url.Values{
			"client_id": {"tool"}, "response_type": {"code"}, "redirect_uri": {"urn:ietf:wg:oauth:2.0:oob"},
			"scope": {"openid profile email offline_access"}, "state": {"state"},
		}.Encode()
	}
	request := func(r *run, form url.Values) error {
		form.Set("client_id", "tool")
		response, err := r.lab.httpClient().PostForm(r.origin+"/dex/token", form)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil || response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %w\n%s", response.Status, err, body)
		}
		return json.Unmarshal(body, &tokens)
	}
	return steps{
		denied: func(r *run) error {
			return r.newBrowser("bob", "deny").expect(address(r), r.origin, "Authentication failed")
		},
		signIn: func(r *run) error {
			page, err := r.browser.open(address(r))
			if err != nil {
				return err
			}
			code := dexCode.FindStringSubmatch(page.body)
			if code == nil {
				return fmt.Errorf("no code: %w", page.asError())
			}
			return request(r, url.Values{
				"grant_type": {"authorization_code"}, "code": {code[1]}, "redirect_uri": {"urn:ietf:wg:oauth:2.0:oob"},
			})
		},
		userInfo: func(r *run) error {
			body, err := r.bearer(r.origin+"/dex/userinfo", tokens.Access)
			if err != nil || !strings.Contains(body, "alice@example.com") || !strings.Contains(body, "Alice Liddell") {
				return fmt.Errorf("got %w and\n%s\nwant the claims of alice", err, body)
			}
			return nil
		},
		refresh: func(r *run) error {
			before := tokens.Refresh
			err := request(r, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {before}})
			if err == nil && tokens.Refresh == before {
				return fmt.Errorf("the refresh token is the same")
			}
			return err
		},
		signOut: none,
	}
}

// installAPIServer builds the API server, and the tool that signs the user in.
func installAPIServer(l *lab) error {
	if err := installGo(l); err != nil {
		return err
	}
	tool, err := filepath.Abs("clients/x-oauth2")
	if err != nil {
		return err
	}
	return l.goCommand("build", "-C", tool, "-o", filepath.Join(l.folder, "tool"), ".")
}

// apiServerSteps sign in with a tool for the terminal, as kubelogin does, and send the
// ID token to the API server, as kubectl does.
func apiServerSteps() steps {
	whoAmI := func(r *run) error {
		document, err := os.ReadFile(filepath.Join(r.lab.folder, "tokens.json"))
		if err != nil {
			return err
		}
		var saved struct {
			IDToken string `json:"id_token"`
		}
		if err := json.Unmarshal(document, &saved); err != nil {
			return err
		}
		for deadline := time.Now().Add(30 * time.Second); ; {
			body, err := r.bearer(r.origin, saved.IDToken)
			if err == nil && body == "alice@example.com\n" {
				return nil
			}
			// The authenticator gets the metadata of the provider in the background.
			if err != nil || !strings.Contains(body, "not initialized") || time.Now().After(deadline) {
				return fmt.Errorf("got %w and\n%s\nwant alice@example.com", err, body)
			}
			<-time.After(100 * time.Millisecond)
		}
	}
	return steps{
		denied: terminalSteps("tool").denied,
		signIn: func(r *run) error {
			if err := terminalSteps("tool").signIn(r); err != nil {
				return err
			}
			return whoAmI(r)
		},
		userInfo: none, // the API server reads the ID token
		refresh: func(r *run) error {
			if err := terminalSteps("tool").refresh(r); err != nil {
				return err
			}
			return whoAmI(r)
		},
		signOut: none, // kubelogin clean removes its tokens
	}
}

// bearer gets a URL with an access token and returns the body of the response.
func (r *run) bearer(address, token string) (string, error) {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := r.lab.httpClient().Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(body), err
}
