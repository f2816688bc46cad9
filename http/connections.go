package oauthhttp

import (
	"net/http"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// connectionEndpoints returns the pages on which users see and revoke what they have
// approved, and the same in JSON. Their paths are those of Django OAuth Toolkit.
func (h *Handler) connectionEndpoints() []route {
	const one = "authorized_tokens/{client_id}"
	return append([]route{
		userPage("authorized_tokens", h.listConnections, http.MethodGet),
		userPage(one+"/delete", h.revokeConnection, http.MethodGet, http.MethodPost),
		userPage(one+"/{authorization_id}/delete", h.revokeConnection, http.MethodGet, http.MethodPost),
	}, h.connectionAPI()...)
}

// ConnectionsPage lists the applications that a user has approved (connections.html).
type ConnectionsPage struct {
	Page
	Connections []ConnectionItem
	// ApplicationsURL is the page of the user's own applications. It is empty if there is
	// none.
	ApplicationsURL string
}

// ConnectionItem is an application that a user has approved.
type ConnectionItem struct {
	// Name is the name that the application gave itself. Never make it part of a
	// sentence of your own.
	Name string
	// Verified reports whether the operator verified the name. Gone reports whether the
	// application is deleted, disabled or not usable.
	Verified, Gone bool
	// Hosts are the hosts of the application's https redirect URIs.
	Hosts []string
	// Scopes are the scopes of the consent and of the listed Authorizations.
	Scopes []Choice
	// Since is when the user first approved the application. LastUsedAt is when it
	// last got a token, or when the user approved it if it has got none yet.
	// LastUsedAt is zero if no Authorization is valid.
	Since, LastUsedAt time.Time
	// Authorizations are the valid ones, newest first: one for each device or session.
	Authorizations []AuthorizationItem
	// More reports whether there are older Authorizations, which are not listed.
	More bool
	// RevokeURL is the page that confirms revoking all of the application's access.
	RevokeURL string
}

// AuthorizationItem is an Authorization of an application, such as one device.
type AuthorizationItem struct {
	CreatedAt, LastUsedAt time.Time
	// Here reports whether the user approved it in the present session of the host.
	Here bool
	// RevokeURL is the page that confirms revoking it.
	RevokeURL string
}

// ConnectionConfirmPage asks the user to confirm a revocation (connections_confirm.html).
type ConnectionConfirmPage struct {
	Page
	Connection ConnectionItem
	// Authorization is the one to revoke. If it is nil, all of the application's
	// access is revoked.
	Authorization *AuthorizationItem
	// Action is the URL of the form, which must send Token under the name token.
	Action, Token string
	// BackURL is the page to return to without revoking.
	BackURL string
}

func (h *Handler) listConnections(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connections, err := h.config.Authorizations.Connections(r.Context(), user.Subject)
	if err != nil {
		return err
	}
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return err
	}
	content, language := &ConnectionsPage{}, h.pages.catalogue.choose(r, "")
	for _, connection := range connections {
		content.Connections = append(content.Connections, h.connectionItem(language, user, connection, texts))
	}
	if h.config.Applications != nil {
		content.ApplicationsURL = h.path("applications")
	}
	return h.writePage(w, r, PageResponse{Name: "connections", Status: http.StatusOK, Title: "connections.title", FormAction: "'none'", User: user}, content)
}

func (h *Handler) connectionItem(language int, user *oauthkit.User, connection *oauthkit.Connection, texts map[string]string) ConnectionItem {
	id := connection.ClientID
	item := ConnectionItem{
		Name: id, Gone: connection.Application == nil, Scopes: h.scopeChoices(language, connection.Scopes(), nil, texts),
		Since: connection.Since(), LastUsedAt: connection.LastUsedAt(), More: connection.More,
		RevokeURL: h.path("authorized_tokens", id, "delete"),
	}
	if app := connection.Application; app != nil {
		item.Name, item.Verified, item.Hosts = oauthkit.DisplayName(app), oauthkit.IsVerified(app), answerHosts(app)
	}
	for _, use := range connection.Authorizations {
		item.Authorizations = append(item.Authorizations, AuthorizationItem{
			CreatedAt: use.CreatedAt, LastUsedAt: use.LastUsedAt, Here: h.isHere(use, user),
			RevokeURL: h.path("authorized_tokens", id, use.ID, "delete"),
		})
	}
	return item
}

// isHere reports whether an Authorization was approved in the user's present session
// of the host. Pages do not show the session's id.
func (h *Handler) isHere(use oauthkit.AuthorizationUse, user *oauthkit.User) bool {
	return use.SessionID != "" && use.SessionID == h.provider.SessionID(user)
}

// answerHosts returns the hosts of an application's https redirect URIs.
func answerHosts(app oauthkit.Application) []string {
	var hosts []string
	for _, uri := range oauthkit.RegisteredRedirectURIs(app) {
		if host := answerHost(uri); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// revokeConnection shows the confirmation (GET) and revokes (POST) the Authorization
// in the path, or all of the application's access if the path names none.
func (h *Handler) revokeConnection(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connection, id, err := h.findConnection(r, user)
	if err != nil {
		return err
	}
	action := h.path("authorized_tokens", connection.ClientID, "delete")
	if id != "" {
		action = h.path("authorized_tokens", connection.ClientID, id, "delete")
	}
	if r.Method != http.MethodPost {
		return h.confirmRevocation(w, r, user, connection, action)
	}
	if _, err := h.readUserForm(w, r, action, user); err != nil {
		return err
	}
	if err := h.revokeAccess(r, user, connection.ClientID, id); err != nil {
		return err
	}
	redirect(w, h.path("authorized_tokens"))
	return nil
}

// findConnection returns the connection in the path, and the id of the Authorization
// in the path or the empty string. It adds an Authorization that is too old to be
// listed. The error is the same whether or not another user has the connection.
func (h *Handler) findConnection(r *http.Request, user *oauthkit.User) (connection *oauthkit.Connection, id string, err error) {
	connections, err := h.config.Authorizations.Connections(r.Context(), user.Subject)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(connections, func(connection *oauthkit.Connection) bool {
		return connection.ClientID == r.PathValue("client_id")
	})
	if i < 0 {
		return nil, "", notFound(oauthkit.ErrNotFound)
	}
	connection, id = connections[i], r.PathValue("authorization_id")
	if id == "" || slices.ContainsFunc(connection.Authorizations, func(use oauthkit.AuthorizationUse) bool { return use.ID == id }) {
		return connection, id, nil
	}
	use, err := h.config.Authorizations.Find(r.Context(), user.Subject, id)
	if err == nil && use.ClientID != connection.ClientID {
		err = oauthkit.ErrNotFound
	}
	if err != nil {
		return nil, "", notFound(err)
	}
	connection.Authorizations = append(connection.Authorizations, use)
	return connection, id, nil
}

// revokeAccess revokes the Authorization with that id, or all of the application's
// access if id is empty.
func (h *Handler) revokeAccess(r *http.Request, user *oauthkit.User, clientID, id string) error {
	if id != "" {
		return notFound(h.config.Authorizations.Revoke(r.Context(), user.Subject, id))
	}
	return notFound(h.config.Authorizations.Disconnect(r.Context(), user.Subject, clientID))
}

func (h *Handler) confirmRevocation(w http.ResponseWriter, r *http.Request, user *oauthkit.User, connection *oauthkit.Connection, action string) error {
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return err
	}
	content := &ConnectionConfirmPage{
		Connection: h.connectionItem(h.pages.catalogue.choose(r, ""), user, connection, texts),
		Action:     action, Token: h.NewFormToken(w, r, action, user), BackURL: h.path("authorized_tokens"),
	}
	response := PageResponse{Name: "connections_confirm", Status: http.StatusOK, Title: "connections.delete.title", FormAction: "'self'", User: user}
	for i, authorization := range content.Connection.Authorizations {
		if authorization.RevokeURL == action {
			content.Authorization, response.Title = &content.Connection.Authorizations[i], "connections.end.title"
		}
	}
	return h.writePage(w, r, response, content)
}
