package grants

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file implements PKCE (RFC 7636). A challenge that was sent is always enforced.
// Whether a request may omit it is decided by [oauthkit.PKCEPolicy].

// emptyChallenge is the challenge of an empty verifier, which some broken clients
// send.
const emptyChallenge = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

// The names of OpenID Connect Core §3.1.2.1. An Authorization has the nonce only if an
// extension for OpenID Connect keeps it for the ID token.
const (
	scopeOpenID = "openid"
	paramNonce  = "nonce"
)

// checkChallenge checks the authorization request (RFC 7636 §4.3, §4.4.1).
func (g *authorizationCode) checkChallenge(request *oauthkit.AuthorizeRequest) error {
	challenge, method := request.Form.Get("code_challenge"), challengeMethod(request.Form)
	switch {
	case challenge == "":
		return checkMissingChallenge(request)
	case !slices.Contains(g.methods, method):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge_method must be S256")
	case challenge == emptyChallenge:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is that of an empty verifier")
	case method == oauth2.CodeChallengePlain && !isVerifier(challenge):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is not 43 to 128 unreserved characters")
	case method == oauth2.CodeChallengeS256 && !isChallenge(challenge):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is not the base64url of a SHA-256")
	default:
		return nil
	}
}

// challengeMethod returns code_challenge_method. If it is missing, that means plain
// (RFC 7636 §4.3).
func challengeMethod(form url.Values) oauth2.CodeChallengeMethod {
	if method := form.Get("code_challenge_method"); method != "" {
		return oauth2.CodeChallengeMethod(method)
	}
	return oauth2.CodeChallengePlain
}

// checkMissingChallenge checks an authorization request without a challenge. Its error
// names the settings that would allow the request.
func checkMissingChallenge(request *oauthkit.AuthorizeRequest) error {
	policy, nonce := request.PKCEPolicy(), request.Form.Get("nonce")
	switch {
	case request.Form.Get("code_challenge_method") != "":
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is missing, but code_challenge_method was sent")
	case mayOmitChallenge(policy, request.Scopes, nonce):
		return nil
	case request.Application.IsPublic():
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is missing; a public application must use PKCE")
	case mayOmitChallenge(oauthkit.PKCENonce, request.Scopes, nonce):
		return oauthkit.Errorf(oauthkit.InvalidRequest,
			"code_challenge is missing; PKCE with S256 is required unless the setting pkce of this application is nonce or optional")
	case policy == oauthkit.PKCENonce:
		return oauthkit.Errorf(oauthkit.InvalidRequest,
			"code_challenge is missing; send scope openid and a nonce instead, or change the setting pkce of this application to optional")
	default:
		return oauthkit.Errorf(oauthkit.InvalidRequest,
			"code_challenge is missing; PKCE with S256 is required unless the setting pkce of this application is optional")
	}
}

// mayOmitChallenge reports whether a request needs no challenge. A nonce protects the
// code only if there is an ID token that contains it (RFC 9700 §2.1.1).
func mayOmitChallenge(policy oauthkit.PKCEPolicy, scopes oauthkit.Scopes, nonce string) bool {
	switch policy {
	case oauthkit.PKCEOptional:
		return true
	case oauthkit.PKCENonce:
		return nonce != "" && scopes.Contains(scopeOpenID)
	default:
		return false
	}
}

// isChallenge reports whether text has 43 base64url characters, which encode 256 bits
// (RFC 7636 §4.2). It ignores the two unused bits of the last character, because a
// challenge is only compared.
func isChallenge(text string) bool {
	return len(text) == 43 && !strings.ContainsFunc(text, func(r rune) bool {
		return !isAlphanumeric(r) && r != '-' && r != '_'
	})
}

// checkVerifier checks the token request (RFC 7636 §4.6).
func (g *authorizationCode) checkVerifier(code *oauthkit.AuthorizationCode, request *oauthkit.TokenRequest) error {
	verifier := request.Form.Get("code_verifier")
	if code.CodeChallenge == "" {
		return checkUnchallenged(code, request, verifier)
	}
	if verifier == "" {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "code_verifier is missing")
	}
	derived := g.deriveChallenge(oauth2.CodeChallengeMethod(code.CodeChallengeMethod), verifier)
	if !isVerifier(verifier) || !secret.Equal(derived, code.CodeChallenge) {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "code_verifier does not fit code_challenge")
	}
	return nil
}

// deriveChallenge returns the challenge of a verifier. It is empty if the method is not
// allowed.
func (g *authorizationCode) deriveChallenge(method oauth2.CodeChallengeMethod, verifier string) string {
	switch {
	case !slices.Contains(g.methods, method):
		return ""
	case method == oauth2.CodeChallengePlain:
		return verifier
	default:
		sum := sha256.Sum256([]byte(verifier))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
}

// checkUnchallenged checks a token request whose code has no challenge. A verifier
// means that the client sent a challenge and an attacker removed it (RFC 9700 §4.8.2).
// The policy is checked again, because it may be stricter now, and because the user may
// have approved fewer scopes, or the application may have lost some, so that there is no
// ID token with the nonce.
func checkUnchallenged(code *oauthkit.AuthorizationCode, request *oauthkit.TokenRequest, verifier string) error {
	if verifier != "" {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "code_verifier was sent, but the authorization request had no code_challenge")
	}
	scopes := allowedScopes(request.Application, code.Authorization)
	if !mayOmitChallenge(request.PKCEPolicy(), scopes, code.Authorization.Params[paramNonce]) {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "the authorization request had no code_challenge, which this application must send")
	}
	return nil
}

// isVerifier reports whether text has 43 to 128 unreserved characters
// (RFC 7636 §4.1).
func isVerifier(text string) bool {
	return len(text) >= 43 && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool {
		return !isAlphanumeric(r) && !strings.ContainsRune("-._~", r)
	})
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
