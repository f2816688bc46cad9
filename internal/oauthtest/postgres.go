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

// errNoServer says that this machine has no PostgreSQL server to start.
var errNoServer = errors.New("no PostgreSQL server binaries on PATH or in /usr/lib/postgresql/*/bin")

// cluster is a private PostgreSQL server.
type cluster struct {
	url     string    // of its database postgres
	replica string    // of the same database on its streaming replica; empty: it has none
	life    io.Closer // the pipe whose other end the server's keeper reads

	directory string                                         // of its files
	command   func(program string, args ...string) *exec.Cmd // runs a program of the server's as the server's user
}

// privateCluster starts the cluster of this test process at its first call. It is a variable because the cluster belongs
// to the process: a test cannot own what the tests beside it use.
var privateCluster = sync.OnceValues(startCluster)

// Postgres makes an empty database with a random name, drops it when the test ends, and returns its URL
// (postgres://user@host:port/name). The database lives on the server of the environment variable OAUTHKIT_TEST_POSTGRES, the
// URL of a database one may connect to in order to create others, or else on a private cluster which all tests of the
// process share and which ends with the process, however that ends. Where neither is to be had the test is skipped; in CI,
// which is when the environment variable CI is not empty, it fails.
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

// Missing skips a test because something is not on this machine, in one plain line of what and why, and fails it in CI,
// where nothing may be left out silently.
func Missing(tb testing.TB, what, why string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s cannot run: %s", what, why)
	}
	tb.Skipf("%s are skipped: %s", what, why)
}

// execute runs one statement outside any transaction, as CREATE and DROP DATABASE require. It takes no context from tb,
// whose own is over when clean-up begins.
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
