package oauthhttp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file stores an authorization request while a user decides about it. The page
// carries only the id of the interaction. The store has the hash of the id, and the
// request sealed with a key derived from the id.

// maxInteractions is the number of requests that may be pending for one
// user, and in one browser.
const maxInteractions = 20

// maxInteraction is the number of bytes of a request in an interaction.
const maxInteraction = 8 << 10

// interactionPurpose is the purpose under which an interaction seals its request.
const interactionPurpose = "oauthkit interaction"

// resumed is a pending request that its browser has come back with.
type resumed struct {
	*oauthkit.AuthorizeRequest
	pending *pending
	path    string // the path of the consent page, to which a login page returns
	id      string // the id of the interaction; empty if none is stored yet
	subject string // the user of the interaction
	decided bool   // the interaction was consumed
	browser string // the browser's cookie
}

// suspend makes a new request wait for its user, to do what is demanded or, if that is
// nothing, to decide.
func (h *Handler) suspend(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, demanded demand) error {
	if len(request.Form.Get("ui_locales")) > maxLocales { // no page reads such a long list
		request.Form.Del("ui_locales")
	}
	waiting := newPending(request)
	size, limit := len(waiting.encode()), maxInteraction
	if demanded != demandNone {
		size, limit = h.nextSize(size), maxNext
	}
	if size > limit {
		return h.refuse(w, r, request, oauthkit.Errorf(oauthkit.InvalidRequest, "the request is larger than %d bytes", limit))
	}
	waiting.browserHash = sha256.Sum256([]byte(h.ensureBrowser(w, r)))
	if demanded == demandNone {
		return h.saveInteraction(w, r, waiting, user)
	}
	path, err := h.seal(r.Context(), waiting.encode())
	if err != nil {
		return err
	}
	return h.redirectToLogin(w, r, h.consentLogin(request, demanded, path, user))
}

// saveInteraction stores the request for the user to decide about, and redirects to
// the consent page. If the user has an interaction for the request already, even a
// decided one, the redirect leads to that one.
func (h *Handler) saveInteraction(w http.ResponseWriter, r *http.Request, waiting *pending, user *oauthkit.User) error {
	id := waiting.interactionID(user)
	hash := secret.Hash(id)
	sealed, err := secret.Seal(id, interactionPurpose, waiting.encode(), []byte(hash))
	if err != nil {
		return err
	}
	err = h.provider.Store().SaveInteraction(r.Context(), &oauthkit.Interaction{
		Hash:        hash,
		BrowserHash: base64.RawURLEncoding.EncodeToString(waiting.browserHash[:]), // the same encoding as secret.Hash
		Subject:     user.Subject,
		Sealed:      sealed,
		CreatedAt:   h.provider.Now(),
		ExpiresAt:   waiting.expires,
	}, maxInteractions)
	if err != nil && !errors.Is(err, oauthkit.ErrReplayed) {
		return oauthkit.Unavailable(err)
	}
	redirect(w, h.consentPath(id))
	return nil
}

func (h *Handler) consentPath(id string) string {
	return h.provider.Prefix() + "/consent?" + url.Values{"interaction": {id}}.Encode()
}

// resume returns the request of a link or form of the consent page. It validates the
// request again, since the application may have changed. Like
// [oauthkit.Provider.NewAuthorizeRequest], it returns a request with an error that
// is for the application.
func (h *Handler) resume(r *http.Request, form url.Values) (*resumed, error) {
	found, err := h.findPending(r, form)
	if err != nil {
		return nil, err
	}
	if err := h.checkPending(found); err != nil {
		return nil, err
	}
	found.AuthorizeRequest, err = h.provider.ResumeAuthorizeRequest(r.Context(), found.pending.parameters, found.pending.provenance)
	if found.AuthorizeRequest == nil {
		return nil, err
	}
	return found, err
}

// findPending returns the request of a link or form, unchecked. Only a link can
// carry the sealed request; a form names an interaction.
func (h *Handler) findPending(r *http.Request, form url.Values) (*resumed, error) {
	if sealed := form.Get("request"); sealed != "" && r.Method != http.MethodPost {
		waiting, err := h.unseal(r.Context(), sealed)
		return &resumed{pending: waiting, path: h.provider.Prefix() + sealedPath + sealed, browser: h.browser(r)}, err
	}
	id := form.Get("interaction")
	interaction, err := h.findInteraction(r.Context(), id)
	if err != nil {
		return nil, err
	}
	encoded, err := secret.Open(id, interactionPurpose, interaction.Sealed, []byte(interaction.Hash))
	if err != nil {
		return nil, err
	}
	waiting, err := decodePending(encoded)
	if err != nil {
		return nil, errGone // saved by another version of the library
	}
	return &resumed{
		pending: waiting, path: h.consentPath(id), id: id, subject: interaction.Subject,
		decided: !interaction.ConsumedAt.IsZero(), browser: h.browser(r),
	}, nil
}

func (h *Handler) findInteraction(ctx context.Context, id string) (*oauthkit.Interaction, error) {
	if !secret.Interaction.Is(id) {
		return nil, errGone
	}
	interaction, err := h.provider.Store().Interaction(ctx, secret.Hash(id))
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, errGone
	case err != nil:
		return nil, oauthkit.Unavailable(err)
	default:
		return interaction, nil
	}
}

// checkPending returns an error unless the request was begun in this browser, is
// undecided, and has not expired.
func (h *Handler) checkPending(found *resumed) error {
	browserHash := sha256.Sum256([]byte(found.browser))
	switch {
	case !hmac.Equal(browserHash[:], found.pending.browserHash[:]):
		return errOtherBrowser
	case found.decided:
		return errDecided
	case !h.provider.Now().Before(found.pending.expires):
		return errGone
	default:
		return nil
	}
}

// errGone answers an expired or unknown request.
var errGone = wire.WithStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "this sign-in has expired or never began here; return to the application and start again").
	WithReason(oauthkit.ReasonRequestExpired))

// errOtherBrowser answers a request that was begun in another browser.
var errOtherBrowser = oauthkit.Errorf(oauthkit.AccessDenied, "this sign-in was begun in another browser; return to the application and start again").
	WithReason(oauthkit.ReasonOtherBrowser)

// errDecided answers a request that the user has decided already.
var errDecided = wire.WithStatus(http.StatusConflict, oauthkit.Errorf(oauthkit.InvalidRequest, "this request was answered already; return to the application").
	WithReason(oauthkit.ReasonRequestAnswered))

// consentToken binds the form of a consent page to the browser, to the request with
// this id and what the page shows of it, and to the user and session. The browser's
// cookie is the key.
func consentToken(browser, id string, request *oauthkit.ConsentRequest, user *oauthkit.User) string {
	shown := []string{id, request.ApplicationDigest(), request.Scopes.String(), request.Resources.String()}
	return formToken(browser, strings.Join(shown, "\x00"), user)
}

// formToken returns the token of the form on the consent page.
func (r *resumed) formToken(user *oauthkit.User) string {
	return consentToken(r.browser, r.id, &r.ConsentRequest, user)
}
