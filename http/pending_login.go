package oauthhttp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// PendingRequest is an authorization request that waits for its user to sign in. A is
// the host's type of application.
//
// The application chose its name and LoginHint, so show both only as text.
//
// The fields from LoginHint to MaxAge are parameters of OpenID Connect Core §3.1.2.1.
// Except for Prompt and UILocales they are empty without the extension of package
// oidc, and so are all whose parameter was not sent.
type PendingRequest[A oauthkit.Application] struct {
	// Application is the application that sent the request.
	Application A
	// Scopes are the requested scopes, or the defaults.
	Scopes oauthkit.Scopes
	// LoginHint names a user, for example to fill in the username. It is at most 512
	// bytes, proves nothing, and may name another user or none.
	LoginHint string
	// ACRValues are authentication context classes in order of preference. A sign-in may
	// satisfy none of them, except that essential ones are then refused. User.ACR is the
	// one that was satisfied.
	ACRValues []string
	// Display is page, popup, touch or wap.
	Display string
	// Prompt holds the words of prompt, such as login, select_account or create.
	Prompt []string
	// UILocales are languages (BCP 47) in order of preference. They are not checked.
	UILocales []string
	// MaxAge is the maximum age of the sign-in. If nil, any age is accepted.
	MaxAge *time.Duration
	// Next is the path to which the login page redirects after the sign-in, as
	// [ReturnPath] returns it.
	Next string
}

// PendingLogin returns the authorization request that waits for the user of a login
// page. It reads the parameter next of r as [ReturnPath] does, and the cookie that
// binds the request to the browser, so the login page must have the host of the issuer.
//
// It returns nil without an error if no request waits: the user came from another
// page, or the request is expired, decided, changed, of another browser, or no longer
// valid. Show an ordinary login page then: the library shows the error, if there is one,
// after the sign-in.
//
// It returns [ErrBusy] if too many requests are served at the same time, and another
// error if the store fails or if the application is not of type A.
func PendingLogin[A oauthkit.Application](handler *Handler, r *http.Request) (*PendingRequest[A], error) {
	next := ReturnPath(r)
	waiting, err := handler.waitingAt(r, next)
	if waiting == nil {
		return nil, err
	}
	app, ok := waiting.Application.(A)
	if !ok {
		return nil, fmt.Errorf("oauthhttp: PendingLogin: the application is a %T, want %s", waiting.Application, reflect.TypeFor[A]())
	}
	form := waiting.Form
	return &PendingRequest[A]{
		Application: app,
		Scopes:      waiting.Scopes,
		LoginHint:   form.Get("login_hint"),
		ACRValues:   strings.Fields(form.Get("acr_values")),
		Display:     form.Get("display"),
		Prompt:      strings.Fields(form.Get("prompt")),
		UILocales:   strings.Fields(form.Get("ui_locales")),
		MaxAge:      waiting.MaxAge,
		Next:        next,
	}, nil
}

// waitingAt returns the authorization request that waits at the path next for this
// browser. It returns nil without an error if there is none, or if it is refused.
func (h *Handler) waitingAt(r *http.Request, next string) (*oauthkit.AuthorizeRequest, error) {
	form := h.consentQuery(next)
	if form == nil || h.browser(r) == "" { // without using the store
		return nil, nil
	}
	r = request.WithInfo(r)
	ctx, cancel := context.WithTimeout(r.Context(), h.provider.Timeout())
	defer cancel()
	if !hasTurn(ctx, h.inFlight) { // anyone can open a login page
		if !h.inFlight.enter(ctx, true) {
			h.inFlight.refused.add()
			return nil, ErrBusy
		}
		defer h.inFlight.leave(true)
	}
	link := r.WithContext(ctx)
	link.Method = http.MethodGet
	found, err := h.resume(link, form)
	switch {
	case err == nil:
		return found.AuthorizeRequest, nil
	case wire.Status(err) < http.StatusInternalServerError:
		return nil, nil
	default:
		return nil, asTimeout(ctx, err)
	}
}

// consentQuery returns the query of a link to the consent page, or nil if next is
// another path.
func (h *Handler) consentQuery(next string) url.Values {
	query, isConsent := strings.CutPrefix(next, h.provider.Prefix()+"/consent?")
	if !isConsent || len(next) > maxNext {
		return nil
	}
	form, err := parseForm(query)
	if err != nil {
		return nil
	}
	return form
}
