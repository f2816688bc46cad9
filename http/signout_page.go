package oauthhttp

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/oauthkit/oauthkit"
	redirecturi "github.com/oauthkit/oauthkit/internal/redirect"
)

// SignOutPage asks the user to confirm the sign-out (signout.html).
type SignOutPage struct {
	Page
	// User is the name of the signed-in user, or the subject if the host gave no name.
	User string
	// Asked reports whether an application asks for the sign-out. Application is the name
	// that it gave itself; never make it part of a sentence of your own. Verified reports
	// whether the operator verified that name.
	Asked       bool
	Application string
	Verified    bool
	// Host is the host to which the browser goes on after the sign-out. It is empty if
	// the browser stays, or goes on to an app on the user's device.
	Host string
	// Action is the URL of the form, which must send Token under the name token, each of
	// Parameters, and yes under the name logout.
	Action, Token string
	Parameters    []SignOutParameter
}

// SignOutParameter is a hidden field with a parameter of the application's request.
type SignOutParameter struct{ Name, Value string }

// SignedOutPage is shown if no user is signed in (signed_out.html).
type SignedOutPage struct {
	Page
	// SignInURL is the host's login page. It is empty if there is none.
	SignInURL string
	// ConnectionsURL is the page on which users revoke access after they have signed
	// in. It is empty if there is none.
	ConnectionsURL string
	// ContinueURL is the web address of the application that asked for the sign-out, and
	// ContinueHost its host, which is empty for one on the user's device. Both are empty
	// if there is no such address.
	ContinueURL, ContinueHost string
}

// signOutSamples returns data that shows every part of the sign-out pages.
func signOutSamples() map[string][]PageContent {
	done := SignedOutPage{SignInURL: "x", ConnectionsURL: "x", ContinueURL: "x", ContinueHost: "x"}
	return map[string][]PageContent{
		"signout": {&SignOutPage{}, &SignOutPage{
			Asked: true, Application: "x", Host: "x", Parameters: []SignOutParameter{{Name: "x", Value: "x"}},
		}, &SignOutPage{Asked: true, Application: "x", Verified: true}},
		"signed_out":     {&SignedOutPage{}, &done, &SignedOutPage{ContinueURL: "x"}},
		frontChannelPage: {&FrontChannelPage{}, &FrontChannelPage{SignedOutPage: done, Frames: []string{"x"}, Continue: "x"}},
	}
}

// writeSignOutPage asks the user. Nothing is stored: the form holds the request.
func (h *Handler) writeSignOutPage(w http.ResponseWriter, r *http.Request, request *signOutRequest, user *oauthkit.User) error {
	content := &SignOutPage{
		User:   cmp.Or(user.Name, user.Subject),
		Action: h.signOutPath(),
		Token:  h.NewFormToken(w, r, h.signOutAction(request), user),
	}
	for _, name := range slices.Sorted(maps.Keys(request.Form)) {
		content.Parameters = append(content.Parameters, SignOutParameter{Name: name, Value: request.Form.Get(name)})
	}
	response := PageResponse{
		Name: "signout", Status: http.StatusOK, Title: "signout.title", FormAction: "'self'", UILocales: request.Form.Get("ui_locales"),
	}
	if request.Application != nil {
		content.Asked = true
		content.Application, content.Verified = oauthkit.DisplayName(request.Application), oauthkit.IsVerified(request.Application)
	}
	if uri := request.RedirectURI(); uri != "" {
		content.Host = answerHost(uri)
		response.FormAction = "'self' " + formTargets(uri)
	}
	return h.writePage(w, r, response, content)
}

// writeSignedOutPage answers a request in a browser in which no user is signed in: with a
// redirect to the application, or with the page that says so.
func (h *Handler) writeSignedOutPage(w http.ResponseWriter, r *http.Request, request *signOutRequest) error {
	switch {
	case request.isAutomatic():
		redirect(w, request.RedirectURI())
		return nil
	case r.Method == http.MethodPost:
		redirect(w, h.signedOutPath(request))
		return nil
	}
	content := h.signedOutPage(request)
	response := PageResponse{
		Name: "signed_out", Status: http.StatusOK, Title: "signout.done.title", FormAction: "'none'", UILocales: request.Form.Get("ui_locales"),
	}
	return h.writePage(w, r, response, &content)
}

// signedOutPage returns the data of the page after a sign-out.
func (h *Handler) signedOutPage(request *signOutRequest) SignedOutPage {
	content := SignedOutPage{SignInURL: h.config.LoginURL}
	if h.config.Authorizations != nil && h.serves(GroupManagement) {
		content.ConnectionsURL = h.path("authorized_tokens")
	}
	if uri := request.RedirectURI(); redirecturi.Origin(uri) != "" {
		content.ContinueURL, content.ContinueHost = uri, answerHost(uri)
	}
	return content
}
