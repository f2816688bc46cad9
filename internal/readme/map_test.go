package readme

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMap checks that each file of the root package is named in the map of README.md,
// or without .go in internal/docs/design.md.
func TestMap(t *testing.T) {
	places := words(section(t, "README.md", "## The map")) + words(section(t, "internal/docs/design.md", "## Files of the root package"))
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files of the root package, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if !strings.Contains(places, " "+name+" ") && !strings.Contains(places, " "+strings.TrimSuffix(name, ".go")+" ") {
			t.Errorf("%s: got its name neither in the map of README.md nor in internal/docs/design.md, want it in one", name)
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
