package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file is what the pages of applications and of connected apps have in common: their rows in the table of endpoints, the
// parameters in their paths, and the token of their forms.

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
		"applications_detail":  &ApplicationPage{Name: "x", Inputs: inputs, Disabled: true, PreviousSecretUntil: now, CreatedAt: now, SecretURL: "x"},
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
	return route{group: GroupManagement, page: true, Endpoint: oauthkit.Endpoint{Path: path, Methods: methods, User: answer}}
}

// find returns the endpoint of a request. A parameter of a path is a whole segment as it was sent, so that a client_id may
// have an escaped slash in it; what stands for it is then r.PathValue.
func (h *Handler) find(r *http.Request) (found route, known bool) {
	escaped := strings.Count(r.URL.EscapedPath(), "/") != strings.Count(r.URL.Path, "/") // a slash, which others may not take for one
	if found, known = h.routes[strings.TrimSuffix(r.URL.Path, "/")]; known && !escaped && !strings.Contains(found.Path, "{") {
		return found, true
	}
	path, below := strings.CutPrefix(strings.TrimSuffix(r.URL.EscapedPath(), "/"), h.provider.Prefix()+"/")
	if !below {
		return route{}, false
	}
	for _, candidate := range h.routes {
		if values, ok := matchPath(candidate.Path, path); ok {
			for name, value := range values {
				r.SetPathValue(name, value)
			}
			return candidate, true
		}
	}
	return route{}, false
}

// matchPath returns the values of the parameters of a pattern such as "applications/{client_id}". A pattern without any matches
// nothing: such a path is in the table as it is.
func matchPath(pattern, path string) (values map[string]string, ok bool) {
	names, segments := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(names) != len(segments) || !strings.Contains(pattern, "{") {
		return nil, false
	}
	values = map[string]string{}
	for i, name := range names {
		value, err := url.PathUnescape(segments[i])
		parameter := strings.HasPrefix(name, "{")
		switch {
		case err != nil, value == "", !parameter && value != name:
			return nil, false
		case parameter:
			values[strings.Trim(name, "{}")] = value
		}
	}
	return values, true
}

// path returns the address of an endpoint below the issuer, with a slash at the end as Django OAuth Toolkit has it. Segments are
// escaped.
func (h *Handler) path(segments ...string) string {
	escaped := h.provider.Prefix()
	for _, segment := range segments {
		escaped += "/" + url.PathEscape(segment)
	}
	return escaped + "/"
}

// newFormToken ties a form to its action, the browser, and the user and session that see it.
func (h *Handler) newFormToken(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User) string {
	return formToken(h.knownBrowser(w, r), action, user)
}

// readUserForm reads a form whose fields may be repeated. Only the one that this user saw in this browser and session, for this
// action, is accepted.
func (h *Handler) readUserForm(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User) (url.Values, error) {
	form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if !isText(name + strings.Join(values, "")) {
			return nil, malformed("the form is not text")
		}
	}
	browser := h.browser(r)
	if browser == "" || !secret.Equal(form.Get("token"), formToken(browser, action, user)) {
		return nil, oauthkit.Errorf(oauthkit.AccessDenied, "this form is not the one that was shown to you; go back, reload the page, and try again").
			WithReason(oauthkit.ReasonFormExpired)
	}
	return form, nil
}

// notFound turns what does not exist, or not for this user, into one answer that tells nothing of the difference.
func notFound(err error) error {
	if errors.Is(err, oauthkit.ErrNotFound) {
		return withStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "there is nothing at this address, or it is not yours").
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
