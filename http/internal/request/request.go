// Package request holds the steps around every HTTP request, whether an endpoint or
// the protection of an API answers it: it identifies the request, limits its time,
// asks for the user, recovers from panics, and reports failures to the log and the
// observer.
package request

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
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

// Detached is a context with the values of a request's context, but without its
// cancellation. A client that hangs up must not be able to stop its own revocation or
// the alarm about its replay, nor make the database give up a connection.
// [WithTimeout] limits the time instead.
type Detached struct {
	Request context.Context
}

// Deadline implements [context.Context].
func (d *Detached) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done implements [context.Context].
func (d *Detached) Done() <-chan struct{} { return nil }

// Err implements [context.Context].
func (d *Detached) Err() error { return nil }

// Value implements [context.Context].
func (d *Detached) Value(key any) any { return d.Request.Value(key) }

// WithTimeout returns a copy of a detached context that ends after the timeout, or at
// the deadline of the request's context if the host has set an earlier one. Call the
// CancelFunc after the response.
func WithTimeout(detached, request context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(detached, timeout)
	deadline, limited := request.Deadline()
	if !limited {
		return ctx, cancel
	}
	ctx, cancelEarlier := context.WithDeadline(ctx, deadline)
	return ctx, func() {
		cancelEarlier()
		cancel()
	}
}

// PanicError is the error of a recovered panic, usually of a function of the host. It
// is answered like any other failure.
type PanicError struct {
	value any
	stack []byte
}

// Error implements [error].
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// RecoverTo turns a panic into *err. Defer it in a function whose error result is
// err. It repeats the panic with which a handler tells net/http to abort the
// response.
func RecoverTo(err *error) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it in the same way
		panic(value)
	}
	*err = &PanicError{value: value, stack: debug.Stack()}
}

// AsPanic returns the panic in err, or nil if there is none.
func AsPanic(err error) *PanicError {
	var found *PanicError
	_ = errors.As(err, &found) // if it is false, found is nil
	return found
}

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

// CurrentUser returns the user who is signed in to the host, or nil. It validates the
// user that the host's function returns, because the user becomes part of every
// token.
func CurrentUser(currentUser func(*http.Request) (*oauthkit.User, error), r *http.Request) (*oauthkit.User, error) {
	if currentUser == nil {
		return nil, nil
	}
	user, err := currentUser(r)
	if err != nil {
		return nil, oauthkit.Unavailable(fmt.Errorf("CurrentUser: %w", err))
	}
	if user != nil && (user.Subject == "" || len(user.Subject) > 255) { // OpenID Connect Core §2
		return nil, errors.New("CurrentUser returned a user whose Subject is empty or longer than 255 bytes")
	}
	if user != nil && !wire.IsText(user.Subject+user.ACR+user.SessionID) {
		return nil, errors.New("CurrentUser returned a user whose Subject, ACR or SessionID is not valid text")
	}
	return user, nil
}

// CheckSameOrigin returns an error if another site's page sent r. Secure says that
// browsers call this site over https. A browser that sends no Sec-Fetch-Site header
// lets crossOrigin compare only the hosts, so a page loaded over plain http, which
// anyone on the network could have changed, is then refused as well.
func CheckSameOrigin(crossOrigin *http.CrossOriginProtection, r *http.Request, secure bool) error {
	err := crossOrigin.Check(r)
	if err == nil && secure && r.Header.Get("Sec-Fetch-Site") == "" && strings.HasPrefix(r.Header.Get("Origin"), "http://") {
		err = errors.New("the page was loaded over plain http")
	}
	return err
}
