package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// variable names the environment variable that switches one mutant on.
const variable = "OAUTHKIT_MUTANT"

// switchSource is a file added to each package with mutants.
const switchSource = `package %s

import "os"

var mutantName = os.Getenv(%q)

func mutantIs(name string) bool { return mutantName == name }
`

// workshop builds test programs with mutants. It does not change the files of the
// repository: the go command gets replacements for them.
type workshop struct {
	root   string // of the module
	module string // its path
	folder string // for generated files
}

// newWorkshop returns the workshop of the module in root.
func newWorkshop(root, folder string) (*workshop, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	module, err := firstWordAfter(string(text), "module ")
	return &workshop{root: root, module: module, folder: folder}, err
}

// buildSwitched builds the tests of the packages with all mutants, each switched off.
func (w *workshop) buildSwitched(ctx context.Context, places []*place, packages []string) error {
	byFile := map[string][]*place{}
	for _, p := range places {
		byFile[p.file] = append(byFile[p.file], p)
	}
	replaced := map[string]string{} // by path in the repository
	for file, together := range byFile {
		replaced[file] = withSwitches(together)
		name, err := firstWordAfter(string(together[0].source), "package ")
		if err != nil {
			return err
		}
		replaced[filepath.Join(together[0].folder, "zz_mutant.go")] = fmt.Sprintf(switchSource, name, variable)
	}
	return w.build(ctx, "switched", replaced, packages)
}

// buildAlone builds the tests of one package with one mutant, which is always on.
func (w *workshop) buildAlone(ctx context.Context, p *place) error {
	return w.build(ctx, p.name, map[string]string{p.file: p.mutated(0, len(p.source))}, []string{p.killer.folder})
}

// build builds the tests of packages with some files replaced.
func (w *workshop) build(ctx context.Context, name string, replaced map[string]string, packages []string) error {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	folder := filepath.Join(w.folder, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for file, text := range replaced {
		written := filepath.Join(folder, strings.ReplaceAll(file, string(filepath.Separator), "_"))
		if err := os.WriteFile(written, []byte(text), 0o600); err != nil {
			return err
		}
		overlay.Replace[filepath.Join(w.root, file)] = written
	}
	document, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	overlayFile := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlayFile, document, 0o600); err != nil {
		return err
	}
	args := []string{"test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlayFile, "-o", folder + string(filepath.Separator)}
	for _, pkg := range packages {
		args = append(args, "./"+filepath.ToSlash(pkg))
	}
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = w.root
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}

// program returns the path of a package's test program in the named build.
func (w *workshop) program(build, pkg string) string {
	return filepath.Join(w.folder, build, path.Base(path.Join(w.module, filepath.ToSlash(pkg)))+".test")
}

// run runs the tests of a package that match a pattern of go test. It returns the
// output and whether the tests passed.
func (w *workshop) run(ctx context.Context, build, pkg, pattern string, switchedOn string) (output string, passed bool, err error) {
	command := exec.CommandContext(ctx, w.program(build, pkg), "-test.v", "-test.failfast", "-test.timeout=3m", "-test.run="+pattern)
	command.Dir = filepath.Join(w.root, pkg)
	command.Env = append(os.Environ(), variable+"="+switchedOn, "CI=true") // CI makes missing software a failure
	written, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) || ctx.Err() != nil {
		return string(written), false, errors.Join(err, ctx.Err())
	}
	return string(written), err == nil, nil
}

// firstWordAfter returns the rest of the first line that begins with a word, for
// example the name in a package clause.
func firstWordAfter(text, word string) (string, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			return strings.TrimSpace(rest), nil
		}
	}
	return "", fmt.Errorf("no line begins with %q", word)
}

// packagesOf returns the packages of the killers, sorted.
func packagesOf(places []*place) []string {
	var packages []string
	for _, p := range places {
		if !slices.Contains(packages, p.killer.folder) {
			packages = append(packages, p.killer.folder)
		}
	}
	slices.Sort(packages)
	return packages
}
