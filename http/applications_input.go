package oauthhttp

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oauthkit/oauthkit"
)

// FormInput is one field of the form of an application.
type FormInput struct {
	// Name is under what it is sent, and ID what its elements' ids begin with.
	Name, ID string
	// Label says what it is, and Help is a sentence below it; empty: none.
	Label, Help string
	// Kind is text, url, lines, checkbox, one (of the Choices) or many (of them).
	Kind string
	// Value is what was typed: of a checkbox, "true" or empty; of lines, each in a line.
	Value string
	// Choices are those of one and many.
	Choices []Choice
	// Problems are what is wrong with it.
	Problems []string
	// Rare says that most applications leave it as it is.
	Rare bool

	field string // its name in problems
}

// Target is the id of the element that a link to the input leads to.
func (i FormInput) Target() string {
	if len(i.Choices) > 0 {
		return i.ID + "-0"
	}
	return i.ID
}

// DescribedBy are the ids of what describes the input, for aria-describedby: its help and its problems.
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

// isSet reports whether it holds anything but what an application has that leaves it as it is.
func (i FormInput) isSet() bool {
	return i.Value != "" || slices.ContainsFunc(i.Choices, func(choice Choice) bool { return choice.Chosen && choice.Value != "" })
}

// Lines are the lines of the Value.
func (i FormInput) Lines() []string { return strings.Split(i.Value, "\n") }

// hostInput is before the names of the host's own inputs, so that none of them is one of ours.
const hostInput = "fields."

// ownFields are the names of the library's inputs, in problems and in JSON.
func ownFields() []string {
	return []string{
		"name", "client_type", "redirect_uris", "grant_types", "scopes", "post_logout_redirect_uris", "allowed_origins",
		"token_endpoint_auth_method", "algorithm",
	}
}

// checkHostFields returns an error if a form field of the host's applications has the name
// of a field of the library's: problems are told apart by that name.
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
		if slices.Contains(ownFields(), field.Name) {
			return fmt.Errorf("Config.Applications: the application's form field %q has the name of a field of the library's", field.Name)
		}
	}
	return nil
}

// applicationInputs are the fields of an application's form: the library's, where the application embeds AbstractApplication, and
// the host's own. Those that are rare come last.
func (h *Handler) applicationInputs(r *http.Request, app oauthkit.Application, form oauthkit.ApplicationForm, problems oauthkit.Problems) ([]FormInput, error) {
	t := h.words(r)
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
			{field: "scopes", Kind: "many", Choices: h.scopeChoices(h.pages.words.choose(r, ""), scopes.Union(before.Scopes), form.Scopes, texts)},
			{field: "post_logout_redirect_uris", Kind: "lines", Rare: true, Value: strings.Join(form.PostLogoutRedirectURIs, "\n")},
			{field: "allowed_origins", Kind: "lines", Rare: true, Value: strings.Join(form.AllowedOrigins, "\n")},
			{field: "token_endpoint_auth_method", Kind: "one", Rare: true, Choices: authMethodChoices(t, before, form)},
			{field: "algorithm", Kind: "one", Rare: true, Choices: choices(t, "algorithm", form.Algorithm, withOwn(before.Algorithm, "", "ES256")...)},
		}
	}
	for i := range inputs {
		name := inputs[i].field
		inputs[i].Name, inputs[i].ID = name, name
		inputs[i].Label, inputs[i].Help = fieldText(t, name, "", "")
	}
	inputs = slices.DeleteFunc(inputs, func(input FormInput) bool { return input.Kind == "many" && len(input.Choices) == 0 })
	common := slices.IndexFunc(inputs, func(input FormInput) bool { return input.Rare })
	inputs = slices.Insert(inputs, max(common, 0), hostInputs(t, app, form)...) // there are none at all where common is -1
	for i := range inputs {
		for _, problem := range problems {
			if problem.Field == inputs[i].field {
				inputs[i].Problems = append(inputs[i].Problems, t.problem(problem))
			}
		}
	}
	return inputs, nil
}

// fieldText returns the label and the help of an input in the words that there are for its name, and otherwise these.
func fieldText(t words, name, label, help string) (labelText, helpText string) {
	return t.or("applications.field."+name, label), t.or("applications.help."+name, help)
}

// hostInputs are the fields that the host has added to its application.
func hostInputs(t words, app oauthkit.Application, form oauthkit.ApplicationForm) []FormInput {
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
		input := FormInput{field: field.Name, Name: hostInput + field.Name, ID: "fields-" + field.Name, Kind: kind, Value: form.Fields[field.Name]}
		input.Label, input.Help = fieldText(t, input.Name, field.Label, field.Help)
		inputs = append(inputs, input)
	}
	return inputs
}

// grantChoices are the grant types that may be chosen, and those that the application has already.
func (h *Handler) grantChoices(t words, before, form oauthkit.ApplicationForm) []Choice {
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

// withUsableGrants puts what an application may use in the place of the grant types that are stored for it, which the form and the
// JSON have: it may decide otherwise.
func (h *Handler) withUsableGrants(t words, inputs []FormInput, app oauthkit.Application) []FormInput {
	at := slices.IndexFunc(inputs, func(input FormInput) bool { return input.field == "grant_types" })
	if at < 0 {
		at = 0
		inputs = slices.Insert(inputs, at, FormInput{field: "grant_types", Kind: "many"})
		inputs[at].Label, inputs[at].Help = fieldText(t, "grant_types", "", "")
	}
	inputs[at].Choices = nil
	for _, grant := range h.provider.GrantTypes() {
		choice := Choice{Value: string(grant), Label: label(t, "grant_types", string(grant)), Chosen: app.AllowsGrant(grant)}
		inputs[at].Choices = append(inputs[at].Choices, choice)
	}
	return inputs
}

// authMethodChoices leave out private_key_jwt, whose keys the form does not have, unless the application uses it.
func authMethodChoices(t words, before, form oauthkit.ApplicationForm) []Choice {
	methods := withOwn(before.TokenEndpointAuthMethod, "", oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost, oauthkit.AuthMethodNone)
	return choices(t, "token_endpoint_auth_method", form.TokenEndpointAuthMethod, methods...)
}

// withOwn adds what an application has already to what is offered.
func withOwn(own string, offered ...string) []string {
	if slices.Contains(offered, own) {
		return offered
	}
	return append(offered, own)
}

func choices(t words, field, chosen string, values ...string) []Choice {
	var offered []Choice
	for _, value := range values {
		offered = append(offered, Choice{Value: value, Label: label(t, field, value), Chosen: value == chosen})
	}
	return offered
}

// label is a value in words; itself where there are none.
func label(t words, field, value string) string {
	return t.or("applications."+field+"."+value, value)
}
