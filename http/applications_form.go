package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// ApplicationFormPage is the form for a new application and for changing one
// (applications_form.html).
type ApplicationFormPage struct {
	Page
	// New reports whether the form registers an application.
	New bool
	// Inputs are the fields with the submitted values, in this order: the library's, the
	// host's own, and those that are Rare.
	Inputs []FormInput
	// RareShown reports whether an input that is Rare has a value or a problem, so
	// that the rare inputs must be visible.
	RareShown bool
	// Problems are all problems with the submitted form, for a summary above the form.
	Problems []FormProblem
	// Action is the URL of the form. The form must send Token under the name token
	// and every input under its name.
	Action, Token string
	// BackURL is the page to return to without changes.
	BackURL string
}

// FormProblem is a problem with a submitted form.
type FormProblem struct {
	// Label is the label of the field, or the field's name if the form does not have it.
	// Target is the id of its input, or empty.
	Label, Target string
	Message       string
}

// registerApplication shows (GET) and receives (POST) the form for a new application.
func (h *Handler) registerApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	action := h.path("applications", "register")
	if err := h.config.Applications.MayRegister(r.Context(), user); err != nil {
		return err
	}
	empty := h.config.Applications.New(user)
	if r.Method != http.MethodPost {
		return h.writeApplicationForm(w, r, user, empty, newApplicationForm(empty), nil)
	}
	values, err := h.readUserForm(w, r, action, user)
	if err != nil {
		return err
	}
	form := parseApplicationForm(values, empty)
	if err := checkApplicationForm(form); err != nil {
		return err
	}
	app, secret, err := h.config.Applications.Create(r.Context(), user, form)
	var problems oauthkit.Problems
	switch {
	case errors.As(err, &problems):
		return h.writeApplicationForm(w, r, user, empty, form, problems)
	case err != nil:
		return err
	case secret == "":
		redirect(w, h.path("applications", app.GetID()))
		return nil
	default:
		return h.writeSecret(w, r, user, app, secret)
	}
}

// newApplicationForm returns the initial values of the form for a new application,
// which are the most common choices.
func newApplicationForm(empty oauthkit.Application) oauthkit.ApplicationForm {
	form := oauthkit.FormOf(empty)
	form.ClientType = oauthkit.Confidential
	form.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing}
	return form
}

// updateApplication shows (GET) and receives (POST) the form for changing an application.
func (h *Handler) updateApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.findApplication(r, user)
	if err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return h.writeApplicationForm(w, r, user, app, oauthkit.FormOf(app), nil)
	}
	values, err := h.readUserForm(w, r, h.path("applications", app.GetID(), "update"), user)
	if err != nil {
		return err
	}
	form := parseApplicationForm(values, app)
	if err := checkApplicationForm(form); err != nil {
		return err
	}
	_, err = h.config.Applications.Update(r.Context(), user, app.GetID(), form)
	var problems oauthkit.Problems
	switch {
	case errors.As(err, &problems):
		return h.writeApplicationForm(w, r, user, app, form, problems)
	case err != nil:
		return notFound(err)
	default:
		redirect(w, h.path("applications", app.GetID()))
		return nil
	}
}

// parseApplicationForm reads the fields of the form and ignores all others. White space
// separates URIs, as in a store. The form has no fields for the addresses that are told
// of logouts, so they stay as they are stored.
func parseApplicationForm(values url.Values, app oauthkit.Application) oauthkit.ApplicationForm {
	stored := oauthkit.FormOf(app)
	form := oauthkit.ApplicationForm{
		Name:                    strings.TrimSpace(values.Get("name")),
		ClientType:              oauthkit.ClientType(values.Get("client_type")),
		RedirectURIs:            strings.Fields(values.Get("redirect_uris")),
		PostLogoutRedirectURIs:  strings.Fields(values.Get("post_logout_redirect_uris")),
		AllowedOrigins:          strings.Fields(values.Get("allowed_origins")),
		Scopes:                  values["scopes"],
		TokenEndpointAuthMethod: values.Get("token_endpoint_auth_method"),
		Algorithm:               values.Get("algorithm"),
		Fields:                  map[string]string{},

		BackChannelLogoutURI: stored.BackChannelLogoutURI, BackChannelLogoutSessionRequired: stored.BackChannelLogoutSessionRequired,
		FrontChannelLogoutURI: stored.FrontChannelLogoutURI, FrontChannelLogoutSessionRequired: stored.FrontChannelLogoutSessionRequired,
	}
	for _, grant := range values["grant_types"] {
		form.GrantTypes = append(form.GrantTypes, oauth2.GrantType(grant))
	}
	for _, responseType := range values["response_types"] {
		form.ResponseTypes = append(form.ResponseTypes, oauthkit.ParseResponseType(responseType))
	}
	if fielder, ok := app.(oauthkit.FormFieldHolder); ok {
		for _, field := range fielder.FormFields() {
			form.Fields[field.Name] = strings.ReplaceAll(values.Get(hostPrefix+field.Name), "\r\n", "\n")
		}
	}
	return form
}

// maxEntries is the maximum number of entries in a list of an application.
const maxEntries = 100

// checkApplicationForm refuses lists that are too long, before they are validated
// entry by entry.
func checkApplicationForm(form oauthkit.ApplicationForm) error {
	for name, entries := range map[string]int{
		"grant_types": len(form.GrantTypes), "response_types": len(form.ResponseTypes), "redirect_uris": len(form.RedirectURIs), "post_logout_redirect_uris": len(form.PostLogoutRedirectURIs),
		"allowed_origins": len(form.AllowedOrigins), "scopes": len(form.Scopes),
	} {
		if entries > maxEntries {
			return oauthkit.Errorf(oauthkit.InvalidRequest, "%s has more than %d entries", name, maxEntries).WithReason(oauthkit.ReasonTooLarge)
		}
	}
	return nil
}

// writeApplicationForm writes the form with its values and problems.
func (h *Handler) writeApplicationForm(w http.ResponseWriter, r *http.Request, user *oauthkit.User, app oauthkit.Application, form oauthkit.ApplicationForm, problems oauthkit.Problems) error {
	inputs, err := h.formInputs(r, app, form, problems)
	if err != nil {
		return err
	}
	content := &ApplicationFormPage{
		New: app.GetID() == "", Inputs: inputs, Problems: formProblems(h.translator(r), inputs, problems),
		RareShown: slices.ContainsFunc(inputs, func(input FormInput) bool { return input.Rare && (input.isSet() || len(input.Problems) > 0) }),
		Action:    h.path("applications", "register"), BackURL: h.path("applications"),
	}
	response := PageResponse{Name: "applications_form", Status: http.StatusOK, Title: "applications.register.title", FormAction: "'self'", User: user}
	if !content.New {
		response.Title = "applications.update.title"
		content.Action, content.BackURL = h.path("applications", app.GetID(), "update"), h.path("applications", app.GetID())
	}
	if len(problems) > 0 {
		response.Status, response.Title = http.StatusUnprocessableEntity, "applications.problems.title"
	}
	content.Token = h.NewFormToken(w, r, content.Action, user)
	return h.writePage(w, r, response, content)
}

// formProblems returns the problems in the order of the inputs, followed by those of
// other fields.
func formProblems(t translator, inputs []FormInput, problems oauthkit.Problems) []FormProblem {
	var summary []FormProblem
	shown := map[string]bool{}
	for _, input := range inputs {
		shown[input.field] = true
		for _, message := range input.Problems {
			summary = append(summary, FormProblem{Label: input.Label, Target: input.Target(), Message: message})
		}
	}
	for _, problem := range problems {
		if !shown[problem.Field] {
			summary = append(summary, FormProblem{Label: problem.Field, Message: t.problem(problem)})
		}
	}
	return summary
}
