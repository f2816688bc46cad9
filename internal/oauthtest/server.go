package oauthtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Server is a PostgreSQL server used by one test, which may stop it, signal it and
// restart it with other settings.
type Server struct {
	// URL is the URL of its database postgres.
	URL string

	cluster *cluster
	data    string // the directory of its data
}

// OwnServer starts a server for one test. It is removed when the test ends. If
// PostgreSQL cannot be started, the test is skipped, as described for [Postgres].
// Unlike the server of Postgres, it waits for the disk at each commit, so that no
// committed data is lost when its processes are killed.
func OwnServer(tb testing.TB) *Server {
	tb.Helper()
	started, err := startCluster()
	return ownServer(tb, started, err)
}

// OwnPair is OwnServer with a streaming replica. Promote makes the replica a primary.
func OwnPair(tb testing.TB) (primary, replica *Server) {
	tb.Helper()
	started, err := startReplicated()
	primary = ownServer(tb, started, err)
	return primary, &Server{URL: started.replica, cluster: started, data: filepath.Join(started.directory, "replica")}
}

func ownServer(tb testing.TB, started *cluster, err error) *Server {
	tb.Helper()
	if errors.Is(err, errNoServer) {
		Missing(tb, "the tests that restart a PostgreSQL server", err.Error()+"; install them (Debian: apt-get install postgresql)")
	} else if err != nil {
		tb.Fatalf("starting PostgreSQL: %v", err)
	}
	tb.Cleanup(func() { _ = started.life.Close() })
	server := &Server{URL: started.url, cluster: started, data: filepath.Join(started.directory, "data")}
	execute(tb, server.URL, "ALTER ROLE ALL SET synchronous_commit = on")
	return server
}

// Command returns a command that runs as the server's user. The program is one of
// PostgreSQL's, such as pg_ctl, or an absolute path.
func (s *Server) Command(program string, args ...string) *exec.Cmd {
	return s.cluster.command(program, args...)
}

// Directory returns the directory of the server's files. The server's user may
// write there.
func (s *Server) Directory() string { return s.cluster.directory }

// Restart stops the server in a mode of pg_ctl (smart, fast or immediate) and starts
// it again with additional options.
func (s *Server) Restart(tb testing.TB, mode string, options ...string) {
	tb.Helper()
	started, err := os.ReadFile(filepath.Join(s.data, "postmaster.opts"))
	if err != nil {
		tb.Fatal(err)
	}
	_, all, _ := strings.Cut(strings.TrimSpace(string(started)), " ")
	for _, option := range options {
		all += " -c " + option
	}
	s.control(tb, "restart", "-w", "-t", "60", "-m", mode, "-l", s.data+".log", "-o", all)
}

// Stop stops the server in a mode of pg_ctl (smart, fast or immediate).
func (s *Server) Stop(tb testing.TB, mode string) {
	tb.Helper()
	s.control(tb, "stop", "-w", "-t", "60", "-m", mode)
}

// Promote makes a replica a primary, which accepts writes.
func (s *Server) Promote(tb testing.TB) {
	tb.Helper()
	s.control(tb, "promote", "-w", "-t", "60")
}

func (s *Server) control(tb testing.TB, action string, args ...string) {
	tb.Helper()
	command := s.Command("pg_ctl", append([]string{action, "-D", s.data}, args...)...)
	if output, err := command.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(s.data + ".log")
		tb.Fatalf("pg_ctl %s: %v\n%s\n%s", action, err, output, log)
	}
}

// PID returns the process id of the postmaster.
func (s *Server) PID(tb testing.TB) int {
	tb.Helper()
	file, err := os.ReadFile(filepath.Join(s.data, "postmaster.pid"))
	if err != nil {
		tb.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		tb.Fatal(err)
	}
	return pid
}

// Signal sends a signal to all processes of the server. It finds them in /proc.
func (s *Server) Signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	postmaster := s.PID(tb)
	pids := []int{postmaster}
	children, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(postmaster), "task", strconv.Itoa(postmaster), "children"))
	if err != nil {
		tb.Fatal(err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Signal(signal)
		}
		if err != nil && pid == postmaster {
			tb.Fatal(err)
		}
	}
}
