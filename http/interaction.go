package oauthhttp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file keeps an authorization request while a user decides about it. The pages carry only the id of
// its row, which holds the request sealed with a key derived from that id.

// maxInteractions is the number of requests that may wait for one user, and in one browser.
const maxInteractions = 20

// maxKept is the number of bytes of a request in a row.
const maxKept = 8 << 10

// interactionPurpose is the purpose of what is sealed in a row.
const interactionPurpose = "oauthkit interaction"

// kept is an authorization request that has come back, in the browser that began it.
type kept struct {
	*oauthkit.AuthorizeRequest
	pending *pending
	path    string // where a login page returns to
	id      string // of its row; empty: it has none yet
	subject string // the user of the row
	browser string // the cookie of the browser
}

// keep lets a request wait, after it has arrived, for its user to sign in or to decide.
func (h *Handler) keep(w http.ResponseWriter, r *http.Request, request *oauthkit.AuthorizeRequest, user *oauthkit.User, signIn bool) error {
	if len(request.Form.Get("ui_locales")) > maxLocales { // no page reads so many
		request.Form.Del("ui_locales")
	}
	waiting := newPending(request)
	size, limit := len(waiting.encode()), maxKept
	if signIn {
		size, limit = h.nextSize(size), maxNext
	}
	if size > limit {
		return h.refuse(w, r, request, oauthkit.Errorf(oauthkit.InvalidRequest, "the request is larger than %d bytes", limit))
	}
	waiting.browserHash = sha256.Sum256([]byte(h.knownBrowser(w, r)))
	if !signIn {
		return h.save(w, r, waiting, user)
	}
	path, err := h.seal(r.Context(), waiting.encode())
	if err != nil {
		return err
	}
	return h.redirectToLogin(w, r, h.consentLogin(request, path, user))
}

// save gives the request a row in which the user decides, and sends the browser to the page. A request that
// has one already leads to it, whatever became of it.
func (h *Handler) save(w http.ResponseWriter, r *http.Request, waiting *pending, user *oauthkit.User) error {
	id := waiting.interactionID(user)
	hash := secret.Hash(id)
	sealed, err := secret.Seal(id, interactionPurpose, waiting.encode(), []byte(hash))
	if err != nil {
		return err
	}
	err = h.provider.Store().SaveInteraction(r.Context(), &oauthkit.Interaction{
		Hash:        hash,
		BrowserHash: base64.RawURLEncoding.EncodeToString(waiting.browserHash[:]), // as secret.Hash writes it
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

// resume returns a request that comes back, sealed or by the id of its row, checked again from the beginning:
// the application may have changed meanwhile. Like [oauthkit.Provider.NewAuthorizeRequest] it returns both
// where the error is for the application.
func (h *Handler) resume(r *http.Request, form url.Values) (*kept, error) {
	found, err := h.waiting(r, form)
	if err != nil {
		return nil, err
	}
	found.AuthorizeRequest, err = h.provider.NewAuthorizeRequest(r.Context(), found.pending.parameters)
	if found.AuthorizeRequest == nil {
		return nil, err
	}
	return found, err
}

// waiting returns the request that a link or a form is about, not checked yet. Only a link can be sealed; a
// form names a row.
func (h *Handler) waiting(r *http.Request, form url.Values) (*kept, error) {
	if sealed := form.Get("request"); sealed != "" && r.Method != http.MethodPost {
		waiting, err := h.unseal(r, sealed)
		return &kept{pending: waiting, path: h.provider.Prefix() + sealedPath + sealed, browser: h.browser(r)}, err
	}
	id := form.Get("interaction")
	interaction, err := h.interaction(r, id)
	if err != nil {
		return nil, err
	}
	encoded, err := secret.Open(id, interactionPurpose, interaction.Sealed, []byte(interaction.Hash))
	if err != nil {
		return nil, err
	}
	waiting, err := decodePending(encoded)
	return &kept{pending: waiting, path: h.consentPath(id), id: id, subject: interaction.Subject, browser: h.browser(r)}, err
}

func (h *Handler) interaction(r *http.Request, id string) (*oauthkit.Interaction, error) {
	if !secret.Interaction.Is(id) {
		return nil, errGone
	}
	interaction, err := h.provider.Store().Interaction(r.Context(), secret.Hash(id))
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, errGone
	case err != nil:
		return nil, oauthkit.Unavailable(err)
	case !secret.Equal(interaction.BrowserHash, secret.Hash(h.browser(r))):
		return nil, errOtherBrowser
	case !interaction.ConsumedAt.IsZero():
		return nil, errDecided
	case !h.provider.Now().Before(interaction.ExpiresAt):
		return nil, errGone
	default:
		return interaction, nil
	}
}

// errGone is the error of a request that has expired, and of everything that is none.
var errGone = withStatus(http.StatusNotFound, oauthkit.Errorf(oauthkit.InvalidRequest, "this sign-in has expired or never began here; return to the application and start again").
	WithReason(oauthkit.ReasonRequestExpired))

// errOtherBrowser is the error of a request that another browser has begun.
var errOtherBrowser = oauthkit.Errorf(oauthkit.AccessDenied, "this sign-in was begun in another browser; return to the application and start again").
	WithReason(oauthkit.ReasonOtherBrowser)

// errDecided is the error of a request that was answered before.
var errDecided = withStatus(http.StatusConflict, oauthkit.Errorf(oauthkit.InvalidRequest, "this request was answered already; return to the application").
	WithReason(oauthkit.ReasonRequestAnswered))

// formToken ties the form of the consent page to the browser, the request, and the user and session that saw it. Without the
// cookie nobody can make one.
func (k *kept) formToken(user *oauthkit.User) string {
	shown := []string{k.id, k.ApplicationDigest(), k.Scopes.String(), k.Resources.String()}
	return formToken(k.browser, strings.Join(shown, "\x00"), user)
}
