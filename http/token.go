package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
)

// token is the token endpoint (RFC 6749 §3.2). By now the application is authenticated; whether the grant is known and
// allowed, the proof, and the one act of the store are the provider's and the grant's.
func (h *Handler) token(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	response, err := h.provider.Exchange(r.Context(), app, form)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, response)
}
