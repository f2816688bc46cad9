package oauthkit

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/oauthkit/oauthkit/internal/fetch"
)

// The errors of [Provider.Fetch] that callers tell apart.
var (
	// ErrFetchRefused means that the URL, or an address of its host, is not allowed by
	// Config.Fetch. Repeating the request is useless.
	ErrFetchRefused = fetch.ErrRefused
	// ErrFetchTooLarge means that the body of the response is larger than allowed.
	ErrFetchTooLarge = fetch.ErrTooLarge
)

// FetchConfig configures the requests that the provider itself sends to addresses that
// applications registered, such as logout URIs. The zero value allows https to public
// addresses at the ports 443 and 8443. It refuses loopback, private and other special
// addresses (RFC 6890), which can lead to services that trust the provider's network.
type FetchConfig struct {
	// AllowLoopback allows https and http to this machine at any port, for tests and
	// development.
	AllowLoopback bool
	// AllowNetworks are the host's own networks in which applications run, such as
	// 10.20.0.0/16. Https to any address in them is allowed, at any port: no service
	// there may trust every request from the provider. If nil, none is.
	AllowNetworks []netip.Prefix
	// AllowPorts are further ports of public addresses. If nil, there are none.
	AllowPorts []uint16
	// RootCAs verify the certificates of the servers. If nil, the roots of the system do.
	RootCAs *x509.CertPool
}

// fetchTimeout limits a request of the provider.
const fetchTimeout = 5 * time.Second

func (c FetchConfig) client() *fetch.Client {
	return fetch.New(fetch.Config{
		AllowLoopback: c.AllowLoopback, AllowNetworks: c.AllowNetworks, AllowPorts: c.AllowPorts, RootCAs: c.RootCAs,
		Timeout: fetchTimeout,
	})
}

// FetchRequest is a request of the provider.
type FetchRequest struct {
	// Method is the HTTP method. If empty, it is GET.
	Method string
	// URL is an https URL without user and fragment.
	URL string
	// Header is sent with the request. User-Agent is always that of the library.
	Header http.Header
	// Body is the body.
	Body []byte
	// MaxBody limits the body of the response, in bytes. If zero, there must be none.
	MaxBody int
	// CutBody cuts off a body that is longer than MaxBody. If false, such a body is
	// ErrFetchTooLarge.
	CutBody bool
}

// FetchResponse is a response to the provider. It can have any status. A redirect is not
// followed.
type FetchResponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// Fetch sends a request to an address that Config.Fetch allows. An extension should send
// every request with it whose address a stranger can choose.
//
// Fetch sends no cookies, follows no redirects, uses no proxy, and does not decompress
// bodies. It ends with ctx or after 5 seconds, which include waiting while 64 other
// requests, or 4 to the same host, are in flight. Its error names the host and is for the
// log: a client that sees it can tell open ports from closed ones.
func (p *Provider) Fetch(ctx context.Context, request *FetchRequest) (*FetchResponse, error) {
	sent := fetch.Request(*request)
	received, err := p.fetcher.Do(ctx, &sent)
	if err != nil {
		return nil, err
	}
	response := FetchResponse(*received)
	return &response, nil
}

// RetryAfter returns the time that the server asks to wait before the next request (RFC
// 9110 §10.2.3), at least a second. It is zero if the server asks for none.
func (r *FetchResponse) RetryAfter(now time.Time) time.Duration {
	const longest = 24 * time.Hour
	value := r.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return max(time.Second, min(longest, time.Duration(seconds)*time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Second, min(longest, at.Sub(now)))
	}
	return 0
}
