// Package request holds the steps around every HTTP request, whether an endpoint or
// the protection of an API answers it: it identifies the request, limits its time,
// asks for the user, recovers from panics, and reports failures to the log and the
// observer.
package request

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// WithInfo returns r with an [oauthkit.RequestInfo] in its context.
func WithInfo(r *http.Request) *http.Request {
	ctx := ContextWithInfo(r)
	if ctx == r.Context() {
		return r
	}
	return r.WithContext(ctx)
}

// ContextWithInfo returns the context of r with an [oauthkit.RequestInfo]. Fields
// that the host has set stay: behind a proxy only the host knows the client's
// address.
func ContextWithInfo(r *http.Request) context.Context {
	before := oauthkit.RequestInfoFrom(r.Context())
	info := before
	if info.TraceID == "" {
		info.TraceID = secret.NewID()
	}
	if info.RemoteIP == "" {
		info.RemoteIP = remoteIP(r.RemoteAddr)
	}
	if info.UserAgent == "" {
		info.UserAgent = r.UserAgent()
	}
	if info == before { // one handler called another
		return r.Context()
	}
	return oauthkit.WithRequestInfo(r.Context(), info)
}

// remoteIP returns an address without its port, which is missing if the host has
// copied the address from a proxy's header. It is empty for a connection without an
// IP address, such as a Unix socket.
func remoteIP(remoteAddr string) string {
	if withPort, err := netip.ParseAddrPort(remoteAddr); err == nil {
		return withPort.Addr().Unmap().String()
	}
	address, err := netip.ParseAddr(remoteAddr)
	if err != nil {
		return ""
	}
	return address.Unmap().String()
}
