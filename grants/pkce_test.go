package grants

import (
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
)

// The test vector of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestCheckChallenge(t *testing.T) {
	tests := map[string]struct {
		challenge, method string
		ok                bool
	}{
		"RFC 7636 appendix B":         {challenge, "S256", true},
		"A-17 all A":                  {strings.Repeat("A", 43), "S256", true},
		"A-15 plain":                  {verifier, "plain", false},
		"A-15 no method means plain":  {challenge, "", false},
		"A-16 lower case":             {challenge, "s256", false},
		"A-16 unknown":                {challenge, "S512", false},
		"A-17 short":                  {challenge[1:], "S256", false},
		"A-17 long":                   {challenge + "A", "S256", false},
		"A-17 padded":                 {challenge[1:] + "=", "S256", false},
		"A-17 other alphabet":         {challenge[1:] + "+", "S256", false},
		"A-17 not ASCII":              {challenge[2:] + "é", "S256", false},
		"A-19 challenge of nothing":   {emptyChallenge, "S256", false},
		"challenge with a line break": {challenge[1:] + "\n", "S256", false},
	}
	for name, test := range tests {
		err := grantWith(AuthorizationCodeConfig{}).checkChallenge(challengeRequest(test.challenge, test.method))
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want accepted: %t", name, err, test.ok)
		}
		if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
			t.Errorf("%s: got %v, want invalid_request", name, err)
		}
	}
}

// TestCheckPlainChallenge checks challenges if plain is allowed.
func TestCheckPlainChallenge(t *testing.T) {
	for name, test := range map[string]struct {
		challenge, method string
		ok                bool
	}{
		"S256":                      {challenge, "S256", true},
		"plain":                     {verifier, "plain", true},
		"no method means plain":     {verifier, "", true},
		"longest":                   {strings.Repeat("~", 128), "plain", true},
		"A-16 upper case":           {verifier, "PLAIN", false},
		"A-16 unknown":              {verifier, "S512", false},
		"A-17 short":                {verifier[1:], "plain", false},
		"A-17 long":                 {strings.Repeat("a", 129), "plain", false},
		"A-17 other characters":     {verifier[1:] + "+", "plain", false},
		"A-17 long for S256":        {verifier + "a", "S256", false},
		"A-19 challenge of nothing": {emptyChallenge, "plain", false},
	} {
		err := grantWith(AuthorizationCodeConfig{AllowPlainPKCE: true}).checkChallenge(challengeRequest(test.challenge, test.method))
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want accepted: %t", name, err, test.ok)
		}
	}
}

func grantWith(config AuthorizationCodeConfig) *authorizationCode {
	return AuthorizationCode(nil, config).(*authorizationCode)
}

func challengeRequest(challenge, method string) *oauthkit.AuthorizeRequest {
	return &oauthkit.AuthorizeRequest{ConsentRequest: oauthkit.ConsentRequest{
		Form: url.Values{"code_challenge": {challenge}, "code_challenge_method": {method}},
	}}
}

func verifierRequest(verifier string) *oauthkit.TokenRequest {
	return &oauthkit.TokenRequest{Form: url.Values{"code_verifier": {verifier}}}
}

func TestC10_CheckVerifier(t *testing.T) {
	code := &oauthkit.AuthorizationCode{CodeChallenge: challenge, CodeChallengeMethod: "S256"}
	tests := map[string]struct {
		verifier string
		ok       bool
	}{
		"RFC 7636 appendix B": {verifier, true},
		"missing":             {"", false},
		"wrong":               {strings.Repeat("a", 43), false},
		"short":               {verifier[1:], false},
		"long":                {strings.Repeat("a", 129), false},
		"trailing space":      {verifier + " ", false},
		"other characters":    {verifier[1:] + "!", false},
		"the challenge":       {challenge, false},
	}
	for name, test := range tests {
		err := grantWith(AuthorizationCodeConfig{}).checkVerifier(code, verifierRequest(test.verifier))
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want accepted: %t", name, err, test.ok)
		}
		if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidGrant {
			t.Errorf("%s: got %v, want invalid_grant", name, err)
		}
	}
	plain := &oauthkit.AuthorizationCode{CodeChallenge: verifier, CodeChallengeMethod: "plain"}
	if grantWith(AuthorizationCodeConfig{}).checkVerifier(plain, verifierRequest(verifier)) == nil {
		t.Error("checkVerifier accepted a code with the method plain, want only S256")
	}
	allowing := grantWith(AuthorizationCodeConfig{AllowPlainPKCE: true})
	if err := allowing.checkVerifier(plain, verifierRequest(verifier)); err != nil {
		t.Errorf("plain is allowed: got %v, want the verifier accepted", err)
	}
	for name, other := range map[string]string{"other": strings.Repeat("a", 43), "missing": "", "challenge of it": challenge} {
		if allowing.checkVerifier(plain, verifierRequest(other)) == nil {
			t.Errorf("plain is allowed: checkVerifier accepted a verifier (%s), want only the challenge", name)
		}
	}
	if allowing.checkVerifier(code, verifierRequest(challenge)) == nil {
		t.Error("plain is allowed: checkVerifier accepted the challenge of S256 as its verifier")
	}
}
