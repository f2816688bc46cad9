package grants

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// This file implements PKCE (RFC 7636). Only S256 is supported: with "plain" anyone
// who sees the authorization request knows the verifier.

// emptyChallenge is the challenge of an empty verifier, which some broken clients
// send.
const emptyChallenge = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

// checkChallenge checks the authorization request (RFC 7636 §4.3, §4.4.1).
func checkChallenge(form url.Values) error {
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	switch {
	case challenge == "":
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is missing; PKCE with S256 is required")
	case method != string(oauth2.CodeChallengeS256):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge_method must be S256")
	case !isChallenge(challenge):
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is not the base64url of a SHA-256")
	case challenge == emptyChallenge:
		return oauthkit.Errorf(oauthkit.InvalidRequest, "code_challenge is that of an empty verifier")
	default:
		return nil
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
func checkVerifier(code *oauthkit.AuthorizationCode, verifier string) error {
	if verifier == "" {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "code_verifier is missing")
	}
	sum := sha256.Sum256([]byte(verifier))
	derived := base64.RawURLEncoding.EncodeToString(sum[:])
	if !isVerifier(verifier) || code.CodeChallengeMethod != string(oauth2.CodeChallengeS256) || !secret.Equal(derived, code.CodeChallenge) {
		return oauthkit.Errorf(oauthkit.InvalidGrant, "code_verifier does not fit code_challenge")
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
