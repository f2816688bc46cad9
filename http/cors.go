package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file implements the CORS protocol of the Fetch standard. No response allows
// credentials, so browsers send no cookies with requests of scripts.

// serveCrossOrigin sets the CORS headers that follow from the endpoint. It reports
// whether it answered the request, which it does for a preflight. A preflight does
// not name the application, so every origin gets the same response.
func (h *Handler) serveCrossOrigin(w http.ResponseWriter, r *http.Request, found route) (done bool) {
	if found.CrossOrigin == oauthkit.CrossOriginNone {
		return false
	}
	if wire.AnswerPreflight(w, r, "*", found.Methods, h.provider.KeyBindings(), h.clients.headers...) {
		return true
	}
	if found.CrossOrigin == oauthkit.CrossOriginAny {
		wire.AllowOrigin(w.Header(), "*", h.provider.KeyBindings())
	} else {
		w.Header().Add("Vary", "Origin")
	}
	return false
}

// allowOrigin lets the script that sent the request read the response if the
// application that the request names allows the origin. The application is not
// authenticated yet, so that the script can read authentication errors. Without an
// Origin, it does not query the store.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request, form url.Values, found route) {
	origins := r.Header.Values("Origin")
	if found.CrossOrigin != oauthkit.CrossOriginApplication || len(origins) != 1 || !wire.IsOrigin(origins[0]) {
		return
	}
	app, err := h.provider.Application(r.Context(), h.clients.claimedID(r, form))
	if err != nil || !oauthkit.AllowsOrigin(app, origins[0]) { // if the store fails, authentication reports it
		return
	}
	wire.AllowOrigin(w.Header(), origins[0], h.provider.KeyBindings())
}
