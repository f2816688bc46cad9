package oauthkit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestNoMethodCallsAnother reads the source of AbstractApplication. A method of it that called another one would ignore the host's
// override of that, since Go has no virtual methods.
func TestNoMethodCallsAnother(t *testing.T) {
	overridable := map[string]bool{}
	for typed, i := reflect.TypeFor[*AbstractApplication](), 0; i < typed.NumMethod(); i++ {
		overridable[typed.Method(i).Name] = true
	}
	methods := methodsOfAbstractApplication(t)
	if len(methods) < len(overridable) || len(overridable) < 20 {
		t.Fatalf("got %d methods in the source and %d in the type, want all", len(methods), len(overridable))
	}
	for _, method := range methods {
		for _, called := range callsOfReceiver(method, overridable) {
			t.Errorf("%s calls %s, which a host may override", method.Name.Name, called)
		}
	}
}

// TestCallsOfReceiver is what the test above would find.
func TestCallsOfReceiver(t *testing.T) {
	const source = `package p
		func (a *AbstractApplication) Title() string { if a.IsPublic() { f := a.GetID; return f() }; return other.GetID() }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := callsOfReceiver(file.Decls[0].(*ast.FuncDecl), map[string]bool{"IsPublic": true, "GetID": true})
	if got := strings.Join(found, " "); got != "IsPublic GetID" {
		t.Errorf("got %q, want the call and the method value of the receiver", got)
	}
}

func methodsOfAbstractApplication(t *testing.T) (methods []*ast.FuncDecl) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if method, ok := declaration.(*ast.FuncDecl); ok && receives(method, "AbstractApplication") {
				methods = append(methods, method)
			}
		}
	}
	return methods
}

func receives(method *ast.FuncDecl, name string) bool {
	if method.Recv == nil {
		return false
	}
	pointer, ok := method.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	named, ok := pointer.X.(*ast.Ident)
	return ok && named.Name == name
}

// callsOfReceiver returns which of the methods are called, or taken as a value, on the receiver.
func callsOfReceiver(method *ast.FuncDecl, overridable map[string]bool) (called []string) {
	if len(method.Recv.List[0].Names) == 0 {
		return nil
	}
	receiver := method.Recv.List[0].Names[0].Name
	ast.Inspect(method.Body, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if on, ok := selector.X.(*ast.Ident); ok && on.Name == receiver && overridable[selector.Sel.Name] {
			called = append(called, selector.Sel.Name)
		}
		return true
	})
	return called
}
