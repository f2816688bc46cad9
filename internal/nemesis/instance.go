package nemesis

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programVariable names an environment variable with the path of an idp binary of
// another version.
const programVariable = "NEMESIS_IDP"

// builder builds examples/idp on first use.
type builder struct {
	once sync.Once
	path string
	err  error
}

func (b *builder) program(tb testing.TB, directory string) string {
	tb.Helper()
	b.once.Do(func() {
		if b.path = os.Getenv(programVariable); b.path != "" {
			return
		}
		b.path = filepath.Join(directory, "idp")
		output, err := exec.Command("go", "build", "-o", b.path, "../../examples/idp").CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("building examples/idp: %w\n%s", err, output)
		}
	})
	if b.err != nil {
		tb.Fatal(b.err)
	}
	return b.path
}

// Instance is a process of examples/idp. It keeps its address across restarts.
type Instance struct {
	address string
	command func() *exec.Cmd
	output  *tail

	mutex   sync.Mutex
	running *exec.Cmd     // nil if it was stopped
	exited  chan struct{} // closed when running has exited
}

// Origin returns the instance's origin, such as http://127.0.0.1:20000.
func (i *Instance) Origin() string { return "http://" + i.address }

// Start starts the process. Await waits until it serves.
func (i *Instance) Start() error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	command := i.command()
	if command.Stdout == nil {
		command.Stdout, command.Stderr = i.output, i.output
	}
	if err := command.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait() // the command has the state
		close(exited)
	}()
	i.running, i.exited = command, exited
	return nil
}

// Await waits until the instance answers, for at most limit.
func (i *Instance) Await(limit time.Duration) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		response, err := client.Get(i.Origin() + "/o/.well-known/openid-configuration")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-i.Exited():
			return fmt.Errorf("idp exited: %s", i.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("idp does not answer: %s", i.output)
}

// Exited returns a channel that is closed when the process has exited.
func (i *Instance) Exited() <-chan struct{} {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.exited
}

// Signal sends a signal to the process.
func (i *Instance) Signal(signal syscall.Signal) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.running.Process.Signal(signal)
}

// errStillRunning is returned for a process that did not exit in time.
var errStillRunning = errors.New("nemesis: the process did not exit")

// Stop sends a signal and waits for the exit. It returns the exit status, or -1 if a
// signal terminated the process.
func (i *Instance) Stop(signal syscall.Signal, limit time.Duration) (status int, err error) {
	if err := i.Signal(signal); err != nil {
		return 0, err
	}
	select {
	case <-i.Exited():
		i.mutex.Lock()
		defer i.mutex.Unlock()
		return i.running.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return 0, errStillRunning
	}
}

// end kills the process, even if SIGSTOP has stopped it, and waits for its exit.
func (i *Instance) end() {
	i.mutex.Lock()
	running, exited := i.running, i.exited
	i.mutex.Unlock()
	if running == nil {
		return
	}
	_ = running.Process.Kill()
	<-exited
}

// PID returns the process id.
func (i *Instance) PID() int {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.running.Process.Pid
}

var residentSize = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// Resident returns the process's memory in MB from /proc, or 0 if that fails.
func (i *Instance) Resident() float64 {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(i.PID()), "status"))
	if err != nil {
		return 0
	}
	found := residentSize.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return float64(kilobytes) / 1024
}

// Descriptors returns the number of open descriptors from /proc, or 0 if that fails.
func (i *Instance) Descriptors() int {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(i.PID()), "fd"))
	if err != nil {
		return 0
	}
	return len(open)
}

// tail keeps the end of a process's output.
type tail struct {
	mutex sync.Mutex
	kept  []byte
}

const tailSize = 4 << 10

func (t *tail) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.kept = append(t.kept, text...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = bytes.Clone(t.kept[extra:])
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.kept)
}

// freeAddress returns a free loopback address. It avoids the ephemeral ports, because
// a connection could take such a port before the process listens or while it is down.
func freeAddress(first int) (string, error) {
	for port := first; port < first+2000; port++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address, nil
		}
	}
	return "", errors.New("nemesis: no port is free")
}
