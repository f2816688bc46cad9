// Package wire writes what programs read from an HTTP endpoint: the status code of an
// error, its JSON document, its challenge, and the headers of every response. It also
// reads the access token of a request.
package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/oauthkit/oauthkit"
)

// MaxBody is the number of bytes that are read of a body.
const MaxBody = 64 << 10

// RetryAfter is the value of the Retry-After header, in seconds.
const RetryAfter = "2"

// IsText reports whether value is valid UTF-8 without NUL, so that every database can
// store it.
func IsText(value string) bool { return utf8.ValidString(value) && !strings.Contains(value, "\x00") }

// IsSafe reports whether a method only reads (RFC 9110 §9.2.1).
func IsSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions || method == http.MethodTrace
}

// WriteJSON writes a document that contains credentials or data about them. Caches
// must not store it (RFC 6749 §5.1).
func WriteJSON(w http.ResponseWriter, status int, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails only if the client is gone
	return nil
}

// WriteError writes the error document for a program (RFC 6749 §5.2, RFC 6750 §3).
func WriteError(w http.ResponseWriter, err error) {
	writeErrorDocument(w, err, map[string]string{})
}

// WriteUserError writes the error document for the host's front end. Its reason lets
// the front end explain the error to the user in its own words.
func WriteUserError(w http.ResponseWriter, err error) {
	writeErrorDocument(w, err, map[string]string{"reason": string(oauthkit.ReasonOf(err))})
}

func writeErrorDocument(w http.ResponseWriter, err error, document map[string]string) {
	code := oauthkit.CodeOf(err)
	document["error"] = string(code)
	if description := Description(err); description != "" {
		document["error_description"] = description
	}
	if code == oauthkit.TemporarilyUnavailable {
		w.Header().Set("Retry-After", RetryAfter)
	}
	_ = WriteJSON(w, Status(err), document) // a map of strings can always be marshaled
}

// MetadataCacheControl is the Cache-Control header of metadata documents. They change
// only when the host program does.
const MetadataCacheControl = "public, max-age=300"

// SetSecurityHeaders sets the strictest security headers. A response that needs
// weaker ones replaces them. The values share one slice, because every response has
// them.
func SetSecurityHeaders(header http.Header) {
	values := []string{"no-store", "default-src 'none'; frame-ancestors 'none'", "no-referrer", "nosniff", "DENY"}
	for i, name := range [...]string{ // canonical
		"Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options", "X-Frame-Options",
	} {
		header[name] = values[i : i+1 : i+1]
	}
}

// AllowOrigin lets scripts of an origin read the response, the headers that they need
// after an error, those of key bindings, and further headers. It never allows
// credentials, so browsers send no cookies along.
func AllowOrigin(header http.Header, origin string, bindings oauthkit.KeyBindings, headers ...string) {
	header.Set("Access-Control-Allow-Origin", origin)
	exposed := listed("Retry-After, WWW-Authenticate", headers)
	for _, binding := range bindings {
		exposed = listed(exposed, binding.ResponseHeaders)
	}
	header.Set("Access-Control-Expose-Headers", exposed)
}

// IsOrigin reports whether an Origin header names an origin. Any site can send "null"
// from a sandboxed frame, so "null" and "file://" are refused even if they are allowed.
func IsOrigin(text string) bool {
	uri, err := url.Parse(text)
	return err == nil && uri.Host != "" && text == uri.Scheme+"://"+uri.Host
}

// IsWebOrigin reports whether an Origin header names the origin of an http or https page.
func IsWebOrigin(text string) bool {
	return IsOrigin(text) && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://"))
}

// listed appends names to a list in a header.
func listed(list string, names []string) string {
	return strings.Join(append([]string{list}, names...), ", ")
}

// AnswerPreflight answers r if it is a CORS preflight request of the Fetch standard,
// and reports whether it is. It allows an origin, or every one if that is "*", the
// headers with proofs of key bindings, and further headers.
func AnswerPreflight(
	w http.ResponseWriter, r *http.Request, origin string, methods []string, bindings oauthkit.KeyBindings, headers ...string,
) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	allowed := listed("Authorization, Content-Type", headers)
	for _, binding := range bindings {
		allowed = listed(allowed, binding.RequestHeaders)
	}
	header.Set("Access-Control-Allow-Headers", allowed)
	header.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// statusError is an error with a status code other than the one of its error code.
type statusError struct {
	status int
	err    *oauthkit.Error
}

// WithStatus returns err with its own status code.
func WithStatus(status int, err *oauthkit.Error) error { return &statusError{status: status, err: err} }

func (e *statusError) Error() string { return e.err.Error() }

func (e *statusError) Unwrap() error { return e.err }

// Status returns the status code of an error.
func Status(err error) int {
	var own *statusError
	if errors.As(err, &own) {
		return own.status
	}
	switch oauthkit.CodeOf(err) {
	case oauthkit.InvalidClient, oauthkit.InvalidToken, oauthkit.InsufficientUserAuthentication:
		return http.StatusUnauthorized
	case oauthkit.InsufficientScope, oauthkit.AccessDenied:
		return http.StatusForbidden
	case oauthkit.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	case oauthkit.ServerError:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// Description returns the error_description that is sent for err. It is empty unless
// err is an [oauthkit.Error]. Characters that it must not contain (RFC 6749 §5.2) are
// replaced even if the error was not made by [oauthkit.Errorf].
func Description(err error) string {
	var sent *oauthkit.Error
	if errors.As(err, &sent) {
		return quotable(sent.Description)
	}
	return ""
}

// Malformed returns the error of a request that cannot be read.
func Malformed(format string, args ...any) *oauthkit.Error {
	return oauthkit.Errorf(oauthkit.InvalidRequest, format, args...).WithReason(oauthkit.ReasonMalformedRequest)
}

// MethodNotAllowed returns the error of a request whose method is not one of methods.
func MethodNotAllowed(methods []string) error {
	return WithStatus(http.StatusMethodNotAllowed, oauthkit.Errorf(oauthkit.InvalidRequest, "the method must be %s", strings.Join(methods, " or ")).
		WithReason(oauthkit.ReasonMethodNotAllowed))
}
