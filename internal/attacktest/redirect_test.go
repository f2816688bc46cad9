package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRedirect tests where and when responses are sent.
func TestRedirect(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "R-07 the query is part of the comparison", Test: queryDiffers},
		{Name: "R-18 any port of a loopback URI", Test: loopbackPort},
		{Name: "R-31 the answer to a form is 303", Test: redirectStatus},
		{Name: "R-32 no redirect before application and URI are checked", Test: noRedirectBeforeChecks},
		{Name: "R-34 URI removed while the consent page is open", Test: removedDuringConsent},
		{Name: "R-36 the token request names the same URI", Test: sameURIAtTokenEndpoint},
	})
}

func queryDiffers(t *testing.T, s *fixture.Server) {
	const uri = "https://rp.test/cb?a=1&b=2"
	client := register(t, s, &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{uri}})
	refuse(s, client, "https://rp.test/cb", "https://rp.test/cb?b=2&a=1", "https://rp.test/cb?a=1", "https://rp.test/cb?a=1&b=2&a=1", "https://rp.test/cb?a=1&b=2&",
		"https://rp.test/cb?a=1&b=2&c", "https://rp.test/cb?a=1;b=2", "https://rp.test/cb?a=%31&b=2")
	answer := s.Browser("alice").Approve(client.AuthorizeRequest())
	answer.Code()
	if !strings.HasPrefix(answer.Location(), uri+"&") {
		t.Errorf("got Location %q, want the response after %s&", answer.Location(), uri)
	}
}

func loopbackPort(_ *testing.T, s *fixture.Server) {
	for _, uri := range []string{"http://127.0.0.1:51004/cb", "http://[::1]:9/cb", "http://127.0.0.1/cb", "http://127.0.0.1:65535/cb"} {
		// Code compares the whole URI.
		code := s.Browser("alice").Approve(s.CLI.AuthorizeRequest("redirect_uri=" + uri)).Code()
		s.CLI.Redeem(code, "redirect_uri="+uri).Tokens()
	}
}

func redirectStatus(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Decide(alice.Open(s.Web.AuthorizeRequest()).Consent(), "deny").Refused("access_denied")
	alice.Decide(alice.Open(s.Web.AuthorizeRequest()).Consent(), "allow").Code()
	posted := alice.Post("/o/authorize", s.Web.AuthorizeRequest())
	code := posted.Code()
	if posted.Status != http.StatusSeeOther || strings.Contains(posted.Body, code) {
		t.Errorf("got %d with body %q, want 303 and no code in the body", posted.Status, posted.Body)
	}
}

func noRedirectBeforeChecks(_ *testing.T, s *fixture.Server) {
	alice, anonymous := s.Browser("alice"), s.Browser("")
	evil := func(overrides ...string) url.Values {
		return s.Web.AuthorizeRequest(append(overrides, "redirect_uri=https://evil.test/cb")...)
	}
	anonymous.Authorize(evil("prompt=none")).ErrorPage(400)
	for _, trigger := range [][]string{
		{"prompt=none"}, {"scope=nonsense"}, {"response_type=nonsense"}, {"response_type"}, {"response_mode=nonsense"},
		{"code_challenge", "code_challenge_method"}, {"+scope=openid"}, {"+state=again"}, {"request=nonsense"},
		{"request_uri=urn:ietf:params:oauth:request_uri:gone"}, {"max_age=nonsense"}, {"id_token_hint=nonsense"}, {"claims=nonsense"},
	} {
		alice.Authorize(evil(trigger...)).ErrorPage(400)
		alice.Authorize(evil(append(trigger, "client_id=nobody")...)).ErrorPage(400)
		alice.Post("/o/authorize", evil(trigger...)).ErrorPage(400)
	}
	s.Store.Fail(2)
	alice.Authorize(evil()).ErrorPage(400)
	s.Store.Fail(1)
	alice.Authorize(evil()).Unavailable()
}

func removedDuringConsent(_ *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	page, asking := alice.Open(s.Web.AuthorizeRequest()).Consent(), bob.Authorize(s.Web.AuthorizeRequest())
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.RedirectURIs = oauthkit.URIs{"https://rp.test/new"} })
	alice.Decide(page, "allow").ErrorPage(400)
	alice.Decide(page, "deny").ErrorPage(400)
	bob.Follow(asking).ErrorPage(400)
}

func sameURIAtTokenEndpoint(_ *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	s.Web.Redeem(code, "redirect_uri").ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(code, "redirect_uri=https://rp.test/cb/").ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(code).Tokens()
}
