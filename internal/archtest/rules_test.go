// Package archtest keeps the architecture: which package may import which, and which names have one home. The rules are
// the tables of this file, and they hold for all code that ships; tests and their support are free.
package archtest

const module = "github.com/oauthkit/oauthkit"

// testSupport lists the packages that serve only tests. Nothing that ships may import them.
var testSupport = []string{"internal/archtest", "internal/clienttest", "internal/mutants", "internal/nemesis", "internal/oauthtest"}

// layers says what the code in a folder may import of this module, besides its own folder. The first row that fits counts.
// A row ending in /* stands for each folder there by itself. "." is the root package alone.
var layers = []struct {
	folder string
	may    []string
}{
	{"store/sqlite", []string{".", "internal", "store/gormstore"}},
	{"store/postgres", []string{".", "internal", "store/gormstore"}},
	{"store/*", []string{".", "internal"}},
	{"http/observe/*", []string{"."}},
	{"http", []string{".", "internal"}},
	{"oidc", []string{".", "internal"}},
	{"grants", []string{".", "internal"}},
	{"internal", nil},
	{"examples/*", []string{".", "http", "oidc", "grants", "store"}}, // what a host can import, so not internal
	{".", []string{"internal"}},
}

// packageHomes lists packages that only some folders may import, the packages below them included.
var packageHomes = []struct {
	path  string
	homes []string
	why   string
}{
	{"gorm.io", []string{"store", "examples"}, "only stores know GORM"},
	{"gorm.io/driver/postgres", []string{"store/postgres", "examples"}, "a SQLite host must not link PostgreSQL"},
	{"github.com/jackc/pgx", []string{"store/postgres", "examples"}, "a SQLite host must not link PostgreSQL"},
	{"github.com/ncruces/go-sqlite3", []string{"store/sqlite", "examples"}, "a PostgreSQL host must not link SQLite"},
	{"github.com/golang-jwt/jwt", []string{"internal/jose"}, "one place decides which algorithms a JWT may have"},
	{"github.com/go-jose/go-jose", []string{"internal/jose"}, "one place decides which algorithms a JWT may have"},
	{module + "/http/observe", []string{"http/observe", "examples"}, "a host links the adapters that it asks for and no other"},
	{"github.com/prometheus", []string{"http/observe/oauthprom", "examples"}, "a host without Prometheus must not link it"},
	{"go.opentelemetry.io", []string{"http/observe/oauthotel", "examples"}, "a host without OpenTelemetry must not link it"},
	{"math/rand", []string{"store/gormstore/attempt.go"}, "whatever is random here is a secret, but a pause: use internal/secret"},
	{"text/template", nil, "pages are escaped by html/template"},
	{"testing", []string{"store/storetest"}, "a host's binary must not have the flags of package testing"},
}

// nameHomes lists names that only some folders or files may use.
var nameHomes = []struct {
	path  string
	names []string
	homes []string
	why   string
}{
	{"time", []string{"Now", "Since", "Until"}, []string{"provider.go", "http/introspector.go", "store/memstore", "store/gormstore/sqlite_file.go", "store/postgres/pool.go", "examples"}, "time is a parameter or comes from Config.Now"},
	{"net/http", []string{"DefaultClient", "Get", "Head", "Post", "PostForm"}, nil, "the default client has no timeout: use a client of your own"},
	{
		"html/template", []string{"CSS", "HTML", "HTMLAttr", "JS", "JSStr", "Srcset", "URL"}, nil,
		"a value that skips escaping is how script gets into a page",
	},
}

// requestParsers are the files that read forms and Basic credentials from a request, because net/http's own readers mix
// query and body, take the first of repeated parameters, and do not form-decode Basic (RFC 6749 §2.3.1). The form that
// http/login.go reads is that of the host's login page, which the host reads as well.
var requestParsers = []string{"http/wire.go", "http/clientauth.go", "http/login.go", "examples"}

// requestMethods and requestFields are those readers. The fields have ordinary names, so they count only on a request.
var (
	requestMethods = []string{"BasicAuth", "FormFile", "FormValue", "MultipartReader", "ParseForm", "ParseMultipartForm", "PostFormValue"}
	requestFields  = []string{"Form", "MultipartForm", "PostForm"}
)

// sqlHomes are the folders that may build an SQL statement from parts.
var sqlHomes = []string{"store"}

// goroutineHomes are the folders that may start goroutines: programs, and the suite that makes stores race.
var goroutineHomes = []string{"examples", "store/storetest"}
