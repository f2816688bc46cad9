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

// programVariable names an environment variable with the path of an idp that was built from another version.
const programVariable = "NEMESIS_IDP"

// builder builds examples/idp at its first use.
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

// Instance is one process of examples/idp. It keeps its address when it is started again.
type Instance struct {
	address string
	command func() *exec.Cmd
	output  *tail

	mutex   sync.Mutex
	running *exec.Cmd     // nil if it was stopped
	exited  chan struct{} // closed when running has ended
}

// Origin returns where the instance listens, such as http://127.0.0.1:20000.
func (i *Instance) Origin() string { return "http://" + i.address }

// Start starts the process. Use Await to wait until it serves.
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
		_ = command.Wait() // the state is read from the command
		close(exited)
	}()
	i.running, i.exited = command, exited
	return nil
}

// Await waits until the instance answers, at most for limit.
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
			return fmt.Errorf("idp ended: %s", i.output)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("idp does not answer: %s", i.output)
}

// Exited returns a channel that is closed when the process has ended.
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

// errStillRunning is returned for a process that did not end in time.
var errStillRunning = errors.New("nemesis: the process did not end")

// Stop sends a signal, waits until the process has ended, and returns its exit status; -1 if a signal ended it.
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

// end kills the process, also one that was stopped by SIGSTOP, and waits for it.
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

// Resident returns the process's memory in MB, as /proc tells; 0 if it does not.
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

// Descriptors returns how many files and connections the process has open, as /proc tells; 0 if it does not.
func (i *Instance) Descriptors() int {
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(i.PID()), "fd"))
	if err != nil {
		return 0
	}
	return len(open)
}

// tail keeps the last of what a process prints.
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

// freeAddress returns a loopback address that is free. It is not one of those that the system hands out by itself, or
// another connection could take it before the process listens, or while it is down.
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
