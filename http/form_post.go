package oauthhttp

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file sends an authorization response as a form that the browser posts to the
// redirect URI (OAuth 2.0 Form Post Response Mode §2). The page's script sends it, or
// the user does with the button.

// formPostPage is the name of the page.
const formPostPage = "form_post"

// submitBlock is the block with the page's script. It must be inside the form. A host
// cannot replace it: the policy of the page allows no other script.
const submitBlock = "submit"

//go:embed templates/form_post.js
var submitScript string

// FormPostPage is the data of the page that posts an authorization response to the
// redirect URI (form_post.html). Its form must have the block submit as its last part,
// and a button for browsers without scripts.
type FormPostPage struct {
	Page
	// Host is the host of the redirect URI. If it is empty, an app on the user's device
	// gets the response.
	Host string
	// Action is the URL of the form. In the template, it stands for the redirect URI,
	// which takes its place byte for byte.
	Action string
	// Parameters are the hidden fields of the form.
	Parameters []FormPostParameter
}

// FormPostParameter is a hidden field with a parameter of an authorization response.
type FormPostParameter struct{ Name, Value string }

// formPostSamples returns data that shows every part of the page.
func formPostSamples() []PageContent {
	return []PageContent{&FormPostPage{Host: "x", Action: "x", Parameters: []FormPostParameter{{Name: "x", Value: "x"}}}, &FormPostPage{}}
}

// writeFormPost writes the page. The redirect URI must be http or https: browsers post no
// form to another scheme.
func (h *Handler) writeFormPost(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, parameters url.Values) error {
	response := PageResponse{
		Name: formPostPage, Status: http.StatusOK, Title: "form_post.title", FormAction: formTargets(request.RedirectURI()),
		UILocales: request.Form.Get("ui_locales"), script: "'sha256-" + hashOfScript(submitScript) + "'",
	}
	index := h.pages.catalogue.choose(r, response.UILocales)
	page, err := h.renderFormPost(index, response, request.RedirectURI(), parameters)
	if err != nil {
		return err
	}
	h.sendPage(w, index, response, page)
	return nil
}

// renderFormPost returns the page in the language with that index. Package html/template
// would escape single quotes and parentheses in the action, which are other characters to
// a server. So the template gets a random URL, which then makes place for the redirect
// URI.
func (h *Handler) renderFormPost(index int, response PageResponse, redirectURI string, parameters url.Values) ([]byte, error) {
	placeholder := "https://" + secret.NewID() + ".invalid/" // a host that does not exist (RFC 6761 §6.4)
	content := &FormPostPage{Host: answerHost(redirectURI), Action: placeholder}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, value := range parameters[name] {
			content.Parameters = append(content.Parameters, FormPostParameter{Name: name, Value: value})
		}
	}
	page, err := h.render(index, response, content)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(page, []byte(placeholder)) {
		return nil, fmt.Errorf("Config.Templates: %s.html does not show Action", formPostPage)
	}
	return bytes.ReplaceAll(page, []byte(placeholder), []byte(html.EscapeString(redirectURI))), nil
}

// checkFormPost returns an error if the host's page has no form to send, to a host or to
// an app on the user's device. Later it would be found after the user's decision.
func (h *Handler) checkFormPost() error {
	for _, redirectURI := range []string{"https://example.com", "http://127.0.0.1"} {
		if _, err := h.renderFormPost(0, PageResponse{Name: formPostPage, Title: "form_post.title"}, redirectURI, nil); err != nil {
			return err
		}
	}
	return nil
}

// hashOfScript returns the hash of an inline script for a Content-Security-Policy
// (Content Security Policy Level 3 §2.3.1, hash-source).
func hashOfScript(script string) string {
	sum := sha256.Sum256([]byte(script))
	return base64.StdEncoding.EncodeToString(sum[:])
}
