package clientmatrix

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// lab is what all runs share: the program of the provider and the certificates.
type lab struct {
	testing.TB
	idp                         string // the program
	authority, certificate, key string // PEM files
	roots                       *x509.CertPool
	publicKey                   []byte // of the certificate

	client *client
	folder string // where the client runs
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{TB: t, idp: filepath.Join(t.TempDir(), "idp")}
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", l.idp, "../../examples/idp").CombinedOutput(); err != nil {
		t.Fatalf("building examples/idp: %v\n%s", err, output)
	}
	l.certify(t.TempDir())
	return l
}

// of returns the lab for a test of one client.
func (l *lab) of(t testing.TB, c *client) *lab {
	t.Helper()
	of := *l
	of.TB, of.client, of.folder = t, c, l.sources(c)
	if c.install == nil {
		return &of
	}
	installed, err := filepath.Abs(filepath.Join("../../.tmp", l.sources(c)))
	if err != nil {
		t.Fatal(err)
	}
	of.folder = installed
	return &of
}

// sources returns the client's folder in the repository.
func (l *lab) sources(c *client) string {
	return filepath.Join("clients", cmp.Or(c.folder, c.name))
}

// copySources copies the client's folder to where it is installed. The installation is
// kept between runs.
func (l *lab) copySources() error {
	if err := os.MkdirAll(l.folder, 0o700); err != nil {
		return err
	}
	sources := l.sources(l.client)
	return filepath.WalkDir(sources, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(l.folder, strings.TrimPrefix(path, sources))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
}

// installOnce runs a command in the client's folder, unless it has succeeded there with
// the same content of a file of its sources, such as a lock file. The name "." stands
// for all files.
func (l *lab) installOnce(file, name string, args ...string) error {
	wanted := &bytes.Buffer{}
	err := filepath.WalkDir(filepath.Join(l.sources(l.client), file), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(wanted, "%s:\n%s", path, content)
		return err
	})
	if err != nil {
		return err
	}
	mark := filepath.Join(l.folder, ".installed")
	if installed, err := os.ReadFile(mark); err == nil && bytes.Equal(installed, wanted.Bytes()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(l.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = l.folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return os.WriteFile(mark, wanted.Bytes(), 0o600)
}

// httpClient returns a client that trusts the lab's authority.
func (l *lab) httpClient() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}}
	l.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// serverTLS returns the settings of a server with the lab's certificate.
func (l *lab) serverTLS() *tls.Config {
	l.Helper()
	certificate, err := tls.LoadX509KeyPair(l.certificate, l.key)
	if err != nil {
		l.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

// certify makes an authority and a certificate for localhost and 127.0.0.1.
func (l *lab) certify(folder string) {
	l.Helper()
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of the tests"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			l.Fatal(err)
		}
		return path
	}
	authorityKey, leafKey := l.newKey(), l.newKey()
	var err error
	if l.publicKey, err = x509.MarshalPKIXPublicKey(&leafKey.PublicKey); err != nil {
		l.Fatal(err)
	}
	signed := func(subject *x509.Certificate, key *ecdsa.PrivateKey) []byte {
		certificate, err := x509.CreateCertificate(rand.Reader, subject, authority, &key.PublicKey, authorityKey)
		if err != nil {
			l.Fatal(err)
		}
		return certificate
	}
	private, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		l.Fatal(err)
	}
	root := signed(authority, authorityKey)
	l.authority = write("authority.pem", "CERTIFICATE", root)
	l.certificate = write("certificate.pem", "CERTIFICATE", signed(leaf, leafKey))
	l.key = write("key.pem", "PRIVATE KEY", private)
	l.roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(root)
	if err != nil {
		l.Fatal(err)
	}
	l.roots.AddCert(parsed)
}

func (l *lab) newKey() *ecdsa.PrivateKey {
	l.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.Fatal(err)
	}
	return key
}

// freePort returns an unused port of localhost. It does not come from the ephemeral
// ports, because the system could give such a port to another program before it is used.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20_000 + mathrand.IntN(12_000))
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no port from 20000 to 32000 is free")
	return ""
}

// safeBuffer collects the output of a program.
type safeBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(text)
}

func (b *safeBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
