package attacktest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestAuthorizeResponse tests the parameters that are returned to the application.
func TestAuthorizeResponse(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-08 unsupported response modes", Test: responseModes},
		{Name: "A-10 state is returned byte by byte", Test: exactState},
		{Name: "A-11 no state", Test: func(t *testing.T, s *fixture.Server) {
			// Code expects a response without a state.
			s.Browser("alice").Approve(s.Web.AuthorizeRequest("state")).Code()
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("state", "scope=nonsense")).Refused("invalid_scope")
			if answer := s.Browser("alice").Authorize(s.Web.AuthorizeRequest("state=")); strings.Contains(answer.Location(), "state=") {
				t.Errorf("got %s, want no state: an empty value counts as omitted (RFC 6749 §3.1)", answer.Location())
			}
		}},
		{Name: "A-12 nonce", Test: nonce},
		{Name: "A-13 issuer in every response", Test: issuerInMetadata},
		{Name: "A-13 no issuer in errors of an application", Test: omittedIssuer},
		{Name: "A-38 parallel requests do not mix", Test: parallelRequests},
		{Name: "A-40 URLs reveal nothing", Test: addresses},
	})
}

func responseModes(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, mode := range []string{"query.jwt", "fragment.jwt", "jwt", "web_message", "form_post.jwt", "QUERY", "Fragment", "query fragment", "x"} {
		alice.Authorize(s.Web.AuthorizeRequest("response_mode=" + mode)).Refused("invalid_request")
	}
	alice.Authorize(s.Web.AuthorizeRequest("response_mode=query", "+response_mode=query")).Refused("invalid_request")
	for _, mode := range []string{"query", "fragment", "form_post"} {
		alice.Approve(s.Web.AuthorizeRequest("response_mode=" + mode)).Code()
		alice.Authorize(s.Web.AuthorizeRequest("scope=nonsense", "response_mode="+mode)).Refused("invalid_scope")
	}
	// A response with a token must not be in the query, not even an error.
	alice.Authorize(s.Web.AuthorizeRequest("response_type=token", "response_mode=query")).Refused("unsupported_response_type")
	// A browser cannot post to an app.
	alice.Authorize(s.CLI.AuthorizeRequest("redirect_uri=com.example.cli:/cb", "response_mode=form_post")).Refused("invalid_request")
}

func exactState(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, state := range []string{
		strings.Repeat(`a&b=c%20d+e#f"g`, 69)[:1024], "%41%zz+ +", "\u00e9\u4e2d\U0001F511", "a\r\nSet-Cookie: b=c", "\t\x01\x7f", "a;b", "<script>alert(1)</script>",
		strings.Repeat("s", 4096), "iss=https://evil.test", " ",
	} {
		bob := s.Browser("bob") // bob is asked every time
		bob.Decide(bob.Open(s.CLI.AuthorizeRequest("state="+state)).Consent(), "allow").Code()
		bob.Decide(bob.Open(s.CLI.AuthorizeRequest("state="+state)).Consent(), "deny").Refused("access_denied")
		alice.Authorize(s.Web.AuthorizeRequest("scope=nonsense", "state="+state)).Refused("invalid_scope")
	}
	for _, state := range []string{strings.Repeat("s", 4097), strings.Repeat("s", 8<<10), "a\x00", "a\xff", "\xed\xa0\x80"} {
		// Refused expects a response without a state.
		alice.Authorize(s.Web.AuthorizeRequest("state=" + state)).Refused("invalid_request")
	}
}

func nonce(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	long := strings.Repeat("n0", 192)
	for override, want := range map[string]any{"nonce=" + long: long, "nonce": nil, `nonce=a"b<c>&+%41 d`: `a"b<c>&+%41 d`} {
		tokens := alice.Tokens(s.Web, override)
		if got := claimsOf(t, tokens.ID)["nonce"]; got != want {
			t.Errorf("%s: got nonce %v in the ID token, want %v", override, got, want)
		}
	}
	alice.Authorize(s.Web.AuthorizeRequest("nonce=" + strings.Repeat("n", 4096))).Refused("invalid_request")
}

// claimsOf reads the claims of an ID token without verifying it.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Errorf("got %q, want an ID token", token)
		return nil
	}
	document, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims map[string]any
	if err == nil {
		err = json.Unmarshal(document, &claims)
	}
	if err != nil {
		t.Errorf("reading the ID token: %v", err)
	}
	return claims
}

// omittedIssuer tests an application whose client cannot read an error response with iss.
// Responses with a code have it, and so have errors of other applications.
func omittedIssuer(t *testing.T, s *fixture.Server) {
	yes := true
	apache, err := s.Register(&oauthkit.AbstractApplication{
		ClientID: "apache", Name: "Apache", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://apache.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"openid", "api:read"}, OmitIssInErrors: &yes,
	})
	if err != nil {
		t.Fatal(err)
	}
	alice := s.Browser("alice")
	denied := alice.Decide(alice.Open(apache.AuthorizeRequest()).Consent(), "deny").Location()
	for location, code := range map[string]string{
		denied: "access_denied",
		alice.Authorize(apache.AuthorizeRequest("scope=nonsense", "iss=https://evil.test")).Location():                             "invalid_scope",
		strings.Replace(alice.Authorize(apache.AuthorizeRequest("prompt=none", "response_mode=fragment")).Location(), "#", "?", 1): "consent_required",
	} {
		response, err := url.Parse(location)
		if err != nil || response.Query().Get("error") != code || response.Query().Get("state") != "xyz" || response.Query().Has("iss") {
			t.Errorf("got %s, want the error %s with the state and without iss", location, code)
		}
	}
	if posted := alice.Authorize(apache.AuthorizeRequest("scope=nonsense", "response_mode=form_post")); !strings.Contains(posted.Body, "invalid_scope") || strings.Contains(posted.Body, `name="iss"`) {
		t.Errorf("got %s, want an error without iss", posted.Body)
	}
	alice.Approve(apache.AuthorizeRequest()).Code()
	alice.Authorize(s.Web.AuthorizeRequest("scope=nonsense")).Refused("invalid_scope")
}

// issuerInMetadata checks that the metadata announces the iss parameter. Code and
// Refused check the parameter itself in every test.
func issuerInMetadata(t *testing.T, s *fixture.Server) {
	for _, path := range []string{
		"/o/.well-known/openid-configuration", "/o/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/o",
	} {
		var metadata map[string]any
		if err := json.Unmarshal([]byte(s.Browser("").Get(path).Body), &metadata); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if metadata["issuer"] != fixture.Issuer || metadata["authorization_response_iss_parameter_supported"] != true {
			t.Errorf("%s: got %v, want issuer %s and authorization_response_iss_parameter_supported", path, metadata, fixture.Issuer)
		}
	}
	s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	s.Browser("").Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("iss=https://evil.test")).Code()
}

func parallelRequests(t *testing.T, s *fixture.Server) {
	fixture.Race(50, func(i int) {
		name := fmt.Sprintf("user%d", i)
		code := s.Browser(name).Approve(s.Web.AuthorizeRequest("state=state of "+name, "nonce=nonce of "+name)).Code()
		tokens := s.Web.Redeem(code).Tokens()
		claims := claimsOf(t, tokens.ID)
		if claims["sub"] != name || claims["nonce"] != "nonce of "+name {
			t.Errorf("%s: got an ID token for %v with the nonce %v, want those of the request", name, claims["sub"], claims["nonce"])
		}
		if subject := s.RS.Introspect(tokens.Access).Active()["sub"]; subject != name {
			t.Errorf("%s: got an access token of %v, want one of this user", name, subject)
		}
	})
}

// addresses checks the redirects to the login page and the consent page, because URLs
// end up in histories, logs and Referer headers. The fixture checks Referrer-Policy
// for every page.
func addresses(t *testing.T, s *fixture.Server) {
	anonymous, alice := s.Browser(""), s.Browser("alice")
	form := s.Web.AuthorizeRequest("state=the-state", "nonce=the-nonce", "login_hint=the-hint")
	for _, answer := range []*fixture.Answer{anonymous.Authorize(form).Login(), alice.Authorize(form)} {
		location, err := url.QueryUnescape(answer.Location())
		if err != nil {
			t.Fatal(err)
		}
		for _, parameter := range []string{"state", "nonce", "the-hint", fixture.Challenge(fixture.Verifier), "rp.test", "client_id"} {
			if strings.Contains(location, parameter) {
				t.Errorf("got Location %q, want no %s in it", location, parameter)
			}
		}
	}
}
