//go:build linux || darwin

package oauthtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// poolerScript runs PgBouncer until standard input is closed. The kernel closes it
// however the test process ends.
const poolerScript = `"$1" "$2/pgbouncer.ini" >"$2/log" 2>&1 & pid=$!
cat >/dev/null
kill "$pid"; wait "$pid"; rm -rf "$2"`

// PgBouncer starts PgBouncer in transaction mode in front of a database. Transactions
// share eight connections to the server. PgBouncer stops when the test ends. If it is
// not installed, the test is skipped; in CI it fails.
func PgBouncer(tb testing.TB, database string) (pooled string) {
	tb.Helper()
	binary, err := exec.LookPath("pgbouncer")
	if err != nil {
		binary = "/usr/sbin/pgbouncer" // often not on PATH
	}
	if _, err := os.Stat(binary); err != nil {
		Missing(tb, "the tests with PgBouncer", "there is no pgbouncer (Debian: apt-get install pgbouncer)")
	}
	owner, err := serverUser()
	if err != nil {
		tb.Fatal(err)
	}
	address, err := url.Parse(database)
	if err != nil {
		tb.Fatal(err)
	}
	for range 3 { // another process can take the port
		if pooled, err = launchPooler(tb, binary, owner, address); err == nil {
			return pooled
		}
	}
	tb.Fatalf("starting PgBouncer: %v", err)
	return ""
}

func launchPooler(tb testing.TB, binary string, owner *syscall.Credential, address *url.URL) (pooled string, err error) {
	tb.Helper()
	directory, err := lockedDirectory(owner)
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	password, _ := address.User.Password()
	settings := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = trust
auth_file = users.txt
pool_mode = transaction
default_pool_size = 8
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
`, address.Hostname(), address.Port(), port)
	for name, text := range map[string]string{
		"pgbouncer.ini": settings, "users.txt": fmt.Sprintf("%q %q\n", address.User.Username(), password),
	} {
		// PgBouncer runs as another user and has to read it.
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	command := exec.Command("/bin/sh", "-c", poolerScript, "pooler", binary, directory)
	command.Dir = directory
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
	life, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return "", err
	}
	end := func() { life.Close(); _ = command.Wait() }
	pooled = strings.Replace(address.String(), address.Host, "127.0.0.1:"+port, 1)
	for deadline := time.Now().Add(15 * time.Second); ; {
		var connection *pgx.Conn
		if connection, err = pgx.Connect(context.Background(), pooled); err == nil {
			connection.Close(context.Background())
			tb.Cleanup(end)
			return pooled, nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(directory, "log"))
			end()
			return "", fmt.Errorf("%w: %s", err, log)
		}
	}
}
