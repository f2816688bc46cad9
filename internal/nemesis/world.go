package nemesis

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// Setup configures a World.
type Setup struct {
	// Instances is the number of processes. If 0, there is one.
	Instances int
	// SQLite stores everything in a file instead of PostgreSQL.
	SQLite bool
	// Proxied puts a Proxy between the instances and PostgreSQL.
	Proxied bool
	// Through is the host:port of a program between the instances and PostgreSQL,
	// such as a pooler. If empty, there is none.
	Through string
	// Parameters are added to the database URL.
	Parameters url.Values
	// Prepare, if not nil, is called with the empty database before the
	// instances start.
	Prepare func(w *World)
	// Server is the PostgreSQL server. If nil, the server shared by all
	// cases is used.
	Server *oauthtest.Server
	// Tablespace is the tablespace of the database. If empty, it is the
	// server's default.
	Tablespace string
	// Flags are added to the command line of the instances.
	Flags []string
	// Environment, if not nil, is added to the environment of each instance.
	Environment [][]string
	// Log receives the output of the instances. If nil, the output is shown if the
	// test fails.
	Log *os.File
	// CPU is the list of processors, for taskset, on which the instances run. If
	// empty, they run on all.
	CPU string
	// Users is the number of users. If 0, there are four.
	Users int
}

// World is a running provider: instances, a database, applications and users.
type World struct {
	TB        testing.TB
	Server    *oauthtest.Server // nil with SQLite
	Database  string            // its URL without the proxy, or its file
	Proxy     *Proxy            // nil without a proxy
	Instances []*Instance
	History   *History
	Allowed   Tolerance
	Users     []string

	directory string
}

// The applications of a World.
const (
	Web     = "web"     // confidential, with users, consent and refresh tokens
	Trusted = "trusted" // the same, without consent
	Native  = "native"  // public, with users and refresh tokens
	Machine = "machine" // confidential, without users
	API     = "api"     // may introspect the tokens of others
)

const (
	clientSecret = "a-secret-of-nemesis-with-many-characters"
	password     = "a password of nemesis"
	callback     = "http://127.0.0.1:1/cb" // no client follows this redirect
	programKey   = "a-key-of-nemesis-with-more-than-32-bytes"
)

// lab is shared by all worlds of a test process.
type lab struct {
	builder   builder
	directory string
	server    *oauthtest.Server
}

// newLab starts PostgreSQL, which stops with the test.
func newLab(tb testing.TB) *lab {
	tb.Helper()
	return &lab{directory: tb.TempDir(), server: oauthtest.OwnServer(tb)}
}

// world creates a World that is removed with the test.
func (l *lab) world(tb testing.TB, setup Setup) *World {
	tb.Helper()
	w := &World{TB: tb, History: NewHistory(), directory: tb.TempDir()}
	location := l.database(tb, w, setup)
	if setup.Prepare != nil {
		setup.Prepare(w)
	}
	for i := range max(setup.Users, 4) {
		w.Users = append(w.Users, "user"+strconv.Itoa(i))
	}
	program, seed := l.builder.program(tb, l.directory), w.seedFile()
	first := 20_000 + rand.IntN(10_000)
	issuer := ""
	for number := range max(setup.Instances, 1) {
		address, err := freeAddress(first)
		if err != nil {
			tb.Fatal(err)
		}
		_, port, _ := cutPort(address)
		first = port + 1
		if issuer == "" {
			issuer = "http://" + address + "/o"
		}
		args := []string{program, "-addr", address, "-issuer", issuer, "-db", location, "-seed", seed, "-log-level", "error"}
		args = append(args, setup.Flags...)
		if setup.CPU != "" {
			args = append([]string{"taskset", "-c", setup.CPU}, args...)
		}
		instance := &Instance{address: address, output: &tail{}, command: func() *exec.Cmd {
			command := exec.Command(args[0], args[1:]...)
			command.Dir, command.Env = w.directory, append(os.Environ(), "IDP_SECRET="+programKey)
			if number < len(setup.Environment) {
				command.Env = append(command.Env, setup.Environment[number]...)
			}
			if setup.Log != nil {
				command.Stdout, command.Stderr = setup.Log, setup.Log
			}
			return command
		}}
		w.Instances = append(w.Instances, instance)
	}
	tb.Cleanup(func() { w.end() })
	return w
}

// start starts a World and waits until its instances answer.
func (l *lab) start(tb testing.TB, setup Setup) *World {
	tb.Helper()
	w := l.world(tb, setup)
	for _, instance := range w.Instances {
		if err := instance.Start(); err != nil {
			tb.Fatal(err)
		}
		// One after the other: the first creates the tables and the keys.
		if err := instance.Await(time.Minute); err != nil {
			tb.Fatal(err)
		}
	}
	return w
}

// database creates an empty database and returns its URL for the instances.
func (l *lab) database(tb testing.TB, w *World, setup Setup) string {
	tb.Helper()
	if setup.SQLite {
		w.Database = filepath.Join(w.directory, "idp.db")
		return w.Database
	}
	if w.Server = setup.Server; w.Server == nil {
		w.Server = l.server
	}
	address, err := url.Parse(w.Server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	name := "nemesis_" + strconv.FormatUint(rand.Uint64(), 36)
	create := "CREATE DATABASE " + name
	if setup.Tablespace != "" {
		create += " TABLESPACE " + setup.Tablespace
	}
	w.execOn(w.Server.URL, create)
	tb.Cleanup(func() { w.execOn(w.Server.URL, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	w.Database = address.String()
	if setup.Proxied {
		if w.Proxy, err = NewProxy(address.Host); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(w.Proxy.Close)
		address.Host = w.Proxy.Address()
	}
	if setup.Through != "" {
		address.Host = setup.Through
	}
	query := address.Query() // for the instances only; the tests connect to the server directly
	for parameter, values := range setup.Parameters {
		query[parameter] = values
	}
	address.RawQuery = query.Encode()
	return address.String()
}

func (w *World) seedFile() string {
	w.TB.Helper()
	application := func(id, kind string, grants, scopes []string, redirects ...string) map[string]any {
		app := map[string]any{
			"client_id": id, "name": id, "client_type": kind, "grant_types": grants, "scopes": scopes, "redirect_uris": redirects,
		}
		if kind == "confidential" {
			app["client_secret"] = clientSecret
		}
		return app
	}
	users, machine := []string{"authorization_code", "refresh_token"}, []string{"client_credentials"}
	trusted := application(Trusted, "confidential", users, []string{"read"}, callback)
	trusted["skip_authorization"] = true
	seed := map[string]any{
		"scopes": map[string]string{"read": "read your orders"},
		"applications": []map[string]any{
			application(Web, "confidential", users, []string{"read"}, callback), trusted,
			application(Native, "public", users, []string{"read"}, "http://127.0.0.1/cb"),
			application(Machine, "confidential", machine, []string{"read"}),
			application(API, "confidential", machine, []string{"introspection"}),
		},
	}
	var accounts []map[string]any
	for _, user := range w.Users {
		accounts = append(accounts, map[string]any{"username": user, "password": password})
	}
	seed["users"] = accounts
	document, err := json.Marshal(seed)
	path := filepath.Join(w.directory, "seed.json")
	if err == nil {
		err = os.WriteFile(path, document, 0o600)
	}
	if err != nil {
		w.TB.Fatal(err)
	}
	return path
}

// end kills the instances. If the test failed, it logs the end of their output.
func (w *World) end() {
	for number, instance := range w.Instances {
		instance.end()
		if w.TB.Failed() {
			w.TB.Logf("last output of instance %d:\n%s", number, instance.output)
		}
	}
}

// name returns the name of the database.
func (w *World) name() string {
	w.TB.Helper()
	address, err := url.Parse(w.Database)
	if err != nil {
		w.TB.Fatal(err)
	}
	return strings.TrimPrefix(address.Path, "/")
}

// Connect returns a connection to the database that bypasses the proxy. The test
// closes it.
func (w *World) Connect() *pgx.Conn {
	w.TB.Helper()
	connection, err := pgx.Connect(w.TB.Context(), w.Database)
	if err != nil {
		w.TB.Fatal(err)
	}
	w.TB.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

// Exec runs one statement on PostgreSQL, bypassing the proxy.
func (w *World) Exec(statement string) {
	w.TB.Helper()
	w.execOn(w.Database, statement)
}

func (w *World) execOn(database, statement string) {
	w.TB.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, database)
	if err != nil {
		w.TB.Errorf("%s: %v", statement, err)
		return
	}
	defer connection.Close(ctx)
	if _, err := connection.Exec(ctx, statement); err != nil {
		w.TB.Errorf("%s: %v", statement, err)
	}
}

// Number returns the result of a query for one number on PostgreSQL, bypassing
// the proxy.
func (w *World) Number(query string) int {
	w.TB.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	connection, err := pgx.Connect(ctx, w.Database)
	if err != nil {
		w.TB.Fatal(err)
	}
	defer connection.Close(ctx)
	var number int
	if err := connection.QueryRow(ctx, query).Scan(&number); err != nil {
		w.TB.Fatalf("%s: %v", query, err)
	}
	return number
}

// Run runs a command of idp on the World's database, bypassing the proxy, and returns
// its output.
func (w *World) Run(program string, args ...string) (string, error) {
	command := exec.Command(program, append(args, "-db", w.Database)...)
	command.Dir, command.Env = w.directory, append(os.Environ(), "IDP_SECRET="+programKey)
	output, err := command.CombinedOutput()
	return string(output), err
}

// runUntil runs a command of idp and kills it when ctx ends.
func (w *World) runUntil(ctx context.Context, program string, args ...string) {
	command := exec.CommandContext(ctx, program, append(args, "-db", w.Database)...)
	command.Dir, command.Env = w.directory, append(os.Environ(), "IDP_SECRET="+programKey)
	_ = command.Run() // killed, or finished before
}

// Heal waits until every instance issues tokens again and returns the time
// since began.
func (w *World) Heal(began time.Time, limit time.Duration) time.Duration {
	w.TB.Helper()
	var longest time.Duration
	for number, instance := range w.Instances {
		client := w.Client(number)
		client.Unrecorded = true
		for {
			if op := client.Issue(w.TB.Context()); op.Status == http.StatusOK {
				longest = max(longest, time.Since(began))
				break
			}
			if time.Since(began) > limit {
				w.TB.Fatalf("instance %d: got no token %v after the fault, want one; output:\n%s", number, limit, instance.output)
			}
			pause(w.TB.Context(), 20*time.Millisecond)
		}
	}
	return longest
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
