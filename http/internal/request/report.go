package request

import (
	"log/slog"
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// Log logs the error that answers r: a failure at level error, a refusal at level
// debug. R must have an [oauthkit.RequestInfo] in its context.
func Log(logger *slog.Logger, r *http.Request, err error) {
	attributes := []any{
		"trace_id", oauthkit.RequestInfoFrom(r.Context()).TraceID,
		"path", r.URL.Path, "status", wire.Status(err), "reason", oauthkit.ReasonOf(err), "error", err,
	}
	if panicked := AsPanic(err); panicked != nil {
		attributes = append(attributes, "stack", string(panicked.stack))
	}
	if wire.Status(err) >= http.StatusInternalServerError {
		logger.ErrorContext(r.Context(), "request failed", attributes...)
		return
	}
	logger.DebugContext(r.Context(), "request refused", attributes...)
}

// RecordFailure records the event of an error that concerns more people than the
// caller: a panic, an unavailable store, or a request that another site sent. Call it
// once per request.
func RecordFailure(provider *oauthkit.Provider, r *http.Request, endpoint string, err error) {
	if AsPanic(err) != nil {
		provider.Record(r.Context(), oauthkit.RequestPanicked{Endpoint: endpoint})
		return
	}
	if wire.Status(err) == http.StatusServiceUnavailable {
		provider.Record(r.Context(), oauthkit.StorageUnavailable{Endpoint: endpoint})
		return
	}
	switch reason := oauthkit.ReasonOf(err); reason {
	case oauthkit.ReasonCrossSite, oauthkit.ReasonFormExpired, oauthkit.ReasonOtherBrowser:
		provider.Record(r.Context(), oauthkit.CrossSiteBlocked{Endpoint: endpoint, Reason: reason, Origin: origin(r)})
	}
}

// maxOrigin is the number of bytes of the longest recorded origin: a scheme and the
// longest host name.
const maxOrigin = 300

// origin returns the Origin header (RFC 6454 §7). It is empty for values that no
// browser sends.
func origin(r *http.Request) string {
	value := r.Header.Get("Origin")
	if len(value) > maxOrigin || !wire.IsText(value) {
		return ""
	}
	return value
}
