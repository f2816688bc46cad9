package oauthhttp

import (
	"errors"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file holds what the pages of applications and of connections share: their rows
// in the table of endpoints, their sample data, and the choices that they show.

// managementEndpoints returns the pages of the services that the host has configured.
func (h *Handler) managementEndpoints() []route {
	var routes []route
	if h.config.Applications != nil {
		routes = append(routes, h.applicationEndpoints()...)
	}
	if h.config.Authorizations != nil {
		routes = append(routes, h.connectionEndpoints()...)
	}
	return routes
}

// managementSamples returns data that shows every part of each page, by the page's name.
func managementSamples() map[string]PageContent {
	now := time.Unix(0, 0)
	inputs := []FormInput{{Kind: "text", Help: "x", Problems: []string{"x"}}, {Kind: "url"}, {Kind: "lines", Value: "x"}, {Kind: "checkbox", Value: "true", Rare: true}}
	for _, kind := range []string{"one", "many"} {
		inputs = append(inputs, FormInput{Kind: kind, Help: "x", Problems: []string{"x"}, Choices: []Choice{{Value: "x", Label: "x", Chosen: true}, {}}})
	}
	authorization := AuthorizationItem{CreatedAt: now, LastUsedAt: now, Here: true}
	connection := ConnectionItem{Name: "x", Hosts: []string{"x"}, Scopes: []Choice{{Label: "x"}}, Since: now, LastUsedAt: now, Authorizations: []AuthorizationItem{authorization}, More: true}
	return map[string]PageContent{
		"applications":         &ApplicationsPage{Applications: []ApplicationItem{{Name: "x", Disabled: true}}, RegisterURL: "x", FirstURL: "x", NextURL: "x", ConnectionsURL: "x"},
		"applications_detail":  &ApplicationPage{Name: "x", Inputs: inputs, Disabled: true, PreviousSecretUntil: now, CreatedAt: now, SecretURL: "x"},
		"applications_form":    &ApplicationFormPage{Inputs: inputs, RareShown: true, Problems: []FormProblem{{Label: "x", Target: "x", Message: "x"}, {}}},
		"applications_confirm": &ApplicationConfirmPage{Act: "secret", Name: "x", KeepUntil: now},
		"applications_secret":  &ApplicationSecretPage{Name: "x", Secret: "x", PreviousSecretUntil: now},
		"connections":          &ConnectionsPage{Connections: []ConnectionItem{connection, {Gone: true}}, ApplicationsURL: "x"},
		"connections_confirm":  &ConnectionConfirmPage{Connection: connection, Authorization: &authorization},
	}
}

// userHandler serves a request of a signed-in user.
type userHandler func(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error

func userPage(path string, handler userHandler, methods ...string) route {
	return route{page: true, Endpoint: oauthkit.Endpoint{Path: path, Methods: methods, User: handler, Group: GroupManagement}}
}

// notFound returns the same error for everything that does not exist and everything
// that the user may not manage.
func notFound(err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return wire.WithStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address, or it is not yours").
			WithReason(oauthkit.ReasonNotFound))
	}
	return err
}

// Choice is an option that a page offers, or that was chosen.
type Choice struct {
	// Value is the submitted value, and Label the text of the option.
	Value, Label string
	Chosen       bool
}

// scopeChoices returns scopes with their descriptions in a language. A scope without a
// description is shown by its name.
func (h *Handler) scopeChoices(language int, scopes, chosen oauthkit.Scopes, texts map[string]string) []Choice {
	var choices []Choice
	for _, scope := range scopes {
		label := h.pages.catalogue.scope(language, scope, texts[scope])
		if label == "" {
			label = scope
		}
		choices = append(choices, Choice{Value: scope, Label: label, Chosen: chosen.Contains(scope)})
	}
	return choices
}

// moment returns a time for JSON, or nil if it is zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
