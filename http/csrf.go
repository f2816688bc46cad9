package oauthhttp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file protects the forms of the pages against cross-site request forgery: a
// form must come from this site and from the user that it was shown to.

// NewFormToken returns the token of a form, which the page must send under the name
// token. It is bound to the form's action, the browser, the user and the session; a nil
// user is one who is not signed in. It sets the cookie that identifies the browser, so
// call it before the page is written.
func (h *Handler) NewFormToken(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User) string {
	return formToken(h.ensureBrowser(w, r), action, user)
}

// ReadForm reads a form that this site showed to the user, with the token that
// [Handler.NewFormToken] returned for the action. A field may occur once unless it is
// repeatable, and a field that is empty counts as missing.
//
// Return its error from the endpoint. It is 403 for a form of another site, browser,
// user, session or action.
func (h *Handler) ReadForm(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User, repeatable ...string) (url.Values, error) {
	if err := h.checkOrigin(r); err != nil {
		return nil, err
	}
	form, err := h.readUserForm(w, r, action, user)
	if err != nil {
		return nil, err
	}
	if err := checkRepeated(form, repeatable); err != nil {
		return nil, err
	}
	dropEmpty(form)
	return form, nil
}

// readUserForm reads a form whose fields may be repeated. It accepts only the form
// that was shown to this user in this browser and session, for this action.
func (h *Handler) readUserForm(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User) (url.Values, error) {
	form, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if !wire.IsText(name + strings.Join(values, "")) {
			return nil, wire.Malformed("the form is not text")
		}
	}
	browser := h.browser(r)
	if browser == "" || !secret.Equal(form.Get("token"), formToken(browser, action, user)) {
		return nil, errFormExpired
	}
	return form, nil
}

// errFormExpired answers a form that was not shown to this user in this browser and
// session, or that showed something else.
var errFormExpired = oauthkit.Errorf(oauthkit.AccessDenied, "this form is not the one that was shown to you; go back, reload the page, and try again").
	WithReason(oauthkit.ReasonFormExpired)

// formToken returns the token of a form. The browser's cookie is the key. User may be
// nil.
func formToken(browser, form string, user *oauthkit.User) string {
	if user == nil {
		user = &oauthkit.User{}
	}
	mac := hmac.New(sha256.New, []byte(browser))
	mac.Write([]byte(strings.Join([]string{form, user.Subject, user.SessionID}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// checkOrigin refuses requests from the pages of another site. If the browser sends
// no Sec-Fetch-Site, the origins are compared, and one with plain http is refused
// for an https issuer: its pages can be forged.
func (h *Handler) checkOrigin(r *http.Request) error {
	if err := request.CheckSameOrigin(h.crossOrigin, r, h.secure()); err != nil {
		return oauthkit.Errorf(oauthkit.AccessDenied, "this was sent from another site").
			WithReason(oauthkit.ReasonCrossSite).WithCause(err)
	}
	return nil
}
