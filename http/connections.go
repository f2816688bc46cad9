package oauthhttp

import (
	"net/http"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// connectionEndpoints are the pages on which users see and withdraw what they have approved, at the paths of Django OAuth
// Toolkit, and the same in JSON.
func (h *Handler) connectionEndpoints() []route {
	const one = "authorized_tokens/{client_id}"
	return append([]route{
		userPage("authorized_tokens", h.listConnections, http.MethodGet),
		userPage(one+"/delete", h.removeConnection, http.MethodGet, http.MethodPost),
		userPage(one+"/{authorization_id}/delete", h.removeConnection, http.MethodGet, http.MethodPost),
	}, h.connectionAPI()...)
}

// ConnectionsPage lists the applications that a user has approved (connections.html).
type ConnectionsPage struct {
	Page
	Connections []ConnectionItem
	// ApplicationsURL is the page of the user's own applications; empty: there is none.
	ApplicationsURL string
}

// ConnectionItem is an application that a user has approved.
type ConnectionItem struct {
	// Name is in the words of the application's owner. Never make it part of a sentence of yours.
	Name string
	// Verified says that the operator vouches for the name, and Gone that the application does not exist any more, or is switched off
	// or not usable.
	Verified, Gone bool
	// Hosts are where its answers go, as far as they go to a site.
	Hosts []string
	// Scopes are all that it may do, in words; those of sign-ins that are not listed are not in it.
	Scopes []Choice
	// Since is when the user first approved it. LastUsedAt is when it last got a token, or when the user signed in where it has not
	// fetched one yet; zero: there is no sign-in that is still good.
	Since, LastUsedAt time.Time
	// SignIns are those that are still good, the newest first: one for each device or session.
	SignIns []SignInItem
	// More says that there are older ones, which are not listed.
	More bool
	// RemoveURL is the page that asks before all of it is withdrawn.
	RemoveURL string
}

// SignInItem is one sign-in of a user with an application.
type SignInItem struct {
	CreatedAt, LastUsedAt time.Time
	// Here says that the user approved it in the session of the host in which he sees the page.
	Here bool
	// RemoveURL is the page that asks before it is ended.
	RemoveURL string
}

// ConnectionConfirmPage asks before something is withdrawn (connections_confirm.html).
type ConnectionConfirmPage struct {
	Page
	Connection ConnectionItem
	// SignIn is the one that is to be ended; nil: all that the application has.
	SignIn *SignInItem
	// Action is where the form is sent, with Token under the name token.
	Action, Token string
	// BackURL is where to go without withdrawing anything.
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
	content, language := &ConnectionsPage{}, h.pages.words.choose(r, "")
	for _, connection := range connections {
		content.Connections = append(content.Connections, h.connectionItem(language, user, connection, texts))
	}
	if h.config.Applications != nil {
		content.ApplicationsURL = h.path("applications")
	}
	return h.writePage(w, r, pageResponse{name: "connections", status: http.StatusOK, title: "connections.title", formAction: "'none'", user: user}, content)
}

func (h *Handler) connectionItem(language int, user *oauthkit.User, connection *oauthkit.Connection, texts map[string]string) ConnectionItem {
	id := connection.ClientID
	item := ConnectionItem{
		Name: id, Gone: connection.Application == nil, Scopes: h.scopeChoices(language, connection.Scopes(), nil, texts),
		Since: connection.Since(), LastUsedAt: connection.LastUsedAt(), More: connection.More,
		RemoveURL: h.path("authorized_tokens", id, "delete"),
	}
	if app := connection.Application; app != nil {
		item.Name, item.Verified, item.Hosts = oauthkit.DisplayName(app), oauthkit.IsVerified(app), answerHosts(app)
	}
	for _, use := range connection.Authorizations {
		item.SignIns = append(item.SignIns, SignInItem{
			CreatedAt: use.CreatedAt, LastUsedAt: use.LastUsedAt, Here: isHere(use, user),
			RemoveURL: h.path("authorized_tokens", id, use.ID, "delete"),
		})
	}
	return item
}

// isHere reports whether a sign-in was made in the session of the host that the user is in. The session's id itself is not shown.
func isHere(use oauthkit.AuthorizationUse, user *oauthkit.User) bool {
	return use.SessionID != "" && use.SessionID == user.SessionID
}

// answerHosts names the sites that an application's answers may go to.
func answerHosts(app oauthkit.Application) []string {
	var hosts []string
	for _, uri := range oauthkit.RegisteredRedirectURIs(app) {
		if host := answerHost(uri); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// removeConnection asks (GET) and withdraws (POST): all that an application has from the user or, where the path names one of its
// sign-ins, that one.
func (h *Handler) removeConnection(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	connection, signIn, err := h.ownConnection(r, user)
	if err != nil {
		return err
	}
	action := h.path("authorized_tokens", connection.ClientID, "delete")
	if signIn != "" {
		action = h.path("authorized_tokens", connection.ClientID, signIn, "delete")
	}
	if r.Method != http.MethodPost {
		return h.confirmRemoval(w, r, user, connection, action)
	}
	if _, err := h.readUserForm(w, r, action, user); err != nil {
		return err
	}
	if err := h.withdraw(r, user, connection.ClientID, signIn); err != nil {
		return err
	}
	redirect(w, h.path("authorized_tokens"))
	return nil
}

// ownConnection returns what the path names, if the user has approved it. SignIn is the id of one of its sign-ins; empty: the
// path names none. One that is older than those that are listed is added to them.
func (h *Handler) ownConnection(r *http.Request, user *oauthkit.User) (connection *oauthkit.Connection, signIn string, err error) {
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
	connection, signIn = connections[i], r.PathValue("authorization_id")
	if signIn == "" || slices.ContainsFunc(connection.Authorizations, func(use oauthkit.AuthorizationUse) bool { return use.ID == signIn }) {
		return connection, signIn, nil
	}
	use, err := h.config.Authorizations.Find(r.Context(), user.Subject, signIn)
	if err == nil && use.ClientID != connection.ClientID {
		err = oauthkit.ErrNotFound
	}
	if err != nil {
		return nil, "", notFound(err)
	}
	connection.Authorizations = append(connection.Authorizations, use)
	return connection, signIn, nil
}

// withdraw ends one sign-in or, where none is named, all that the application has.
func (h *Handler) withdraw(r *http.Request, user *oauthkit.User, clientID, signIn string) error {
	if signIn != "" {
		return notFound(h.config.Authorizations.Revoke(r.Context(), user.Subject, signIn))
	}
	return notFound(h.config.Authorizations.Disconnect(r.Context(), user.Subject, clientID))
}

func (h *Handler) confirmRemoval(w http.ResponseWriter, r *http.Request, user *oauthkit.User, connection *oauthkit.Connection, action string) error {
	texts, err := h.provider.ScopeTexts(r.Context())
	if err != nil {
		return err
	}
	content := &ConnectionConfirmPage{
		Connection: h.connectionItem(h.pages.words.choose(r, ""), user, connection, texts), Action: action, Token: h.newFormToken(w, r, action, user), BackURL: h.path("authorized_tokens"),
	}
	response := pageResponse{name: "connections_confirm", status: http.StatusOK, title: "connections.delete.title", formAction: "'self'", user: user}
	for i, signIn := range content.Connection.SignIns {
		if signIn.RemoveURL == action {
			content.SignIn, response.title = &content.Connection.SignIns[i], "connections.end.title"
		}
	}
	return h.writePage(w, r, response, content)
}
