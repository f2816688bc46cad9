package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// source is one source file of the code that ships.
type source struct {
	name     string            // its path in the repository
	folder   string            // "." for the root
	imports  map[string]string // from the path of each import to its local name
	requests []string          // the parameters that are requests
	report   func(at ast.Node, format string, args ...any)
}

// check returns the violations in the repository as "file:line: text".
func check(repository fs.FS) ([]string, error) {
	var problems []string
	files := token.NewFileSet()
	err := fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && ignored(name):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		content, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, name, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		report := func(at ast.Node, format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s:%d: ", name, files.Position(at.Pos()).Line)+fmt.Sprintf(format, args...))
		}
		checkFile(&source{name: name, folder: path.Dir(name), imports: map[string]string{}, report: report}, file)
		return nil
	})
	return problems, err
}

// ignored reports whether a folder does not ship, because the go command skips it or
// it serves only tests.
func ignored(folder string) bool {
	return skippedByGo(folder) || slices.Contains(testSupport, folder)
}

// skippedByGo reports whether the go command skips a folder.
func skippedByGo(folder string) bool {
	base := path.Base(folder)
	return base != "." && strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
		base == "testdata" || base == "node_modules"
}

func checkFile(s *source, file *ast.File) {
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		s.imports[imported] = local
		if local == "." {
			s.report(spec, "imports %s into its own names, which hides where a name comes from", imported)
		}
		s.checkImport(spec, imported)
	}
	for node := range ast.Preorder(file) {
		switch node := node.(type) {
		case *ast.FuncType:
			s.collectRequests(node)
		case *ast.SelectorExpr:
			s.checkName(node)
			s.checkRequest(node)
		case *ast.CallExpr:
			s.checkFormat(node)
		case *ast.BinaryExpr:
			s.checkConcatenation(node)
		case *ast.GoStmt:
			s.checkGoroutine(node)
		}
	}
}

func (s *source) checkImport(spec *ast.ImportSpec, imported string) {
	if own, ok := strings.CutPrefix(imported+"/", module+"/"); ok {
		s.checkLayer(spec, path.Clean(own))
	}
	for _, rule := range packageHomes {
		if within(imported, rule.path) && !s.livesIn(rule.homes) {
			s.report(spec, "imports %s: %s", imported, rule.why)
		}
	}
}

// checkLayer checks an import of this module's folder imported.
func (s *source) checkLayer(spec *ast.ImportSpec, imported string) {
	if slices.ContainsFunc(testSupport, func(folder string) bool { return within(imported, folder) }) {
		s.report(spec, "imports %s, which is for tests alone", imported)
		return
	}
	for _, layer := range layers {
		zone, ok := zoneOf(s.folder, layer.folder)
		if !ok {
			continue
		}
		allowed := func(folder string) bool { return within(imported, folder) }
		if !allowed(zone) && !slices.ContainsFunc(layer.may, allowed) {
			s.report(spec, "%s may not import %s, only its own folder and %v", zone, imported, layer.may)
		}
		return
	}
	s.report(spec, "folder %s is new: give it a row in the table of layers", s.folder)
}

// zoneOf reports whether folder belongs to a row of layers. It returns the folder
// that the row means here.
func zoneOf(folder, row string) (zone string, ok bool) {
	parent, each := strings.CutSuffix(row, "/*")
	if !each {
		return row, within(folder, row)
	}
	rest, ok := strings.CutPrefix(folder, parent+"/")
	first, _, _ := strings.Cut(rest, "/")
	return parent + "/" + first, ok
}

func (s *source) checkName(selector *ast.SelectorExpr) {
	for _, rule := range nameHomes {
		if s.isPackage(selector.X, rule.path) && slices.Contains(rule.names, selector.Sel.Name) && !s.livesIn(rule.homes) {
			s.report(selector, "uses %s.%s: %s", rule.path, selector.Sel.Name, rule.why)
		}
	}
}

// collectRequests collects the parameters of type *http.Request. A function's type is
// visited before its body.
func (s *source) collectRequests(function *ast.FuncType) {
	for _, field := range function.Params.List {
		pointer, ok := field.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		if named, ok := pointer.X.(*ast.SelectorExpr); ok && named.Sel.Name == "Request" && s.isPackage(named.X, "net/http") {
			for _, name := range field.Names {
				s.requests = append(s.requests, name.Name)
			}
		}
	}
}

func (s *source) checkRequest(selector *ast.SelectorExpr) {
	name := selector.Sel.Name
	receiver, _ := selector.X.(*ast.Ident)
	onRequest := receiver != nil && slices.Contains(s.requests, receiver.Name)
	if (slices.Contains(requestMethods, name) || onRequest && slices.Contains(requestFields, name)) && !s.livesIn(requestParsers) {
		s.report(selector, "reads a request with %s: only %v parse requests", name, requestParsers)
	}
}

// sqlStart matches a literal that begins with an SQL statement.
var sqlStart = regexp.MustCompile("^[\"`]\\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH)\\s")

const sqlAdvice = "builds SQL from parts: only stores do, with arguments instead of values"

func (s *source) checkFormat(call *ast.CallExpr) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if ok && s.isPackage(selector.X, "fmt") && slices.ContainsFunc(call.Args, isSQL) && !s.livesIn(sqlHomes) {
		s.report(call, "%s", sqlAdvice)
	}
}

func (s *source) checkConcatenation(sum *ast.BinaryExpr) {
	_, constant := sum.Y.(*ast.BasicLit)
	if sum.Op == token.ADD && isSQL(sum.X) && !constant && !s.livesIn(sqlHomes) {
		s.report(sum, "%s", sqlAdvice)
	}
}

func isSQL(expression ast.Expr) bool {
	literal, ok := expression.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING && sqlStart.MatchString(literal.Value)
}

func (s *source) checkGoroutine(statement *ast.GoStmt) {
	if !s.livesIn(goroutineHomes) {
		s.report(statement, "starts a goroutine: a host must be able to stop all work, so it makes the calls itself")
	}
}

// isPackage reports whether expression is the local name of an imported package.
func (s *source) isPackage(expression ast.Expr, imported string) bool {
	name, ok := expression.(*ast.Ident)
	return ok && s.imports[imported] == name.Name
}

// livesIn reports whether the file is one of homes or below one of them.
func (s *source) livesIn(homes []string) bool {
	return slices.ContainsFunc(homes, func(home string) bool { return within(s.name, home) })
}

// within reports whether name is folder or below it. The root contains only itself.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}
