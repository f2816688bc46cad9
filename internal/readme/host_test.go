package readme

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// mostChecksums is the number of lines that the program of README.md may need in the
// go.sum of a new module.
const mostChecksums = 45

// TestNewHost makes the program of README.md a module of its own, as a reader does.
func TestNewHost(t *testing.T) {
	h := newHost(t, blocksOf(t, "README.md", "go")[0], ".")
	h.run("mod", "tidy")
	h.run("vet", ".")
	sums, err := os.ReadFile(filepath.Join(h.folder, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	// A released oauthkit has two lines itself, one in place of a replace has none.
	if lines := strings.Count(string(sums), "\n") + 2; lines > mostChecksums {
		t.Errorf("go.sum has %d lines, want at most %d:\n%s", lines, mostChecksums, sums)
	}
}

// olderHost is a program with routers, metrics and traces of its own.
const olderHost = `package main

import (
	_ "github.com/gin-gonic/gin"
	_ "github.com/labstack/echo/v4"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "go.opentelemetry.io/otel/sdk/metric"
	_ "go.opentelemetry.io/otel/sdk/trace"

	_ "github.com/oauthkit/oauthkit/grants"
	_ "github.com/oauthkit/oauthkit/http"
	_ "github.com/oauthkit/oauthkit/http/observe/oauthotel"
	_ "github.com/oauthkit/oauthkit/http/observe/oauthprom"
	_ "github.com/oauthkit/oauthkit/oidc"
	_ "github.com/oauthkit/oauthkit/store/postgres"
	_ "github.com/oauthkit/oauthkit/store/sqlite"
)

func main() {}
`

// TestOlderHost adds oauthkit to a program whose libraries are older than those of the
// tests. Their versions do not move.
func TestOlderHost(t *testing.T) {
	h := newHost(t, olderHost, ".", "http/observe/oauthotel", "http/observe/oauthprom")
	versions := []string{
		"github.com/gin-gonic/gin v1.9.1",
		"github.com/labstack/echo/v4 v4.11.4",
		"github.com/prometheus/client_golang v1.19.1",
		"go.opentelemetry.io/otel v1.24.0",
		"go.opentelemetry.io/otel/sdk v1.24.0",
		"go.opentelemetry.io/otel/sdk/metric v1.24.0",
	}
	for _, version := range versions {
		h.run("mod", "edit", "-require="+strings.Replace(version, " ", "@", 1))
	}
	h.run("mod", "tidy")
	h.run("vet", ".")
	for _, version := range versions {
		name, _, _ := strings.Cut(version, " ")
		if got := strings.TrimSpace(h.run("list", "-m", name)); got != version {
			t.Errorf("got %s, want %s", got, version)
		}
	}
}

// host is a module outside the workspace.
type host struct {
	*testing.T
	folder string
}

// newHost writes a module with one file, and has the folders of this repository stand
// for the modules in them.
func newHost(t *testing.T, code string, modules ...string) *host {
	t.Helper()
	h := &host{T: t, folder: t.TempDir()}
	file := "module example.com/host\n\ngo 1.25.0\n"
	for _, folder := range modules {
		name := regexp.MustCompile(`(?m)^module (.*)$`).FindStringSubmatch(read(t, folder+"/go.mod"))[1]
		place, err := filepath.Abs(filepath.Join(root, folder))
		if err != nil {
			t.Fatal(err)
		}
		file += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => %q\n", name, place)
	}
	for name, text := range map[string]string{"go.mod": file, "main.go": code} {
		if err := os.WriteFile(filepath.Join(h.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// run runs the go command in the module.
func (h *host) run(args ...string) string {
	h.Helper()
	command := exec.CommandContext(h.Context(), "go", args...)
	command.Dir = h.folder
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var problems strings.Builder
	command.Stderr = &problems
	output, err := command.Output()
	if err == nil {
		return string(output)
	}
	text := string(output) + problems.String()
	if strings.Contains(text, "dial tcp") || strings.Contains(text, "module lookup disabled") {
		oauthtest.Missing(h, "the tests of new modules", "no module proxy answers: "+text)
	}
	h.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, text)
	return ""
}
