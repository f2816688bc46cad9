package readme

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	// These imports make the go command repeat this test if a package used by the
	// pages changes.
	_ "github.com/go-oauth2/oauth2/v4"
	_ "gorm.io/driver/postgres"
	_ "gorm.io/gorm"
	_ "gorm.io/plugin/dbresolver"

	_ "github.com/oauthkit/oauthkit"
	_ "github.com/oauthkit/oauthkit/grants"
	_ "github.com/oauthkit/oauthkit/http"
	_ "github.com/oauthkit/oauthkit/http/api"
	_ "github.com/oauthkit/oauthkit/oidc"
	_ "github.com/oauthkit/oauthkit/oidc/secevent"
	_ "github.com/oauthkit/oauthkit/store/gormstore"
	_ "github.com/oauthkit/oauthkit/store/memstore"
	_ "github.com/oauthkit/oauthkit/store/postgres"
	_ "github.com/oauthkit/oauthkit/store/sqlite"
)

// packages maps the names of the packages that a block may use without
// importing them.
var packages = map[string]string{
	"context":      "context",
	"crypto":       "crypto",
	"dbresolver":   "gorm.io/plugin/dbresolver",
	"errors":       "errors",
	"json":         "encoding/json",
	"netip":        "net/netip",
	"secevent":     "github.com/oauthkit/oauthkit/oidc/secevent",
	"fs":           "io/fs",
	"gorm":         "gorm.io/gorm",
	"gormpostgres": "gorm.io/driver/postgres",
	"gormstore":    "github.com/oauthkit/oauthkit/store/gormstore",
	"grants":       "github.com/oauthkit/oauthkit/grants",
	"http":         "net/http",
	"memstore":     "github.com/oauthkit/oauthkit/store/memstore",
	"oauth2":       "github.com/go-oauth2/oauth2/v4",
	"oauthapi":     "github.com/oauthkit/oauthkit/http/api",
	"oauthhttp":    "github.com/oauthkit/oauthkit/http",
	"oauthkit":     "github.com/oauthkit/oauthkit",
	"oidc":         "github.com/oauthkit/oauthkit/oidc",
	"os":           "os",
	"postgres":     "github.com/oauthkit/oauthkit/store/postgres",
	"slog":         "log/slog",
	"sqlite":       "github.com/oauthkit/oauthkit/store/sqlite",
	"strings":      "strings",
	"testing":      "testing",
	"time":         "time",
	"url":          "net/url",
}

// complete returns a file for a block, which is a program, declarations or
// statements.
func complete(block string) (string, error) {
	if strings.HasPrefix(block, "package ") {
		return block, nil
	}
	file, err := parse(block)
	if err != nil {
		body := "func _() {\n" + block + "\n}\n"
		if file, err = parse(body); err != nil {
			return "", err
		}
		block = strings.TrimSuffix(body, "}\n") + uses(file) + "}\n"
	}
	return "package page\n" + imports(file) + block, nil
}

func parse(declarations string) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", "package page\n"+declarations, parser.SkipObjectResolution)
}

// uses returns code that uses the variables defined by the only function of file,
// because Go rejects unused ones.
func uses(file *ast.File) string {
	var code strings.Builder
	for _, statement := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := statement.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, variable := range assign.Lhs {
				if name, ok := variable.(*ast.Ident); ok && name.Name != "_" {
					fmt.Fprintf(&code, "_ = %s\n", name.Name)
				}
			}
		}
	}
	return code.String()
}

// imports returns code that imports the packages whose names file uses.
func imports(file *ast.File) string {
	used := map[string]bool{}
	for node := range ast.Preorder(file) {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok {
				used[name.Name] = true
			}
		}
	}
	var code strings.Builder
	for name, path := range packages {
		if used[name] {
			fmt.Fprintf(&code, "import %s %q\n", name, path)
		}
	}
	return code.String()
}

// overlay adds files to packages of this module for the go command, without writing
// them there.
type overlay struct {
	Replace map[string]string // from the path in the module to the path of the file
	folder  string            // of the files
}

// add adds a file to a package below this one.
func (o *overlay) add(name, file string) error {
	place, err := filepath.Abs(filepath.Join(name, fmt.Sprintf("block%d.go", len(o.Replace))))
	if err != nil {
		return err
	}
	o.Replace[place] = filepath.Join(o.folder, filepath.Base(place))
	return os.WriteFile(o.Replace[place], []byte(file), 0o600)
}

// build compiles the packages without output files.
func (o *overlay) build(ctx context.Context) (output string, err error) {
	table, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	name := filepath.Join(o.folder, "overlay.json")
	if err := os.WriteFile(name, table, 0o600); err != nil {
		return "", err
	}
	folders := map[string]bool{}
	for place := range o.Replace {
		folders["./"+filepath.Base(filepath.Dir(place))] = true
	}
	arguments := append([]string{"build", "-overlay", name, "-o", os.DevNull}, slices.Sorted(maps.Keys(folders))...)
	combined, err := exec.CommandContext(ctx, "go", arguments...).CombinedOutput()
	return string(combined), err
}
