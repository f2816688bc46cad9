package attacktest

import (
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestAuthorizePKCE sends authorization requests without PKCE or with a useless
// challenge (RFC 7636, RFC 9700 §2.1.1).
func TestAuthorizePKCE(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-14 no PKCE, for each kind of application", Test: func(_ *testing.T, s *fixture.Server) {
			for _, client := range []*fixture.Client{s.Web, s.WebPost, s.SPA, s.CLI} {
				s.Browser("alice").Authorize(client.AuthorizeRequest("code_challenge", "code_challenge_method")).Refused("invalid_request")
				s.Browser("alice").Authorize(client.AuthorizeRequest("code_challenge=", "code_challenge_method=")).Refused("invalid_request")
			}
		}},
		{Name: "A-15 plain, explicit or by default", Test: func(_ *testing.T, s *fixture.Server) {
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("code_challenge_method=plain")).Refused("invalid_request")
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("code_challenge_method=plain", "code_challenge="+fixture.Verifier)).Refused("invalid_request")
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("code_challenge_method")).Refused("invalid_request")
		}},
		refusedChallenge("A-16 unknown method", "code_challenge_method=S512", "code_challenge_method=s256", "code_challenge_method=", "code_challenge_method=S256 plain"),
		{Name: "A-17 malformed challenge", Test: malformedChallenge},
		refusedChallenge("A-18 method without challenge", "code_challenge", "code_challenge="),
		refusedChallenge("A-19 challenge of the empty verifier", "code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
	})
}

// refusedChallenge returns a case in which each override is answered with
// invalid_request.
func refusedChallenge(name string, overrides ...string) fixture.Case {
	return fixture.Case{Name: name, Test: func(_ *testing.T, s *fixture.Server) {
		for _, override := range overrides {
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest(override)).Refused("invalid_request")
		}
	}}
}

func malformedChallenge(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	challenge := fixture.Challenge(fixture.Verifier)
	for _, malformed := range []string{
		challenge[:42], challenge + "A", strings.Repeat("A", 129), challenge + "=", challenge[:42] + "=", challenge[:42] + "+", challenge[:42] + "/",
		challenge[:41] + "\u00e9", challenge[:42] + " ", challenge[:42] + ".", challenge[:42] + "\n", challenge[:42] + "\x00",
	} {
		alice.Authorize(s.Web.AuthorizeRequest("code_challenge=" + malformed)).Refused("invalid_request")
	}
	alice.Approve(s.Web.AuthorizeRequest("code_challenge=" + strings.Repeat("A", 43))).Code()
}
