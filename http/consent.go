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

// ConsentRow is a line about an application on the consent page.
type ConsentRow struct {
	Label string // the same in every language
	Value string // shown as text: markup is escaped, and a URL is not a link
}

// ConsentRowsFor returns a Config.ConsentRows that calls rows with the host's
// application type. It returns no rows for an application of another type, which a
// store of A never returns.
func ConsentRowsFor[A oauthkit.Application](rows func(ctx context.Context, app A) []ConsentRow) func(context.Context, oauthkit.Application) []ConsentRow {
	return func(ctx context.Context, app oauthkit.Application) []ConsentRow {
		own, ok := app.(A)
		if !ok {
			return nil
		}
		return rows(ctx, own)
	}
}

// consent shows the consent page (GET) and receives the user's decision (POST). It
// resumes a request that authorize suspended.
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
	demanded, err := h.demanded(request.AuthorizeRequest, user, request.pending.begun)
	switch {
	case err != nil:
		return h.refuse(w, r, request.AuthorizeRequest, err)
	case demanded != demandNone:
		return h.redirectToLogin(w, r, h.consentLogin(request.AuthorizeRequest, demanded, request.path, user))
	case request.id == "":
		return h.continueSignedIn(w, r, request, user)
	case r.Method == http.MethodPost:
		return h.decide(w, r, request, user, form)
	case request.subject != user.Subject: // each user decides in an interaction of their own
		return h.saveInteraction(w, r, request.pending, user)
	default:
		return h.ask(w, r, request, user)
	}
}

// continueSignedIn continues a request after its user signed in. If the request
// demands a sign-in, it always stores an interaction, so that one sign-in answers only
// one request, however often the link is opened. Otherwise it stores none if the
// consent is remembered.
func (h *Handler) continueSignedIn(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User) error {
	if request.AskSignIn || request.AskAccount || request.AskSignUp || request.MaxAge != nil {
		return h.saveInteraction(w, r, request.pending, user)
	}
	if _, done, err := h.approveRemembered(w, r, request.AuthorizeRequest, user, "", request.pending.begun); done {
		return err
	}
	return h.saveInteraction(w, r, request.pending, user)
}

// readConsentForm reads the query of a GET, or the form of a POST from this site.
func (h *Handler) readConsentForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return parseForm(r.URL.RawQuery)
	}
	if err := h.checkOrigin(r); err != nil {
		return nil, err
	}
	return readForm(w, r, scopeField)
}

// ask shows the consent page, unless the consent is remembered.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User) error {
	consent, done, err := h.approveRemembered(w, r, request.AuthorizeRequest, user, secret.Hash(request.id), request.pending.begun)
	if done {
		return err
	}
	return h.writeConsentPage(w, r, request, user, consent, false)
}

// decide carries out the user's decision. It accepts only the form that was shown to
// this user in this browser and session.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, request *resumed, user *oauthkit.User, form url.Values) error {
	if !secret.Equal(form.Get("token"), request.formToken(user)) {
		return oauthkit.Errorf(oauthkit.AccessDenied, "this form is not the one that was shown to you; go back, reload the page, and decide again").
			WithReason(oauthkit.ReasonFormExpired)
	}
	decision, err := h.readDecision(r.Context(), &request.ConsentRequest, user, form)
	switch {
	case errors.Is(err, errNothingChosen):
		return h.writeConsentPage(w, r, request, user, decision.Consent, true)
	case err != nil:
		return err
	case decision.Denied:
		err := h.provider.Deny(r.Context(), &request.ConsentRequest, user, secret.Hash(request.id))
		if errors.Is(err, oauthkit.ErrReplayed) || errors.Is(err, oauthkit.ErrNotFound) {
			return errDecided
		}
		return h.sendError(w, r, request.AuthorizeRequest, err) // Deny has recorded the event
	}
	decision.InteractionHash = secret.Hash(request.id)
	return h.approve(w, r, request.AuthorizeRequest, user, *decision, request.pending.begun)
}

// readDecision reads the decision from the form of a consent page. If the user allowed
// access but chose no scope, the error is errNothingChosen.
func (h *Handler) readDecision(ctx context.Context, request *oauthkit.ConsentRequest, user *oauthkit.User, form url.Values) (*oauthkit.Decision, error) {
	switch form.Get("decision") {
	case "allow":
		consent, _, err := h.provider.RememberedConsent(ctx, request, user)
		if err != nil {
			return nil, err
		}
		scopes, err := h.chosenScopes(request, form)
		return &oauthkit.Decision{Consent: consent, Given: true, Scopes: scopes}, err
	case "deny":
		return &oauthkit.Decision{Denied: true}, nil
	default:
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "the form has no decision; go back and choose one").WithReason(oauthkit.ReasonNothingChosen)
	}
}

// errNothingChosen is returned if the user allows access but chooses no scope.
var errNothingChosen = errors.New("the user chose no scope")

// scopeField is the form field with an approved scope. It may be repeated.
const scopeField = "scope"

// chosenScopes returns the scopes of the request that the user approved, or
// nil if the page has no choice. The user can only approve scopes that the
// page offered, and at least one.
func (h *Handler) chosenScopes(request *oauthkit.ConsentRequest, form url.Values) (oauthkit.Scopes, error) {
	if !h.config.UserChoosesScopes || len(request.Scopes) == 0 {
		return nil, nil
	}
	for _, scope := range form[scopeField] {
		if !request.Scopes.Contains(scope) {
			return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "the form approves a scope that was not requested; go back, reload the page, and decide again").WithReason(oauthkit.ReasonFormExpired)
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

// isFixed reports whether every approval includes the scope: without openid, the
// request would not be an OpenID Connect request (OpenID Connect Core §3.1.2.1).
func isFixed(scope string) bool { return scope == "openid" }
