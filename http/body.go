package oauthhttp

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

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

// has reports whether the bytes read ahead are a form with a value in the field. It does
// not find escaped names.
func (b *body) has(name string) bool {
	for rest, more := b.read, true; more; {
		var field []byte
		field, rest, more = bytes.Cut(rest, []byte("&"))
		if len(field) > len(name)+1 && string(field[:len(name)]) == name && field[len(name)] == '=' {
			return true
		}
	}
	return false
}

// readAll reads the body. The caller checks the media type.
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

// The limits of a request. The longest parameters are tokens and assertions of a few KiB.
const (
	maxParameters = 1000
	maxValue      = 8 << 10 // bytes
)

// readForm reads the parameters of a POST from its body. Each may occur once (RFC 6749
// §3.2), unless it is repeatable. The query is ignored, since URLs end up in logs.
func readForm(w http.ResponseWriter, r *http.Request, repeatable ...string) (url.Values, error) {
	form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	if err := checkRepeated(form, repeatable); err != nil {
		return nil, err
	}
	for name, values := range form {
		for _, value := range values {
			if len(value) > maxValue || !wire.IsText(value) {
				return nil, wire.Malformed("%.40s is longer than %d bytes or not text", name, maxValue)
			}
		}
	}
	dropEmpty(form)
	return form, nil
}

// checkRepeated returns an error if a parameter occurs twice and is not repeatable.
func checkRepeated(form url.Values, repeatable []string) error {
	for name, values := range form {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			return wire.Malformed("%.40s is repeated", name)
		}
	}
	return nil
}

// readBody reads a form-encoded body without checking the parameters.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !isForm(r.Header) {
		return nil, wire.WithStatus(http.StatusUnsupportedMediaType, wire.Malformed("the body must be application/x-www-form-urlencoded in UTF-8, not compressed"))
	}
	body, err := readAll(w, r)
	if err != nil {
		return nil, err
	}
	return parseForm(body)
}

func isForm(header http.Header) bool {
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset := parameters["charset"]
	return err == nil && mediaType == "application/x-www-form-urlencoded" && (charset == "" || strings.EqualFold(charset, "utf-8")) &&
		len(header.Values("Content-Type")) == 1 && header.Get("Content-Encoding") == ""
}

// parseForm reads form-encoded text. On an error it returns no parameters.
func parseForm(text string) (url.Values, error) {
	if len(text) > wire.MaxBody || strings.Count(text, "&") >= maxParameters {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "there are more than %d bytes or %d parameters", wire.MaxBody, maxParameters).WithReason(oauthkit.ReasonTooLarge)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, wire.Malformed("the parameters are not form-encoded").WithCause(err)
	}
	return form, nil
}

// dropEmpty removes parameters without a value, which count as omitted (RFC 6749
// §3.1, §3.2). It keeps repeated ones.
func dropEmpty(form url.Values) {
	maps.DeleteFunc(form, func(_ string, values []string) bool { return len(values) == 1 && values[0] == "" })
}
