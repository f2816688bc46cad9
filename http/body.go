package oauthhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// body is a request body that was read ahead, before the request takes a turn, so that a
// slow client blocks no one else. Bytes beyond the library's limit remain in rest.
type body struct {
	read    []byte
	err     error // the error that ended reading; if nil, rest may have more
	rest    io.ReadCloser
	skipped int // the bytes of read that Read has returned
}

// maxFirst is the number of bytes that are allocated on the word of a
// Content-Length, which a client can claim for free.
const maxFirst = 4 << 10

// readAhead reads the body of r unless the method has none.
func (b *body) readAhead(r *http.Request) {
	b.rest = r.Body
	if r.Body == nil || r.Body == http.NoBody || wire.IsSafe(r.Method) {
		return
	}
	b.read = make([]byte, 0, max(min(r.ContentLength, maxFirst), 512)+1)
	for b.err == nil && len(b.read) <= wire.MaxBody {
		if len(b.read) == cap(b.read) {
			b.read = slices.Grow(b.read, len(b.read))
		}
		var n int
		n, b.err = r.Body.Read(b.read[len(b.read):cap(b.read)])
		b.read = b.read[:len(b.read)+n]
	}
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n := copy(p, b.read[b.skipped:])
	b.skipped += n
	switch {
	case n > 0 || len(p) == 0:
		return n, nil
	case b.err != nil:
		return 0, b.err
	case b.rest == nil:
		return 0, io.EOF
	default:
		return b.rest.Read(p)
	}
}

// Close implements [io.Closer].
func (b *body) Close() error {
	if b.rest == nil {
		return nil
	}
	return b.rest.Close()
}

// whole returns the complete body. It reports false if the body was not read ahead
// to its end, or if Read was called.
func (b *body) whole() (text string, ok bool) {
	if !errors.Is(b.err, io.EOF) || b.skipped > 0 || len(b.read) > wire.MaxBody {
		return "", false
	}
	b.skipped = len(b.read)
	return string(b.read), true
}

// has reports whether the bytes read ahead are a form with a value in the field. The
// name ends in "=". It does not find escaped names.
func (b *body) has(name string) bool {
	for rest, more := b.read, true; more; {
		var field []byte
		field, rest, more = bytes.Cut(rest, []byte("&"))
		if len(field) > len(name) && string(field[:len(name)]) == name {
			return true
		}
	}
	return false
}

// readAll reads the body, whatever its media type.
func readAll(w http.ResponseWriter, r *http.Request) (string, error) {
	if ahead, ok := r.Body.(*body); ok {
		if text, ok := ahead.whole(); ok {
			return text, nil
		}
	}
	text, err := io.ReadAll(http.MaxBytesReader(unwrap(w), r.Body, wire.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", wire.WithStatus(http.StatusRequestEntityTooLarge, oauthkit.Errorf(oauthkit.InvalidRequest,
			"the body is larger than %d bytes", wire.MaxBody).WithReason(oauthkit.ReasonTooLarge))
	case err != nil:
		return "", wire.Malformed("the body could not be read").WithCause(err)
	default:
		return string(text), nil
	}
}
