package events_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/events"
)

// TestAll shows that the list has every event type of the root package, and that the
// comment of each type gives its name.
func TestAll(t *testing.T) {
	declared, documented := declaredEvents(t)
	var listed []string
	for _, event := range events.All() {
		kind := reflect.TypeOf(event).Name()
		listed = append(listed, kind)
		if comment, want := documented[kind], kind+` ("`+oauthkit.EventName(event)+`") is sent `; !strings.HasPrefix(comment, want) {
			t.Errorf("got the comment %q, want it to begin with %q", comment, want)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, declared) || len(declared) < 20 {
		t.Errorf("got %d events listed: %v; want the %d that are declared: %v", len(listed), listed, len(declared), declared)
	}
}

// TestNames shows that event names are distinct and well formed, and that every field
// that is set becomes an attribute.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, event := range events.All() {
		name := oauthkit.EventName(event)
		subject, act, found := strings.Cut(name, ".")
		if seen[name] || !found || strings.Trim(subject+act, "abcdefghijklmnopqrstuvwxyz_") != "" {
			t.Errorf("got the name %q for %T, want a distinct name with one dot", name, event)
		}
		seen[name] = true
		if got, want := len(oauthkit.EventAttributes(event)), reflect.TypeOf(event).NumField(); got != want {
			t.Errorf("%T: got %d attributes, want %d", event, got, want)
		}
	}
}

// declaredEvents returns the sorted names of the root package's types that have a
// method event, and the comments of all its types.
func declaredEvents(t *testing.T) (types []string, comments map[string]string) {
	t.Helper()
	files, err := filepath.Glob("../../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	comments = map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if declaration.Recv != nil && declaration.Name.Name == "event" {
					types = append(types, declaration.Recv.List[0].Type.(*ast.Ident).Name)
				}
			case *ast.GenDecl:
				if spec, ok := declaration.Specs[0].(*ast.TypeSpec); ok {
					comments[spec.Name.Name] = declaration.Doc.Text()
				}
			}
		}
	}
	slices.Sort(types)
	return types, comments
}
