package oauthhttp

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// response is the response to a request. It records whether it was begun: then no
// error can be written. It releases the request's turn before a body is sent, since
// a client that does not read can block the sender.
type response struct {
	http.ResponseWriter
	turn      *inFlight // nil if the request has no turn, or has released it
	anonymous bool      // the kind of the turn
	begun     bool
}

// leave releases the turn, if the request has one.
func (r *response) leave() {
	if r.turn != nil {
		r.turn.leave(r.anonymous)
		r.turn = nil
	}
}

// WriteHeader implements [http.ResponseWriter].
func (r *response) WriteHeader(status int) {
	r.begun = r.begun || status >= http.StatusOK || status == http.StatusSwitchingProtocols
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *response) Write(part []byte) (int, error) {
	r.begun = true
	r.leave()
	return r.ResponseWriter.Write(part)
}

// FlushError is called by [http.ResponseController].
func (r *response) FlushError() error {
	r.begun = true
	r.leave()
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Flush implements [http.Flusher], if the underlying writer does.
func (r *response) Flush() { _ = r.FlushError() }

// Hijack implements [http.Hijacker], if the underlying writer does.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	connection, buffered, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil {
		r.begun = true
		r.leave()
	}
	return connection, buffered, err
}

// Unwrap is called by [http.ResponseController] for everything else.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// unwrap returns the server's own writer, which http.MaxBytesReader
// tells to close the connection.
func unwrap(w http.ResponseWriter) http.ResponseWriter {
	if wrapped, ok := w.(*response); ok {
		return wrapped.ResponseWriter
	}
	return w
}

// asTimeout turns an internal error after the deadline into [oauthkit.Unavailable],
// since its cause is probably the deadline.
func asTimeout(ctx context.Context, err error) error {
	if wire.Status(err) == http.StatusInternalServerError && request.AsPanic(err) == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return oauthkit.Unavailable(err)
	}
	return err
}
