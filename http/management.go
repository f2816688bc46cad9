package oauthhttp

import (
	"errors"
	"net/http"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// This file is what the pages of applications and of connected apps have in common: their rows in the table of endpoints, and the
// choices that they show.

// managementEndpoints are there as far as the host has configured what they manage.
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

// managementSamples are the pages with data to try them with, every part of them shown.
func managementSamples() map[string]pageContent {
	now := time.Unix(0, 0)
	inputs := []FormInput{{Kind: "text", Help: "x", Problems: []string{"x"}}, {Kind: "url"}, {Kind: "lines", Value: "x"}, {Kind: "checkbox", Value: "true", Rare: true}}
	for _, kind := range []string{"one", "many"} {
		inputs = append(inputs, FormInput{Kind: kind, Help: "x", Problems: []string{"x"}, Choices: []Choice{{Value: "x", Label: "x", Chosen: true}, {}}})
	}
	signIn := SignInItem{CreatedAt: now, LastUsedAt: now, Here: true}
	connection := ConnectionItem{Name: "x", Hosts: []string{"x"}, Scopes: []Choice{{Label: "x"}}, Since: now, LastUsedAt: now, SignIns: []SignInItem{signIn}, More: true}
	return map[string]pageContent{
		"applications":         &ApplicationsPage{Applications: []ApplicationItem{{Name: "x", Disabled: true}}, RegisterURL: "x", FirstURL: "x", NextURL: "x", ConnectionsURL: "x"},
		"applications_detail":  &ApplicationQuery{Name: "x", Inputs: inputs, Disabled: true, PreviousSecretUntil: now, CreatedAt: now, SecretURL: "x"},
		"applications_form":    &ApplicationFormPage{Inputs: inputs, RareShown: true, Problems: []FormProblem{{Label: "x", Target: "x", Message: "x"}, {}}},
		"applications_confirm": &ApplicationConfirmPage{Act: "secret", Name: "x", KeepUntil: time.Unix(0, 0)},
		"applications_secret":  &ApplicationSecretPage{Name: "x", Secret: "x", PreviousSecretUntil: now},
		"connections":          &ConnectionsPage{Connections: []ConnectionItem{connection, {Gone: true}}, ApplicationsURL: "x"},
		"connections_confirm":  &ConnectionConfirmPage{Connection: connection, SignIn: &signIn},
	}
}

// userAnswer answers a request of somebody who is signed in.
type userAnswer func(w http.ResponseWriter, r *http.Request, user *oauthkit.User) error

func userPage(path string, answer userAnswer, methods ...string) route {
	return route{page: true, Endpoint: oauthkit.Endpoint{Path: path, Methods: methods, User: answer, Group: GroupManagement}}
}

// notFound turns what does not exist, or not for this user, into one answer that tells nothing of the difference.
func notFound(err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return wire.WithStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address, or it is not yours").
			WithReason(oauthkit.ReasonNotFound))
	}
	return err
}

// Choice is one of several that a page offers, or that was chosen.
type Choice struct {
	// Value is sent, and Label is for people.
	Value, Label string
	Chosen       bool
}

// scopeChoices are scopes in the words of a language; one that nobody described is shown by its name.
func (h *Handler) scopeChoices(language int, scopes, chosen oauthkit.Scopes, texts map[string]string) []Choice {
	var choices []Choice
	for _, scope := range scopes {
		label := h.pages.words.scope(language, scope, texts[scope])
		if label == "" {
			label = scope
		}
		choices = append(choices, Choice{Value: scope, Label: label, Chosen: chosen.Contains(scope)})
	}
	return choices
}

// moment is a time as JSON has it; nil where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
