package archtest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// serverOnly lists packages that only a program with the provider's endpoints needs.
var serverOnly = []string{
	"html/template", "text/template", "embed", "golang.org/x/text", module + "/internal/jose",
	"github.com/golang-jwt/jwt", "github.com/go-jose/go-jose", "gorm.io",
}

// TestResourceServer checks that a program with only an API links no endpoint and no
// page of the provider, and nothing that signs or stores tokens.
func TestResourceServer(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../http/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := strings.Fields(string(output))
	if !slices.Contains(linked, module+"/http/api") {
		t.Fatalf("got %d packages without http/api", len(linked))
	}
	for _, name := range linked {
		if name == module+"/http" || slices.ContainsFunc(serverOnly, func(path string) bool { return within(name, path) }) {
			t.Errorf("http/api links %s", name)
		}
	}
}
