package archtest

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestModules wants each module of the repository in go.work, with a replace for every
// other one that it requires, and each requirement of the root module in code that ships.
func TestModules(t *testing.T) {
	repository := os.DirFS("../..")
	work := linesOf(t, repository, "go.work")
	for _, folder := range foldersOfModules(t, repository) {
		use := "./" + folder
		if folder == "." {
			use = "."
		}
		if !slices.Contains(work, use) {
			t.Errorf("go.work does not use %s", use)
		}
		lines := linesOf(t, repository, folder+"/go.mod")
		for _, line := range lines {
			name, version, required := strings.Cut(strings.TrimPrefix(line, "require "), " ")
			if required && strings.HasPrefix(name, module) && strings.HasPrefix(version, "v") && !slices.ContainsFunc(lines, func(other string) bool {
				return strings.HasPrefix(strings.TrimPrefix(other, "replace "), name+" => .")
			}) {
				t.Errorf("%s/go.mod requires %s without a replace", folder, name)
			}
		}
	}
	for _, required := range directRequirements(t, repository) {
		if !slices.ContainsFunc(importsOfRoot(t, repository), func(imported string) bool { return within(imported, required) }) {
			t.Errorf("go.mod requires %s, which only tests import: move them to another module", required)
		}
	}
}

// relyingParties has modules that are built outside the workspace, so that the versions
// of clients do not raise those of the library.
const relyingParties = "internal/clientmatrix/clients"

// foldersOfModules returns the folders that have a go.mod.
func foldersOfModules(t *testing.T, repository fs.FS) []string {
	t.Helper()
	var folders []string
	err := fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (skippedByGo(name) || name == relyingParties) {
			return fs.SkipDir
		}
		if path.Base(name) == "go.mod" {
			folders = append(folders, path.Dir(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// directRequirements returns the modules that the root module requires by itself.
func directRequirements(t *testing.T, repository fs.FS) []string {
	t.Helper()
	requirement := regexp.MustCompile(`^(?:require )?(\S+) v\S+$`)
	var modules []string
	for _, line := range linesOf(t, repository, "go.mod") {
		if match := requirement.FindStringSubmatch(line); match != nil {
			modules = append(modules, match[1])
		}
	}
	return modules
}

// importsOfRoot returns what the code of the root module imports, without its tests and
// the code of other modules.
func importsOfRoot(t *testing.T, repository fs.FS) []string {
	t.Helper()
	others := foldersOfModules(t, repository)
	imported := regexp.MustCompile(`(?m)^(?:import )?\s*(?:\w+ )?"([^"]+)"$`)
	var paths []string
	err := fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (ignored(name) || slices.Contains(others, name)):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(repository, name)
		for _, match := range imported.FindAllStringSubmatch(string(text), -1) {
			paths = append(paths, match[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// linesOf returns the lines of a file, without the blanks around them.
func linesOf(t *testing.T, repository fs.FS, name string) []string {
	t.Helper()
	text, err := fs.ReadFile(repository, path.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
