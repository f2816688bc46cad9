package oauthhttp

import (
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// ApplicationConfirmPage asks before something that cannot be undone (applications_confirm.html).
type ApplicationConfirmPage struct {
	Page
	// Act is delete or secret.
	Act string
	// Name is in the words of the application's owner. Never make it part of a sentence of yours.
	Name, ClientID string
	// Action is where the form is sent, with Token under the name token.
	Action, Token string
	// BackURL is where to go without doing it.
	BackURL string
	// KeepUntil is until when the present secret may stay good beside the new one, where the form lets choose with previous=keep or
	// previous=end. Zero: there is no choice.
	KeepUntil time.Time
}

// ApplicationSecretPage shows a secret, this once (applications_secret.html).
type ApplicationSecretPage struct {
	Page
	// Name is in the words of the application's owner. Never make it part of a sentence of yours.
	Name, ClientID, Secret string
	// PreviousSecretUntil is until when the secret before is good as well; zero: it is not, or the application does not tell
	// (oauthkit.SecretHolder).
	PreviousSecretUntil time.Time
	// ApplicationURL is the application's own page.
	ApplicationURL string
}

// deleteApplication asks (GET) and removes the application (POST).
func (h *Handler) deleteApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.ownApplication(r, user)
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

// rotateSecret asks (GET) and gives the application a new secret (POST).
func (h *Handler) rotateSecret(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.ownApplication(r, user)
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
	keep, err := h.secretKept(form.Get("previous"))
	if err != nil {
		return err
	}
	secret, err := h.config.Applications.RotateSecret(r.Context(), user, app.GetID(), keep)
	if err != nil {
		return notFound(err)
	}
	return h.writeSecret(w, r, user, h.afterRotation(r, user, app), secret)
}

// secretKept returns how long the present secret stays good. Who says nothing leaves it to the host.
func (h *Handler) secretKept(previous string) (time.Duration, error) {
	switch previous {
	case "", "keep":
		return h.config.Applications.SecretOverlap(), nil
	case "end":
		return 0, nil
	default:
		return 0, wire.Malformed("the secret before must be kept or ended")
	}
}

// afterRotation returns the application as it is now. Where that fails, the new secret must be shown all the same.
func (h *Handler) afterRotation(r *http.Request, user *oauthkit.User, before oauthkit.Application) oauthkit.Application {
	if rotated, err := h.ownApplication(r, user); err == nil {
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
	content.Token = h.newFormToken(w, r, content.Action, user)
	response := pageResponse{name: "applications_confirm", status: http.StatusOK, title: "applications." + act + ".title", formAction: "'self'", user: user}
	return h.writePage(w, r, response, content)
}

// writeSecret shows a new secret. It is nowhere else, and no cache keeps the page.
func (h *Handler) writeSecret(w http.ResponseWriter, r *http.Request, user *oauthkit.User, app oauthkit.Application, secret string) error {
	content := &ApplicationSecretPage{
		Name: oauthkit.DisplayName(app), ClientID: app.GetID(), Secret: secret, ApplicationURL: h.path("applications", app.GetID()),
		PreviousSecretUntil: oauthkit.PreviousSecretUntil(app, h.provider.Now()),
	}
	response := pageResponse{name: "applications_secret", status: http.StatusOK, title: "applications.new_secret.title", formAction: "'none'", user: user}
	return h.writePage(w, r, response, content)
}
