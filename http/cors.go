package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// This file is what scripts of other origins may do (the CORS protocol of the Fetch standard). No answer ever allows
// credentials, so a browser sends no cookie along, and everything that people use or that only servers call allows nothing.

// serveCrossOrigin says who may read the answer, as far as the endpoint tells, and reports whether that was all there is to
// answer, as it is to a preflight request. Which application will ask is not known in one: it is told what anybody is.
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

// allowOrigin lets the script that sent the request read the answer, whatever it will be, if the application that the request
// names allows its origin. It comes before authentication, so that a script can read that this failed; it asks the store
// nothing where there is no Origin.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request, form url.Values, found route) {
	origins := r.Header.Values("Origin")
	if found.CrossOrigin != oauthkit.CrossOriginApplication || len(origins) != 1 || !isOrigin(origins[0]) {
		return
	}
	app, err := h.provider.Application(r.Context(), namedApplication(r.Header, form))
	if err != nil || !oauthkit.AllowsOrigin(app, origins[0]) { // a store that fails will do so again in a moment, and be answered then
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origins[0])
	w.Header().Set("Access-Control-Expose-Headers", exposedHeaders)
}

// isOrigin reports whether an Origin header names somebody. "null" and "file://" are sent for what comes from nowhere, a
// sandboxed frame of any site among it, so they are never allowed, even where an application does.
func isOrigin(text string) bool {
	uri, err := url.Parse(text)
	return err == nil && uri.Host != "" && text == uri.Scheme+"://"+uri.Host
}

// namedApplication is the client_id that the request claims, without proof; empty where it claims none or two.
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
