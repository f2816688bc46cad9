package oauthhttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// ConsentForm describes a consent page of an extension. The user's answer is valid only
// for a page with the same description.
type ConsentForm struct {
	// ID identifies the request among those of the extension. It need not be secret, but
	// must never be used for two requests.
	ID string
	// Action is the path of the page with its query, to which its form is sent. A GET of
	// it must show the page again, since a user can return to it from the login page.
	Action string
	// Intro is the key of a text above the facts, for example how the request arrived. It
	// is formatted with IntroArgs. If empty, there is none.
	Intro     string
	IntroArgs []any
	// AcceptRemembered means that the user is not asked if the remembered consent, or the
	// operator's trust, is enough. Otherwise they are always asked. Set it only if no
	// stranger can make users come to the page, by a link or by a code (RFC 8628 §5.4).
	AcceptRemembered bool
}

// AskConsent shows the consent page for a request without a redirect URI, from an
// endpoint for users with the methods GET and POST. It returns nil without an error if it
// wrote the page, and the decision once the user has answered. Pass the decision to
// [oauthkit.Provider.Approve], which returns an [oauthkit.AccessDenied] error if it is a
// denial, and then write a response.
//
// An answer is valid only from this site, for this user in this browser and session, and
// for what the page showed of the application, scopes and resources. Any number of
// answers can be valid until one of them is stored: the extension must make sure that
// only one counts.
func (h *Handler) AskConsent(w http.ResponseWriter, r *http.Request, user *oauthkit.User, request *oauthkit.ConsentRequest, form ConsentForm) (*oauthkit.Decision, error) {
	if form.ID == "" || !isLocalPath(form.Action) {
		return nil, errors.New("oauthhttp: AskConsent: ID is empty, or Action is not a path")
	}
	if r.Method == http.MethodPost {
		decision, answered, err := h.readConsent(w, r, user, request, form)
		if answered || err != nil {
			return decision, err
		}
	}
	consent, enough, err := h.provider.RememberedConsent(r.Context(), request, user)
	switch {
	case err != nil:
		return nil, err
	case enough && form.AcceptRemembered:
		return &oauthkit.Decision{Consent: consent}, nil
	default:
		return nil, h.writeConsentForm(w, r, user, request, form, consent, false)
	}
}

// readConsent reads the answer to the page. It reports false if there is none. If the
// user chose no scope, it shows the page again.
func (h *Handler) readConsent(w http.ResponseWriter, r *http.Request, user *oauthkit.User, request *oauthkit.ConsentRequest, form ConsentForm) (decision *oauthkit.Decision, answered bool, err error) {
	if err := h.checkOrigin(r); err != nil {
		return nil, false, err
	}
	sent, err := readForm(w, r, scopeField)
	if err != nil || !sent.Has("decision") {
		return nil, false, err
	}
	browser := h.browser(r)
	shown := browser != "" && secret.Equal(sent.Get("token"), form.token(browser, user, request))
	if !shown {
		return nil, false, errFormExpired
	}
	decision, err = h.readDecision(r.Context(), request, user, sent)
	switch {
	case errors.Is(err, errNothingChosen):
		return nil, true, h.writeConsentForm(w, r, user, request, form, decision.Consent, true)
	case err != nil:
		return nil, false, err
	default:
		return decision, true, nil
	}
}

// writeConsentForm writes the page. NothingChosen reports whether the user has already
// submitted the form without a scope.
func (h *Handler) writeConsentForm(w http.ResponseWriter, r *http.Request, user *oauthkit.User, request *oauthkit.ConsentRequest, form ConsentForm, consent *oauthkit.Consent, nothingChosen bool) error {
	content, response, err := h.consentPage(r, request, user, consent, nothingChosen)
	if err != nil {
		return err
	}
	if form.Intro != "" {
		language := h.pages.catalogue.choose(r, response.UILocales)
		content.Intro = h.pages.catalogue.translator(language)(form.Intro, form.IntroArgs...)
	}
	content.Elsewhere = true
	content.SwitchURL = h.loginURL(login{
		next: form.Action, uiLocales: response.UILocales,
		event: oauthkit.SignInRequired{ClientID: request.Application.GetID(), Subject: user.Subject},
	})
	content.Action, content.Interaction = form.Action, form.ID
	content.Token = form.token(h.ensureBrowser(w, r), user, request)
	response.FormAction = "'self'"
	return h.writePage(w, r, response, content)
}

// token returns the token of the form. The library's own consent page has none that
// begins with a path.
func (f ConsentForm) token(browser string, user *oauthkit.User, request *oauthkit.ConsentRequest) string {
	shown := strings.Join([]string{f.Action, f.ID, f.Intro, fmt.Sprintf("%q", f.IntroArgs)}, "\x00")
	return consentToken(browser, shown, request, user)
}
