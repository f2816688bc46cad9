// Package fetch sends the requests that the provider makes itself, to addresses that
// applications and strangers name: logout URIs, key sets, metadata documents.
//
// Such an address can lead anywhere, also to services that trust every caller in their
// network (server-side request forgery, CWE-918). The client therefore connects only to
// public addresses, checked at the moment of the connection, follows no redirect, sends
// no cookie and no credential of its own, and limits the time, the size and the number
// of the requests.
package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The errors of Do. Every other error means that the server could not be reached, or did
// not speak HTTP.
var (
	// ErrRefused means that the URL or the address behind it is not allowed. Repeating
	// the request is useless.
	ErrRefused = errors.New("the address is not allowed")
	// ErrTooLarge means that the body of the response is larger than Request.MaxBody.
	ErrTooLarge = errors.New("the response is too large")
	// ErrBusy means that too many requests were in flight for the whole time of this one.
	ErrBusy = errors.New("too many requests are in flight")
)

// Config configures a Client. The zero value is the strictest.
type Config struct {
	// AllowLoopback allows http and https to this machine, for tests and development.
	AllowLoopback bool
	// AllowNetworks are networks that are allowed although their addresses are not
	// public. If nil, only public addresses are.
	AllowNetworks []netip.Prefix
	// AllowPorts are ports of public addresses that are allowed beside 443 and 8443.
	AllowPorts []uint16
	// RootCAs verify the certificates of servers. If nil, the roots of the system do.
	RootCAs *x509.CertPool
	// Resolver resolves names. If nil, net.DefaultResolver does.
	Resolver Resolver
	// Timeout limits a request as a whole. If zero, it is 5 seconds.
	Timeout time.Duration
}

// Resolver resolves names. It is implemented by *net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	defaultTimeout = 5 * time.Second
	// maxHeader limits the header of a response, in bytes.
	maxHeader = 16 << 10
	// maxInFlight and maxPerHost limit the concurrent requests.
	maxInFlight = 64
	maxPerHost  = 4
	// userAgent names the library to operators of servers.
	userAgent = "oauthkit"
)

// Client sends requests. It is safe for concurrent use. It keeps no connection and no
// goroutine after a request.
type Client struct {
	config Config
	policy *policy
	gate   *gate
}

// New returns a Client.
func New(config Config) *Client {
	if config.Resolver == nil {
		config.Resolver = net.DefaultResolver
	}
	if config.Timeout <= 0 {
		config.Timeout = defaultTimeout
	}
	return &Client{config: config, policy: newPolicy(config), gate: newGate(maxInFlight, maxPerHost)}
}

// Request is a request.
type Request struct {
	// Method is the HTTP method. If empty, it is GET.
	Method string
	// URL is the address: https, or http on this machine if Config.AllowLoopback is set,
	// without user and fragment.
	URL string
	// Header is added to the request. User-Agent is set by the Client.
	Header http.Header
	// Body is the body.
	Body []byte
	// MaxBody limits the body of the response, in bytes. If zero, a response must have
	// none.
	MaxBody int
	// CutBody cuts off a body that is longer than MaxBody, which is otherwise an error.
	CutBody bool
}

// Response is the response to a Request. Any status is a response, also a redirect, which
// is not followed. The caller checks the status and the content type.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request. It returns when the response is complete, ctx ends, or the time of
// Config.Timeout is over, which includes the wait for other requests. Its errors name the
// host of the URL, for the operator's log: a client must not see them, because they tell
// open ports from closed ones.
func (c *Client) Do(ctx context.Context, request *Request) (*Response, error) {
	target, err := c.policy.parse(request.URL)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	leave, err := c.gate.enter(ctx, strings.ToLower(target.Host))
	if err != nil {
		return nil, fmt.Errorf("fetch: %s: %w", target.Host, err)
	}
	defer leave()
	response, err := c.send(ctx, target, request)
	if err != nil {
		return nil, fmt.Errorf("fetch: %s: %w", target.Host, withoutURL(err))
	}
	return response, nil
}

// send sends the request and reads the response.
func (c *Client) send(ctx context.Context, target *url.URL, request *Request) (*Response, error) {
	sent, err := http.NewRequestWithContext(ctx, request.Method, target.String(), bytes.NewReader(request.Body))
	if err != nil {
		return nil, err
	}
	if request.Header != nil {
		sent.Header = request.Header.Clone()
	}
	sent.Header.Set("User-Agent", userAgent)
	received, err := c.client(ctx, target).Do(sent)
	if err != nil {
		return nil, err
	}
	defer received.Body.Close()
	body, err := readBody(received.Body, request)
	if err != nil {
		return nil, err
	}
	return &Response{Status: received.StatusCode, Header: received.Header, Body: body}, nil
}

// client returns the HTTP client of one request. A connection is not kept for the next
// request, so that its address is checked again and nothing outlives Do. A proxy of the
// environment is not used: it would connect to addresses that this client refuses.
func (c *Client) client(ctx context.Context, target *url.URL) *http.Client {
	dialer := &dialer{policy: c.policy, resolver: c.config.Resolver, loopbackOnly: target.Scheme == "http"}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			// The context that a Transport dials with has no deadline.
			DialContext: func(_ context.Context, _, address string) (net.Conn, error) { return dialer.dial(ctx, address) },
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12,
				RootCAs:    c.config.RootCAs,
			},
			DisableKeepAlives:      true,
			DisableCompression:     true, // a small body could become a large one
			MaxResponseHeaderBytes: maxHeader,
		},
	}
}

// readBody reads a body of at most request.MaxBody bytes.
func readBody(body io.Reader, request *Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, int64(request.MaxBody)+1))
	switch {
	case len(data) <= request.MaxBody:
		return data, err
	case request.CutBody:
		return data[:request.MaxBody], nil
	default:
		return nil, ErrTooLarge
	}
}

// withoutURL removes the URL from an error of net/http, because its query can be a
// secret.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
