package oauthhttp

import (
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// connectionAPI returns the pages of connections in JSON, for the host's own front end.
func (h *Handler) connectionAPI() []route {
	const one = "authorized_tokens/{client_id}"
	return []route{
		userJSON("authorized_tokens", h.connectionsJSON, http.MethodGet),
		userJSON(one, h.revokeConnectionJSON, http.MethodDelete),
		userJSON(one+"/{authorization_id}", h.revokeConnectionJSON, http.MethodDelete),
	}
}

// connectionDocument is an application that a user has approved. It does not contain the
// host's session ids.
type connectionDocument struct {
	ClientID       string                  `json:"client_id"`
	Name           string                  `json:"name,omitempty"` // empty if Gone on the page
	Verified       bool                    `json:"verified"`
	Hosts          []string                `json:"hosts"`
	Scopes         oauthkit.Scopes         `json:"scopes"`
	Since          *time.Time              `json:"since,omitempty"`
	LastUsedAt     *time.Time              `json:"last_used_at,omitempty"`
	Authorizations []authorizationDocument `json:"authorizations"`
	More           bool                    `json:"more"` // whether older ones are not listed
}

// authorizationDocument is an Authorization of the application.
type authorizationDocument struct {
	ID         string          `json:"id"`
	Scopes     oauthkit.Scopes `json:"scopes"`
	CreatedAt  *time.Time      `json:"created_at,omitempty"`
	LastUsedAt *time.Time      `json:"last_used_at,omitempty"`
	Here       bool            `json:"here"` // approved in the present session of the host
}

func (h *Handler) newConnectionDocument(user *oauthkit.User, connection *oauthkit.Connection) connectionDocument {
	document := connectionDocument{
		ClientID: connection.ClientID, Hosts: []string{}, Scopes: list(connection.Scopes()),
		Since: moment(connection.Since()), LastUsedAt: moment(connection.LastUsedAt()), Authorizations: []authorizationDocument{}, More: connection.More,
	}
	if app := connection.Application; app != nil {
		document.Name, document.Verified, document.Hosts = oauthkit.DisplayName(app), oauthkit.IsVerified(app), list(answerHosts(app))
	}
	for _, use := range connection.Authorizations {
		document.Authorizations = append(document.Authorizations, authorizationDocument{
			ID: use.ID, Scopes: list(use.Scopes), CreatedAt: moment(use.CreatedAt), LastUsedAt: moment(use.LastUsedAt),
			Here: h.isHere(use, user),
		})
	}
	return document
}

func (h *Handler) connectionsJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connections, err := h.config.Authorizations.Connections(r.Context(), user.Subject)
	if err != nil {
		return err
	}
	documents := []connectionDocument{}
	for _, connection := range connections {
		documents = append(documents, h.newConnectionDocument(user, connection))
	}
	return wire.WriteJSON(w, http.StatusOK, map[string]any{"connections": documents})
}

// revokeConnectionJSON revokes the Authorization in the path, or all of the application's
// access if the path names none.
func (h *Handler) revokeConnectionJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connection, id, err := h.findConnection(r, user)
	if err != nil {
		return err
	}
	if err := h.revokeAccess(r, user, connection.ClientID, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
