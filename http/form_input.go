package oauthhttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// FormInput is a field of an application's form.
type FormInput struct {
	// Name is the name under which the form sends the field. ID is the prefix of the
	// ids of its elements.
	Name, ID string
	// Label names the field. Help is a sentence below it, or empty.
	Label, Help string
	// Kind is text, url, lines, checkbox, one (of the Choices) or many (of the Choices).
	Kind string
	// Value is the submitted value. It is "true" or empty for a checkbox, and has one
	// entry per line for lines.
	Value string
	// Choices are the options of one and many.
	Choices []Choice
	// Problems are the problems with the value.
	Problems []string
	// Rare reports whether most applications do not change the field.
	Rare bool

	field string // the field's name in problems
}

// Target returns the id of the element that a link to the input leads to.
func (i FormInput) Target() string {
	if len(i.Choices) > 0 {
		return i.ID + "-0"
	}
	return i.ID
}

// DescribedBy returns the ids of the input's help and problems, for aria-describedby.
func (i FormInput) DescribedBy() string {
	var ids []string
	if i.Help != "" {
		ids = append(ids, i.ID+"-help")
	}
	if len(i.Problems) > 0 {
		ids = append(ids, i.ID+"-problems")
	}
	return strings.Join(ids, " ")
}

// isSet reports whether the input has a value other than the default.
func (i FormInput) isSet() bool {
	return i.Value != "" || slices.ContainsFunc(i.Choices, func(choice Choice) bool { return choice.Chosen && choice.Value != "" })
}

// Lines returns the lines of the Value.
func (i FormInput) Lines() []string { return strings.Split(i.Value, "\n") }

// hostPrefix begins the names of the host's inputs, so that they differ from the
// library's.
const hostPrefix = "fields."

// libraryFields returns the names of the library's fields in problems and in JSON.
func libraryFields() []string {
	return []string{
		"name", "client_type", "redirect_uris", "grant_types", "response_types", "scopes", "post_logout_redirect_uris", "allowed_origins",
		"token_endpoint_auth_method", "algorithm", "backchannel_logout_uri", "backchannel_logout_session_required",
		"frontchannel_logout_uri", "frontchannel_logout_session_required",
	}
}

// checkHostFields returns an error if a form field of the host's applications has the
// name of a library field, because problems refer to fields by name.
func (h *Handler) checkHostFields() error {
	if h.config.Applications == nil {
		return nil
	}
	app := h.config.Applications.New(&oauthkit.User{})
	fielder, ok := app.(oauthkit.FormFieldHolder)
	if !ok || oauthkit.Abstract(app) == nil {
		return nil
	}
	for _, field := range fielder.FormFields() {
		if slices.Contains(libraryFields(), field.Name) {
			return fmt.Errorf("Config.Applications: the application's form field %q has the name of a library field", field.Name)
		}
	}
	return nil
}

// formInputs returns the fields of an application's form: the library's if the
// application embeds AbstractApplication, and the host's own. Rare ones come last.
func (h *Handler) formInputs(r *http.Request, app oauthkit.Application, form oauthkit.ApplicationForm, problems oauthkit.Problems) ([]FormInput, error) {
	t := h.translator(r)
	var inputs []FormInput
	if oauthkit.Abstract(app) != nil {
		scopes, texts, err := h.config.Applications.Scopes(r.Context())
		if err != nil {
			return nil, err
		}
		before := oauthkit.FormOf(app)
		inputs = []FormInput{
			{field: "name", Kind: "text", Value: form.Name},
			{field: "client_type", Kind: "one", Choices: choices(t, "client_type", string(form.ClientType), string(oauthkit.Confidential), string(oauthkit.Public))},
			{field: "redirect_uris", Kind: "lines", Value: strings.Join(form.RedirectURIs, "\n")},
			{field: "grant_types", Kind: "many", Choices: h.grantChoices(t, before, form)},
			{field: "response_types", Kind: "many", Choices: h.responseTypeChoices(t, before, form)},
			{field: "scopes", Kind: "many", Choices: h.scopeChoices(h.pages.catalogue.choose(r, ""), scopes.Union(before.Scopes), form.Scopes, texts)},
			{field: "post_logout_redirect_uris", Kind: "lines", Rare: true, Value: strings.Join(form.PostLogoutRedirectURIs, "\n")},
			{field: "allowed_origins", Kind: "lines", Rare: true, Value: strings.Join(form.AllowedOrigins, "\n")},
			{field: "token_endpoint_auth_method", Kind: "one", Rare: true, Choices: h.authMethodChoices(t, before, form)},
			{field: "algorithm", Kind: "one", Rare: true, Choices: choices(t, "algorithm", form.Algorithm, withPresent(before.Algorithm, "", "ES256", "PS256", "EdDSA")...)},
		}
	}
	for i := range inputs {
		name := inputs[i].field
		inputs[i].Name, inputs[i].ID = name, name
		inputs[i].Label, inputs[i].Help = fieldText(t, name, "", "")
	}
	inputs = slices.DeleteFunc(inputs, func(input FormInput) bool { return input.Kind == "many" && len(input.Choices) == 0 })
	common := slices.IndexFunc(inputs, func(input FormInput) bool { return input.Rare })
	inputs = slices.Insert(inputs, max(common, 0), hostInputs(t, app, form)...) // common is -1 if there are no inputs
	for i := range inputs {
		for _, problem := range problems {
			if problem.Field == inputs[i].field {
				inputs[i].Problems = append(inputs[i].Problems, t.problem(problem))
			}
		}
	}
	return inputs, nil
}

// fieldText returns the texts for the label and the help of an input, or the given
// ones if there are no texts for its name.
func fieldText(t translator, name, label, help string) (labelText, helpText string) {
	return t.or("applications.field."+name, label), t.or("applications.help."+name, help)
}

// hostInputs returns the fields that the host has added to its application.
func hostInputs(t translator, app oauthkit.Application, form oauthkit.ApplicationForm) []FormInput {
	fielder, ok := app.(oauthkit.FormFieldHolder)
	if !ok {
		return nil
	}
	var inputs []FormInput
	for _, field := range fielder.FormFields() {
		kind := string(field.Kind)
		if field.Kind == oauthkit.FormText {
			kind = "text"
		}
		input := FormInput{field: field.Name, Name: hostPrefix + field.Name, ID: "fields-" + field.Name, Kind: kind, Value: form.Fields[field.Name]}
		input.Label, input.Help = fieldText(t, input.Name, field.Label, field.Help)
		inputs = append(inputs, input)
	}
	return inputs
}

// grantChoices returns the grant types that may be chosen and those that the application
// already has.
func (h *Handler) grantChoices(t translator, before, form oauthkit.ApplicationForm) []Choice {
	var choices []Choice
	for _, grant := range append(h.config.Applications.GrantTypes(), before.GrantTypes...) {
		if slices.ContainsFunc(choices, func(other Choice) bool { return other.Value == string(grant) }) {
			continue
		}
		choices = append(choices, Choice{
			Value: string(grant), Label: label(t, "grant_types", string(grant)), Chosen: slices.Contains(form.GrantTypes, grant),
		})
	}
	return choices
}

// responseTypeChoices returns the response types that may be chosen and those that the
// application already has. It returns none if there is no other than code, which every
// application may request that has none.
func (h *Handler) responseTypeChoices(t translator, before, form oauthkit.ApplicationForm) []Choice {
	types := h.config.Applications.ResponseTypes()
	for _, present := range before.ResponseTypes {
		if !slices.Contains(types, present) {
			types = append(types, present)
		}
	}
	return responseTypesOf(t, types, func(responseType oauthkit.ResponseType) bool {
		return slices.Contains(form.ResponseTypes, responseType) ||
			len(form.ResponseTypes) == 0 && responseType == oauthkit.ResponseTypeCode
	})
}

// responseTypesOf returns a choice for each of the types, or none if there is no other
// than code.
func responseTypesOf(t translator, types []oauthkit.ResponseType, chosen func(oauthkit.ResponseType) bool) (choices []Choice) {
	if !slices.ContainsFunc(types, func(responseType oauthkit.ResponseType) bool { return responseType != oauthkit.ResponseTypeCode }) {
		return nil
	}
	for _, responseType := range types {
		choices = append(choices, Choice{
			Value: string(responseType), Label: label(t, "response_types", string(responseType)), Chosen: chosen(responseType),
		})
	}
	return choices
}

// withAllowed replaces the stored grant types and response types, which the form and the
// JSON have, by those that the application allows. The two can differ.
func (h *Handler) withAllowed(t translator, inputs []FormInput, app oauthkit.Application) []FormInput {
	responses := responseTypesOf(t, h.provider.ResponseTypes(), func(responseType oauthkit.ResponseType) bool {
		return oauthkit.AllowsResponseType(app, responseType)
	})
	var grants []Choice
	for _, grant := range h.provider.GrantTypes() {
		grants = append(grants, Choice{Value: string(grant), Label: label(t, "grant_types", string(grant)), Chosen: app.AllowsGrant(grant)})
	}
	return withChoices(t, withChoices(t, inputs, "response_types", responses), "grant_types", grants)
}

// withChoices replaces the choices of a field. It adds a field that is missing in front,
// and removes one without choices.
func withChoices(t translator, inputs []FormInput, field string, choices []Choice) []FormInput {
	at := slices.IndexFunc(inputs, func(input FormInput) bool { return input.field == field })
	switch {
	case at < 0 && len(choices) == 0:
		return inputs
	case at < 0:
		at = 0
		inputs = slices.Insert(inputs, at, FormInput{field: field, Kind: "many"})
		inputs[at].Label, inputs[at].Help = fieldText(t, field, "", "")
	case len(choices) == 0:
		return slices.Delete(inputs, at, at+1)
	}
	inputs[at].Choices = choices
	return inputs
}

// authMethodChoices returns the provider's authentication methods and the one that the
// application has.
func (h *Handler) authMethodChoices(t translator, before, form oauthkit.ApplicationForm) []Choice {
	methods := withPresent(before.TokenEndpointAuthMethod, append([]string{""}, h.clients.methods...)...)
	return choices(t, "token_endpoint_auth_method", form.TokenEndpointAuthMethod, methods...)
}

// withPresent returns the options and the present value of an application.
func withPresent(present string, options ...string) []string {
	if slices.Contains(options, present) {
		return options
	}
	return append(options, present)
}

func choices(t translator, field, chosen string, values ...string) []Choice {
	var choices []Choice
	for _, value := range values {
		choices = append(choices, Choice{Value: value, Label: label(t, field, value), Chosen: value == chosen})
	}
	return choices
}

// label returns the text for a value, or the value if there is none.
func label(t translator, field, value string) string {
	return t.or("applications."+field+"."+value, value)
}
