package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// authorizePath is the path of the authorization endpoint, relative to the issuer.
const authorizePath = "authorize"

// authorize is the authorization endpoint (RFC 6749 §3.1). It shows errors to the
// user until the client_id and the redirect URI are valid. Later errors go back to
// the application (§4.1.2.1), except the server's own failures.
func (h *Handler) authorize(w http.ResponseWriter, r *http.Request) error {
	form, err := readAuthorizeForm(w, r)
	if err != nil {
		h.recordRejection(r, "", err, true)
		return err
	}
	if r.Method == http.MethodPost && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		// Browsers send no SameSite=Lax cookies with such a POST, but do with a GET.
		redirect(w, h.provider.Prefix()+"/authorize?"+form.Encode())
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
	demanded, err := h.demanded(request, user, time.Time{})
	switch {
	case err != nil:
		return h.refuse(w, r, request, err)
	case demanded != demandNone:
		return h.suspend(w, r, request, user, demanded)
	}
	if _, done, err := h.approveRemembered(w, r, request, user, "", time.Time{}); done {
		return err
	}
	if request.Silent {
		return h.refuse(w, r, request, oauthkit.Errorf(oauthkit.ConsentRequired, "the user has to be asked"))
	}
	return h.suspend(w, r, request, user, demandNone)
}

// readAuthorizeForm reads the parameters of a GET from the query, and those of a POST
// from query and body. A parameter in both is repeated, which the provider refuses.
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

// approveRemembered approves the request, which began to wait at begun, if the remembered
// consent is enough, and consumes the Interaction if interactionHash is not empty. It
// reports whether it responded or failed. Otherwise the user must be asked, and it
// returns the remembered consent, which is nil if there is none or if it was revoked
// concurrently.
func (h *Handler) approveRemembered(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, interactionHash string, begun time.Time) (consent *oauthkit.Consent, done bool, err error) {
	consent, enough, err := h.provider.RememberedConsent(r.Context(), &request.ConsentRequest, user)
	if err != nil || !enough {
		return consent, err != nil, err
	}
	err = h.approve(w, r, request, user, oauthkit.Decision{Consent: consent, InteractionHash: interactionHash}, begun)
	if errors.Is(err, oauthkit.ErrRevoked) {
		return nil, false, nil
	}
	return nil, true, err
}

// approve sends the response that the user allowed. If the consent was revoked, it
// returns ErrRevoked and writes nothing. If the application was deleted or disabled,
// it returns ErrEnded: there is no application to send the error to. If the session has
// ended, the user has to sign in again, unless they did so since the request began to
// wait, at begun: then the host has begun no other session, and would do so again and
// again. A new request has the zero time. If the session was the library's cookie, the
// browser missed the answer to its sign-out, and gets another cookie.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, decision oauthkit.Decision, begun time.Time) error {
	inBrowser := user.SessionID == ""
	if inBrowser {
		user = withSession(user, h.ensureBrowser(w, r))
	}
	parameters, err := h.provider.Respond(r.Context(), request, user, decision)
	switch {
	case errors.Is(err, oauthkit.ErrEnded) && isLoginRequired(err):
		if inBrowser && h.browser(r) != "" {
			h.renewBrowser(w)
		}
		if request.Silent || !inBrowser && !begun.IsZero() && user.AuthTime.After(begun) {
			return h.refuse(w, r, request, err)
		}
		return h.suspend(w, r, request, user, demandSignIn)
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrEnded):
		return err
	case errors.Is(err, oauthkit.ErrReplayed), errors.Is(err, oauthkit.ErrNotFound):
		return errDecided
	case err != nil:
		return h.refuse(w, r, request, err)
	}
	h.setSessionCookies(w, user)
	return h.answer(w, r, request, parameters)
}

func isLoginRequired(err error) bool {
	var refusal *oauthkit.Error
	return errors.As(err, &refusal) && refusal.Code == oauthkit.LoginRequired
}

// refuse sends an error to the application, or returns it for the error
// page in two cases.
//
// The server's own failures are shown to the user, who can try again; the application
// could only give up. Errors of an application that a user registered are shown too:
// otherwise anyone could use a link to the provider to redirect people anywhere. RFC 9700
// §4.11.2 makes an exception for requests that permit no page.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, err error) error {
	if isUserRegistered(request.Application) && !request.Silent {
		if wire.Status(err) < http.StatusInternalServerError {
			h.recordRejection(r, request.Application.GetID(), err, true)
		}
		return err
	}
	if failure := h.sendError(w, r, request, err); failure != nil {
		return failure
	}
	h.recordRejection(r, request.Application.GetID(), err, false)
	return nil
}

// isUserRegistered reports whether a user, or the application itself, chose the
// redirect URIs, and the operator did not verify the application.
func isUserRegistered(app oauthkit.Application) bool {
	abstract := oauthkit.Abstract(app)
	itself := abstract != nil && abstract.RegistrationSource != "" && abstract.RegistrationSource != oauthkit.RegisteredManually
	return (itself || app.GetUserID() != "") && !oauthkit.IsVerified(app)
}

// sendError is refuse without the event.
func (h *Handler) sendError(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, err error) error {
	switch oauthkit.CodeOf(err) {
	case oauthkit.ServerError, oauthkit.TemporarilyUnavailable:
		return err
	}
	parameters := oauthkit.Refusal(err)
	h.provider.DecorateRefusal(r, request, parameters)
	return h.answer(w, r, request, parameters)
}

// recordRejection records the event of a refused authorization request.
func (h *Handler) recordRejection(r *http.Request, clientID string, err error, shown bool) {
	h.provider.Record(r.Context(), oauthkit.AuthorizeRejected{
		ClientID: clientID, Code: oauthkit.CodeOf(err), Reason: oauthkit.ReasonOf(err), Description: wire.Description(err), Shown: shown,
	})
}
