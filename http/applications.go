package oauthhttp

import (
	"net/http"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// applicationEndpoints returns the pages on which users manage their applications,
// and the same in JSON. Their paths are those of Django OAuth Toolkit.
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
	// RegisterURL is the form for a new application. It is empty if the user may not
	// register one.
	RegisterURL string
	// FirstURL and NextURL lead to other parts of a long list. FirstURL is empty on the
	// first part, NextURL on the last.
	FirstURL, NextURL string
	// ConnectionsURL is the page of the user's connections. It is empty if there is none.
	ConnectionsURL string
}

// ApplicationItem is an application in a list.
type ApplicationItem struct {
	// Name is chosen by the application's owner. Never make it part of a sentence of your
	// own.
	Name, ClientID string
	// URL is the application's page.
	URL                string
	Verified, Disabled bool
}

// applicationsOnPage is the number of applications on a page, which is the limit of
// Applications.List.
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
	return h.writePage(w, r, PageResponse{Name: "applications", Status: http.StatusOK, Title: "applications.title", FormAction: "'none'", User: user}, content)
}

// applicationsAfter returns the part of the list that follows the client_id in the
// parameter after.
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

// ApplicationPage shows an application to a user who may manage it
// (applications_detail.html).
type ApplicationPage struct {
	Page
	// Name is chosen by the application's owner. Never make it part of a sentence of your
	// own.
	Name, ClientID string
	// Inputs are the fields of the form with their values, including the host's own
	// fields. The page shows them read-only. The grant types and response types are those
	// that the application's methods allow, whichever are stored.
	Inputs []FormInput
	// Verified reports whether the operator verified the name. Disabled reports
	// whether the application is disabled.
	Verified, Disabled bool
	// PreviousSecretUntil is when the previous secret expires. It is zero if there is
	// none or if the application does not implement [oauthkit.SecretHolder].
	PreviousSecretUntil time.Time
	// CreatedAt is when the application was registered. It is zero if that is unknown.
	CreatedAt time.Time
	// ListURL, UpdateURL, SecretURL and DeleteURL are the other pages. SecretURL is
	// empty if the application has no secret.
	ListURL, UpdateURL, SecretURL, DeleteURL string
}

func (h *Handler) showApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	inputs, err := h.formInputs(r, app, oauthkit.FormOf(app), nil)
	if err != nil {
		return err
	}
	id := app.GetID()
	inputs = h.withAllowed(h.translator(r), inputs, app)
	content := &ApplicationPage{
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
	return h.writePage(w, r, PageResponse{Name: "applications_detail", Status: http.StatusOK, Title: "applications.detail.title", FormAction: "'none'", User: user}, content)
}

// findApplication returns the application in the path if the user may manage it.
func (h *Handler) findApplication(r *http.Request, user *oauthkit.User) (oauthkit.Application, error) {
	app, err := h.config.Applications.Find(r.Context(), user, r.PathValue("client_id"))
	return app, notFound(err)
}

// ApplicationConfirmPage asks the user to confirm an act that cannot be undone
// (applications_confirm.html).
type ApplicationConfirmPage struct {
	Page
	// Act is delete or secret.
	Act string
	// Name is chosen by the application's owner. Never make it part of a sentence of your
	// own.
	Name, ClientID string
	// Action is the URL of the form, which must send Token under the name token.
	Action, Token string
	// BackURL is the page to return to without the act.
	BackURL string
	// KeepUntil is when the present secret expires if the form sends previous=keep. With
	// previous=end, it expires at once. If KeepUntil is zero, there is no choice.
	KeepUntil time.Time
}

// ApplicationSecretPage shows a new secret once (applications_secret.html).
type ApplicationSecretPage struct {
	Page
	// Name is chosen by the application's owner. Never make it part of a sentence of your
	// own.
	Name, ClientID, Secret string
	// PreviousSecretUntil is when the previous secret expires. It is zero if that has
	// expired or if the application does not implement [oauthkit.SecretHolder].
	PreviousSecretUntil time.Time
	// ApplicationURL is the application's page.
	ApplicationURL string
}

// deleteApplication shows the confirmation (GET) and deletes the application (POST).
func (h *Handler) deleteApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return h.confirm(w, r, user, app, "delete")
	}
	if _, err := h.readUserForm(w, r, h.path("applications", app.GetID(), "delete"), user); err != nil {
		return err
	}
	if err := h.config.Applications.Delete(r.Context(), user, app.GetID()); err != nil {
		return notFound(err)
	}
	redirect(w, h.path("applications"))
	return nil
}

// rotateSecret shows the confirmation (GET) and gives the application a new secret
// (POST).
func (h *Handler) rotateSecret(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	if !oauthkit.HasSecret(app) {
		return notFound(oauthkit.ErrNotFound)
	}
	if r.Method != http.MethodPost {
		return h.confirm(w, r, user, app, "secret")
	}
	form, err := h.readUserForm(w, r, h.path("applications", app.GetID(), "secret"), user)
	if err != nil {
		return err
	}
	overlap, err := h.secretOverlap(form.Get("previous"))
	if err != nil {
		return err
	}
	secret, err := h.config.Applications.RotateSecret(r.Context(), user, app.GetID(), overlap)
	if err != nil {
		return notFound(err)
	}
	return h.writeSecret(w, r, user, h.afterRotation(r, user, app), secret)
}

// secretOverlap returns how long the present secret stays valid. If the form does not
// say, the host's default applies.
func (h *Handler) secretOverlap(previous string) (time.Duration, error) {
	switch previous {
	case "", "keep":
		return h.config.Applications.SecretOverlap(), nil
	case "end":
		return 0, nil
	default:
		return 0, wire.Malformed("the secret before must be kept or ended")
	}
}

// afterRotation returns the application after the rotation of its secret. If it
// cannot be read, the one from before is returned, because the new secret must be
// shown in any case.
func (h *Handler) afterRotation(r *http.Request, user *oauthkit.User, before oauthkit.Application) oauthkit.Application {
	if rotated, err := h.findApplication(r, user); err == nil {
		return rotated
	}
	return before
}

func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, user *oauthkit.User, app oauthkit.Application, act string) error {
	content := &ApplicationConfirmPage{
		Act: act, Name: oauthkit.DisplayName(app), ClientID: app.GetID(),
		Action: h.path("applications", app.GetID(), act), BackURL: h.path("applications", app.GetID()),
	}
	if overlap := h.config.Applications.SecretOverlap(); act == "secret" && overlap > 0 {
		content.KeepUntil = h.provider.Now().Add(overlap)
	}
	content.Token = h.NewFormToken(w, r, content.Action, user)
	response := PageResponse{Name: "applications_confirm", Status: http.StatusOK, Title: "applications." + act + ".title", FormAction: "'self'", User: user}
	return h.writePage(w, r, response, content)
}

// writeSecret shows a new secret. No other page shows it, and no cache stores this one.
func (h *Handler) writeSecret(w http.ResponseWriter, r *http.Request, user *oauthkit.User, app oauthkit.Application, secret string) error {
	content := &ApplicationSecretPage{
		Name: oauthkit.DisplayName(app), ClientID: app.GetID(), Secret: secret, ApplicationURL: h.path("applications", app.GetID()),
		PreviousSecretUntil: oauthkit.PreviousSecretUntil(app, h.provider.Now()),
	}
	response := PageResponse{Name: "applications_secret", Status: http.StatusOK, Title: "applications.new_secret.title", FormAction: "'none'", User: user}
	return h.writePage(w, r, response, content)
}
