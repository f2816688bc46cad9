package oauthhttp

import (
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// optionsDocument is what a front end needs to build the form of an application, in the language of the request.
type optionsDocument struct {
	Language    string           `json:"language"` // BCP 47
	MayRegister bool             `json:"may_register"`
	Fields      []optionDocument `json:"fields"` // in their order on the pages
}

// optionDocument is one field of the form, as a [FormInput] is on the pages.
type optionDocument struct {
	Name    string           `json:"name"` // of the member, and in problems
	Host    bool             `json:"host"` // the host's own, so that its value is in the member fields
	Label   string           `json:"label"`
	Help    string           `json:"help,omitempty"`
	Kind    string           `json:"kind"`              // text, url, lines, checkbox, one or many
	Value   string           `json:"value"`             // what a new application begins with
	Choices []choiceDocument `json:"choices,omitempty"` // of one and many
	Rare    bool             `json:"rare"`              // most applications leave it as it is
}

// choiceDocument is one of several that may be chosen.
type choiceDocument struct {
	Value  string `json:"value"`
	Label  string `json:"label"`
	Chosen bool   `json:"chosen"` // by a new application
}

// optionsJSON tells what can be entered for a new application. Its path is beside the applications, none of which it can hide.
func (h *Handler) optionsJSON(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error {
	document := optionsDocument{Language: h.pages.words.languages[h.pages.words.choose(r, "")], Fields: []optionDocument{}}
	switch err := h.config.Applications.MayRegister(r.Context(), user); {
	case err == nil:
		document.MayRegister = true
	case oauthkit.CodeOf(err) != oauthkit.AccessDenied:
		return err
	}
	empty := h.config.Applications.New(user)
	inputs, err := h.applicationInputs(r, empty, newApplicationForm(empty), nil)
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
		Name: input.field, Host: input.Name == hostInput+input.field, Label: input.Label, Help: input.Help,
		Kind: input.Kind, Value: input.Value, Rare: input.Rare,
	}
	for _, choice := range input.Choices {
		document.Choices = append(document.Choices, choiceDocument(choice))
	}
	return document
}
