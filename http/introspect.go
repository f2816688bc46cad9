package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// introspect is the introspection endpoint (RFC 7662 §2). The response is the same
// for an inactive token and for one that the application may not introspect.
func (h *Handler) introspect(w http.ResponseWriter, r *http.Request, form url.Values, app oauthkit.Application) error {
	if app.IsPublic() { // RFC 7662 §2.1: the endpoint requires authentication
		return oauthkit.Errorf(oauthkit.InvalidClient, "a public application may not introspect")
	}
	token := form.Get("token")
	if token == "" {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "token is missing")
	}
	credential, err := h.provider.Introspect(r.Context(), app, token)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return wire.WriteJSON(w, http.StatusOK, map[string]any{"active": false})
	case err != nil:
		return err
	default:
		return wire.WriteJSON(w, http.StatusOK, h.introspection(credential))
	}
}

// introspection returns the response of RFC 7662 §2.2. It has no sub if the token
// was issued to the application itself, and no scope if the token has none.
func (h *Handler) introspection(credential *oauthkit.Credential) map[string]any {
	document := map[string]any{
		"active":    true,
		"iss":       h.provider.Issuer(),
		"client_id": credential.Authorization.ClientID,
		"iat":       credential.IssuedAt.Unix(),
		"exp":       credential.ExpiresAt.Unix(),
	}
	if len(credential.Scopes) > 0 { // RFC 6749 §3.3: a scope has at least one word
		document["scope"] = credential.Scopes.String()
	}
	if credential.Authorization.Subject != "" {
		document["sub"] = credential.Authorization.Subject
	}
	if len(credential.Resources) > 0 { // RFC 8707 §2.2
		document["aud"] = credential.Resources
	}
	if credential.Authorization.ACR != "" { // RFC 9470 §6.2
		document["acr"] = credential.Authorization.ACR
	}
	if !credential.Authorization.AuthTime.IsZero() {
		document["auth_time"] = credential.Authorization.AuthTime.Unix()
	}
	if !credential.Confirmation.IsZero() { // RFC 9449 §6.2, RFC 8705 §3.2
		document["cnf"] = map[string]string{credential.Confirmation.Method: credential.Confirmation.Value}
	}
	if credential.Kind == oauthkit.KindAccessToken {
		document["token_type"], _ = h.provider.KeyBindings().TokenType(credential.Confirmation)
	}
	return document
}
