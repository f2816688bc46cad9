package attacktest

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCatalogue checks that each row of the catalogue has either a test named by its
// id or a reason why it has none, and that every id of a test or a reason is a row.
func TestCatalogue(t *testing.T) {
	rows := readCatalogue(t, "testdata/catalogue.txt")
	tested := testedIDs(t, "../..")
	for _, id := range rows {
		reason, excused := inapplicable[id]
		switch {
		case tested[id] != "" && excused:
			t.Errorf("%s: got a test, at %s, and a reason for having none, want one of them", id, tested[id])
		case tested[id] == "" && !excused:
			t.Errorf("%s: got neither a test nor a reason for having none, want one of them", id)
		case excused && reason == "":
			t.Errorf("%s: got an empty reason, want text", id)
		}
	}
	for id := range inapplicable {
		if !slices.Contains(rows, id) {
			t.Errorf("%s: got a reason for an id that is not in the catalogue", id)
		}
	}
	for id, where := range tested {
		if !slices.Contains(rows, id) && slices.Contains(areas(rows), area(id)) {
			t.Errorf("%s: got a test, at %s, for an id that is not in the catalogue", id, where)
		}
	}
}

// TestIDs shows which names and comments give a test an id.
func TestIDs(t *testing.T) {
	const code = `package p
// TestZone is A-10: by comment.
func TestZone() {}
// TestKeys (A-11) has another one.
func TestKeys() {}
// TestDoor covers A-13: by comment.
func TestDoor() {}
// TestOther shows what A-12 does not.
func TestOther() {}
func TestA01_ByFunction() {}
func TestA99() {}
func helperA02() {}
var cases = []testCase{{Name: "A-03 by field"}, {"A-04 first element", nil}, {other: "A-05 another field"}}
func f() { t.Run("ST-06 by call", nil); refused("A-07 by helper"); t.Errorf("%s", "A-08 in a message") ; use("A-09") ; use("A-1 x")}`
	file, err := parser.ParseFile(token.NewFileSet(), "x_test.go", code, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(idsOf(file)))
	if want := []string{"A-01", "A-03", "A-04", "A-07", "A-10", "A-11", "A-13", "A-99", "ST-06"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// readCatalogue returns the ids in the file. Each line has an id, a space and a
// description.
func readCatalogue(t *testing.T, name string) []string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var ids []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, words, _ := strings.Cut(line, " ")
		if words == "" || slices.Contains(ids, id) || caseName.FindString(line) == "" {
			t.Errorf("%s: got the line %q, want a new id and a description", name, line)
		}
		ids = append(ids, id)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// testedIDs returns the ids of the tests in the repository below root, each with the
// file of a test.
func testedIDs(t *testing.T, root string) map[string]string {
	t.Helper()
	tested, files := map[string]string{}, token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || len(entry.Name()) > 2 && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, id := range idsOf(file) {
			tested[id] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tested
}

var (
	functionName = regexp.MustCompile(`^Test([A-Z]+)(\d\d)(?:_|$)`)
	caseName     = regexp.MustCompile(`^([A-Z]+)-(\d\d) \S`)
	functionText = regexp.MustCompile(`^Test\w+ (?:is |covers |\()?([A-Z]+)-(\d\d)\b`)
)

// idsOf returns the ids that name tests: in the name of a test function, after its
// name in its comment ("TestZone is RL-23" or "covers"), and in a literal that names
// a case. Such a literal is the first argument of a call, such as t.Run, the first
// element of a case, or its field Name.
func idsOf(file *ast.File) []string {
	var ids []string
	add := func(match []string) {
		if match != nil {
			ids = append(ids, match[1]+"-"+match[2])
		}
	}
	addLiteral := func(expression ast.Expr) {
		if literal, ok := expression.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value) // valid: the parser accepted it
			add(caseName.FindStringSubmatch(text))
		}
	}
	for node := range ast.Preorder(file) {
		switch node := node.(type) {
		case *ast.FuncDecl:
			add(functionName.FindStringSubmatch(node.Name.Name))
			if text := node.Doc.Text(); strings.HasPrefix(text, node.Name.Name+" ") {
				add(functionText.FindStringSubmatch(text))
			}
		case *ast.CallExpr:
			if len(node.Args) > 0 {
				addLiteral(node.Args[0])
			}
		case *ast.CompositeLit:
			if len(node.Elts) > 0 {
				addLiteral(nameOf(node.Elts))
			}
		}
	}
	return ids
}

// nameOf returns the field Name, or the first element if the fields are not named.
func nameOf(elements []ast.Expr) ast.Expr {
	for _, element := range elements {
		field, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return elements[0]
		}
		if key, ok := field.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "name") {
			return field.Value
		}
	}
	return nil
}

// area returns the letters of an id.
func area(id string) string {
	letters, _, _ := strings.Cut(id, "-")
	return letters
}

func areas(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, area(id))
	}
	return all
}
