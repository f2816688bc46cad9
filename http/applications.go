package oauthhttp

import (
	"net/http"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// applicationEndpoints are the pages on which users manage their applications, at the paths of Django OAuth Toolkit, and the
// same in JSON.
func (h *Handler) applicationEndpoints() []route {
	const one = "applications/{client_id}"
	return append([]route{
		userPage("applications", h.listApplications, http.MethodGet),
		userPage("applications/register", h.registerApplication, http.MethodGet, http.MethodPost),
		userPage(one, h.showApplication, http.MethodGet),
		userPage(one+"/update", h.updateApplication, http.MethodGet, http.MethodPost),
		userPage(one+"/delete", h.deleteApplication, http.MethodGet, http.MethodPost),
		userPage(one+"/secret", h.rotateSecret, http.MethodGet, http.MethodPost),
	}, h.applicationAPI()...)
}

// ApplicationsPage lists the applications that the user may manage (applications.html).
type ApplicationsPage struct {
	Page
	Applications []ApplicationItem
	// RegisterURL is the form for a new one; empty: the user may not register any.
	RegisterURL string
	// FirstURL and NextURL lead to other parts of a long list; empty: this is the first part, or the last.
	FirstURL, NextURL string
	// ConnectionsURL is the page of connected apps; empty: there is none.
	ConnectionsURL string
}

// ApplicationItem is one application in a list.
type ApplicationItem struct {
	// Name is in the words of its owner. Never make it part of a sentence of yours.
	Name, ClientID string
	// URL is its own page.
	URL                string
	Verified, Disabled bool
}

// applicationsOnPage is how many the list shows at once: as many as Applications.List returns.
const applicationsOnPage = 100

func (h *Handler) listApplications(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	apps, after, err := h.applicationsAfter(r, user)
	if err != nil {
		return err
	}
	content := &ApplicationsPage{}
	for _, app := range apps {
		content.Applications = append(content.Applications, ApplicationItem{
			Name: oauthkit.DisplayName(app), ClientID: app.GetID(), URL: h.path("applications", app.GetID()),
			Verified: oauthkit.IsVerified(app), Disabled: !oauthkit.IsUsable(app),
		})
	}
	if after != "" {
		content.FirstURL = h.path("applications")
	}
	if len(apps) == applicationsOnPage {
		content.NextURL = h.path("applications") + "?" + url.Values{"after": {apps[len(apps)-1].GetID()}}.Encode()
	}
	if h.config.Authorizations != nil {
		content.ConnectionsURL = h.path("authorized_tokens")
	}
	switch err := h.config.Applications.MayRegister(r.Context(), user); {
	case err == nil:
		content.RegisterURL = h.path("applications", "register")
	case oauthkit.CodeOf(err) != oauthkit.AccessDenied:
		return err
	}
	return h.writePage(w, r, pageResponse{name: "applications", status: http.StatusOK, title: "applications.title", formAction: "'none'", user: user}, content)
}

// applicationsAfter returns a part of the list: what follows the client_id in the parameter after.
func (h *Handler) applicationsAfter(r *http.Request, user *oauthkit.User) (apps []oauthkit.Application, after string, err error) {
	query, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return nil, "", err
	}
	after = query.Get("after")
	if len(after) > 255 || !wire.IsText(after) {
		return nil, "", wire.Malformed("after is not a client_id")
	}
	apps, err = h.config.Applications.List(r.Context(), user, after)
	return apps, after, err
}

// ApplicationQuery shows one application to who may manage it (applications_detail.html).
type ApplicationQuery struct {
	Page
	// Name is in the words of its owner. Never make it part of a sentence of yours.
	Name, ClientID string
	// Inputs are what its owner has decided, the host's own fields included, with their values; nothing can be entered here. Of the
	// grant types they have those that the application may use, as it says itself (Application.AllowsGrant), whatever is stored.
	Inputs []FormInput
	// Verified says that the operator vouches for the name, and Disabled that the application gets nothing any more.
	Verified, Disabled bool
	// PreviousSecretUntil is until when the secret before the last one is good; zero: there is none, or the application does not tell
	// (oauthkit.SecretHolder).
	PreviousSecretUntil time.Time
	// CreatedAt is when it was registered; zero where nobody knows.
	CreatedAt time.Time
	// ListURL, UpdateURL, SecretURL and DeleteURL are the other pages. SecretURL is empty where the application has no secret.
	ListURL, UpdateURL, SecretURL, DeleteURL string
}

func (h *Handler) showApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.ownApplication(r, user)
	if err != nil {
		return err
	}
	inputs, err := h.applicationInputs(r, app, oauthkit.FormOf(app), nil)
	if err != nil {
		return err
	}
	id := app.GetID()
	inputs = h.withUsableGrants(h.words(r), inputs, app)
	content := &ApplicationQuery{
		Name: oauthkit.DisplayName(app), ClientID: id, Inputs: inputs, Verified: oauthkit.IsVerified(app), Disabled: !oauthkit.IsUsable(app),
		ListURL: h.path("applications"), UpdateURL: h.path("applications", id, "update"), DeleteURL: h.path("applications", id, "delete"),
		PreviousSecretUntil: oauthkit.PreviousSecretUntil(app, h.provider.Now()),
	}
	if oauthkit.HasSecret(app) {
		content.SecretURL = h.path("applications", id, "secret")
	}
	if abstract := oauthkit.Abstract(app); abstract != nil {
		content.CreatedAt = abstract.CreatedAt
	}
	return h.writePage(w, r, pageResponse{name: "applications_detail", status: http.StatusOK, title: "applications.detail.title", formAction: "'none'", user: user}, content)
}

// ownApplication returns the application of the path, if the user may manage it.
func (h *Handler) ownApplication(r *http.Request, user *oauthkit.User) (oauthkit.Application, error) {
	app, err := h.config.Applications.Find(r.Context(), user, r.PathValue("client_id"))
	return app, notFound(err)
}
