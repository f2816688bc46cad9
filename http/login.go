package oauthhttp

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
)

// currentUser returns the user who is signed in to the host, or nil.
func (h *Handler) currentUser(r *http.Request) (*oauthkit.User, error) {
	return request.CurrentUser(h.config.CurrentUser, r)
}

// login is a redirect to the host's login page.
type login struct {
	next      string                  // the path to return to
	uiLocales string                  // the request's, may be empty
	event     oauthkit.SignInRequired // Subject is empty if no user is signed in
}

// loginURL returns the URL of the host's login page with its parameters. A user who
// is signed in must sign in again. It returns "" if there is no login page.
func (h *Handler) loginURL(asked login) string {
	if h.config.LoginURL == "" {
		return ""
	}
	parameters := url.Values{"next": {asked.next}}
	if asked.event.Subject != "" {
		parameters.Set("prompt", "login")
	}
	if asked.uiLocales != "" && len(asked.uiLocales) <= maxLocales {
		parameters.Set("ui_locales", asked.uiLocales)
	}
	separator := "?"
	if strings.Contains(h.config.LoginURL, "?") {
		separator = "&"
	}
	return h.config.LoginURL + separator + parameters.Encode()
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
func (h *Handler) consentLogin(request *oauthkit.AuthorizeRequest, next string, user *oauthkit.User) login {
	asked := login{
		next: next, uiLocales: request.Form.Get("ui_locales"),
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

// mustSignIn reports whether the user must sign in before the request can proceed (OpenID
// Connect Core §3.1.2.1, prompt and max_age; §5.5.1.1, acr). A sign-in after since, the
// time at which the request began to wait, satisfies any demand except for acr; since is
// zero for a new request. An error is sent to the application.
func mustSignIn(request *oauthkit.AuthorizeRequest, user *oauthkit.User, since time.Time) (bool, error) {
	must := false
	otherClass := user != nil && len(request.RequiredACR) > 0 && !slices.Contains(request.RequiredACR, user.ACR)
	switch {
	case user == nil:
		must = true
	case request.Subject != "" && user.Subject != request.Subject:
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "another user than the one asked for is signed in")
	case (request.AskSignIn || request.MaxAge != nil || otherClass) && user.AuthTime.IsZero():
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "it is not known when the user signed in")
	case otherClass && !since.IsZero() && user.AuthTime.After(since):
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "the sign-in has none of the requested values of acr")
	case !since.IsZero() && user.AuthTime.After(since):
	case otherClass, request.AskSignIn:
		must = true
	case request.MaxAge != nil:
		must = request.Now.Sub(user.AuthTime) > *request.MaxAge || *request.MaxAge == 0
	}
	if must && request.Silent {
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "the user has to sign in")
	}
	return must, nil
}
