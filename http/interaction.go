package oauthhttp

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file keeps an authorization request while its user signs in and decides. The pages carry only its id; it belongs to
// the browser that began it, which has a cookie whose hash is stored with it.

// interactionLifetime is how long a request waits, a registration with the host included.
const interactionLifetime = 30 * time.Minute

// kept is an authorization request that was kept and has come back, in the same browser, still to be decided.
type kept struct {
	*oauthkit.AuthorizeRequest
	id      string // what pages carry
	browser string // the cookie of the browser
	begun   time.Time
}

// maxKept is the number of bytes of a request that is kept: anybody can send one.
const maxKept = 16 << 10

// keep stores the request and sends the browser to the consent page, by way of the login page if it has to sign in. User is who
// is signed in, or nil.
func (h *Handler) keep(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, signIn bool) error {
	parameters := request.Form.Encode()
	if len(parameters) > maxKept {
		return h.refuse(w, r, request, oauthkit.Errorf(oauthkit.InvalidRequest, "the request is larger than %d bytes", maxKept))
	}
	browser := h.knownBrowser(w, r)
	id := secret.New(secret.Interaction)
	err := h.provider.Store().SaveInteraction(r.Context(), &oauthkit.Interaction{
		Hash:        secret.Hash(id),
		BrowserHash: secret.Hash(browser),
		Request:     parameters,
		CreatedAt:   request.Now,
		ExpiresAt:   request.Now.Add(interactionLifetime),
	})
	if err != nil {
		return oauthkit.Unavailable(err)
	}
	if signIn {
		return h.redirectToLogin(w, r, h.consentLogin(request, id, user))
	}
	redirect(w, h.consentPath(id))
	return nil
}

func (h *Handler) consentPath(id string) string {
	return h.provider.Prefix() + "/consent?" + url.Values{"interaction": {id}}.Encode()
}

// resume returns a request that was kept, checked again from the beginning: the application may have changed meanwhile. Like
// [oauthkit.Provider.NewAuthorizeRequest] it returns both where the error is for the application.
func (h *Handler) resume(r *http.Request, id string) (*kept, error) {
	interaction, err := h.interaction(r, id)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(interaction.Request)
	if err != nil {
		return nil, err
	}
	request, err := h.provider.NewAuthorizeRequest(r.Context(), form)
	if request == nil {
		return nil, err
	}
	return &kept{AuthorizeRequest: request, id: id, browser: h.browser(r), begun: interaction.CreatedAt}, err
}

func (h *Handler) interaction(r *http.Request, id string) (*oauthkit.Interaction, error) {
	gone := withStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "this sign-in has expired or never began here; return to the application and start again").
		WithReason(oauthkit.ReasonRequestExpired))
	if !secret.Interaction.Is(id) {
		return nil, gone
	}
	interaction, err := h.provider.Store().Interaction(r.Context(), secret.Hash(id))
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, gone
	case err != nil:
		return nil, oauthkit.Unavailable(err)
	case !secret.Equal(interaction.BrowserHash, secret.Hash(h.browser(r))):
		return nil, oauthkit.Errorf(oauthkit.AccessDenied, "this sign-in was begun in another browser; return to the application and start again").
			WithReason(oauthkit.ReasonOtherBrowser)
	case !interaction.ConsumedAt.IsZero():
		return nil, errDecided
	case !h.provider.Now().Before(interaction.ExpiresAt):
		return nil, gone
	default:
		return interaction, nil
	}
}

// errDecided is the error of a request that was answered before.
var errDecided = withStatus(http.StatusConflict, oauthkit.Errorf(oauthkit.InvalidRequest, "this request was answered already; return to the application").
	WithReason(oauthkit.ReasonRequestAnswered))

// formToken ties the form of the consent page to the browser, the request, and the user and session that saw it. Without the
// cookie nobody can make one.
func (k *kept) formToken(user *oauthkit.User) string {
	shown := []string{k.id, k.ApplicationDigest(), k.Scopes.String(), k.Resources.String()}
	return formToken(k.browser, strings.Join(shown, "\x00"), user)
}

// cookieName has the prefix __Host- wherever a browser accepts it, so that no other host of the domain can set the cookie. Such a
// cookie is sent to every path of the host, so that the name tells the issuer: providers beside each other have one each.
func (h *Handler) cookieName() string {
	name := "oauthkit-" + secret.Hash(h.provider.Issuer())[:8]
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

func (h *Handler) secure() bool { return strings.HasPrefix(h.provider.Issuer(), "https://") }

// browser returns the browser's cookie, and nothing where it has none of ours.
func (h *Handler) browser(r *http.Request) string {
	cookie, err := r.Cookie(h.cookieName())
	if err != nil || !secret.Browser.Is(cookie.Value) {
		return ""
	}
	return cookie.Value
}

// knownBrowser returns the browser's cookie, and gives it one where it has none.
func (h *Handler) knownBrowser(w http.ResponseWriter, r *http.Request) string {
	browser := h.browser(r)
	if browser == "" {
		browser = secret.New(secret.Browser)
		h.setBrowser(w, browser, 0)
	}
	return browser
}

// forgetBrowser takes the browser's cookie away. Every request that it has begun, and every form that it shows, is void then.
func (h *Handler) forgetBrowser(w http.ResponseWriter) { h.setBrowser(w, "", -1) }

func (h *Handler) setBrowser(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the issuer is https
		Name: h.cookieName(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode,
	})
}
