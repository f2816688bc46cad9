package oauthhttp_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// overrides returns a row for each method that a host's application can override.
func overrides() []override {
	return slices.Concat(identityOverrides(), permissionOverrides(), trustOverrides(), secretOverrides(), formOverrides())
}

// TestOverrides checks that the host's override is called, and not
// AbstractApplication's method, with both kinds of stores.
func TestOverrides(t *testing.T) {
	for _, row := range overrides() {
		for name, open := range row.stores {
			t.Run(row.method+"/"+name, func(t *testing.T) { row.shows(newOverridden(t, open(t))) })
		}
	}
}

// TestLaxRulesOpenNoOrigin stores origins without validation. They would open the
// token endpoint to every script if origins were not compared byte by byte.
func TestLaxRulesOpenNoOrigin(t *testing.T) {
	for stored, requested := range map[string][]string{
		"*":                 {"https://evil.test", "*"},
		"null":              {"null"},
		"https://*.rp.test": {"https://evil.rp.test", "https://rp.test"},
		"https://rp.test/":  {"https://rp.test"},
		"file://":           {"file://"},
	} {
		store := memstore.New()
		store.Rules.Origin = func(oauthkit.Application) func(string) error { return func(string) error { return nil } }
		o := newOverridden(t, store)
		o.create(func(app *oauthkit.AbstractApplication) { app.AllowedOrigins = oauthkit.URIs{stored} })
		for _, origin := range requested {
			o.wants(stored+" and "+origin, o.allowedOrigin(origin), "")
		}
	}
}

// TestOverridesAreComplete checks that there is a row for each method of Application
// and of each interface whose comment says "an [Application]", and no other.
func TestOverridesAreComplete(t *testing.T) {
	asked := map[string]bool{}
	application := reflect.TypeFor[oauthkit.Application]()
	for i := range application.NumMethod() {
		asked[application.Method(i).Name] = true
	}
	for _, method := range capabilityMethods(t) {
		asked[method] = true
	}
	if len(asked) < 25 {
		t.Fatalf("got %d methods, want all", len(asked))
	}
	for _, row := range overrides() {
		if !asked[row.method] {
			t.Errorf("%s is not a method of an application", row.method)
		}
		delete(asked, row.method)
	}
	for method := range asked {
		t.Errorf("no row checks an override of %s", method)
	}
}

// capabilityMethods returns the methods of the optional interfaces in the source of
// package oauthkit.
func capabilityMethods(t *testing.T) (methods []string) {
	t.Helper()
	files, err := fs.Glob(os.DirFS(".."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), "../"+name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok || !strings.Contains(general.Doc.Text(), "is an [Application]") {
				continue
			}
			for _, spec := range general.Specs {
				if contract, ok := spec.(*ast.TypeSpec).Type.(*ast.InterfaceType); ok {
					for _, method := range contract.Methods.List {
						methods = append(methods, method.Names[0].Name)
					}
				}
			}
		}
	}
	return methods
}
