package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts an https server for the name example.com, and returns a configuration that
// reaches it under any name.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, Config) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, Config{AllowLoopback: true, RootCAs: roots, Resolver: answers{"127.0.0.1"}}
}

// named returns the URL of a server by the name in its certificate.
func named(t *testing.T, server *httptest.Server, path string) string {
	t.Helper()
	parsed, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return "https://example.com:" + parsed.Port() + path
}

// answers is a Resolver that returns the same addresses for every name.
type answers []string

func (a answers) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	var found []netip.Addr
	for _, text := range a {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

// TestDo shows a request and its response.
func TestDo(t *testing.T) {
	server, config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("X-A"), body)
	})
	response, err := New(config).Do(t.Context(), &Request{
		Method: http.MethodPost, URL: named(t, server, "/logout?a=b"), Header: http.Header{"X-A": {"c"}}, Body: []byte("d"), MaxBody: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(response.Body), "POST /logout?a=b c d"; got != want {
		t.Errorf("body: got %q, want %q", got, want)
	}
	if response.Status != http.StatusAccepted || response.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("got status %d and header %v", response.Status, response.Header)
	}
}

// canary returns the URL of a listener on this machine and the number of connections to
// it.
func canary(t *testing.T) (port string, hits *atomic.Int32) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hits = &atomic.Int32{}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			_ = connection.Close()
		}
	})
	t.Cleanup(func() { _ = listener.Close(); wait.Wait() })
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, hits
}

// TestNotPublic shows that nothing connects to an address that is not public, however
// it is written or resolved.
func TestNotPublic(t *testing.T) {
	port, hits := canary(t)
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	system := net.DefaultResolver
	tests := []struct {
		name, host string
		resolver   Resolver
	}{
		{"S-01 address", "127.0.0.1", nil},
		{"S-01 IPv6 address", "[::1]", nil},
		{"S-01 unspecified address", "0.0.0.0", nil},
		{"S-01 short address", "127.1", system},
		{"S-01 number", "2130706433", system},
		{"S-01 hexadecimal number", "0x7f000001", system},
		{"S-02 mapped address", "[::ffff:127.0.0.1]", nil},
		{"S-02 mapped hexadecimal address", "[::ffff:7f00:1]", nil},
		{"S-02 NAT64", "[64:ff9b::7f00:1]", nil},
		{"S-02 zone", "[fe80::1%25lo]", nil},
		{"S-03 name of this machine", "localhost", system},
		{"S-03 name of this machine with a dot", "localhost.", system},
		{"S-03 name with a private address", "internal.example", answers{"127.0.0.1"}},
		{"S-03 name with a private IPv6 address", "internal.example", answers{"::1"}},
		{"S-03 name with a mapped address", "internal.example", answers{"::ffff:127.0.0.1"}},
		{"S-03 name of metadata", "metadata.google.internal", answers{"169.254.169.254"}},
		{"S-04 public and private", "mixed.example", answers{"1.1.1.1", "127.0.0.1"}},
		{"S-04 private and public", "mixed.example", answers{"127.0.0.1", "1.1.1.1"}},
		{"S-04 private behind many", "mixed.example", answers{"1.1.1.1", "1.1.1.1", "1.1.1.1", "1.1.1.1", "1.1.1.1", "127.0.0.1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := New(Config{Resolver: test.resolver, AllowPorts: []uint16{uint16(number)}})
			_, err := client.Do(t.Context(), &Request{URL: "https://" + test.host + ":" + port + "/"})
			// A system without a resolver for numbers does not find them.
			var unknown *net.DNSError
			if !errors.Is(err, ErrRefused) && !(test.resolver == system && errors.As(err, &unknown)) {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
	if got := hits.Load(); got != 0 {
		t.Errorf("got %d connections, want none", got)
	}
}

// rebinding is a Resolver that returns another address each time.
type rebinding struct {
	calls     atomic.Int32
	addresses []string
}

func (r *rebinding) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	call := int(r.calls.Add(1)) - 1
	return []netip.Addr{netip.MustParseAddr(r.addresses[min(call, len(r.addresses)-1)])}, nil
}

// TestS05_Rebinding shows that the address that was checked is the one connected to.
func TestS05_Rebinding(t *testing.T) {
	port, hits := canary(t)
	resolver := &rebinding{addresses: []string{"127.0.0.2", "127.0.0.1"}}
	client := New(Config{AllowNetworks: networks("127.0.0.2/32"), Resolver: resolver})
	_, err := client.Do(t.Context(), &Request{URL: "https://rebinding.example:" + port + "/"})
	if err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want a failed connection to the first address", err)
	}
	if calls := resolver.calls.Load(); calls != 1 {
		t.Errorf("got %d lookups, want 1", calls)
	}
	if got := hits.Load(); got != 0 {
		t.Errorf("got %d connections to the second address, want none", got)
	}
}

// TestS05_Control shows that the socket itself is checked, whatever was checked before.
func TestS05_Control(t *testing.T) {
	d := &dialer{policy: newPolicy(Config{})}
	for address, want := range map[string]bool{"8.8.8.8:443": true, "127.0.0.1:443": false, "[::1]:443": false, "x": false} {
		if err := d.control("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: got %v, want allowed %t", address, err, want)
		}
	}
}

// TestS06_Redirects shows that no redirect is followed.
func TestS06_Redirects(t *testing.T) {
	var requests atomic.Int32
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"http://169.254.169.254/", "/again", "https://example.com/"} {
			requests.Store(0)
			server, config := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			response, err := New(config).Do(t.Context(), &Request{Method: http.MethodPost, URL: named(t, server, "/"), MaxBody: 1000})
			if err != nil || response.Status != status || requests.Load() != 1 {
				t.Errorf("%d to %s: got %v, %v after %d requests, want the redirect after 1", status, location, response, err, requests.Load())
			}
		}
	}
}

// endless writes until the client hangs up.
func endless(w http.ResponseWriter, _ *http.Request) {
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestS08_Body shows that a large body is neither read nor kept.
func TestS08_Body(t *testing.T) {
	const limit = 64 << 10
	exactly := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), n)) }
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		cut     bool
		want    int
		err     error
	}{
		{"at the limit", exactly(limit), false, limit, nil},
		{"above the limit", exactly(limit + 1), false, 0, ErrTooLarge},
		{"above the limit, cut", exactly(limit + 1), true, limit, nil},
		{"endless", endless, false, 0, ErrTooLarge},
		{"endless, cut", endless, true, limit, nil},
		{"announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			endless(w, r)
		}, false, 0, ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, config := serve(t, test.handler)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			response, err := New(config).Do(t.Context(), &Request{URL: named(t, server, "/"), MaxBody: limit, CutBody: test.cut})
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.err) || err == nil && len(response.Body) != test.want {
				t.Errorf("got %v, %v, want %d bytes, %v", response, err, test.want, test.err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("got %d bytes allocated by both sides, want at most 4 MiB", grown)
			}
		})
	}
}

// TestS08_Header shows that a large header is an error.
func TestS08_Header(t *testing.T) {
	server, config := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 2*maxHeader))
	})
	if response, err := New(config).Do(t.Context(), &Request{URL: named(t, server, "/")}); err == nil {
		t.Errorf("got status %d, want an error", response.Status)
	}
}

// TestS09_SlowPeer shows that the time of a request is limited as a whole.
func TestS09_SlowPeer(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	wait := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	tests := []struct {
		name string
		url  func(t *testing.T) (string, Config)
	}{
		{"TLS handshake", func(*testing.T) (string, Config) {
			return "https://" + silent.Addr().String() + "/", Config{AllowLoopback: true}
		}},
		{"header", func(t *testing.T) (string, Config) {
			server, config := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			return named(t, server, "/"), config
		}},
		{"body", func(t *testing.T) (string, Config) {
			server, config := serve(t, wait)
			return named(t, server, "/"), config
		}},
		{"resolver", func(*testing.T) (string, Config) {
			return "https://slow.example/", Config{Resolver: hanging{}}
		}},
	}
	for _, test := range tests {
		for _, cause := range []string{"timeout", "caller"} {
			t.Run(test.name+" by "+cause, func(t *testing.T) {
				address, config := test.url(t)
				ctx := t.Context()
				config.Timeout = 100 * time.Millisecond
				if cause == "caller" {
					config.Timeout = time.Hour
					limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
					defer cancel()
					ctx = limited
				}
				started := time.Now()
				_, err := New(config).Do(ctx, &Request{URL: address, MaxBody: 10})
				if elapsed := time.Since(started); err == nil || elapsed > 5*time.Second {
					t.Errorf("got %v after %s, want an error after 100ms", err, elapsed)
				}
			})
		}
	}
}

// hanging is a Resolver that never answers.
type hanging struct{}

func (hanging) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestS09_ManyAddresses shows that a name with many dead addresses costs few attempts.
func TestS09_ManyAddresses(t *testing.T) {
	var addresses answers
	for i := range 20 {
		addresses = append(addresses, fmt.Sprintf("127.0.1.%d", i+1))
	}
	_, err := New(Config{AllowLoopback: true, Resolver: addresses}).Do(t.Context(), &Request{URL: "https://many.example:1/"})
	if err == nil || strings.Count(err.Error(), "connection refused") != maxAddresses {
		t.Errorf("got %v, want %d attempts", err, maxAddresses)
	}
}

// TestS10_Compression shows that no body is decompressed.
func TestS10_Compression(t *testing.T) {
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	_, _ = writer.Write(make([]byte, 10<<20))
	_ = writer.Close()
	server, config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if accepted := r.Header.Get("Accept-Encoding"); accepted != "" {
			t.Errorf("got Accept-Encoding %q, want none", accepted)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	response, err := New(config).Do(t.Context(), &Request{URL: named(t, server, "/"), MaxBody: 64 << 10})
	if err != nil || !bytes.Equal(response.Body, bomb.Bytes()) {
		t.Errorf("got %d bytes, %v, want the %d bytes as they were sent", len(response.Body), err, bomb.Len())
	}
}

// TestS12_Proxy shows that the environment names no proxy, and that a request carries
// nothing that the caller did not set.
func TestS12_Proxy(t *testing.T) {
	port, hits := canary(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+port)
	}
	var headers []http.Header
	server, config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		headers = append(headers, r.Header)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
	})
	client := New(config)
	for range 2 {
		if _, err := client.Do(t.Context(), &Request{URL: named(t, server, "/"), Header: http.Header{"User-Agent": {"x"}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, header := range headers {
		header.Del("Connection")
		if len(header) != 1 || header.Get("User-Agent") != userAgent {
			t.Errorf("got the header %v, want only the User-Agent %s", header, userAgent)
		}
	}
	if got := hits.Load(); got != 0 {
		t.Errorf("got %d connections to the proxy, want none", got)
	}
}

// TestS13_TLS shows that only a valid certificate for the name and a current version of
// TLS are accepted.
func TestS13_TLS(t *testing.T) {
	handler := func(http.ResponseWriter, *http.Request) {}
	server, config := serve(t, handler)
	old := httptest.NewUnstartedServer(http.HandlerFunc(handler))
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)
	unknown := config
	unknown.RootCAs = x509.NewCertPool()
	tests := []struct {
		name, url string
		config    Config
		want      string
	}{
		{"unknown authority", named(t, server, "/"), unknown, "unknown authority"},
		{"another name", strings.Replace(named(t, server, "/"), "example.com", "other.test", 1), config, "other.test"},
		{"old version", named(t, old, "/"), config, "protocol version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(test.config).Do(t.Context(), &Request{URL: test.url})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestErrorText shows that no error contains the path or the query of the URL, which can
// be a secret.
func TestErrorText(t *testing.T) {
	port, _ := canary(t)
	for _, address := range []string{"https://127.0.0.1:" + port, "https://unknown.invalid", "http://rp.example", "https://\x7f"} {
		_, err := New(Config{AllowLoopback: strings.Contains(address, port)}).Do(t.Context(), &Request{URL: address + "/secret?secret"})
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.HasPrefix(err.Error(), "fetch: ") {
			t.Errorf("%s: got %v, want an error without the path", address, err)
		}
	}
}
