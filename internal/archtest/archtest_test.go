package archtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestArchitecture checks the repository against the rules.
func TestArchitecture(t *testing.T) {
	problems, err := check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
}

// own is the beginning of the import paths of this module.
const own = module + "/"

// ruleTest is a file and a part of the report about it, empty for none.
type ruleTest struct{ name, file, code, want string }

// runRules shows that rules report the code they forbid and no other.
func runRules(t *testing.T, tests []ruleTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			problems, err := check(fstest.MapFS{test.file: &fstest.MapFile{Data: []byte(test.code)}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(problems, "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestLayers shows the rules for imports between folders.
func TestLayers(t *testing.T) {
	runRules(t, []ruleTest{
		{"root imports internal", "provider.go", imports(own + "internal/secret"), ""},
		{"root imports http", "provider.go", imports(own + "http"), ". may not import http"},
		{"root imports GORM", "token.go", imports("gorm.io/gorm"), "only stores know GORM"},
		{"root imports JOSE", "token.go", imports("github.com/go-jose/go-jose/v4"), "which algorithms a JWT may have"},
		{"http imports root", "http/handler.go", imports(module, own+"internal/redirect"), ""},
		{"http imports itself", "http/handler.go", imports(own + "http/templates"), ""},
		{"http imports the API protection", "http/handler.go", imports(own+"http/api", own+"http/internal/wire"), ""},
		{"API protection imports http", "http/api/api.go", imports(own + "http"), "http/api may not import http"},
		{"API protection imports an adapter", "http/api/api.go", imports(own + "http/observe/oauthslog"), "http/api may not import http/observe/oauthslog"},
		{"API protection imports shared code", "http/api/api.go", imports(module, own+"http/internal/wire", own+"internal/secret"), ""},
		{"shared code imports the API protection", "http/internal/wire/wire.go", imports(own + "http/api"), "http/internal may not import http/api"},
		{"http imports oidc", "http/handler.go", imports(own + "oidc"), "http may not import oidc"},
		{"oidc imports grants", "oidc/keys.go", imports(own + "grants"), "oidc may not import grants"},
		{"grants import a store", "grants/grants.go", imports(own + "store/memstore"), "grants may not import store/memstore"},
		{"driver imports gormstore", "store/sqlite/open.go", imports(module, own+"store/gormstore"), ""},
		{"driver imports driver", "store/sqlite/open.go", imports(own + "store/postgres"), "store/sqlite may not import store/postgres"},
		{"store imports store", "store/memstore/store.go", imports(own + "store/gormstore"), "store/memstore may not import store/gormstore"},
		{"store imports http", "store/gormstore/store.go", imports(own + "http"), "store/gormstore may not import http"},
		{"internal imports root", "internal/fetch/fetch.go", imports(module), "internal may not import ."},
		{"internal imports internal", "internal/jose/key.go", imports(own + "internal/secret"), ""},
		{"example imports everything public", "examples/idp/main.go", imports(module, own+"http", own+"oidc", own+"store/sqlite", "gorm.io/gorm"), ""},
		{"example imports internal", "examples/idp/main.go", imports(own + "internal/secret"), "examples/idp may not import internal/secret"},
		{"example imports example", "examples/idp/main.go", imports(own + "examples/quickstart"), "examples/idp may not import examples/quickstart"},
		{"new folder", "cmd/oauthkit/main.go", imports(module), "folder cmd/oauthkit is new"},
		{"test support ships", "http/handler.go", imports(own + "internal/oauthtest"), "which is for tests alone"},
		{"test support in an example", "examples/idp/main.go", imports(own + "internal/clienttest"), "which is for tests alone"},
		{"test support in a test", "http/handler_test.go", imports(own+"internal/oauthtest", own+"oidc"), ""},
	})
}

// TestPackages shows the rules for packages that only some folders may import.
func TestPackages(t *testing.T) {
	runRules(t, []ruleTest{
		{"jwt in its home", "internal/jose/jwt.go", imports("github.com/golang-jwt/jwt/v5"), ""},
		{"jwt elsewhere", "oidc/idtoken.go", imports("github.com/golang-jwt/jwt/v5"), "which algorithms a JWT may have"},
		{"sqlite in gormstore", "store/gormstore/store.go", imports("github.com/ncruces/go-sqlite3/driver"), "must not link SQLite"},
		{"pgx in gormstore", "store/gormstore/store.go", imports("github.com/jackc/pgx/v5/pgconn"), "must not link PostgreSQL"},
		{"http imports an adapter", "http/handler.go", imports(own + "http/observe/oauthslog"), "links the adapters that it asks for"},
		{"root imports an adapter", "event.go", imports(own + "http/observe/oauthslog"), "links the adapters that it asks for"},
		{"adapter imports root", "http/observe/oauthprom/oauthprom.go", imports(module, "github.com/prometheus/client_golang/prometheus"), ""},
		{"adapter imports http", "http/observe/oauthprom/oauthprom.go", imports(own + "http"), "http/observe/oauthprom may not import http"},
		{"adapter imports adapter", "http/observe/oauthotel/oauthotel.go", imports(own + "http/observe/oauthslog"), "http/observe/oauthotel may not import http/observe/oauthslog"},
		{"Prometheus elsewhere", "http/api/rate_limit.go", imports("github.com/prometheus/client_golang/prometheus"), "without Prometheus"},
		{"OpenTelemetry elsewhere", "http/observe/oauthslog/oauthslog.go", imports("go.opentelemetry.io/otel/trace"), "without OpenTelemetry"},
		{"example imports an adapter", "examples/idp/provider.go", imports(own + "http/observe/oauthslog"), ""},
		{"math/rand", "http/wire.go", imports("math/rand/v2"), "use internal/secret"},
		{"text/template", "http/template.go", imports("text/template"), "html/template"},
		{"syntax of templates", "http/overrides.go", imports("text/template/parse"), ""},
		{"testing ships", "http/wire.go", imports("testing"), "flags of package testing"},
		{"dot import", "http/wire.go", "package p\nimport . \"time\"\n", "imports time into its own names"},
	})
}

// TestNames shows the rules for names that only some folders may use.
func TestNames(t *testing.T) {
	runRules(t, []ruleTest{
		{"clock", "http/token.go", body("time", "_ = time.Now()"), "Config.Now"},
		{"clock as a value", "grants/refresh.go", body("time", "_ = time.Since"), "Config.Now"},
		{"renamed clock", "http/token.go", "package p\nimport clock \"time\"\nvar now = clock.Now\n", "Config.Now"},
		{"default clock", "provider.go", body("time", "_ = time.Now"), ""},
		{"clock of an example", "examples/idp/main.go", body("time", "_ = time.Now()"), ""},
		{"clock of a test", "http/token_test.go", body("time", "_ = time.Now()"), ""},
		{"constructed time", "http/token.go", body("time", "_ = time.Unix(1, 0)"), ""},
		{"default client", "internal/fetch/fetch.go", body("net/http", "_ = http.DefaultClient"), "has no timeout"},
		{"hidden default client", "examples/idp/main.go", body("net/http", `_, _ = http.Get("https://example.com")`), "has no timeout"},
		{
			"default client beside oauthhttp", "examples/idp/main.go",
			"package p\nimport (\n\"net/http\"\n\"" + own + "http\"\n)\nvar client, config = http.DefaultClient, oauthhttp.Config{}\n", "has no timeout",
		},
		{"unescaped HTML", "http/template.go", body("html/template", `_ = template.HTML("<b>")`), "skips escaping"},
		{"unescaped URL", "http/template.go", body("html/template", `_ = template.URL("javascript:")`), "skips escaping"},
	})
}

// TestRequests shows the rules for reading a request.
func TestRequests(t *testing.T) {
	runRules(t, []ruleTest{
		{"FormValue", "http/authorize.go", body("net/http", `_ = r.FormValue("state")`), "reads a request with FormValue"},
		{"Form", "oidc/userinfo.go", body("net/http", `_ = r.Form`), "reads a request with Form"},
		{"PostForm in a closure", "oidc/userinfo.go", body("net/http", `_ = func(q *http.Request) any { return q.PostForm }`), "reads a request with PostForm"},
		{"BasicAuth", "http/token.go", body("net/http", `_, _, _ = r.BasicAuth()`), "reads a request with BasicAuth"},
		{"SetBasicAuth", "http/token.go", body("net/http", `r.SetBasicAuth("a", "b")`), ""},
		{"form of a page", "http/template.go", body("net/http", `_ = page.Form`), ""},
		{"parser of forms", "http/wire.go", body("net/http", `_ = r.PostForm`), ""},
		{"parser of Basic", "client_authentication.go", body("net/http", `_, _, _ = r.BasicAuth()`), ""},
		{"login page of an example", "examples/idp/login.go", body("net/http", `_ = r.PostFormValue("username")`), ""},
	})
}

// TestStatements shows the rules for SQL statements and goroutines, and which files do
// not ship.
func TestStatements(t *testing.T) {
	runRules(t, []ruleTest{
		{"formatted SQL", "http/applications.go", body("fmt", "_ = fmt.Sprintf(`\n\t\tSELECT * FROM %s`, table)"), "builds SQL from parts"},
		{"formatted SQL of an example", "examples/idp/session.go", body("fmt", `_ = fmt.Sprintf("DELETE FROM %s", table)`), "builds SQL from parts"},
		{"added SQL", "provider.go", body("fmt", `_ = "UPDATE x SET y = " + value + " WHERE z"`), "builds SQL from parts"},
		{"wrapped SQL", "examples/idp/session.go", body("fmt", `_ = "SELECT a, " + "b FROM c"`), ""},
		{"SQL of a store", "store/gormstore/act.go", body("fmt", `_ = fmt.Sprintf("SELECT * FROM %s", table)`), ""},
		{"sentence", "http/applications.go", body("fmt", `_ = fmt.Sprintf("UPDATE_%s", table)`), ""},
		{"goroutine", "store/postgres/open.go", body("time", "go f(nil)"), "starts a goroutine"},
		{"goroutine of a program", "examples/idp/main.go", body("time", "go f(nil)"), ""},
		{"folder of dependencies", "node_modules/x/x.go", imports("math/rand"), ""},
		{"folder of test data", "internal/jose/testdata/x.go", imports("math/rand"), ""},
	})
}

// TestNotGo shows that a file that does not parse is an error.
func TestNotGo(t *testing.T) {
	if problems, err := check(fstest.MapFS{"x.go": &fstest.MapFile{Data: []byte("package")}}); err == nil {
		t.Errorf("got problems %v and no error, want an error", problems)
	}
}

// imports returns a file that imports these packages.
func imports(paths ...string) string {
	code := "package p\n"
	for _, path := range paths {
		code += fmt.Sprintf("import _ %q\n", path)
	}
	return code
}

// body returns a file with one import and one function with these statements. If the
// import is net/http, the function's r is a request.
func body(imported, statements string) string {
	return fmt.Sprintf("package p\nimport %q\nfunc f(r *http.Request) {\n%s\n}\n", imported, statements)
}
