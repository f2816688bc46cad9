package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// token is the token endpoint (RFC 6749 §3.2). The application is authenticated; the
// provider and the grant do the rest.
func (h *Handler) token(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	response, err := h.provider.Exchange(r.Context(), app, form)
	if err != nil {
		return err
	}
	return wire.WriteJSON(w, http.StatusOK, response)
}
