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
		"A-14 missing":                {"", "", false},
		"A-15 plain":                  {verifier, "plain", false},
		"A-15 no method means plain":  {challenge, "", false},
		"A-16 lower case":             {challenge, "s256", false},
		"A-16 unknown":                {challenge, "S512", false},
		"A-17 short":                  {challenge[1:], "S256", false},
		"A-17 long":                   {challenge + "A", "S256", false},
		"A-17 padded":                 {challenge[1:] + "=", "S256", false},
		"A-17 other alphabet":         {challenge[1:] + "+", "S256", false},
		"A-17 not ASCII":              {challenge[2:] + "é", "S256", false},
		"A-18 method alone":           {"", "S256", false},
		"A-19 challenge of nothing":   {emptyChallenge, "S256", false},
		"challenge with a line break": {challenge[1:] + "\n", "S256", false},
	}
	for name, test := range tests {
		err := checkChallenge(url.Values{"code_challenge": {test.challenge}, "code_challenge_method": {test.method}})
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want accepted: %t", name, err, test.ok)
		}
		if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
			t.Errorf("%s: got %v, want invalid_request", name, err)
		}
	}
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
		err := checkVerifier(code, test.verifier)
		if (err == nil) != test.ok {
			t.Errorf("%s: got %v, want accepted: %t", name, err, test.ok)
		}
		if err != nil && oauthkit.CodeOf(err) != oauthkit.InvalidGrant {
			t.Errorf("%s: got %v, want invalid_grant", name, err)
		}
	}
	plain := &oauthkit.AuthorizationCode{CodeChallenge: verifier, CodeChallengeMethod: "plain"}
	if checkVerifier(plain, verifier) == nil {
		t.Error("checkVerifier accepted a code with the method plain, want only S256")
	}
}
