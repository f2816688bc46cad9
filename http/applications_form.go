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

// ApplicationFormPage is the form for a new application, and for changing one (applications_form.html).
type ApplicationFormPage struct {
	Page
	// New says that the application is registered with it.
	New bool
	// Inputs are the fields in their order, with what was typed: the library's, the host's own, and those that are Rare.
	Inputs []FormInput
	// RareShown says that the Inputs which are Rare hold something, or are wrong, so that they must be seen.
	RareShown bool
	// Problems are all that is wrong with what was typed, for a summary above the form.
	Problems []FormProblem
	// Action is where the form is sent, with Token under the name token and every input under its name.
	Action, Token string
	// BackURL is where to go without changing anything.
	BackURL string
}

// FormProblem is one thing that is wrong with what was typed.
type FormProblem struct {
	// Label is that of the field, or its name where the form has no such field. Target is the id of its input; empty: there is none.
	Label, Target string
	Message       string
}

// registerApplication is the form for a new application (GET), and what receives it (POST).
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
	form := applicationForm(values, empty)
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

// newApplicationForm is what the form for a new application begins with: what most of them choose.
func newApplicationForm(empty oauthkit.Application) oauthkit.ApplicationForm {
	form := oauthkit.FormOf(empty)
	form.ClientType = oauthkit.Confidential
	form.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing}
	return form
}

// updateApplication is the form for changing an application (GET), and what receives it (POST).
func (h *Handler) updateApplication(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	app, err := h.ownApplication(r, user)
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
	form := applicationForm(values, app)
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

// applicationForm reads the fields that there are, and nothing else. Any white space separates URIs, as in a store.
func applicationForm(values url.Values, app oauthkit.Application) oauthkit.ApplicationForm {
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
	}
	for _, grant := range values["grant_types"] {
		form.GrantTypes = append(form.GrantTypes, oauth2.GrantType(grant))
	}
	if fielder, ok := app.(oauthkit.FormFieldHolder); ok {
		for _, field := range fielder.FormFields() {
			form.Fields[field.Name] = strings.ReplaceAll(values.Get(hostInput+field.Name), "\r\n", "\n")
		}
	}
	return form
}

// maxEntries is the number of entries in a list of an application.
const maxEntries = 100

// checkApplicationForm refuses what no application needs, before anything looks at each entry.
func checkApplicationForm(form oauthkit.ApplicationForm) error {
	for name, entries := range map[string]int{
		"grant_types": len(form.GrantTypes), "redirect_uris": len(form.RedirectURIs), "post_logout_redirect_uris": len(form.PostLogoutRedirectURIs),
		"allowed_origins": len(form.AllowedOrigins), "scopes": len(form.Scopes),
	} {
		if entries > maxEntries {
			return oauthkit.Errorf(oauthkit.InvalidRequest, "%s has more than %d entries", name, maxEntries).WithReason(oauthkit.ReasonTooLarge)
		}
	}
	return nil
}

// writeApplicationForm shows the form with what was typed, and what is wrong with it.
func (h *Handler) writeApplicationForm(w http.ResponseWriter, r *http.Request, user *oauthkit.User, app oauthkit.Application, form oauthkit.ApplicationForm, problems oauthkit.Problems) error {
	inputs, err := h.applicationInputs(r, app, form, problems)
	if err != nil {
		return err
	}
	content := &ApplicationFormPage{
		New: app.GetID() == "", Inputs: inputs, Problems: formProblems(h.words(r), inputs, problems),
		RareShown: slices.ContainsFunc(inputs, func(input FormInput) bool { return input.Rare && (input.isSet() || len(input.Problems) > 0) }),
		Action:    h.path("applications", "register"), BackURL: h.path("applications"),
	}
	response := pageResponse{name: "applications_form", status: http.StatusOK, title: "applications.register.title", formAction: "'self'", user: user}
	if !content.New {
		response.title = "applications.update.title"
		content.Action, content.BackURL = h.path("applications", app.GetID(), "update"), h.path("applications", app.GetID())
	}
	if len(problems) > 0 {
		response.status, response.title = http.StatusUnprocessableEntity, "applications.problems.title"
	}
	content.Token = h.newFormToken(w, r, content.Action, user)
	return h.writePage(w, r, response, content)
}

// formProblems are the problems in the order of the inputs, then those of no input.
func formProblems(t words, inputs []FormInput, problems oauthkit.Problems) []FormProblem {
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
