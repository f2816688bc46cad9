package oidc

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// Values of the prompt parameter (§3.1.2.1).
const (
	promptNone          = "none"
	promptLogin         = "login"
	promptConsent       = "consent"
	promptSelectAccount = "select_account"
	promptCreate        = "create" // Initiating User Registration via OpenID Connect 1.0 §4.1
)

// paramNonce is the key of the nonce in Authorization.Params.
const paramNonce = "nonce"

// Size limits in bytes.
const (
	maxNonce     = 512
	maxLoginHint = 512
	maxACRValues = 512
	maxClaims    = 8 << 10
)

// validateAuthorize checks the parameters that OpenID Connect adds to an authorization
// request (§3.1.2.1).
//
// The parameters that ask for a user or a page (prompt, max_age, id_token_hint) take
// effect even without the scope openid: no client sends them in order to have them
// ignored. An empty parameter counts as omitted (RFC 6749 §3.1). The host's login page
// reads login_hint, acr_values and display, and every page reads ui_locales. This
// provider ignores claims_locales.
func (e *Extension) validateAuthorize(ctx context.Context, request *oauthkit.AuthorizeRequest) error {
	if err := readPrompt(request); err != nil {
		return err
	}
	if err := readMaxAge(request); err != nil {
		return err
	}
	if err := checkLoginParameters(request); err != nil {
		return err
	}
	e.readACRValues(request)
	if err := e.readHint(ctx, request); err != nil {
		return err
	}
	claims := request.Form.Get("claims")
	if !e.config.ClaimsParameter {
		request.Form.Del("claims") // large, and not read again
	}
	if !request.Scopes.Contains(scopeOpenID) {
		return nil
	}
	if err := e.readClaims(request, claims); err != nil {
		return err
	}
	return readNonce(request)
}

// readPrompt reads prompt. The values login and select_account contradict create, which
// asks for an account that does not exist yet.
func readPrompt(request *oauthkit.AuthorizeRequest) error {
	prompt := request.Form.Get("prompt")
	if prompt == "" {
		return nil
	}
	for value := range strings.SplitSeq(prompt, " ") {
		switch value {
		case promptNone:
			request.Silent = true
		case promptLogin:
			request.AskSignIn = true
		case promptSelectAccount:
			request.AskAccount = true
		case promptCreate:
			request.AskSignUp = true
		case promptConsent:
			request.AskConsent = true
		default:
			return oauthkit.Errorf(oauthkit.InvalidRequest, "prompt holds a value that is not known")
		}
	}
	switch {
	case request.Silent && prompt != promptNone:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "prompt=none excludes every other value")
	case request.AskSignUp && (request.AskSignIn || request.AskAccount):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "prompt=create excludes login and select_account")
	default:
		return nil
	}
}

// readACRValues reads acr_values, which are voluntary (§5.5.1.1). Those that the host
// does not support are ignored: no sign-in could have them.
func (e *Extension) readACRValues(request *oauthkit.AuthorizeRequest) {
	for value := range strings.FieldsSeq(request.Form.Get("acr_values")) {
		if slices.Contains(e.config.ACRValues, value) {
			request.PreferredACR = append(request.PreferredACR, value)
		}
	}
}

// readMaxAge reads max_age, in seconds.
func readMaxAge(request *oauthkit.AuthorizeRequest) error {
	text := request.Form.Get("max_age")
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "max_age is not a number of seconds")
	}
	age := time.Duration(seconds) * time.Second
	request.MaxAge = &age
	return nil
}

// checkLoginParameters limits the parameters that are kept for the host's login page.
// An unknown display has no effect, so it is dropped.
func checkLoginParameters(request *oauthkit.AuthorizeRequest) error {
	switch {
	case len(request.Form.Get("login_hint")) > maxLoginHint:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "login_hint is longer than %d bytes", maxLoginHint)
	case len(request.Form.Get("acr_values")) > maxACRValues:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "acr_values is longer than %d bytes", maxACRValues)
	}
	switch request.Form.Get("display") {
	case "page", "popup", "touch", "wap":
	default:
		request.Form.Del("display")
	}
	return nil
}

// readHint reads id_token_hint (§3.1.2.2): an ID token that this provider issued to
// this application, expired or not. Only the user it names may answer the request. The
// hint does not sign that user in.
func (e *Extension) readHint(ctx context.Context, request *oauthkit.AuthorizeRequest) error {
	hint := request.Form.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	claims, err := e.verifyHint(ctx, hint, request.Application.GetID(), request.Now)
	if err != nil {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "id_token_hint is not an ID token for this application").WithCause(err)
	}
	request.Subject = claims.subject
	return nil
}

// hint is the content of an ID token that an application sent back. The audience is empty
// if there are several, and sessionID if the session is unknown.
type hint struct{ subject, audience, sessionID string }

// verifyHint verifies an ID token of this provider, expired or not. If audience is empty,
// the token may be for any application.
func (e *Extension) verifyHint(ctx context.Context, token, audience string, now time.Time) (hint, error) {
	claims, err := jose.Verify(token, e.keys.current(ctx).published(now), jose.Expectation{
		Type:          idTokenType,
		Issuer:        e.provider.Issuer(),
		Audience:      audience,
		Now:           now,
		AcceptExpired: true,
	})
	if err != nil {
		return hint{}, err
	}
	var found hint
	found.subject, _ = claims["sub"].(string)
	found.audience, _ = claims["aud"].(string)
	found.sessionID, _ = claims["sid"].(string)
	if found.subject == "" {
		return hint{}, errors.New("the token has no sub")
	}
	return found, nil
}

// readNonce stores the nonce for the ID token.
func readNonce(request *oauthkit.AuthorizeRequest) error {
	nonce := request.Form.Get("nonce")
	if len(nonce) > maxNonce {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "nonce is longer than %d bytes", maxNonce)
	}
	if nonce != "" {
		request.Params[paramNonce] = nonce
	}
	return nil
}
