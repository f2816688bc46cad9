package clienttest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickstartWalk runs the README's first command twice, with a temporary database
// and with a file.
func TestQuickstartWalk(t *testing.T) {
	folder := t.TempDir()
	for _, args := range [][]string{nil, nil, {"-db", "kept.db"}, {"-db", "kept.db"}} {
		command := exec.CommandContext(t.Context(), build(t, "quickstart"), append(args, "-walk", "-addr", freeAddress(t))...)
		command.Dir = folder
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, output)
		}
		if !strings.Contains(string(output), "steps succeeded") {
			t.Errorf("%v: got\n%s\nwant each step and success", args, output)
		}
		if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || args == nil && len(files) != 0 {
			t.Errorf("got files %v, %v after a walk without -db, want none", files, err)
		}
	}
}

// TestIDPStops shows that the provider exits with status 0 after SIGTERM.
func TestIDPStops(t *testing.T) {
	idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"))
	if err := idp.stop(); err != nil {
		t.Errorf("got %v, want exit status 0\n%s", err, idp.output)
	}
}

// TestIDPSeedsTwice shows that a second start with the same seed file does not change
// the tables.
func TestIDPSeedsTwice(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			location, seed := database(t), seedFile(t)
			first := start(t, "idp", "-db", location, "-seed", seed)
			if err := first.stop(); err != nil {
				t.Fatal(err)
			}
			before := rows(t, location)
			second := start(t, "idp", "-db", location, "-seed", seed)
			if err := second.stop(); err != nil {
				t.Fatal(err)
			}
			if after := rows(t, location); after != before {
				t.Errorf("seeding again changed\n%s\nto\n%s", before, after)
			}
		})
	}
}

// TestIDPRefuses shows that a configuration that cannot work fails at start-up with a
// helpful error.
func TestIDPRefuses(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"a stray argument":          {[]string{"serve-what"}, "serve-what"},
		"a certificate alone":       {[]string{"-tls-cert", "x.pem"}, "-tls-key"},
		"a seed that is not there":  {[]string{"-seed", "missing.json"}, "missing.json"},
		"an issuer with a fragment": {[]string{"-issuer", "https://example.com/o#x"}, "issuer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), build(t, "idp"), append([]string{"-addr", freeAddress(t)}, test.args...)...)
			command.Dir = t.TempDir()
			output, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(output), test.want) {
				t.Errorf("got %v and %s, want an error that names %s", err, output, test.want)
			}
		})
	}
}
