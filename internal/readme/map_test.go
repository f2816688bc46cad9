package readme

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMap checks that the map of CONTRIBUTING.md names each file of the root package and
// each folder with code.
func TestMap(t *testing.T) {
	places := words(section(t, "CONTRIBUTING.md", "## The map"))
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files of the root package, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if !strings.Contains(places, " "+name+" ") {
			t.Errorf("%s: got its name nowhere in the map of CONTRIBUTING.md, want it there", name)
		}
	}
	for _, pattern := range []string{"*", "http/*", "internal/*", "store/*"} {
		folders, _ := filepath.Glob(filepath.Join(root, pattern, "*.go"))
		for _, file := range folders {
			folder := filepath.Base(filepath.Dir(file))
			if !strings.Contains(places, " "+folder+" ") {
				t.Errorf("%s: got this folder nowhere in the map of CONTRIBUTING.md, want it there", folder)
			}
		}
	}
}

// section returns the text below a heading of a page.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, page), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s: got no heading %q, want one", page, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// words returns the names in a text, each between spaces.
func words(text string) string {
	isMark := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz_.", r) }
	var names strings.Builder
	for _, word := range strings.FieldsFunc(text, isMark) {
		names.WriteString(" " + strings.Trim(word, ".") + " ")
	}
	return names.String()
}
