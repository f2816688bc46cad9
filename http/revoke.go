package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
)

// revoke is the revocation endpoint (RFC 7009 §2). It returns success for unknown
// tokens and for tokens of other applications too (§2.2).
func (h *Handler) revoke(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	token := form.Get("token")
	if token == "" {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "token is missing")
	}
	if err := h.provider.Revoke(r.Context(), app, token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
