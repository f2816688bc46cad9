package oauthhttp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// authMethods returns the client authentication methods (RFC 7591 §2)
// in the metadata's order.
func authMethods() []string {
	return []string{oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost, oauthkit.AuthMethodNone}
}

// secretMethods returns the authMethods that prove a client's identity.
func secretMethods() []string {
	return []string{oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost}
}

// clientClaim is the client_id that a request claims, with the proof.
type clientClaim struct {
	id, secret, method string
}

// authenticateClient returns the application that sent the request (RFC 6749 §2.3,
// §3.2.1). The error is the same for an unknown client_id and for a wrong secret.
func (h *Handler) authenticateClient(r *http.Request, form url.Values) (oauthkit.Application, error) {
	claim, err := readClientClaim(r.Header, form)
	if err != nil {
		return nil, err
	}
	app, err := h.provider.Application(r.Context(), claim.id)
	if err != nil && !errors.Is(err, oauthkit.ErrNotFound) {
		return nil, err
	}
	failed := oauthkit.ClientAuthenticationFailed{Method: claim.method}
	if err == nil {
		failed.ClientID = claim.id
		err = claim.verify(app, h.provider.Now())
	}
	if err != nil {
		h.provider.Record(r.Context(), failed)
		return nil, oauthkit.Errorf(oauthkit.InvalidClient, "the application is not known or did not prove who it is").WithCause(err)
	}
	return app, nil
}

// verify returns an error, for the log only, if the claim is false. The application must
// be registered for the method, so that a confidential client cannot omit its secret.
func (c clientClaim) verify(app oauthkit.Application, now time.Time) error {
	switch {
	case !app.AllowsAuthMethod(c.method):
		return fmt.Errorf("the client is not registered for %s", c.method)
	case c.method == oauthkit.AuthMethodNone && !app.IsPublic():
		return errors.New("the client is confidential but sent no secret")
	case c.method != oauthkit.AuthMethodNone && !oauthkit.VerifyPassword(app, c.secret, now):
		return errors.New("the client secret is wrong")
	default:
		return nil
	}
}

// readClientClaim reads the client's credentials. A request must use only one
// authentication method (RFC 6749 §2.3).
func readClientClaim(header http.Header, form url.Values) (clientClaim, error) {
	basic, hasBasic, err := readBasic(header)
	if err != nil {
		return clientClaim{}, err
	}
	hasPost := form.Has("client_secret")
	hasAssertion := form.Has("client_assertion") || form.Has("client_assertion_type")
	switch {
	case hasBasic && (hasPost || hasAssertion), hasPost && hasAssertion:
		return clientClaim{}, oauthkit.Errorf(oauthkit.InvalidRequest, "the application authenticates in more than one way")
	case hasBasic && form.Has("client_id") && form.Get("client_id") != basic.id:
		return clientClaim{}, oauthkit.Errorf(oauthkit.InvalidRequest, "client_id is not the one in the Authorization header")
	case hasBasic:
		return basic, nil
	case hasAssertion:
		return clientClaim{}, oauthkit.Errorf(oauthkit.InvalidClient, "client_assertion is not supported")
	case form.Get("client_id") == "":
		return clientClaim{}, oauthkit.Errorf(oauthkit.InvalidClient, "the application did not say who it is")
	case hasPost:
		return clientClaim{id: form.Get("client_id"), secret: form.Get("client_secret"), method: oauthkit.AuthMethodSecretPost}, nil
	default:
		return clientClaim{id: form.Get("client_id"), method: oauthkit.AuthMethodNone}, nil
	}
}

// readBasic reads the Authorization header (RFC 6749 §2.3.1, RFC 7617). Unlike in
// other uses of Basic, the client_id and the secret are form-encoded.
func readBasic(header http.Header) (claim clientClaim, present bool, err error) {
	values := header.Values("Authorization")
	if len(values) > 1 {
		return clientClaim{}, false, oauthkit.Errorf(oauthkit.InvalidRequest, "there is more than one Authorization header")
	}
	if len(values) == 0 {
		return clientClaim{}, false, nil
	}
	malformed := oauthkit.Errorf(oauthkit.InvalidClient, "the Authorization header is not the Basic scheme, well-formed")
	scheme, encoded, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return clientClaim{}, false, malformed
	}
	id, password, ok := decodeBasic(encoded)
	if !ok {
		return clientClaim{}, false, malformed
	}
	return clientClaim{id: id, secret: password, method: oauthkit.AuthMethodSecretBasic}, true, nil
}

// decodeBasic accepts strict base64 of two form-encoded texts with a colon between them.
func decodeBasic(encoded string) (id, password string, ok bool) {
	if strings.ContainsAny(encoded, "\r\n") { // the decoder ignores line breaks
		return "", "", false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	rawID, rawPassword, found := strings.Cut(string(decoded), ":")
	id, errID := url.QueryUnescape(rawID)
	password, errPassword := url.QueryUnescape(rawPassword)
	ok = found && errID == nil && errPassword == nil && id != "" && wire.IsText(id) && wire.IsText(password)
	return id, password, ok
}
