package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oauthkit/oauthkit/internal/oauthtest"
)

// running is idp serving in this process.
type running struct {
	*testing.T
	address, origin string
	transport       *http.Transport
	tls             []string // the flags for https
	stop            context.CancelFunc
	ended           chan error
}

// newRunning returns idp with a free address, which does not serve yet.
func newRunning(t *testing.T) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	return &running{T: t, address: address, origin: "http://" + address, transport: &http.Transport{DisableKeepAlives: true}}
}

func startServing(t *testing.T, at string, args ...string) *running {
	t.Helper()
	r := newRunning(t)
	r.serve(at, args...)
	return r
}

// serve starts idp on its address and waits until it answers.
func (r *running) serve(at string, args ...string) {
	r.Helper()
	ctx, stop := context.WithCancel(r.Context())
	r.stop, r.ended = stop, make(chan error, 1)
	args = slices.Concat([]string{"serve", "-addr", r.address, "-db", at}, r.tls, args)
	go func() { r.ended <- run(ctx, args, io.Discard) }()
	for status := 0; status != http.StatusOK; status = r.probe("/livez") {
		select {
		case err := <-r.ended:
			r.Fatalf("got %v, want no error while serving", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// useTLS makes serve use https with a certificate of its own.
func (r *running) useTLS() {
	r.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		r.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		r.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.Fatal(err)
	}
	roots, folder := x509.NewCertPool(), r.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: certificate}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		text := pem.EncodeToMemory(block)
		roots.AppendCertsFromPEM(text)
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			r.Fatal(err)
		}
	}
	r.tls = []string{"-tls-cert", filepath.Join(folder, "cert.pem"), "-tls-key", filepath.Join(folder, "key.pem")}
	r.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	r.origin = "https://" + r.address
}

// end interrupts idp and waits for its end.
func (r *running) end() {
	r.Helper()
	r.stop()
	if err := <-r.ended; err != nil {
		r.Errorf("got %v, want no error", err)
	}
}

// probe returns the status of a request on a new connection, or zero if nothing
// listens.
func (r *running) probe(path string) int {
	client := &http.Client{Transport: r.transport, Timeout: time.Minute}
	response, err := client.Get(r.origin + path)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// TestRL04_GracefulStop interrupts idp. It first responds but is not ready, then does
// not listen, and ends without an error.
func TestRL04_GracefulStop(t *testing.T) {
	others := goleak.IgnoreCurrent()
	r := startServing(t, filepath.Join(t.TempDir(), "idp.db"), "-drain", "3s")
	if got := r.probe("/readyz"); got != http.StatusOK {
		t.Errorf("got %d, want 200", got)
	}
	r.stop()
	var seen []int
	for status := -1; status != 0; {
		if status = r.probe("/readyz"); len(seen) == 0 || seen[len(seen)-1] != status {
			seen = append(seen, status)
		}
	}
	if seen[0] == http.StatusOK { // sent before the interrupt was noticed
		seen = seen[1:]
	}
	if len(seen) != 2 || seen[0] != http.StatusServiceUnavailable || seen[1] != 0 {
		t.Errorf("got %v, want 503 until nothing listens", seen)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
	goleak.VerifyNone(t, others)
}

// TestRL04_SilentDatabase interrupts idp while a token request waits for a database
// that does not respond. The request gets 503, and idp ends without an error.
func TestRL04_SilentDatabase(t *testing.T) {
	parsed, err := url.Parse(oauthtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := newSilencer(t, parsed.Host)
	parsed.Host = proxy.listener.Addr().String()
	r := startServing(t, parsed.String(), "-drain", "0s")
	proxy.silence()
	answered := make(chan *http.Response, 1)
	go func() {
		response, err := http.PostForm("http://"+r.address+"/o/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"web"}, "client_secret": {"x"}})
		if err != nil {
			t.Error(err)
			response = &http.Response{Body: http.NoBody}
		}
		response.Body.Close()
		answered <- response
	}()
	<-proxy.dropped // the request waits for the database
	r.stop()
	if err := <-r.ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if response := <-answered; response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("got %s, want 503 with Retry-After", response.Status)
	}
}

// TestRL04_CutOff interrupts idp during a request that does not end. idp ends with an
// error that says so.
func TestRL04_CutOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	begun, end := make(chan struct{}), make(chan struct{})
	s := newTestSite(t, "http://127.0.0.1/o")
	server := &listening{Server: newServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-end
	}), s.logger)}
	var requests sync.WaitGroup
	requests.Go(func() { _ = server.Serve(listener) })
	requests.Go(func() { _, _ = http.Get("http://" + listener.Addr().String()) }) //nolint:bodyclose // there is none
	<-begun
	limit, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = (&options{}).stop(limit, []*listening{server}, s.site)
	if err == nil || !strings.Contains(err.Error(), "cut off") || !s.health.stopping.Load() {
		t.Errorf("got %v, want an error that says that a request was cut off", err)
	}
	close(end)
	requests.Wait()
}

// silencer is a proxy that can make a database silent.
type silencer struct {
	listener net.Listener
	dropped  chan struct{} // closed after something was sent to the silent database

	mutex  sync.Mutex
	silent bool
	once   sync.Once
}

func newSilencer(t *testing.T, target string) *silencer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silencer{listener: listener, dropped: make(chan struct{})}
	var connections sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			context.AfterFunc(ctx, func() { client.Close(); server.Close() })
			connections.Go(func() { s.copy(server, client) })
			connections.Go(func() { s.copy(client, server) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		cancel()
		connections.Wait()
	})
	return s
}

func (s *silencer) silence() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.silent = true
}

// copy forwards data until the database is silent, and then drops it.
func (s *silencer) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		s.mutex.Lock()
		silent := s.silent
		s.mutex.Unlock()
		if silent {
			s.once.Do(func() { close(s.dropped) })
		} else if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
