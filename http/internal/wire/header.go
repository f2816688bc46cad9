package wire

import (
	"net/http"
	"strings"
)

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

// AllowOrigin lets scripts of an origin read the response, and the headers that they
// need after an error. It never allows credentials, so browsers send no cookies
// along.
func AllowOrigin(header http.Header, origin string) {
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate")
}

// AnswerPreflight answers r if it is a CORS preflight request of the Fetch standard,
// and reports whether it is. It allows every origin: a preflight request does not
// name the client.
func AnswerPreflight(w http.ResponseWriter, r *http.Request, methods []string) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	header.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
	return true
}
