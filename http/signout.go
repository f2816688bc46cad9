package oauthhttp

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file holds the endpoint at which users sign out of the host, by themselves or
// because an application asks (OpenID Connect RP-Initiated Logout 1.0). Its section
// numbers refer to that document.

// logoutPath is the path of the endpoint, relative to the issuer.
const logoutPath = "logout"

// signOutEndpoints returns the sign-out page if the host has configured how to sign
// out. It belongs to the base group, because a host without management pages has
// users who sign out too.
func (h *Handler) signOutEndpoints() []route {
	if h.config.SignOut == nil {
		return nil
	}
	endpoint := oauthkit.Endpoint{
		Path: logoutPath, Methods: []string{http.MethodGet, http.MethodPost}, Anyone: h.signOut, Group: GroupBase,
	}
	if h.acceptsSignOutRequests() {
		endpoint.Metadata = "end_session_endpoint"
	}
	return []route{{page: true, Endpoint: endpoint}}
}

// acceptsSignOutRequests reports whether applications may ask to sign users out.
func (h *Handler) acceptsSignOutRequests() bool {
	return h.config.SignOut != nil && h.serves(GroupBase) && h.serves(GroupOIDC) && h.provider.AcceptsSignOutRequests()
}

// signOut shows the question, or signs the user out if the user confirmed it or the
// application proved that the session is its own (§2). The page says that the user is
// signed out only if that is true, so no link can fake it and a reload stays correct.
func (h *Handler) signOut(w http.ResponseWriter, r *http.Request) error {
	form, err := h.readSignOutForm(w, r)
	if err != nil {
		return err
	}
	if form.elsewhere {
		// Browsers send no SameSite=Lax cookies with such a POST, but do with a GET.
		redirect(w, h.signOutPath()+"?"+form.parameters.Encode())
		return nil
	}
	user, err := h.currentUser(r)
	if err != nil {
		return err
	}
	request, err := h.newSignOutRequest(r, form)
	if err != nil {
		return err
	}
	switch {
	case user == nil:
		return h.writeSignedOutPage(w, r, request)
	case form.own:
		return h.confirmSignOut(w, r, request, user, form)
	case h.provider.Proves(request.SignOutRequest, withSession(user, h.browser(r))):
		request.proven = true
		return h.signOutUser(w, r, request, user)
	default:
		return h.writeSignOutPage(w, r, request, user)
	}
}

// signOutForm is the form of an application, or that of the sign-out page itself.
type signOutForm struct {
	parameters url.Values // those of the application
	elsewhere  bool       // an application's page posted it
	own        bool       // it is the form of the page
	token      string     // of the page
	confirmed  bool       // the user pressed the button
}

// readSignOutForm reads the parameters of a GET from the query, and those of a POST from
// query and body. The form of the page is a body from this site: a link cannot be one.
func (h *Handler) readSignOutForm(w http.ResponseWriter, r *http.Request) (signOutForm, error) {
	parameters, err := parseForm(r.URL.RawQuery)
	if err != nil || r.Method != http.MethodPost {
		dropEmpty(parameters)
		return signOutForm{parameters: parameters}, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return signOutForm{}, err
	}
	if body.Has("token") || body.Has("logout") {
		return newOwnSignOutForm(body), h.checkOrigin(r)
	}
	for name, values := range body { // a parameter in both is repeated, which is refused
		parameters[name] = append(parameters[name], values...)
	}
	dropEmpty(parameters)
	return signOutForm{parameters: parameters, elsewhere: h.checkOrigin(r) != nil}, nil
}

// newOwnSignOutForm returns the form of the page. A host's page may leave out logout,
// since the token proves that the user saw the question.
func newOwnSignOutForm(body url.Values) signOutForm {
	answer := body.Get("logout")
	dropEmpty(body)
	return signOutForm{parameters: body, own: true, token: body.Get("token"), confirmed: answer == "" || answer == "yes"}
}

// signOutRequest is a checked request. Without an application it is the user's own.
type signOutRequest struct {
	*oauthkit.SignOutRequest
	// proven means that the application proved that the session is its own.
	proven bool
}

// newSignOutRequest checks the parameters of the application. Without an extension that
// checks them they are ignored.
func (h *Handler) newSignOutRequest(r *http.Request, form signOutForm) (*signOutRequest, error) {
	if !h.acceptsSignOutRequests() {
		form.parameters = url.Values{}
	}
	request, err := h.provider.NewSignOutRequest(r.Context(), form.parameters)
	if err != nil {
		return nil, err
	}
	return &signOutRequest{SignOutRequest: request}, nil
}

// confirmSignOut signs the user out if the form is the one that was shown to this user,
// in this browser and session, for this request.
func (h *Handler) confirmSignOut(w http.ResponseWriter, r *http.Request, request *signOutRequest, user *oauthkit.User, form signOutForm) error {
	browser := h.browser(r)
	switch {
	case browser == "" || !secret.Equal(form.token, formToken(browser, h.signOutAction(request), user)):
		return errFormExpired
	case !form.confirmed:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the form does not confirm the sign-out").WithReason(oauthkit.ReasonNothingChosen)
	default:
		return h.signOutUser(w, r, request, user)
	}
}

// signOutAction returns the text to which the form's token is bound.
func (h *Handler) signOutAction(request *signOutRequest) string {
	if len(request.Form) == 0 {
		return h.signOutPath()
	}
	return h.signOutPath() + "?" + request.Form.Encode()
}

// signOutUser ends the session with the applications and then that of the host.
func (h *Handler) signOutUser(w http.ResponseWriter, r *http.Request, request *signOutRequest, user *oauthkit.User) error {
	ended, err := h.endSession(w, r, user)
	if err != nil {
		return err
	}
	if err := h.config.SignOut(w, r); err != nil {
		return oauthkit.Unavailable(fmt.Errorf("signing out: %w", err))
	}
	event := oauthkit.SignedOut{Subject: user.Subject}
	if request.Application != nil {
		event.ClientID = request.Application.GetID()
	}
	h.provider.Record(r.Context(), event)
	if frames := h.logoutFrames(r, ended); len(frames) > 0 {
		return h.writeFrontChannelPage(w, r, request, frames)
	}
	if request.isAutomatic() {
		redirect(w, request.RedirectURI())
	} else {
		redirect(w, h.signedOutPath(request))
	}
	return nil
}

// isAutomatic reports whether the browser goes to the redirect URI without a click.
//
// Anyone can register an application and send people links to this site that lead on to
// it. So an address that the operator did not verify gets only a link, unless the
// application proved that this user has just used it.
func (r *signOutRequest) isAutomatic() bool {
	return r.RedirectURI() != "" && (r.proven || !isUserRegistered(r.Application))
}

func (h *Handler) signOutPath() string { return h.provider.Prefix() + "/" + logoutPath }

// signedOutPath returns the address of the page after a sign-out. It has the parameters
// of the request that the page needs, without the ID token.
func (h *Handler) signedOutPath(request *signOutRequest) string {
	parameters := url.Values{}
	if locales := request.Form.Get("ui_locales"); locales != "" {
		parameters.Set("ui_locales", locales)
	}
	if request.RedirectURI() != "" {
		parameters.Set("client_id", request.Application.GetID())
		parameters.Set("post_logout_redirect_uri", request.Form.Get("post_logout_redirect_uri"))
		if state := request.Form.Get("state"); state != "" {
			parameters.Set("state", state)
		}
	}
	if len(parameters) == 0 {
		return h.signOutPath()
	}
	return h.signOutPath() + "?" + parameters.Encode()
}

// EndSession ends the session of the user who is signed in in this request, like the
// library's sign-out page, but not that of the host. Call it in the host's own sign-out,
// before the host deletes its session and its cookie, while CurrentUser still returns the
// user. Call the Handler of each provider on the host. The Authorizations of the session
// end as [oauthkit.Config].Logout says, applications are told through the back channel,
// the browser's pending requests become invalid, and the library's cookies are deleted
// with headers of w. Applications that can only be told in the browser (OpenID Connect
// Front-Channel Logout 1.0) are told only by the sign-out page. If no user is signed in,
// only the cookies are deleted. After an error, keep the user signed in and let them try
// again.
func (h *Handler) EndSession(w http.ResponseWriter, r *http.Request) error {
	user, err := h.currentUser(r)
	if err != nil {
		return err
	}
	_, err = h.endSession(w, r, user)
	return err
}

// endedSession is a session that was ended, with the applications that were in it.
type endedSession struct {
	id        string
	clientIDs []string
}

// endSession ends the session with the applications and forgets the browser, so that its
// pending requests can no longer be decided.
func (h *Handler) endSession(w http.ResponseWriter, r *http.Request, user *oauthkit.User) (endedSession, error) {
	var ended endedSession
	if user != nil {
		browser := h.browser(r)
		ended.id = h.provider.SessionID(withSession(user, browser))
		session := oauthkit.Session{Subject: user.Subject, ID: ended.id}
		if browser != "" {
			session.BrowserHash = secret.Hash(browser)
		}
		if ended.id != "" { // otherwise this browser has approved nothing
			var err error
			if ended.clientIDs, err = h.provider.EndSession(r.Context(), session); err != nil {
				return ended, err
			}
		}
	}
	h.forgetBrowser(w)
	h.setSessionCookies(w, nil)
	return ended, nil
}

// withSession returns user with a SessionID: that of the host, or else the browser's
// cookie. Browser may be empty.
func withSession(user *oauthkit.User, browser string) *oauthkit.User {
	if user.SessionID != "" {
		return user
	}
	inBrowser := *user
	inBrowser.SessionID = browser
	return &inBrowser
}

// setSessionCookies sets the cookies of extensions about the session. If user is nil, the
// session has ended.
func (h *Handler) setSessionCookies(w http.ResponseWriter, user *oauthkit.User) {
	for _, cookie := range h.provider.SessionCookies(user) {
		http.SetCookie(w, cookie)
	}
}
