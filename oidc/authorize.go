package oidc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
	"github.com/oauthkit/oauthkit/internal/strictjson"
)

// The values of prompt (§3.1.2.1).
const (
	promptNone          = "none"
	promptLogin         = "login"
	promptConsent       = "consent"
	promptSelectAccount = "select_account"
)

// paramNonce is the name in Authorization.Params.
const paramNonce = "nonce"

// The most bytes that are accepted.
const (
	maxNonce  = 512
	maxClaims = 8 << 10
)

// validateAuthorize checks what OpenID Connect adds to an authorization request (§3.1.2.1). The parameters that ask for a
// user or for a page are obeyed even without the scope openid, because nobody sends them in order to have them ignored. An
// empty parameter counts as left out (RFC 6749 §3.1). Login_hint, acr_values, display and claims_locales are wishes that this
// provider has no use for; ui_locales is honoured by whoever shows pages.
func (e *Extension) validateAuthorize(ctx context.Context, request *oauthkit.AuthorizeRequest) error {
	if err := readPrompt(request); err != nil {
		return err
	}
	if err := readMaxAge(request); err != nil {
		return err
	}
	if err := e.readHint(ctx, request); err != nil {
		return err
	}
	claims := request.Form.Get("claims")
	request.Form.Del("claims") // nothing reads it later, and it is large
	if !request.Scopes.Contains(scopeOpenID) {
		return nil
	}
	if err := checkClaims(claims); err != nil {
		return err
	}
	return readNonce(request)
}

// readPrompt reads prompt. The page on which a user selects an account is the host's login page.
func readPrompt(request *oauthkit.AuthorizeRequest) error {
	prompt := request.Form.Get("prompt")
	if prompt == "" {
		return nil
	}
	for value := range strings.SplitSeq(prompt, " ") {
		switch value {
		case promptNone:
			request.Silent = true
		case promptLogin, promptSelectAccount:
			request.AskSignIn = true
		case promptConsent:
			request.AskConsent = true
		default:
			return oauthkit.Errorf(oauthkit.InvalidRequest, "prompt holds a value that is not known")
		}
	}
	if request.Silent && prompt != promptNone {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "prompt=none excludes every other value")
	}
	return nil
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

// readHint lets only the user answer who is named by id_token_hint (§3.1.2.2), an ID token of this provider for this
// application, expired or not. Nobody is signed in by it.
func (e *Extension) readHint(ctx context.Context, request *oauthkit.AuthorizeRequest) error {
	hint := request.Form.Get("id_token_hint")
	if hint == "" {
		return nil
	}
	claims, err := jose.Verify(hint, e.keys.current(ctx).published(request.Now), jose.Expectation{
		Type:          idTokenType,
		Issuer:        e.provider.Issuer(),
		Audience:      request.Application.GetID(),
		Now:           request.Now,
		AcceptExpired: true,
	})
	subject, _ := claims["sub"].(string)
	if err != nil || subject == "" {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "id_token_hint is not an ID token for this application").WithCause(err)
	}
	request.Subject = subject
	return nil
}

// checkClaims refuses a claims parameter that is malformed. A good one is ignored (§5.5 leaves support to the provider),
// because the consent page speaks of scopes and nothing may be told that it did not show.
func checkClaims(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > maxClaims {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "claims is longer than %d bytes", maxClaims)
	}
	var claims *struct {
		UserInfo map[string]*claimRequest `json:"userinfo"`
		IDToken  map[string]*claimRequest `json:"id_token"`
	}
	if err := strictjson.Unmarshal([]byte(text), &claims); err != nil || claims == nil {
		return oauthkit.Errorf(oauthkit.InvalidRequest, "claims is not a JSON object as of OpenID Connect Core 5.5").WithCause(err)
	}
	return nil
}

// claimRequest is how one claim may be asked for (§5.5.1); nil: in the default manner.
type claimRequest struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// readNonce keeps the nonce for the ID token.
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
