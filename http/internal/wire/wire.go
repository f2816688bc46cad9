// Package wire writes what programs read from an HTTP endpoint: the status code of an
// error, its JSON document, its challenge, and the headers of every response. It also
// reads the access token of a request.
package wire

import (
	"encoding/json"
	"net/http"
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
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	writeErrorDocument(w, r, err, map[string]string{})
}

// WriteUserError writes the error document for the host's front end. Its reason lets
// the front end explain the error to the user in its own words.
func WriteUserError(w http.ResponseWriter, r *http.Request, err error) {
	writeErrorDocument(w, r, err, map[string]string{"reason": string(oauthkit.ReasonOf(err))})
}

func writeErrorDocument(w http.ResponseWriter, r *http.Request, err error, document map[string]string) {
	code := oauthkit.CodeOf(err)
	document["error"] = string(code)
	if description := Description(err); description != "" {
		document["error_description"] = description
	}
	switch code {
	case oauthkit.InvalidClient:
		if r.Header.Get("Authorization") != "" { // RFC 6749 §5.2: only if the client authenticated this way
			w.Header().Set("WWW-Authenticate", `Basic realm="oauth", charset="UTF-8"`)
		}
	case oauthkit.TemporarilyUnavailable:
		w.Header().Set("Retry-After", RetryAfter)
	}
	_ = WriteJSON(w, Status(err), document) // a map of strings can always be marshaled
}
