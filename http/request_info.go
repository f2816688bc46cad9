package oauthhttp

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is what an observer and a log are told of a request: which one it is, and what it was refused for.

// withRequestInfo returns the request with what is known of it in its context.
func withRequestInfo(r *http.Request) *http.Request {
	ctx := contextWithRequestInfo(r)
	if ctx == r.Context() {
		return r
	}
	return r.WithContext(ctx)
}

// contextWithRequestInfo returns the context of a request with what is known of the request. What
// the host has put there stays: behind a proxy only the host knows the address.
func contextWithRequestInfo(r *http.Request) context.Context {
	known := oauthkit.RequestInfoFrom(r.Context())
	info := known
	if info.TraceID == "" {
		info.TraceID = secret.NewID()
	}
	if info.RemoteIP == "" {
		info.RemoteIP = remoteIP(r.RemoteAddr)
	}
	if info.UserAgent == "" {
		info.UserAgent = r.UserAgent()
	}
	if info == known { // an endpoint that was called by another handler of ours
		return r.Context()
	}
	return oauthkit.WithRequestInfo(r.Context(), info)
}

// remoteIP is the address without the port, which is not there where the host has put in what its proxy says; empty where the
// connection has none, as that of a Unix socket.
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

// log keeps what is not sent: failures as such, refusals for those who debug.
func (h *Handler) log(r *http.Request, err error) {
	logError(h.provider.Logger(), r, err)
}

// logError expects that withRequestInfo was called.
func logError(logger *slog.Logger, r *http.Request, err error) {
	attributes := []any{
		"trace_id", oauthkit.RequestInfoFrom(r.Context()).TraceID,
		"path", r.URL.Path, "status", statusOf(err), "reason", oauthkit.ReasonOf(err), "error", err,
	}
	if broken := asPanic(err); broken != nil {
		attributes = append(attributes, "stack", string(broken.stack))
	}
	if statusOf(err) >= http.StatusInternalServerError {
		logger.ErrorContext(r.Context(), "request failed", attributes...)
		return
	}
	logger.DebugContext(r.Context(), "request refused", attributes...)
}

// recordFailure tells the observer of an answer that concerns more people than the one who asked. It is called once for each.
func recordFailure(provider *oauthkit.Provider, r *http.Request, endpoint string, err error) {
	if asPanic(err) != nil {
		provider.Record(r.Context(), oauthkit.RequestPanicked{Endpoint: endpoint})
		return
	}
	if statusOf(err) == http.StatusServiceUnavailable {
		provider.Record(r.Context(), oauthkit.StorageUnavailable{Endpoint: endpoint})
		return
	}
	switch reason := oauthkit.ReasonOf(err); reason {
	case oauthkit.ReasonCrossSite, oauthkit.ReasonFormExpired, oauthkit.ReasonOtherBrowser:
		provider.Record(r.Context(), oauthkit.CrossSiteBlocked{Endpoint: endpoint, Reason: reason, Origin: origin(r)})
	}
}

// recordRejection tells the observer of a refused authorization request.
func (h *Handler) recordRejection(r *http.Request, clientID string, err error, shown bool) {
	h.provider.Record(r.Context(), oauthkit.AuthorizeRejected{
		ClientID: clientID, Code: oauthkit.CodeOf(err), Reason: oauthkit.ReasonOf(err), Description: descriptionOf(err), Shown: shown,
	})
}

// maxOrigin is the number of bytes of an origin that is kept: a scheme and the longest name of a host.
const maxOrigin = 300

// origin is where the browser says that the request comes from (RFC 6454 §7); empty: it does not say, or nothing that a browser
// would.
func origin(r *http.Request) string {
	value := r.Header.Get("Origin")
	if len(value) > maxOrigin || !isText(value) {
		return ""
	}
	return value
}
