package clienttest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuickstartWalk runs the README's first command to its end, and again: with a database of its own and with one that stays.
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
			t.Errorf("%v: got\n%s\nwant that all steps succeeded", args, output)
		}
		if files, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || args == nil && len(files) != 0 {
			t.Errorf("got %v, %v left, want a walk without -db to leave nothing", files, err)
		}
	}
}

// TestIDPStops shows that SIGTERM ends the provider with status 0.
func TestIDPStops(t *testing.T) {
	idp := start(t, "idp", "-db", filepath.Join(t.TempDir(), "idp.db"))
	if err := idp.stop(); err != nil {
		t.Errorf("got %v, want exit status 0\n%s", err, idp.output)
	}
}

// TestIDPSeedsTwice shows that seeding a second time changes nothing: the tables' content is the same.
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

// TestIDPRefuses shows that what cannot work is said at the start, and how.
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
				t.Errorf("got %v and %s, want a failure that names %s", err, output, test.want)
			}
		})
	}
}
