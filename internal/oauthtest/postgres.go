package oauthtest

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// errNoServer reports that no PostgreSQL server is installed.
var errNoServer = errors.New("no PostgreSQL server binaries on PATH or in /usr/lib/postgresql/*/bin")

// cluster is a private PostgreSQL server.
type cluster struct {
	url     string    // of its database postgres
	replica string    // the same database on the streaming replica, or empty
	life    io.Closer // closing it stops the server

	directory string                                         // of its files
	command   func(program string, args ...string) *exec.Cmd // runs one of the server's programs as its user
}

// privateCluster starts the cluster of this test process at its first call. It is a
// variable because all tests of the process share the cluster.
var privateCluster = sync.OnceValues(startCluster)

// Postgres creates an empty database with a random name and returns its URL
// (postgres://user@host:port/name). The database is dropped when the test ends.
//
// If the environment variable OAUTHKIT_TEST_POSTGRES is set, it is the URL of a
// database on the server to use, from which databases can be created. Otherwise
// Postgres starts a private cluster, which all tests of the process share and which
// is removed when the process ends, however it ends. If no server can be started, the
// test is skipped; in CI, where the environment variable CI is not empty, it fails.
func Postgres(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("OAUTHKIT_TEST_POSTGRES")
	if server == "" {
		private, err := privateCluster()
		if errors.Is(err, errNoServer) {
			Missing(tb, "the PostgreSQL tests", err.Error()+"; install them (Debian: apt-get install postgresql) or set OAUTHKIT_TEST_POSTGRES")
		} else if err != nil {
			tb.Fatalf("starting a private PostgreSQL cluster: %v", err)
		}
		server = private.url
	}
	address, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(address.Scheme, "postgres") {
		tb.Fatal("OAUTHKIT_TEST_POSTGRES is not a URL such as postgres://user:password@host:5432/postgres")
	}
	name := "oauthkit_test_" + strings.ToLower(rand.Text())
	execute(tb, server, "CREATE DATABASE "+name+" TEMPLATE template0")
	tb.Cleanup(func() { execute(tb, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

// Missing skips a test because of missing software, in one line that says what is
// missing and why. In CI it fails the test, so that no test is left out unnoticed.
func Missing(tb testing.TB, what, why string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s cannot run: %s", what, why)
	}
	tb.Skipf("%s are skipped: %s", what, why)
}

// execute runs one statement outside a transaction, as CREATE and DROP DATABASE
// require. It does not use tb.Context, which is canceled before clean-up
// functions run.
func execute(tb testing.TB, server, statement string) {
	tb.Helper()
	ctx := context.Background()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		tb.Fatalf("connecting to the PostgreSQL server of the tests: %v", err)
	}
	defer connection.Close(ctx)
	if _, err := connection.Exec(ctx, statement); err != nil {
		tb.Errorf("%s: %v", statement, err)
		tb.FailNow()
	}
}
