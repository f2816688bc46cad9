package oauthhttp

import (
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// connectionAPI is the pages of connected apps in JSON, for a host's own front end.
func (h *Handler) connectionAPI() []route {
	const one = "authorized_tokens/{client_id}"
	return []route{
		userJSON("authorized_tokens", h.connectionsJSON, http.MethodGet),
		userJSON(one, h.removeConnectionJSON, http.MethodDelete),
		userJSON(one+"/{authorization_id}", h.removeConnectionJSON, http.MethodDelete),
	}
}

// connectionDocument is an application that a user has approved. The host's session ids are not in it.
type connectionDocument struct {
	ClientID   string           `json:"client_id"`
	Name       string           `json:"name,omitempty"` // empty: the application does not exist any more, or is switched off or not usable
	Verified   bool             `json:"verified"`
	Hosts      []string         `json:"hosts"`
	Scopes     oauthkit.Scopes  `json:"scopes"`
	Since      *time.Time       `json:"since,omitempty"`
	LastUsedAt *time.Time       `json:"last_used_at,omitempty"`
	SignIns    []signInDocument `json:"authorizations"`
	More       bool             `json:"more"` // there are older ones, which are not listed
}

// signInDocument is one sign-in with it.
type signInDocument struct {
	ID         string          `json:"id"`
	Scopes     oauthkit.Scopes `json:"scopes"`
	CreatedAt  *time.Time      `json:"created_at,omitempty"`
	LastUsedAt *time.Time      `json:"last_used_at,omitempty"`
	Here       bool            `json:"here"` // made in the session of the host that the request is from
}

func newConnectionDocument(user *oauthkit.User, connection *oauthkit.Connection) connectionDocument {
	document := connectionDocument{
		ClientID: connection.ClientID, Hosts: []string{}, Scopes: list(connection.Scopes()),
		Since: moment(connection.Since()), LastUsedAt: moment(connection.LastUsedAt()), SignIns: []signInDocument{}, More: connection.More,
	}
	if app := connection.Application; app != nil {
		document.Name, document.Verified, document.Hosts = oauthkit.DisplayName(app), oauthkit.IsVerified(app), list(answerHosts(app))
	}
	for _, use := range connection.Authorizations {
		document.SignIns = append(document.SignIns, signInDocument{
			ID: use.ID, Scopes: list(use.Scopes), CreatedAt: moment(use.CreatedAt), LastUsedAt: moment(use.LastUsedAt),
			Here: isHere(use, user),
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
		documents = append(documents, newConnectionDocument(user, connection))
	}
	return wire.WriteJSON(w, http.StatusOK, map[string]any{"connections": documents})
}

// removeConnectionJSON withdraws all that an application has from the user or, where the path names one of its sign-ins, that one.
func (h *Handler) removeConnectionJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connection, signIn, err := h.ownConnection(r, user)
	if err != nil {
		return err
	}
	if err := h.withdraw(r, user, connection.ClientID, signIn); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
