//go:build linux || darwin

package nemesis

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

var serverCases = []Case{
	{
		Name: "RL-17 the disk is full", Run: diskFull,
		Fault: "the database is on a tmpfs that is full for 5 s; needs root",
	}, {
		Name: "RL-20 the primary fails, with a synchronous replica", Run: failover(true),
		Fault: "pg_ctl stop -m immediate, promotion of the replica, and a proxy that redirects to it",
	}, {
		Name: "RL-20 the primary fails, with an asynchronous replica", Run: failover(false),
		Fault: "the same without synchronous_standby_names; acknowledged tokens may be lost, as PostgreSQL documents",
	}, {
		Name: "RL-29 eight instances migrate at once", Run: migrate,
		Fault: "eight instances start on an empty database, and one of them is killed",
	}, {
		Name: "RL-39 behind PgBouncer in transaction mode", Run: bouncer,
		Fault: "Debian's PgBouncer, with the default URL and with each default_query_exec_mode of pgx",
	}, {
		Name: "RL-42 a backup is restored", Run: restore,
		Fault: "pg_dump during requests, and an instance on the restored copy",
	}, {
		Name: "RL-23 time zones differ", Run: zones,
		Fault: "instances in Kiritimati and New York, and a database in Kathmandu",
	}, {
		Name: "RL-44 the log cannot be written", Run: fullLog,
		Fault: "the standard error of the instances is /dev/full",
	},
}

func diskFull(r *Run) {
	if os.Geteuid() != 0 {
		oauthtest.Missing(r, "the case with a full disk", "it needs root to mount a tmpfs")
	}
	place, err := os.MkdirTemp("/tmp", "oauthkit-nemesis-*")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(place) })
	if output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "tmpfs", place).CombinedOutput(); err != nil {
		r.Fatalf("mount: %v\n%s", err, output)
	}
	r.Cleanup(func() { _ = exec.Command("umount", place).Run() })
	if err := os.Chmod(place, 0o777); err != nil {
		r.Fatal(err)
	}
	space := filepath.Join(place, "space")
	if output, err := r.lab.server.Command("/bin/mkdir", space).CombinedOutput(); err != nil {
		r.Fatalf("mkdir: %v\n%s", err, output)
	}
	name := fmt.Sprintf("nemesis_space_%d", rand.Uint32())
	r.lab.exec(r, "CREATE TABLESPACE "+name+" LOCATION '"+space+"'")
	r.Cleanup(func() { r.lab.exec(r, "DROP TABLESPACE "+name) })
	w := r.Start(Setup{Instances: 2, Tablespace: name})
	client := w.Client(0)
	grant := client.session(r, Web)
	storm := w.Storm(8)
	pause(r.Context(), time.Second)
	filler := filepath.Join(place, "filler")
	if err := exec.Command("fallocate", "-l", "64M", filler).Run(); err == nil {
		r.Log("fallocate found room for all") // it is smaller, so it ends with an error when it is full
	}
	_ = exec.Command("dd", "if=/dev/zero", "of="+filler+"2", "bs=4096").Run() // ends when the disk is full
	begun := w.History.Now()
	inactive := 0
	for full := time.Now(); time.Since(full) < r.seconds(2, 5); pause(r.Context(), 50*time.Millisecond) {
		if !client.Introspect(r.Context(), grant, grant.Access).Active {
			inactive++
		}
	}
	refused := 0
	for _, op := range w.History.Since(begun) {
		if op.Status == http.StatusServiceUnavailable {
			refused++
		}
	}
	if err := errors.Join(os.Remove(filler), os.Remove(filler+"2")); err != nil {
		r.Log(err)
	}
	healed := w.Heal(time.Now(), time.Minute)
	storm.End()
	r.AtLeast("writes answered 503 while it is full", float64(refused), "", 1, "all")
	r.None("reads not answered while it is full", inactive, "0")
	r.AtMost("normal again", healed.Seconds(), "s", 2, "0.1 s")
	r.verified(w)
}

// exec runs one statement on the shared server.
func (l *lab) exec(r *Run, statement string) {
	r.Helper()
	(&World{TB: r}).execOn(l.server.URL, statement)
}

func failover(synchronous bool) func(r *Run) {
	return func(r *Run) {
		primary, replica := oauthtest.OwnPair(r)
		w := r.Start(Setup{Instances: 2, Proxied: true, Server: primary})
		w.Allowed.Loss = !synchronous
		if synchronous {
			w.execOn(primary.URL, "ALTER SYSTEM SET synchronous_standby_names = '*'")
			w.execOn(primary.URL, "SELECT pg_reload_conf()")
		}
		storm := w.Storm(8)
		pause(r.Context(), 2*time.Second)
		primary.Stop(r, "immediate")
		replica.Promote(r)
		target, err := url.Parse(replica.URL)
		if err != nil {
			r.Fatal(err)
		}
		w.Database = strings.Replace(w.Database, hostOf(w.Database), target.Host, 1)
		w.Server = replica
		w.Proxy.Redirect(target.Host)
		healed := w.Heal(time.Now(), time.Minute)
		pause(r.Context(), time.Second)
		storm.End()
		r.AtMost("normal again after the promotion", healed.Seconds(), "s", 2, "0.8 s")
		r.verified(w)
		if !synchronous {
			w.Allowed.Loss = false
			r.Tell("acknowledged tokens lost or revocations undone", float64(len(Check(w.History.Ops(), w.Allowed))), "", "1")
		}
	}
}

func hostOf(database string) string {
	address, err := url.Parse(database)
	if err != nil {
		return database
	}
	return address.Host
}

func migrate(r *Run) {
	for range r.times(1, 5) {
		w := r.lab.world(r, Setup{Instances: 8})
		for _, instance := range w.Instances {
			if err := instance.Start(); err != nil {
				r.Fatal(err)
			}
		}
		pause(r.Context(), rand.N(500*time.Millisecond))
		killed := w.Instances[rand.IntN(8)]
		if _, err := killed.Stop(syscall.SIGKILL, 10*time.Second); err != nil {
			r.Fatal(err)
		}
		failed := 0
		for number, instance := range w.Instances {
			if instance == killed {
				continue
			}
			if err := instance.Await(time.Minute); err != nil {
				r.Logf("instance %d: %v", number, err)
				failed++
			}
		}
		r.None("survivors that do not serve", failed, "0")
		r.Tell("restart of the one that was killed", w.restart(killed).Seconds(), "s", "")
		storm := w.Storm(8)
		pause(r.Context(), time.Second)
		storm.End()
		if violations := append(w.CheckRows(), fmt.Sprint(len(Check(w.History.Ops(), w.Allowed)))); len(violations) != 1 || violations[0] != "0" {
			r.Errorf("got %v, want no violations", violations)
		}
		for _, instance := range w.Instances {
			instance.end()
		}
	}
}

// pooler starts PgBouncer in front of the shared server and returns its host:port.
func pooler(r *Run) string {
	r.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; exec.Command(program, "--version").Run() != nil {
			oauthtest.Missing(r, "the case with PgBouncer", "it is not installed (Debian: apt-get install pgbouncer)")
		}
	}
	address, err := freeAddress(30_000 + rand.IntN(1000))
	if err != nil {
		r.Fatal(err)
	}
	_, port, err := cutPort(address)
	if err != nil {
		r.Fatal(err)
	}
	_, serverPort, err := cutPort(hostOf(r.lab.server.URL))
	if err != nil {
		r.Fatal(err)
	}
	directory := r.lab.server.Directory()
	file := filepath.Join(directory, "pgbouncer.ini")
	settings := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"+
		"unix_socket_dir =\nauth_type = any\npool_mode = transaction\nmax_client_conn = 500\ndefault_pool_size = 20\n"+
		"logfile = %s/pgbouncer.log\n", serverPort, port, directory)
	if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
		r.Fatal(err)
	}
	command := r.lab.server.Command(program, "-q", file)
	if err := command.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return address
}

func bouncer(r *Run) {
	through := pooler(r)
	for _, mode := range []struct {
		name   string
		works  bool
		before string
	}{
		{"", true, "1 (42P05)"},
		{"exec", true, "0"},
		{"simple_protocol", true, "0"},
		{"describe_exec", false, "0, and answers were mixed up"},
	} {
		name := mode.name
		setup := Setup{Instances: 2, Through: through, Parameters: url.Values{}}
		if name != "" {
			setup.Parameters.Set("default_query_exec_mode", name)
		} else {
			name = "default URL"
		}
		if os.Getenv(programVariable) == "" {
			// Migrations take session locks, so they bypass the pooler.
			setup.Flags = []string{"-migrate=false"}
			setup.Prepare = func(w *World) {
				if output, err := w.Run(r.lab.builder.program(r, r.lab.directory), "migrate"); err != nil {
					r.Fatalf("migrating: %v\n%s", err, output)
				}
			}
		}
		w := r.lab.world(r, setup)
		refused, said := 0, ""
		for _, instance := range w.Instances {
			err := instance.Start()
			if err == nil {
				err = instance.Await(30 * time.Second)
			}
			if err != nil {
				refused, said = 1, err.Error()
				break
			}
		}
		if !mode.works {
			r.AtLeast(name+": refused", float64(refused), "", 1, mode.before)
		} else {
			r.AtMost(name+": refused", float64(refused), "", 0, mode.before)
		}
		if refused == 1 {
			r.Logf("output: %s", said)
		} else {
			storm := w.Storm(8)
			pause(r.Context(), r.seconds(2, 8))
			storm.End()
			r.verified(w)
		}
		for _, instance := range w.Instances {
			instance.end()
		}
	}
}

func restore(r *Run) {
	w := r.Start(Setup{})
	storm := w.Storm(8)
	pause(r.Context(), r.seconds(1, 5))
	grant := w.Client(0).session(r, Web)
	file := filepath.Join(w.Server.Directory(), fmt.Sprintf("dump-%d", rand.Uint32()))
	for _, command := range []*exec.Cmd{w.Server.Command("pg_dump", "-Fc", "-f", file, w.Database)} {
		if output, err := command.CombinedOutput(); err != nil {
			r.Fatalf("%v\n%s", err, output)
		}
	}
	storm.End()
	r.verified(w)
	copied := r.Start(Setup{Users: len(w.Users), Prepare: func(copied *World) {
		if output, err := copied.Server.Command("pg_restore", "-d", copied.Database, file).CombinedOutput(); err != nil {
			r.Fatalf("%v\n%s", err, output)
		}
	}})
	r.AtMost("contradictions in the copy", float64(len(copied.CheckRows())), "", 0, "")
	client := copied.Client(0)
	r.None("tokens from before the backup that do not work", count(!client.Introspect(r.Context(), grant, grant.Access).Active), "")
	refreshed := client.Refresh(r.Context(), grant, grant.Refresh)
	r.None("refresh tokens from before the backup that do not work", count(refreshed.Status != http.StatusOK), "")
	r.verified(copied)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func zones(r *Run) {
	w := r.Start(Setup{
		Instances: 2, Environment: [][]string{{"TZ=Pacific/Kiritimati"}, {"TZ=America/New_York"}},
		Prepare: func(w *World) {
			name := w.name()
			w.Exec("ALTER DATABASE " + name + " SET timezone = 'Asia/Kathmandu'")
		},
	})
	storm := w.Storm(8)
	pause(r.Context(), r.seconds(2, 5))
	storm.End()
	r.AtMost("answers of 503", float64(w.unavailable()), "", 0, "")
	r.verified(w)
}

func fullLog(r *Run) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		oauthtest.Missing(r, "the case of a full log", err.Error())
	}
	r.Cleanup(func() { full.Close() })
	w := r.Start(Setup{Proxied: true, Log: full, Flags: []string{"-log-level", "debug"}})
	storm := w.Storm(8)
	pause(r.Context(), r.seconds(1, 3))
	w.Proxy.Cut()
	pause(r.Context(), r.seconds(1, 3))
	r.AtMost("normal again", w.Heal(time.Now(), time.Minute).Seconds(), "s", 2, "")
	storm.End()
	r.verified(w)
}
