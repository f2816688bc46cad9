package clientmatrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// The application of each client, and the password of its users: alice, and bob for the
// step in which the user denies, because the consent of alice is remembered.
const (
	clientID     = "shop"
	clientSecret = "a-secret-of-the-test-with-many-characters"
	password     = "wonderland"
)

// databases has, for each database, a function that returns where the provider stores
// its data.
var databases = map[string]func(t testing.TB) string{
	"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "idp.db") },
	"postgres": func(t testing.TB) string { return oauthtest.Postgres(t) },
}

// run is a provider and a relying party that work together, with a user's browser.
type run struct {
	testing.TB
	lab     *lab
	issuer  string // of the provider
	origin  string // of the relying party
	port    string // of the relying party
	browser *browser
	tab     context.Context // of Chromium, or nil
}

// startRun starts the provider with the client's application, and the relying party.
func startRun(t *testing.T, l *lab, database string) *run {
	t.Helper()
	r := &run{TB: t, lab: l, port: freePort(t)}
	scheme, host := "https", l.client.host
	if l.client.clearText {
		scheme = "http"
	}
	if host == "" {
		host = "127.0.0.1"
	}
	r.origin = scheme + "://" + host + ":" + r.port
	address := "localhost:" + freePort(t)
	r.issuer = "https://" + address + "/o"
	idp := exec.CommandContext(t.Context(), l.idp,
		"serve", "-addr", address, "-db", database, "-seed", r.seedFile(), "-tls-cert", l.certificate, "-tls-key", l.key)
	idp.Dir = t.TempDir()
	r.start("examples/idp", idp, r.issuer+"/.well-known/openid-configuration")
	if l.client.command != nil {
		r.start(l.client.name, l.client.command(r), r.origin)
	}
	if l.client.serve != nil {
		l.client.serve(r)
	}
	r.browser = r.newBrowser("alice", "allow")
	return r
}

// during returns the run for the test of one step.
func (r *run) during(t testing.TB) *run {
	during := *r
	during.TB = t
	return &during
}

// program returns a command of the client's folder, with the addresses and files that
// a relying party needs in its environment.
func (r *run) program(name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(r.Context(), name, args...)
	command.Dir = r.lab.folder
	command.Env = append(os.Environ(),
		"ISSUER="+r.issuer, "CLIENT_ID="+clientID, "CLIENT_SECRET="+clientSecret,
		"ORIGIN="+r.origin, "PORT="+r.port,
		"CA="+r.lab.authority, "CERTIFICATE="+r.lab.certificate, "KEY="+r.lab.key,
	)
	return command
}

// seedFile writes a seed file with the users alice and bob and the client's
// application.
func (r *run) seedFile() string {
	r.Helper()
	user := func(name, full string) map[string]any {
		return map[string]any{"username": name, "password": password, "claims": map[string]any{
			"name": full, "preferred_username": name, "email": name + "@example.com", "email_verified": true,
		}}
	}
	seed := map[string]any{
		"users":        []map[string]any{user("alice", "Alice Liddell"), user("bob", "Bob Brown")},
		"applications": []map[string]any{r.lab.client.seed(r, r.origin)},
	}
	maps.Copy(seed, r.lab.client.defaults)
	document, err := json.Marshal(seed)
	if err != nil {
		r.Fatal(err)
	}
	path := filepath.Join(r.TempDir(), "seed.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		r.Fatal(err)
	}
	return path
}

// start starts a program, waits until there is a response at address, and stops the
// program when the test ends.
func (r *run) start(name string, command *exec.Cmd, address string) {
	r.Helper()
	output := &safeBuffer{}
	command.Stdout, command.Stderr = output, output
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	if err := command.Start(); err != nil {
		r.Fatalf("starting %s: %v", name, err)
	}
	ctx, end := context.WithCancelCause(r.Context())
	ended := make(chan error, 1)
	go func() {
		err := command.Wait()
		end(fmt.Errorf("%s ended: %w", name, err))
		ended <- err
	}()
	r.Cleanup(func() { // the end of the test's context has stopped it
		err := <-ended
		if r.Failed() {
			r.Logf("%s: %v\n%s", name, err, output)
		}
	})
	if err := r.await(ctx, address); err != nil {
		r.Fatalf("%s does not respond at %s: %v", name, address, err)
	}
}

// await polls a URL until there is a response.
func (r *run) await(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	client := r.lab.httpClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// withOrigin replaces $ORIGIN in the strings of a value.
func withOrigin(value any, origin string) any {
	switch value := value.(type) {
	case string:
		return strings.ReplaceAll(value, "$ORIGIN", origin)
	case []string:
		var replaced []string
		for _, text := range value {
			replaced = append(replaced, strings.ReplaceAll(text, "$ORIGIN", origin))
		}
		return replaced
	default:
		return value
	}
}

// webSteps returns the steps at a web application. After a sign-in it shows the subject
// or the name.
func webSteps(s site) steps {
	return steps{
		denied: func(r *run) error {
			return r.newBrowser("bob", "deny").expect(r.origin+s.signIn, r.origin, s.denied)
		},
		signIn: func(r *run) error { return r.signIn(s.signIn) },
		userInfo: func(r *run) error {
			return r.browser.expect(r.origin+s.userInfo, r.origin, "alice@example.com")
		},
		refresh: func(r *run) error { return r.browser.expect(r.origin+s.refresh, r.origin, "refreshed") },
		signOut: func(r *run) error { return r.signOut(s.signOut, s.signIn) },
	}
}

// signIn opens the path of the relying party that begins a sign-in.
func (r *run) signIn(path string) error {
	if err := r.browser.expect(r.origin+path, r.origin, "alice"); err != nil {
		return err
	}
	if r.browser.passwords != 1 || r.browser.consents != 1 {
		return fmt.Errorf("got %d login pages and %d consent pages, want one of each", r.browser.passwords, r.browser.consents)
	}
	return nil
}

// signOut opens the path of the relying party that ends the session at both sides. The
// provider must ask nothing, because the client proves who the user is with an ID token.
// The user must end at the relying party, and the next sign-in must ask for the password.
func (r *run) signOut(path, signInPath string) error {
	page, err := r.browser.open(r.origin + path)
	if err != nil {
		return err
	}
	if asked := r.browser.questions > 0; asked != r.lab.client.noHint {
		return fmt.Errorf("the provider asked whether to sign out: got %t, want %t", asked, r.lab.client.noHint)
	}
	return r.signedOut(page, signInPath)
}

// signedOut checks the page after a sign-out, and that the provider asks for the
// password at the next sign-in.
func (r *run) signedOut(page *page, signInPath string) error {
	if !strings.HasPrefix(page.address.String(), r.origin) || page.status >= http.StatusBadRequest {
		return fmt.Errorf("after the sign-out: got %w, want a page at %s", page.asError(), r.origin)
	}
	before := r.browser.passwords
	if err := r.browser.expect(r.origin+signInPath, r.origin, "alice"); err != nil {
		return err
	}
	if r.browser.passwords == before {
		return errors.New("the next sign-in did not ask for the password: the session at the provider goes on")
	}
	return nil
}
