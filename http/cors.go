package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// This file implements the CORS protocol of the Fetch standard. No response allows credentials,
// so browsers send no cookies with requests of scripts.

// serveCrossOrigin sets the CORS headers that follow from the endpoint. It reports whether it
// answered the request, which it does for a preflight. A preflight does not name the application,
// so every origin gets the same response.
func serveCrossOrigin(w http.ResponseWriter, r *http.Request, found route) (done bool) {
	readers, header := found.CrossOrigin, w.Header()
	preflight := r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
	switch {
	case readers == oauthkit.CrossOriginNone:
		return false
	case preflight:
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", strings.Join(found.Methods, ", "))
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		header.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
		return true
	case readers == oauthkit.CrossOriginAny:
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", exposedHeaders)
	default:
		header.Add("Vary", "Origin")
	}
	return false
}

// exposedHeaders are what a script may read besides the body, to act on an error.
const exposedHeaders = "Retry-After, WWW-Authenticate"

// allowOrigin lets the script that sent the request read the response if the application that the
// request names allows the origin. The application is not authenticated yet, so that the script
// can read authentication errors. Without an Origin, it does not query the store.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request, form url.Values, found route) {
	origins := r.Header.Values("Origin")
	if found.CrossOrigin != oauthkit.CrossOriginApplication || len(origins) != 1 || !isOrigin(origins[0]) {
		return
	}
	app, err := h.provider.Application(r.Context(), namedApplication(r.Header, form))
	if err != nil || !oauthkit.AllowsOrigin(app, origins[0]) { // if the store fails, authentication reports it
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origins[0])
	w.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
}

// isOrigin reports whether an Origin header names an origin. Any site can send "null" from a
// sandboxed frame, so "null" and "file://" are refused even if an application allows them.
func isOrigin(text string) bool {
	uri, err := url.Parse(text)
	return err == nil && uri.Host != "" && text == uri.Scheme+"://"+uri.Host
}

// namedApplication returns the client_id that the request claims, without proof. It returns "" if
// there is none, or if there are two.
func namedApplication(header http.Header, form url.Values) string {
	named := form.Get("client_id")
	basic, hasBasic, err := readBasic(header)
	switch {
	case err != nil || !hasBasic:
		return named
	case named != "" && named != basic.id:
		return ""
	default:
		return basic.id
	}
}
