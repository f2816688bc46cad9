package oauthapi

import (
	"net/http"
	"slices"

	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// CORS tells which scripts may call an API from pages of other origins (the CORS
// protocol of the Fetch standard). No response allows credentials: a script sends its
// access token, and browsers add no cookies.
type CORS struct {
	// AllowOrigin reports whether scripts of an origin, such as https://app.example,
	// may call the API. It is called with the origin of an http or https page, never
	// with null. If nil, no origin is allowed.
	AllowOrigin func(origin string) bool
	// Methods are allowed besides GET, HEAD and POST, which browsers allow in any case.
	Methods []string
	// RequestHeaders may be sent besides Authorization, Content-Type and the headers of
	// key bindings.
	RequestHeaders []string
	// ResponseHeaders may be read besides Retry-After, WWW-Authenticate and the headers
	// of key bindings.
	ResponseHeaders []string
}

// CORS returns middleware that answers preflight requests and lets scripts of allowed
// origins read the responses, refusals too. Put it around the methods Require..., which
// refuse a preflight request because it carries no token, and around a ServeMux whose
// patterns name methods. A request of another origin is passed on without CORS headers,
// so that no script can read the response.
func (a API) CORS(settings CORS) func(http.Handler) http.Handler {
	methods := slices.Concat([]string{http.MethodGet, http.MethodHead, http.MethodPost}, settings.Methods)
	requestHeaders, responseHeaders := slices.Clone(settings.RequestHeaders), slices.Clone(settings.ResponseHeaders)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			origins := r.Header.Values("Origin")
			if settings.AllowOrigin == nil || len(origins) != 1 || !wire.IsWebOrigin(origins[0]) || !settings.AllowOrigin(origins[0]) {
				next.ServeHTTP(w, r)
				return
			}
			if wire.AnswerPreflight(w, r, origins[0], methods, a.keyBindings(), requestHeaders...) {
				return
			}
			wire.AllowOrigin(w.Header(), origins[0], a.keyBindings(), responseHeaders...)
			next.ServeHTTP(w, r)
		})
	}
}
