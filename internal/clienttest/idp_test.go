package clienttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// programs builds each example once for all tests.
var programs struct {
	sync.Mutex
	folder string
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "oauthkit-clienttest-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs.folder = folder
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// build returns the path of an example's binary.
func build(t testing.TB, example string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	path := filepath.Join(programs.folder, example)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	output, err := exec.Command("go", "build", "-o", path, "../../examples/"+example).CombinedOutput()
	if err != nil {
		t.Fatalf("building examples/%s: %v\n%s", example, err, output)
	}
	return path
}

// databases has, for each database, a function that returns where the provider stores
// its data.
var databases = map[string]func(t testing.TB) string{
	"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "idp.db") },
	"postgres": func(t testing.TB) string { return oauthtest.Postgres(t) },
}

// process is a running example.
type process struct {
	origin  string // http://127.0.0.1:port
	command *exec.Cmd
	output  *safeBuffer
}

func (p *process) issuer() string { return p.origin + "/o" }

// start launches an example and waits until it answers.
func start(t testing.TB, example string, args ...string) *process {
	t.Helper()
	p := launch(t, example, args...)
	p.wait(t)
	return p
}

// launch runs an example on a free port and stops it when the test ends.
func launch(t testing.TB, example string, args ...string) *process {
	t.Helper()
	return launchAt(t, freeAddress(t), example, args...)
}

func launchAt(t testing.TB, address, example string, args ...string) *process {
	t.Helper()
	p := &process{origin: "http://" + address, output: &safeBuffer{}}
	p.command = exec.Command(build(t, example), append([]string{"-addr", address}, args...)...)
	p.command.Dir = t.TempDir()
	p.command.Stdout, p.command.Stderr = p.output, p.output
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
		if t.Failed() {
			t.Logf("output of %s:\n%s", example, p.output)
		}
	})
	return p
}

// freeAddress returns an unused address. It does not come from the ephemeral
// ports, because the system could give such a port to another test before the
// process listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000)))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port from 20000 to 32000 is free")
	return ""
}

// wait polls until the process answers.
func (p *process) wait(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.origin+"/o/.well-known/openid-configuration", nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s does not answer:\n%s", p.origin, p.output)
		}
	}
}

// stop sends SIGTERM and returns the result of the process.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.command.Wait()
}

// safeBuffer collects the output of a process.
type safeBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(text)
}

func (b *safeBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}

const (
	webSecret   = "a-secret-of-the-test-with-many-characters"
	callback    = "http://127.0.0.1:1/cb" // no server: the browsers of these tests stop before this redirect
	alicesWords = "wonderland"
)

// seedFile writes a seed file with the user alice and four applications. web and
// web-es256 sign users in with different signing algorithms, api introspects, and
// native uses a port of the user's machine.
func seedFile(t testing.TB) string {
	t.Helper()
	web := map[string]any{
		"client_id": "web", "client_secret": webSecret, "name": "Web shop", "client_type": "confidential",
		"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}, "redirect_uris": []string{callback},
		"scopes": []string{"openid", "profile", "email", "read"},
	}
	es256 := map[string]any{"algorithm": "ES256"}
	for name, value := range web {
		es256[name] = value
	}
	es256["client_id"] = "web-es256"
	document, err := json.Marshal(map[string]any{
		"scopes": map[string]string{"read": "read your orders"},
		"users": []map[string]any{{"username": "alice", "password": alicesWords, "claims": map[string]any{
			"name": "Alice Liddell", "given_name": "Alice", "family_name": "Liddell", "middle_name": "Pleasance", "nickname": "Al",
			"preferred_username": "alice", "profile": "https://shop.example/alice", "picture": "https://shop.example/alice.png",
			"website": "https://alice.example", "gender": "female", "birthdate": "1852-05-04", "zoneinfo": "Europe/London",
			"locale": "en-GB", "updated_at": 1772366400, "email": "alice@example.com", "email_verified": true,
			"phone_number": "+441865276150", "address": map[string]any{"country": "GB"},
		}}},
		"applications": []map[string]any{web, es256, {
			"client_id": "api", "client_secret": webSecret, "name": "API", "client_type": "confidential",
			"grant_types": []string{}, "redirect_uris": []string{}, "scopes": []string{"introspection"},
		}, {
			"client_id": "native", "name": "Native app", "client_type": "public", "grant_types": []string{"authorization_code"},
			"redirect_uris": []string{"http://127.0.0.1/cb", "http://[::1]/cb"}, "scopes": []string{"openid"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eachDatabase runs a test against examples/idp on every database.
func eachDatabase(t *testing.T, test func(t *testing.T, idp *process)) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			test(t, start(t, "idp", "-db", database(t), "-seed", seedFile(t), "-log-level", "debug"))
		})
	}
}
