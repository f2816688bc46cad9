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
	confirmation, err := h.provider.KeyBindings().Confirm(w, r, app)
	if err != nil {
		return err
	}
	request := oauthkit.TokenRequest{Application: app, Form: form, Confirmation: confirmation}
	response, err := h.provider.Exchange(r.Context(), request)
	if err != nil {
		return err
	}
	return wire.WriteJSON(w, http.StatusOK, response)
}
