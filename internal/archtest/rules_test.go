// Package archtest tests the architecture and the comments of the repository.
//
// The tables in this file say which package may import which, and which names may be
// used in one place only. They apply to the code that ships, not to tests and their
// support. prose_test.go holds the rules for comments.
package archtest

const module = "github.com/oauthkit/oauthkit"

// testSupport lists the packages that serve only tests. Code that ships must not
// import them.
var testSupport = []string{"internal/archtest", "internal/attacktest", "internal/clientmatrix", "internal/clienttest", "internal/mutants", "internal/nemesis", "internal/oauthtest"}

// layers lists the folders of this module that the code in a folder may import
// besides its own. The first matching row counts. A row ending in /* stands for each
// folder there separately. "." is the root package alone.
var layers = []struct {
	folder string
	may    []string
}{
	{"store/sqlite", []string{".", "internal", "store/gormstore"}},
	{"store/postgres", []string{".", "internal", "store/gormstore"}},
	{"store/*", []string{".", "internal"}},
	{"http/observe/*", []string{"."}},
	{"http/api", []string{".", "internal", "http/internal"}}, // the handler and its pages stay above
	{"http/internal", []string{".", "internal"}},
	{"http", []string{".", "internal"}},
	{"oidc", []string{".", "internal"}},
	{"grants", []string{".", "internal"}},
	{"internal", nil},
	{"examples/*", []string{".", "http", "oidc", "grants", "store"}}, // a host cannot import internal
	{".", []string{"internal"}},
}

// packageHomes lists packages that only some folders may import. A row includes the
// packages below its path.
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
	{"math/rand", []string{"store/gormstore/attempt.go"}, "all randomness but that of pauses is a secret: use internal/secret"},
	{"text/template", []string{"http/overrides.go"}, "pages are escaped by html/template, and only their syntax is text/template's"},
	{"testing", []string{"store/storetest"}, "a host's binary must not have the flags of package testing"},
}

// nameHomes lists names that only some folders or files may use.
var nameHomes = []struct {
	path  string
	names []string
	homes []string
	why   string
}{
	{"time", []string{"Now", "Since", "Until"}, []string{"provider.go", "http/api/introspector.go", "http/api/sign_in.go", "store/gormstore/sqlite.go", "store/postgres/pool.go", "examples"}, "time is a parameter or comes from Config.Now"},
	{"net/http", []string{"DefaultClient", "Get", "Head", "Post", "PostForm"}, nil, "the default client has no timeout: use a client of your own"},
	{
		"html/template", []string{"CSS", "HTML", "HTMLAttr", "JS", "JSStr", "Srcset", "URL"}, nil,
		"a value that skips escaping is how script gets into a page",
	},
}

// requestParsers lists the files that may read forms and Basic credentials from a
// request. The methods of net/http mix query and body, take the first of several
// parameters of one name, and do not form-decode Basic credentials (RFC 6749
// §2.3.1). http/login.go reads the form of the host's login page, which the host
// reads as well.
var requestParsers = []string{"http/wire.go", "client_authentication.go", "http/login.go", "examples"}

// requestMethods and requestFields are the readers of net/http. The fields have
// common names, so they are reported only on a request.
var (
	requestMethods = []string{"BasicAuth", "FormFile", "FormValue", "MultipartReader", "ParseForm", "ParseMultipartForm", "PostFormValue"}
	requestFields  = []string{"Form", "MultipartForm", "PostForm"}
)

// sqlHomes lists the folders that may build SQL statements from parts.
var sqlHomes = []string{"store"}

// goroutineHomes lists the folders that may start goroutines: programs, and the
// conformance suite, which races stores.
var goroutineHomes = []string{"examples", "store/storetest"}
