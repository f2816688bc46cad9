package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// TestMutants checks that every mutant has a distinct name, a text that occurs
// exactly once, and a killer that may exist.
func TestMutants(t *testing.T) {
	names, tests := map[string]bool{}, map[string]*declared{}
	for _, m := range all() {
		if names[m.name] || strings.ContainsFunc(m.name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) {
			t.Errorf("%s: got a name that is not distinct or has other characters than a-z, 0-9 and -", m.name)
		}
		names[m.name] = true
		if _, err := locate(root, m); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if m.text == m.becomes {
			t.Errorf("%s: got a replacement equal to the text, want another one", m.name)
		}
		folder := m.killer.folder
		if tests[folder] == nil {
			tests[folder] = declaredIn(t, folder)
		}
		if missing := tests[folder].missing(m.killer); missing != "" {
			t.Errorf("%s: got the test %s in %s, which has no name %q", m.name, m.killer.test, folder, missing)
		}
	}
	if len(names) < 80 {
		t.Errorf("got %d mutants, want 80 or more", len(names))
	}
}

// declared holds the names that the tests of a package can have.
type declared struct {
	functions map[string]bool
	literals  []string // each may name a subtest
}

// declaredIn reads the tests of a package and the cases shared with others.
func declaredIn(t *testing.T, folder string) *declared {
	t.Helper()
	found := &declared{functions: map[string]bool{}}
	for _, pattern := range []string{folder + "/*_test.go", "internal/attacktest/fixture/*.go", "store/storetest/*.go"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for node := range ast.Preorder(file) {
				switch node := node.(type) {
				case *ast.FuncDecl:
					found.functions[node.Name.Name] = true
				case *ast.BasicLit:
					if text, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
						found.literals = append(found.literals, text)
					}
				}
			}
		}
	}
	return found
}

// missing returns the first name in the killer's path that does not exist, or "".
func (d *declared) missing(k killer) string {
	for i, name := range k.names() {
		known := d.functions[name]
		if i > 0 {
			known = slices.ContainsFunc(d.literals, func(literal string) bool { return strings.HasPrefix(literal, name) })
		}
		if !known {
			return name
		}
	}
	return ""
}

// TestLocate shows which texts are found and which are errors.
func TestLocate(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "p/a.go", "package p\n\nconst c = \"once\"\n\nfunc F() int { return 1 + twice }\n")
	write(t, folder, "p/b.go", "package p\n\nvar twice = 2\n")
	write(t, folder, "p/b_test.go", "package p\n\nvar inTest = 1 + twice\n")
	for text, want := range map[string]string{
		"return 1": "function", `"once"`: "outside", "twice": "error", "nowhere": "error", "inTest": "error",
	} {
		got := "function"
		p, err := locate(folder, mutant{folder: "p", text: text})
		if err != nil {
			got = "error"
		} else if !p.switched() {
			got = "outside"
		}
		if got != want {
			t.Errorf("%q: got %s (%v), want %s", text, got, err, want)
		}
	}
}

// smallCode and smallTests are the module that TestTry breaks.
const (
	smallCode = `package m

const limit = 3

func Small(_ string, n ...int) bool { return len(n) < limit }

func Twice(n int) (double int, err error) {
	defer func() { double *= 2 }()
	double, err = n+0, nil
	return
}

func Unused() bool { return true }

func Fill(list []int) {
	for i := range 2 {
		list[i] = i
	}
}
`
	smallTests = `package m

import "testing"

func TestSmall(t *testing.T) {
	t.Run("two of them", func(t *testing.T) {
		if !Small("", 1, 2) || Small("", 1, 2, 3) {
			t.Error("wrong")
		}
	})
}

func TestTwice(t *testing.T) {
	if n, err := Twice(2); n != 4 || err != nil {
		t.Error("wrong", n, err)
	}
}

func TestFill(t *testing.T) { Fill(make([]int, 2)) }
`
)

// TestTry tries mutants of a small module: one is detected by a test, one survives,
// one is in a constant, one makes the program exit, and one is in a function with
// named results.
func TestTry(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "go.mod", "module example.test/m\n\ngo 1.25\n")
	write(t, folder, "m.go", smallCode)
	write(t, folder, "m_test.go", smallTests)
	var places []*place
	for _, m := range []mutant{
		{"killed", ".", "len(n) < limit", "len(n) <= limit", killer{".", "TestSmall/two"}},
		{"constant", ".", "limit = 3", "limit = 2", killer{".", "TestSmall/two"}},
		{"named", ".", "n+0", "n+1", killer{".", "TestTwice"}},
		{"panics", ".", "range 2", "range 3", killer{".", "TestFill"}},
		{"survives", ".", "return true", "return false", killer{".", "TestTwice"}},
	} {
		p, err := locate(folder, m)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	verdicts, err := try(t.Context(), workshopOf(t, folder), places, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"TestSmall/two_of_them", "TestSmall/two_of_them", "TestTwice", "TestFill", ""} {
		if got := verdicts[i]; got.killedBy != want || got.problem != "" {
			t.Errorf("%s: got killed by %q, problem %q, want killed by %q", got.place.name, got.killedBy, got.problem, want)
		}
	}
	var table strings.Builder
	if err := report(&table, verdicts, 0); err == nil {
		t.Error("got no error, want one for the mutant that survived")
	}
	if got := table.String(); !strings.Contains(got, "SURVIVED TestTwice") || !strings.Contains(got, "5 mutants, 4 killed") {
		t.Errorf("got\n%s\nwant the mutant that survived and the counts", got)
	}

	places[0].killer.test = "TestSmall/three"
	if _, err := try(t.Context(), workshopOf(t, folder), places, 1); err == nil || !strings.Contains(err.Error(), "test TestSmall/three does not exist") {
		t.Errorf("got error %v, want one for the test that does not exist", err)
	}
	places[0].killer.test, places[0].becomes = "TestSmall/two", "undeclared"
	if _, err := try(t.Context(), workshopOf(t, folder), places, 1); err == nil || !strings.Contains(err.Error(), "mutant-killed:") {
		t.Errorf("got error %v, want one with the name of the mutant that does not compile", err)
	}
}

// TestRunRefuses shows that invalid patterns are errors.
func TestRunRefuses(t *testing.T) {
	t.Chdir(root)
	for _, pattern := range []string{"no-such-mutant", "("} {
		if err := run(t.Context(), []string{pattern}, &strings.Builder{}); err == nil {
			t.Errorf("%q: got no error, want one", pattern)
		}
	}
}

func workshopOf(t *testing.T, root string) *workshop {
	t.Helper()
	w, err := newWorkshop(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
