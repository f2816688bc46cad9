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

// clusterScript makes, starts, keeps and removes a cluster. It ends when its standard input does: the kernel closes that
// pipe when the test process dies in whatever way, so no signal, thread or handler has to survive.
//
//go:embed cluster.sh
var clusterScript string

// Clusters are not in os.TempDir: the path of a unix socket has about 100 bytes, and the server's user must be able to
// get there.
const clusterParent, clusterPattern = "/tmp", "oauthkit-pg-*"

// startCluster starts a PostgreSQL cluster that lives as long as this process keeps the value. The error is errNoServer
// where no server is installed.
func startCluster() (*cluster, error) { return start(1) }

// startReplicated is startCluster with a streaming replica beside it.
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
	for range 3 { // another process can take the port between our look and the server's bind
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

// launch starts the script and waits until it says that the server answers. The cluster ends when life is closed, or
// collected as garbage.
func launch(binaries string, owner *syscall.Credential, ports []string) (life io.Closer, directory string, err error) {
	directory, err = lockedDirectory(owner)
	if err != nil {
		return nil, "", err
	}
	command := exec.Command("/bin/sh", append([]string{"-c", clusterScript, "cluster.sh", directory, binaries}, ports...)...)
	command.Dir = directory
	command.Env = serverEnvironment()
	// A process group of its own: an interrupt from the terminal must not take the script away before it has cleaned up.
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

// serverEnvironment leaves out PGPORT, PGDATA and so on of the developer.
func serverEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// serverBinaries finds the folder of the server's programs. Debian keeps them out of PATH, one folder a version.
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

// majorVersion reads the 15 of /usr/lib/postgresql/15/bin.
func majorVersion(folder string) float64 {
	version, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(folder)), 64)
	return version
}

// serverUser returns whom the server runs as: nil for ourselves, and another than root, as which PostgreSQL refuses to run.
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

// lockedDirectory makes the directory of a cluster and locks it for as long as this process lives, which is how
// removeAbandoned in another process knows that it is in use.
func lockedDirectory(owner *syscall.Credential) (string, error) {
	for {
		directory, err := os.MkdirTemp(clusterParent, clusterPattern)
		if err != nil {
			return "", err
		}
		if _, err := lock(directory); errors.Is(err, errInUse) { // another process took it for abandoned before we held it
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

// errInUse says that another process holds the lock of a directory, or has removed it.
var errInUse = errors.New("directory is in use or gone")

// lock takes the lock of a directory, which the process holds until it ends or closes the descriptor. A lock that the
// kernel drops is better than a process id in a file, which another process may bear by now.
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

// removeAbandoned removes what earlier processes left whose script was killed as well. A server that still runs there
// stops by itself when it misses its lock file, within a minute. This is tidiness, so its failures are no concern of a test.
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
