package oauthhttp_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	oauthhttp "github.com/oauthkit/oauthkit/http"
)

// problemText is the prefix of the key of a problem's text. The rest is its English
// message.
const problemText = "problem."

// TestProblemsHaveTexts checks that each problem of the library has a text, that the
// English text is the message itself, and that there are no other texts. The other
// languages have the same keys.
func TestProblemsHaveTexts(t *testing.T) {
	root, redirect, gormstore := sourceOf(t, ".."), sourceOf(t, "../internal/redirect"), sourceOf(t, "../store/gormstore")
	messages := slices.Concat(
		stringsGivenTo(t, root, "Add", 1), stringsGivenTo(t, declared(t, root, "CheckName"), "New", 0), stringsGivenTo(t, redirect, "New", 0),
		stringsGivenTo(t, redirect, "ruleErrorf", 0), stringsGivenTo(t, declared(t, gormstore, "uniqueProblems"), "Add", 1),
	)
	messages = slices.DeleteFunc(messages, func(format string) bool {
		return strings.HasPrefix(format, "oauthkit: ") || !hasWords.MatchString(verb.ReplaceAllString(format, ""))
	})
	if len(messages) < 40 {
		t.Fatalf("got %q, want the library's messages", messages)
	}
	english := readTexts(t, "en")
	for _, format := range messages {
		if english[problemText+format] != format {
			t.Errorf("got the text %q for %q, want the same", english[problemText+format], format)
		}
	}
	for key := range english {
		if format, found := strings.CutPrefix(key, problemText); found && !slices.Contains(messages, format) {
			t.Errorf("got a text for %q, which is not a message of the library", format)
		}
	}
}

// hasWords excludes formats that only combine messages.
var hasWords = regexp.MustCompile(`[a-z]`)

// sourceOf parses the source files of the package in a directory, without tests.
func sourceOf(t *testing.T, directory string) []ast.Node {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []ast.Node
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// declared returns the function with this name.
func declared(t *testing.T, files []ast.Node, name string) []ast.Node {
	t.Helper()
	for _, file := range files {
		for _, declaration := range file.(*ast.File).Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Name.Name == name {
				return []ast.Node{function}
			}
		}
	}
	t.Fatalf("got no function %s", name)
	return nil
}

// stringsGivenTo returns the string literals that calls of a function or method pass
// at an index.
func stringsGivenTo(t *testing.T, nodes []ast.Node, function string, place int) []string {
	t.Helper()
	var given []string
	for _, root := range nodes {
		for node := range ast.Preorder(root) {
			call, ok := node.(*ast.CallExpr)
			if !ok || called(call) != function || len(call.Args) <= place {
				continue
			}
			if literal, ok := call.Args[place].(*ast.BasicLit); ok && literal.Kind == gotoken.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				given = append(given, text)
			}
		}
	}
	return given
}

func called(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.SelectorExpr:
		return function.Sel.Name
	case *ast.Ident:
		return function.Name
	default:
		return ""
	}
}

// TestProblemsInGerman submits a form with every kind of problem, for a host that has
// translated its own texts. The page and the JSON are in German throughout.
func TestProblemsInGerman(t *testing.T) {
	m := newManaged(t)
	m.handler = m.handlerWith(func(config *oauthhttp.Config) {
		config.Texts = map[string]oauthhttp.Texts{"de": {
			"problem.must not be ugly": "darf nicht hässlich sein", "problem.must be accepted": "muss angekreuzt sein",
			"applications.field.fields.logo": "Bildmarke", "applications.help.fields.logo": "Eine Adresse im Web.",
		}}
	})
	m.language = "de"
	page := html.UnescapeString(m.post(http.StatusUnprocessableEntity, "/o/applications/register", url.Values{
		"client_type": {"public"}, "grant_types": {"authorization_code", "magic"}, "token_endpoint_auth_method": {"client_secret_basic"},
		"redirect_uris": {"http://evil.test/cb https://rp.test/%20?code=x https://rp.test/{ https://rp.test/cb#x"}, "fields.logo": {"ugly"},
		"name": {"\u2800"},
	}).Body.String())
	for _, want := range []string{
		`"http://evil.test/cb": muss https benutzen: http ist nur für 127.0.0.1, [::1] und localhost`,
		`"https://rp.test/%20?code=x": darf den Query-Parameter code nicht haben, den die Antwort hinzufügt`,
		`"https://rp.test/{": darf das Zeichen { nicht enthalten`, `"https://rp.test/cb#x": darf kein Fragment haben (#)`,
		`darf höchstens 100 Zeichen haben`, `magic steht nicht zur Wahl`, `"client_secret_basic" ist nur für vertrauliche Anwendungen`,
		`darf nicht hässlich sein`, `muss angekreuzt sein`, `>Bildmarke<`, `>Eine Adresse im Web.<`, `>I agree<`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("got a page without %s:\n%s", want, page)
		}
	}
	for _, english := range []string{"must ", "cannot be", "%!"} {
		if strings.Contains(page, english) {
			t.Errorf("got %q on a German page:\n%s", english, page)
		}
	}
	document := m.json(http.StatusUnprocessableEntity, http.MethodPost, "/o/api/applications", `{"client_type":"public","redirect_uris":["https://rp.test/{"]}`)
	if got := document["problems"].(map[string]any)["redirect_uris"].([]any)[0]; got != `"https://rp.test/{": darf das Zeichen { nicht enthalten` {
		t.Errorf("got %s in the JSON, want German", got)
	}
}

// TestReasonsInJSON checks that errors contain the reason, so that the host's own
// front end can explain them.
func TestReasonsInJSON(t *testing.T) {
	m := newManaged(t)
	m.add("app", nil)
	for reason, request := range map[string]func() map[string]any{
		"not_found": func() map[string]any {
			return m.json(http.StatusNotFound, http.MethodGet, "/o/api/applications/none", "")
		},
		"malformed_request": func() map[string]any {
			return m.json(http.StatusBadRequest, http.MethodPost, "/o/api/applications", "[]")
		},
		"method_not_allowed": func() map[string]any {
			return m.json(http.StatusMethodNotAllowed, http.MethodPatch, "/o/api/applications/app", "{}")
		},
		"no_secret": func() map[string]any {
			m.add("public", public)
			return m.json(http.StatusBadRequest, http.MethodPost, "/o/api/applications/public/secret", "{}")
		},
	} {
		if document := request(); document["reason"] != reason || document["error"] != "invalid_request" {
			t.Errorf("got %v, want the reason %s", document, reason)
		}
	}
}
