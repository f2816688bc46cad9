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

// newFormToken returns the token of a form, bound to its action, the browser, the
// user and the session.
func (h *Handler) newFormToken(w http.ResponseWriter, r *http.Request, action string, user *oauthkit.User) string {
	return formToken(h.ensureBrowser(w, r), action, user)
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
		return nil, oauthkit.Errorf(oauthkit.AccessDenied, "this form is not the one that was shown to you; go back, reload the page, and try again").
			WithReason(oauthkit.ReasonFormExpired)
	}
	return form, nil
}

// formToken returns the token of a form. The browser's cookie is the key.
func formToken(browser, form string, user *oauthkit.User) string {
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
