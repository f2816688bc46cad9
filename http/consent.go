package oauthhttp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// ConsentRow is one line about an application on the consent page.
type ConsentRow struct {
	Label string // what Value is, as it is shown in every language
	Value string // shown as text: markup in it is escaped, and an address is no link
}

// ConsentRowsFor makes a Config.ConsentRows of a function that takes the host's own application. It returns no rows for an
// application of another type, which a store of A never makes.
func ConsentRowsFor[A oauthkit.Application](rows func(ctx context.Context, app A) []ConsentRow) func(context.Context, oauthkit.Application) []ConsentRow {
	return func(ctx context.Context, app oauthkit.Application) []ConsentRow {
		own, ok := app.(A)
		if !ok {
			return nil
		}
		return rows(ctx, own)
	}
}

// consent is the page on which the user decides (GET), and what receives the decision (POST). It begins where authorize left
// off, with the request that was kept.
func (h *Handler) consent(w http.ResponseWriter, r *http.Request) error {
	form, err := h.readConsentForm(w, r)
	if err != nil {
		return err
	}
	request, err := h.resume(r, form)
	if request == nil {
		return err
	}
	if err != nil {
		return h.refuse(w, r, request.AuthorizeRequest, err)
	}
	user, err := h.currentUser(r)
	if err != nil {
		return err
	}
	signIn, err := mustSignIn(request.AuthorizeRequest, user, request.pending.begun)
	switch {
	case err != nil:
		return h.refuse(w, r, request.AuthorizeRequest, err)
	case signIn:
		return h.redirectToLogin(w, r, h.consentLogin(request.AuthorizeRequest, request.path, user))
	case request.id == "":
		return h.arrive(w, r, request, user)
	case r.Method == http.MethodPost:
		return h.decide(w, r, request, user, form)
	case request.subject != user.Subject: // each user decides in a row of their own
		return h.saveInteraction(w, r, request.pending, user)
	default:
		return h.ask(w, r, request, user)
	}
}

// arrive goes on with a request whose user has just signed in. It needs no row where consent is remembered,
// unless the sign-in was demanded: one sign-in then answers one request, however often the link is opened.
func (h *Handler) arrive(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User) error {
	if request.AskSignIn || request.MaxAge != nil {
		return h.saveInteraction(w, r, request.pending, user)
	}
	consent, enough, err := h.provider.RememberedConsent(r.Context(), request.AuthorizeRequest, user)
	if err != nil {
		return err
	}
	if enough {
		err := h.approve(w, r, request.AuthorizeRequest, user, oauthkit.Decision{Consent: consent})
		if !errors.Is(err, oauthkit.ErrRevoked) {
			return err
		} // the consent was revoked a moment ago, so the user has to be asked after all
	}
	return h.saveInteraction(w, r, request.pending, user)
}

// readConsentForm reads the query of a GET, and the form of a POST that comes from this site.
func (h *Handler) readConsentForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return parseForm(r.URL.RawQuery)
	}
	if err := h.checkOrigin(r); err != nil {
		return nil, err
	}
	return readForm(w, r, scopeField)
}

// ask shows the page, unless the user has approved the same before and only had to sign in.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User) error {
	consent, enough, err := h.provider.RememberedConsent(r.Context(), request.AuthorizeRequest, user)
	if err != nil {
		return err
	}
	if enough {
		err := h.approve(w, r, request.AuthorizeRequest, user, oauthkit.Decision{Consent: consent, InteractionHash: secret.Hash(request.id)})
		if !errors.Is(err, oauthkit.ErrRevoked) {
			return err
		}
		consent = nil // it was revoked a moment ago
	}
	return h.writeConsentPage(w, r, request, user, consent, false)
}

// decide does what the user said. Only the page that this user saw in this browser and session can say it.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User, form url.Values) error {
	if !secret.Equal(form.Get("token"), request.formToken(user)) {
		return oauthkit.Errorf(oauthkit.AccessDenied, "this form is not the one that was shown to you; go back, reload the page, and decide again").
			WithReason(oauthkit.ReasonFormExpired)
	}
	switch form.Get("decision") {
	case "allow":
		consent, _, err := h.provider.RememberedConsent(r.Context(), request.AuthorizeRequest, user)
		if err != nil {
			return err
		}
		scopes, err := h.chosenScopes(request, form)
		switch {
		case errors.Is(err, errNothingChosen):
			return h.writeConsentPage(w, r, request, user, consent, true)
		case err != nil:
			return err
		}
		return h.approve(w, r, request.AuthorizeRequest, user, oauthkit.Decision{
			Consent: consent, Given: true, Scopes: scopes, InteractionHash: secret.Hash(request.id),
		})
	case "deny":
		err := h.provider.Deny(r.Context(), request.AuthorizeRequest, user, secret.Hash(request.id))
		if errors.Is(err, oauthkit.ErrReplayed) || errors.Is(err, oauthkit.ErrNotFound) {
			return errDecided
		}
		return sendError(w, request.AuthorizeRequest, err) // the event is that the user denied it
	default:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "the form has no decision; go back and choose one").WithReason(oauthkit.ReasonNothingChosen)
	}
}

// errNothingChosen says that the user has allowed the application, and nothing that it may do.
var errNothingChosen = errors.New("nothing was chosen")

// scopeField is the field of the form that names one approved scope.
const scopeField = "scope"

// chosenScopes are those of the request's that the user has left on the page; nil where he could not choose. What the page did
// not offer cannot be approved, and to approve nothing at all is no answer.
func (h *Handler) chosenScopes(request *resumed, form url.Values) (oauthkit.Scopes, error) {
	if !h.config.UserChoosesScopes || len(request.Scopes) == 0 {
		return nil, nil
	}
	for _, scope := range form[scopeField] {
		if !request.Scopes.Contains(scope) {
			return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "the form approves what was not asked for; go back, reload the page, and decide again").WithReason(oauthkit.ReasonFormExpired)
		}
	}
	var chosen oauthkit.Scopes
	for _, scope := range request.Scopes {
		if isFixed(scope) || slices.Contains(form[scopeField], scope) {
			chosen = append(chosen, scope)
		}
	}
	if len(chosen) == 0 {
		return nil, errNothingChosen
	}
	return chosen, nil
}

// isFixed reports whether a scope comes with any approval: without openid the request would be another one (OpenID Connect Core
// §3.1.2.1).
func isFixed(scope string) bool { return scope == "openid" }
