package oauthkit

import (
	"errors"
	"strings"
	"testing"
)

// TestQ10_ClientKeys checks that key sets without usable public keys are rejected.
func TestQ10_ClientKeys(t *testing.T) {
	for _, set := range []string{
		"null", "[]", "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":[1]}`, `{"keys":"x"}`, `{"keys":[[]]}`, "{", "\x00",
		`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, `{"keys":[{"kty":"RSA","d":1}]}`, strings.Repeat("[", 100_000),
	} {
		app := &AbstractApplication{ClientID: "app", ClientType: Confidential, ClientJWKS: set}
		var problems Problems
		if err := ValidateApplication(app); !errors.As(err, &problems) || len(problems.Of("client_jwks")) == 0 {
			t.Errorf("%.40q: got %v, want a problem with client_jwks", set, err)
		}
	}
	// private_key_jwt is not supported yet, so the keys are not parsed.
	for _, set := range []string{`{"keys":[null]}`, `{"keys":[{}]}`, `{"keys":[{"kty":1,"n":[],"e":null}]}`} {
		app := &AbstractApplication{ClientID: "app", ClientType: Confidential, ClientJWKS: set}
		if err := ValidateApplication(app); err != nil {
			t.Errorf("%s: got %v, want it accepted", set, err)
		}
	}
}
