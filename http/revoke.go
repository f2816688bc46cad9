package oauthhttp

import (
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
)

// revoke is the revocation endpoint (RFC 7009 §2). A token that does not exist, or is another application's, gets the same
// answer (§2.2); only a failure does not.
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
