package oauthhttp

import (
	"bufio"
	"net"
	"net/http"
)

// This file is what becomes of a panic, mostly of one of the host's functions: the failure of one
// request, which is answered like any other failure.

// answer is the answer to a request. It knows whether it has begun: then no other one can be sent. It
// gives the turn of the request away before a body is sent, because a client that does not read keeps
// the sender waiting as long as the server lets it.
type answer struct {
	http.ResponseWriter
	begun    bool
	turn     *inFlight // nil: the request has none, or none any more
	stranger bool      // of the turn
}

// leave gives the turn away, once.
func (a *answer) leave() {
	if a.turn != nil {
		a.turn.leave(a.stranger)
		a.turn = nil
	}
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	a.begun = a.begun || status >= http.StatusOK || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(part []byte) (int, error) {
	a.begun = true
	a.leave()
	return a.ResponseWriter.Write(part)
}

// FlushError is what [http.ResponseController] calls.
func (a *answer) FlushError() error {
	a.begun = true
	a.leave()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush implements [http.Flusher], as far as the server's own writer does.
func (a *answer) Flush() { _ = a.FlushError() }

// Hijack implements [http.Hijacker], as far as the server's own writer does.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	connection, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil {
		a.begun = true
		a.leave()
	}
	return connection, buffered, err
}

// Unwrap is what [http.ResponseController] calls for everything else.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// underneath returns the server's own writer, which net/http tells when a body is too large.
func underneath(w http.ResponseWriter) http.ResponseWriter {
	if wrapped, ok := w.(*answer); ok {
		return wrapped.ResponseWriter
	}
	return w
}
