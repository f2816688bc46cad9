//go:build linux || darwin

package oauthtest

import (
	"bufio"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// clusterScript creates, runs and removes a cluster. It ends when its standard input
// is closed. The kernel closes that pipe however the test process ends, so the
// cluster is removed without a signal handler.
//
//go:embed cluster.sh
var clusterScript string

// Clusters are not in os.TempDir, because the path of a Unix socket is limited to
// about 100 bytes and the server's user must have access.
const clusterParent, clusterPattern = "/tmp", "oauthkit-pg-*"

// startCluster starts a PostgreSQL cluster, which runs until the returned value is
// closed or collected. The error is errNoServer if no server is installed.
func startCluster() (*cluster, error) { return start(1) }

// startReplicated is startCluster with a streaming replica.
func startReplicated() (*cluster, error) { return start(2) }

func start(servers int) (*cluster, error) {
	binaries, err := serverBinaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverUser()
	if err != nil {
		return nil, err
	}
	removeAbandoned(owner)
	for range 3 { // another process can take the port before the server binds it
		ports := make([]string, servers)
		for i := range ports {
			if ports[i], err = freePort(); err != nil {
				return nil, err
			}
		}
		var life io.Closer
		var directory string
		if life, directory, err = launch(binaries, owner, ports); err == nil {
			started := &cluster{url: serverURL(ports[0]), life: life, directory: directory}
			started.command = func(program string, args ...string) *exec.Cmd {
				if !filepath.IsAbs(program) {
					program = filepath.Join(binaries, program)
				}
				command := exec.Command(program, args...)
				command.Dir, command.Env = directory, serverEnvironment()
				command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
				return command
			}
			if servers > 1 {
				started.replica = serverURL(ports[1])
			}
			return started, nil
		}
	}
	return nil, err
}

func serverURL(port string) string {
	return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"
}

// launch starts the script and waits until the server answers. The cluster ends when
// life is closed or garbage collected.
func launch(binaries string, owner *syscall.Credential, ports []string) (life io.Closer, directory string, err error) {
	directory, err = lockedDirectory(owner)
	if err != nil {
		return nil, "", err
	}
	command := exec.Command("/bin/sh", append([]string{"-c", clusterScript, "cluster.sh", directory, binaries}, ports...)...)
	command.Dir = directory
	command.Env = serverEnvironment()
	// The script has its own process group: an interrupt from the terminal must not
	// stop it before it has cleaned up.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
	life, err = command.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := command.Start(); err != nil {
		return nil, "", err
	}
	reader := bufio.NewReader(output)
	line, _ := reader.ReadString('\n')
	if line == "ready\n" {
		return life, directory, nil
	}
	rest, _ := io.ReadAll(reader)
	return nil, "", fmt.Errorf("%w: %s%s", command.Wait(), line, rest)
}

// serverEnvironment leaves out the developer's PGPORT, PGDATA and similar variables.
func serverEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// serverBinaries finds the folder of the server's programs. Debian installs them
// outside PATH, in one folder for each version.
func serverBinaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && complete(filepath.Dir(path)) {
			return filepath.Dir(path), nil
		}
	}
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(majorVersion(b), majorVersion(a)) })
	for _, folder := range folders {
		if complete(folder) {
			return folder, nil
		}
	}
	return "", errNoServer
}

func complete(folder string) bool {
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return false
		}
	}
	return true
}

// majorVersion returns 15 for /usr/lib/postgresql/15/bin.
func majorVersion(folder string) float64 {
	version, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(folder)), 64)
	return version
}

// serverUser returns the user that the server runs as. It is nil for the current
// user, unless that is root, because PostgreSQL refuses to run as root.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root and there is no user postgres or nobody; run the tests as another user or set OAUTHKIT_TEST_POSTGRES")
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// lockedDirectory creates the directory of a cluster and locks it until this
// process ends. The lock tells removeAbandoned in other processes that the
// directory is in use.
func lockedDirectory(owner *syscall.Credential) (string, error) {
	for {
		directory, err := os.MkdirTemp(clusterParent, clusterPattern)
		if err != nil {
			return "", err
		}
		// Another process removed it as abandoned before it was locked.
		if _, err := lock(directory); errors.Is(err, errInUse) {
			continue
		} else if err != nil {
			return "", err
		}
		if owner != nil {
			err = os.Chown(directory, int(owner.Uid), int(owner.Gid))
		}
		return directory, err
	}
}

// errInUse reports that another process holds the lock of a directory or has removed
// the directory.
var errInUse = errors.New("directory is in use or removed")

// lock locks a directory until the process ends or the descriptor is closed. Unlike a
// process id in a file, the lock cannot outlive the process.
func lock(directory string) (descriptor int, err error) {
	descriptor, err = syscall.Open(directory, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ENOENT) {
		return 0, errInUse
	} else if err != nil {
		return 0, fmt.Errorf("opening %s: %w", directory, err)
	}
	err = syscall.Flock(descriptor, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return descriptor, nil
	}
	_ = syscall.Close(descriptor)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, errInUse
	}
	return 0, fmt.Errorf("locking %s: %w", directory, err)
}

// removeAbandoned removes the directories of earlier processes whose script was
// killed too. A server that still runs there stops within a minute, when it finds its
// lock file missing. Errors are ignored: no test depends on it.
func removeAbandoned(owner *syscall.Credential) {
	uid := uint32(os.Geteuid())
	if owner != nil {
		uid = owner.Uid
	}
	directories, _ := filepath.Glob(filepath.Join(clusterParent, clusterPattern))
	for _, directory := range directories {
		info, err := os.Lstat(directory)
		if err != nil || !info.IsDir() || info.Sys().(*syscall.Stat_t).Uid != uid {
			continue
		}
		if descriptor, err := lock(directory); err == nil {
			_ = os.RemoveAll(directory)
			_ = syscall.Close(descriptor)
		}
	}
}
