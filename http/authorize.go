package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit"
)

// authorizePath is where the authorization endpoint is, relative to the issuer.
const authorizePath = "authorize"

// authorize is the authorization endpoint (RFC 6749 §3.1). Until the application and its redirect URI are known to be good,
// errors are shown to the user; from then on they go back to the application (§4.1.2.1), except failures of ours.
func (h *Handler) authorize(w http.ResponseWriter, r *http.Request) error {
	form, err := readAuthorizeForm(w, r)
	if err != nil {
		h.recordRejection(r, "", err, true)
		return err
	}
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		redirect(w, h.provider.Prefix()+"/authorize?"+form.Encode()) // such a POST comes without cookies that are SameSite=Lax
		return nil
	}
	request, err := h.provider.NewAuthorizeRequest(r.Context(), form)
	if request == nil {
		return err
	}
	if err != nil {
		return h.refuse(w, r, request, err)
	}
	user, err := h.currentUser(r)
	if err != nil {
		return err
	}
	signIn, err := mustSignIn(request, user, time.Time{})
	switch {
	case err != nil:
		return h.refuse(w, r, request, err)
	case signIn:
		return h.suspend(w, r, request, user, true)
	}
	consent, enough, err := h.provider.RememberedConsent(r.Context(), request, user)
	if err != nil {
		return err
	}
	if enough {
		err := h.approve(w, r, request, user, oauthkit.Decision{Consent: consent})
		if !errors.Is(err, oauthkit.ErrRevoked) {
			return err
		} // the consent was revoked a moment ago, so the user has to be asked after all
	}
	if request.Silent {
		return h.refuse(w, r, request, oauthkit.Errorf(oauthkit.ConsentRequired, "the user has to be asked"))
	}
	return h.suspend(w, r, request, user, false)
}

// readAuthorizeForm reads the parameters of a GET from the query. Those of a POST are the form's; what is in the query as
// well is then repeated, and refused as such.
func readAuthorizeForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	form, err := parseForm(r.URL.RawQuery)
	if err == nil && r.Method == http.MethodPost {
		var body url.Values
		body, err = readBody(w, r)
		for name, values := range body {
			form[name] = append(form[name], values...)
		}
	}
	dropEmpty(form)
	return form, err
}

// mustSignIn reports whether the user has to sign in before the request can go on. A sign-in counts as new when it is later
// than since, the moment at which the request was kept (OpenID Connect Core §3.1.2.1, prompt and max_age); zero: it was not
// yet. The error is for the application.
func mustSignIn(request *oauthkit.AuthorizeRequest, user *oauthkit.User, since time.Time) (bool, error) {
	must := false
	switch {
	case user == nil:
		must = true
	case request.Subject != "" && user.Subject != request.Subject:
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "another user than the one asked for is signed in")
	case (request.AskSignIn || request.MaxAge != nil) && user.AuthTime.IsZero():
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "it is not known when the user signed in")
	case !since.IsZero() && user.AuthTime.After(since):
	case request.AskSignIn:
		must = true
	case request.MaxAge != nil:
		must = request.Now.Sub(user.AuthTime) > *request.MaxAge || *request.MaxAge == 0
	}
	if must && request.Silent {
		return false, oauthkit.Errorf(oauthkit.LoginRequired, "the user has to sign in")
	}
	return must, nil
}

// approve hands out what the user allowed. It returns ErrRevoked, with nothing written, when the consent that it rests on is
// gone. An application that is gone can be told nothing.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, decision oauthkit.Decision) error {
	response, err := h.provider.Approve(r.Context(), request, user, decision)
	switch {
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrEnded):
		return err
	case errors.Is(err, oauthkit.ErrReplayed), errors.Is(err, oauthkit.ErrNotFound):
		return errDecided
	case err != nil:
		return h.refuse(w, r, request, err)
	}
	redirect(w, request.RedirectTo(response))
	return nil
}

// refuse sends an error to the application. Our own failures are shown to the user instead, who can try again: nothing was
// decided yet, and the application could only give up. So are all errors of an application that a user has registered, since
// anybody could send people anywhere with a link to us; a request for an answer without any page is the exception that
// RFC 9700 §4.11.2 makes.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, err error) error {
	if isUsers(request.Application) && !request.Silent {
		if statusOf(err) < http.StatusInternalServerError {
			h.recordRejection(r, request.Application.GetID(), err, true)
		}
		return err
	}
	if failure := sendError(w, request, err); failure != nil {
		return failure
	}
	h.recordRejection(r, request.Application.GetID(), err, false)
	return nil
}

// isUsers reports whether nobody but a user, or the application itself, says where the application's answers go.
func isUsers(app oauthkit.Application) bool {
	abstract := oauthkit.Abstract(app)
	itself := abstract != nil && abstract.RegistrationSource != "" && abstract.RegistrationSource != oauthkit.RegisteredManually
	return (itself || app.GetUserID() != "") && !oauthkit.IsVerified(app)
}

// sendError is refuse where the observer was told already.
func sendError(w http.ResponseWriter, request *oauthkit.AuthorizeRequest, err error) error {
	switch oauthkit.CodeOf(err) {
	case oauthkit.ServerError, oauthkit.TemporarilyUnavailable:
		return err
	}
	redirect(w, request.RedirectTo(oauthkit.Refusal(err)))
	return nil
}
