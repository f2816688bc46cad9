package oauthhttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
)

// currentUser returns the user who is signed in to the host, or nil.
func (h *Handler) currentUser(r *http.Request) (*oauthkit.User, error) {
	return request.CurrentUser(h.config.CurrentUser, r)
}

// login is a redirect to a page of the host where the user signs in.
type login struct {
	demand    demand                  // if none, the page is LoginURL
	next      string                  // the path to return to
	uiLocales string                  // the request's, may be empty
	event     oauthkit.SignInRequired // Subject is empty if no user is signed in
}

// loginURL returns the URL of the host's page with its parameters. A user who is signed
// in must sign in again. It returns "" if there is no login page.
func (h *Handler) loginURL(asked login) string {
	page := h.loginPage(asked.demand)
	if page == "" {
		return ""
	}
	parameters := url.Values{"next": {asked.next}}
	switch {
	case asked.demand == demandAccount || asked.demand == demandSignUp:
		parameters.Set("prompt", string(asked.demand))
	case asked.event.Subject != "":
		parameters.Set("prompt", string(demandSignIn))
	}
	if asked.uiLocales != "" && len(asked.uiLocales) <= maxLocales {
		parameters.Set("ui_locales", asked.uiLocales)
	}
	separator := "?"
	if strings.Contains(page, "?") {
		separator = "&"
	}
	return page + separator + parameters.Encode()
}

// loginPage returns the host's page for a demand.
func (h *Handler) loginPage(asked demand) string {
	switch {
	case asked == demandSignUp:
		return h.config.SignUpURL
	case asked == demandAccount && h.config.SelectAccountURL != "":
		return h.config.SelectAccountURL
	default:
		return h.config.LoginURL
	}
}

// redirectToLogin redirects to the login page.
func (h *Handler) redirectToLogin(w http.ResponseWriter, r *http.Request, asked login) error {
	target := h.loginURL(asked)
	if target == "" {
		return oauthkit.Errorf(oauthkit.AccessDenied, "you are not signed in, and this site has no page to do so").WithReason(oauthkit.ReasonNotSignedIn)
	}
	h.provider.Record(r.Context(), asked.event)
	redirect(w, target)
	return nil
}

// consentLogin returns the login that an authorization request waits for. The
// browser returns to next. If no user is signed in, user is nil.
func (h *Handler) consentLogin(request *oauthkit.AuthorizeRequest, demanded demand, next string, user *oauthkit.User) login {
	asked := login{
		demand: demanded, next: next, uiLocales: request.Form.Get("ui_locales"),
		event: oauthkit.SignInRequired{ClientID: request.Application.GetID()},
	}
	if user != nil {
		asked.event.Subject = user.Subject
	}
	return asked
}

// redirect sends the browser to target with a GET (RFC 9700 §4.12). It does not use
// http.Redirect, which cleans the URI: a registered redirect URI is sent byte for byte.
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// ReturnPath returns the path to which the host's login page redirects after a sign-in.
//
// It is the parameter next, from the query or, for a POST, from the form. If that is
// not a path on this site, ReturnPath returns "/": no link to the login page can
// redirect elsewhere (RFC 9700 §4.11).
func ReturnPath(r *http.Request) string {
	next := r.URL.Query().Get("next")
	if r.Method == http.MethodPost {
		next = r.PostFormValue("next")
	}
	if !isLocalPath(next) {
		return "/"
	}
	return next
}

// isLocalPath reports whether no browser or proxy takes path for another host. It
// refuses two leading slashes, backslashes and control characters, escaped ones too.
func isLocalPath(path string) bool {
	parsed, err := url.Parse(path)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" || parsed.User != nil || len(path) > maxValue {
		return false
	}
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.HasPrefix(parsed.Path, "//") &&
		!strings.ContainsFunc(path+parsed.Path, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' })
}
