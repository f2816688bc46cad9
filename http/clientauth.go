package oauthhttp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oauthkit/oauthkit"
)

// authMethods returns the ways an application can authenticate (RFC 7591 §2), as the metadata lists them.
func authMethods() []string {
	return []string{oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost, oauthkit.AuthMethodNone}
}

// secretMethods returns the authMethods that prove the client's identity.
func secretMethods() []string {
	return []string{oauthkit.AuthMethodSecretBasic, oauthkit.AuthMethodSecretPost}
}

// clientClaim is what a request says about who sends it, and how it wants to prove that.
type clientClaim struct {
	id, secret, method string
}

// authenticateClient returns the application that sent the request (RFC 6749 §2.3, §3.2.1). An application that does not
// exist and a wrong secret look the same.
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
		err = claim.prove(app, h.provider.Now())
	}
	if err != nil {
		h.provider.Record(r.Context(), failed)
		return nil, oauthkit.Errorf(oauthkit.InvalidClient, "the application is not known or did not prove who it is").WithCause(err)
	}
	return app, nil
}

// prove returns nil if the claim is true, and otherwise the reason, for the log only. The application must be registered for
// the method, so that a confidential one can never do without its secret.
func (c clientClaim) prove(app oauthkit.Application, now time.Time) error {
	switch {
	case !app.AllowsAuthMethod(c.method):
		return fmt.Errorf("it is not registered for %s", c.method)
	case c.method == oauthkit.AuthMethodNone && !app.IsPublic():
		return errors.New("it is confidential and sent no secret")
	case c.method != oauthkit.AuthMethodNone && !oauthkit.VerifyPassword(app, c.secret, now):
		return errors.New("the secret is not the application's")
	default:
		return nil
	}
}

// readClientClaim finds the one way in which the request authenticates; more than one is an error (RFC 6749 §2.3).
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

// readBasic reads the Authorization header (RFC 6749 §2.3.1, RFC 7617). The identifier and the secret in it are
// form-encoded, unlike in other uses of Basic.
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

// decodeBasic accepts one spelling: base64 without blanks or line breaks, a colon, and two form-encoded parts that are text.
func decodeBasic(encoded string) (id, password string, ok bool) {
	if strings.ContainsAny(encoded, "\r\n") { // the decoder would skip them
		return "", "", false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	rawID, rawPassword, found := strings.Cut(string(decoded), ":")
	id, errID := url.QueryUnescape(rawID)
	password, errPassword := url.QueryUnescape(rawPassword)
	ok = found && errID == nil && errPassword == nil && id != "" && isText(id) && isText(password)
	return id, password, ok
}

func isText(value string) bool { return utf8.ValidString(value) && !strings.Contains(value, "\x00") }
