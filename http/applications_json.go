package oauthhttp

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// applicationAPI returns the pages of applications in JSON, for the host's own front end.
func (h *Handler) applicationAPI() []route {
	const one = "applications/{client_id}"
	return []route{
		userJSON("applications", h.applicationsJSON, http.MethodGet, http.MethodPost),
		userJSON("application_options", h.optionsJSON, http.MethodGet),
		userJSON(one, h.applicationJSON, http.MethodGet, http.MethodPut, http.MethodDelete),
		userJSON(one+"/secret", h.secretJSON, http.MethodPost),
	}
}

// applicationDocument is an application as its owner sees it. It does not contain
// hashes of secrets.
type applicationDocument struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret,omitempty"` // only in the response that created it
	oauthkit.ApplicationForm
	Verified                bool                `json:"verified"`
	Disabled                bool                `json:"disabled"`
	PKCE                    oauthkit.PKCEPolicy `json:"pkce"` // the policy that applies
	PreviousSecretExpiresAt *time.Time          `json:"previous_secret_expires_at,omitempty"`
	CreatedAt               *time.Time          `json:"created_at,omitempty"`
	UpdatedAt               *time.Time          `json:"updated_at,omitempty"`
}

func (h *Handler) applicationDocument(app oauthkit.Application, secret string) applicationDocument {
	document := applicationDocument{
		ClientID: app.GetID(), ClientSecret: secret, ApplicationForm: oauthkit.FormOf(app),
		Verified: oauthkit.IsVerified(app), Disabled: !oauthkit.IsUsable(app), PKCE: h.provider.PKCEPolicy(app),
		PreviousSecretExpiresAt: moment(oauthkit.PreviousSecretUntil(app, h.provider.Now())),
	}
	form := &document.ApplicationForm
	form.GrantTypes, form.ResponseTypes, form.Scopes = list(form.GrantTypes), list(form.ResponseTypes), list(form.Scopes)
	form.RedirectURIs, form.PostLogoutRedirectURIs, form.AllowedOrigins = list(form.RedirectURIs), list(form.PostLogoutRedirectURIs), list(form.AllowedOrigins)
	if abstract := oauthkit.Abstract(app); abstract != nil {
		document.CreatedAt, document.UpdatedAt = moment(abstract.CreatedAt), moment(abstract.UpdatedAt)
	}
	return document
}

// applicationsJSON lists applications (GET) or registers one (POST).
func (h *Handler) applicationsJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	if r.Method == http.MethodPost {
		return h.createJSON(w, r, user)
	}
	apps, _, err := h.applicationsAfter(r, user)
	if err != nil {
		return err
	}
	document := struct {
		Applications []applicationDocument `json:"applications"`
		Next         string                `json:"next,omitempty"` // the value of the parameter after
	}{Applications: []applicationDocument{}}
	for _, app := range apps {
		document.Applications = append(document.Applications, h.applicationDocument(app, ""))
	}
	if len(apps) == applicationsOnPage {
		document.Next = apps[len(apps)-1].GetID()
	}
	return wire.WriteJSON(w, http.StatusOK, document)
}

func (h *Handler) createJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	form, err := readApplicationJSON(w, r)
	if err != nil {
		return err
	}
	app, secret, err := h.config.Applications.Create(r.Context(), user, form)
	if err != nil {
		return h.writeProblems(w, r, err)
	}
	w.Header().Set("Location", strings.TrimSuffix(h.path("api", "applications", app.GetID()), "/"))
	return wire.WriteJSON(w, http.StatusCreated, h.applicationDocument(app, secret))
}

// applicationJSON returns (GET), replaces (PUT) or deletes (DELETE) an application.
func (h *Handler) applicationJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	switch r.Method {
	case http.MethodPut:
		form, err := readApplicationJSON(w, r)
		if err != nil {
			return err
		}
		if app, err = h.config.Applications.Update(r.Context(), user, app.GetID(), form); err != nil {
			return h.writeProblems(w, r, err)
		}
	case http.MethodDelete:
		if err := h.config.Applications.Delete(r.Context(), user, app.GetID()); err != nil {
			return notFound(err)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return wire.WriteJSON(w, http.StatusOK, h.applicationDocument(app, ""))
}

func readApplicationJSON(w http.ResponseWriter, r *http.Request) (form oauthkit.ApplicationForm, err error) {
	if err := readJSON(w, r, &form); err != nil {
		return form, err
	}
	return form, checkApplicationForm(form)
}

// writeProblems writes the problems of an invalid form, by field, in the language of the
// request. It returns any other error.
func (h *Handler) writeProblems(w http.ResponseWriter, r *http.Request, err error) error {
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		return notFound(err)
	}
	byField, t := map[string][]string{}, h.translator(r)
	for _, problem := range problems {
		byField[problem.Field] = append(byField[problem.Field], t.problem(problem))
	}
	return wire.WriteJSON(w, http.StatusUnprocessableEntity, struct {
		Error    oauthkit.ErrorCode  `json:"error"`
		Problems map[string][]string `json:"problems"`
	}{oauthkit.InvalidRequest, byField})
}

// secretJSON gives the application a new secret. The body is an object. If its member
// previous is "end", the present secret expires at once.
func (h *Handler) secretJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	var body struct {
		Previous string `json:"previous"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	overlap, err := h.secretOverlap(body.Previous)
	if err != nil {
		return err
	}
	secret, err := h.config.Applications.RotateSecret(r.Context(), user, app.GetID(), overlap)
	if err != nil {
		return notFound(err)
	}
	return wire.WriteJSON(w, http.StatusOK, h.applicationDocument(h.afterRotation(r, user, app), secret))
}

// optionsDocument tells a front end how to build the form of an application, in the
// language of the request.
type optionsDocument struct {
	Language    string           `json:"language"` // BCP 47
	MayRegister bool             `json:"may_register"`
	Fields      []optionDocument `json:"fields"` // in the order of the pages
}

// optionDocument is a field of the form, as [FormInput] is on the pages.
type optionDocument struct {
	Name    string           `json:"name"` // of the JSON member, and in problems
	Host    bool             `json:"host"` // whether it is the host's, so that its value is in the member fields
	Label   string           `json:"label"`
	Help    string           `json:"help,omitempty"`
	Kind    string           `json:"kind"`              // text, url, lines, checkbox, one or many
	Value   string           `json:"value"`             // the initial value
	Choices []choiceDocument `json:"choices,omitempty"` // only for one and many
	Rare    bool             `json:"rare"`              // whether most applications do not change it
}

// choiceDocument is an option of a field.
type choiceDocument struct {
	Value  string `json:"value"`
	Label  string `json:"label"`
	Chosen bool   `json:"chosen"` // in a new application
}

// optionsJSON returns the fields of the form for a new application. Its path is not below
// applications/, where it would hide an application with that client_id.
func (h *Handler) optionsJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	document := optionsDocument{Language: h.pages.catalogue.languages[h.pages.catalogue.choose(r, "")], Fields: []optionDocument{}}
	switch err := h.config.Applications.MayRegister(r.Context(), user); {
	case err == nil:
		document.MayRegister = true
	case oauthkit.CodeOf(err) != oauthkit.AccessDenied:
		return err
	}
	empty := h.config.Applications.New(user)
	inputs, err := h.formInputs(r, empty, newApplicationForm(empty), nil)
	if err != nil {
		return err
	}
	for _, input := range inputs {
		document.Fields = append(document.Fields, newOptionDocument(input))
	}
	return wire.WriteJSON(w, http.StatusOK, document)
}

func newOptionDocument(input FormInput) optionDocument {
	document := optionDocument{
		Name: input.field, Host: input.Name == hostPrefix+input.field, Label: input.Label, Help: input.Help,
		Kind: input.Kind, Value: input.Value, Rare: input.Rare,
	}
	for _, choice := range input.Choices {
		document.Choices = append(document.Choices, choiceDocument(choice))
	}
	return document
}
