package attacktest

import (
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestRedirector tests links to the provider that try to redirect to an attacker's
// site (RFC 9700 §4.11.2).
func TestRedirector(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-37 an application that a user registered", Test: usersRedirector},
		{Name: "A-37 an application that registered itself", Test: ownRedirector},
		{Name: "A-37 an application registered by the operator", Test: operatorsRedirector},
	})
}

// brokenRequests returns overrides that make a request fail without any action
// of a user.
func brokenRequests(client *fixture.Client) [][]string {
	return [][]string{
		{"scope=nonsense"}, {"scope=openid api:write"}, {"response_type=token"}, {"response_type"}, {"response_mode=web_message"}, {"code_challenge", "code_challenge_method"},
		{"code_challenge_method=plain"}, {"max_age=x"}, {"prompt=x"}, {"resource=https://evil.test"}, {"request=x"}, {"claims=x"},
		{"id_token_hint=x"}, {"+scope=openid"}, {"client_id=" + client.ID, "state=x", "+state=y"},
	}
}

// usersRedirector sends alice a link of mallory. It must lead to a page of the
// provider.
func usersRedirector(t *testing.T, s *fixture.Server) {
	mallory := s.Browser("mallory")
	id, _ := registerJSON(t, s, mallory, registration(""))
	client := s.AddUnchecked(storedApplication(t, s, id))
	anonymous, alice := s.Browser(""), s.Browser("alice")
	for _, client := range []*fixture.Client{client, s.Evil} {
		for _, broken := range brokenRequests(client) {
			anonymous.Open(client.AuthorizeRequest(broken...)).ErrorPage(400)
			alice.Open(client.AuthorizeRequest(broken...)).ErrorPage(400)
		}
		anonymous.Open(client.AuthorizeRequest()).Login() // a valid request needs the user first
		page := alice.Open(client.AuthorizeRequest()).Consent()
		alice.Decide(page, "deny").Refused("access_denied") // after she has seen the redirect URI
		anonymous.Open(client.AuthorizeRequest("prompt=none")).Refused("login_required")
		alice.Open(client.AuthorizeRequest("prompt=none")).Refused("consent_required")
	}
	rejected := fixture.EventsOf[oauthkit.AuthorizeRejected](s.Events)
	if len(rejected) == 0 || !rejected[0].Shown {
		t.Errorf("got events %+v, want errors shown on a page", rejected)
	}
	s.UpdateApplication("evil", func(app *oauthkit.AbstractApplication) { app.Verified = true })
	// The operator trusts this application.
	alice.Open(s.Evil.AuthorizeRequest("scope=nonsense")).Refused("invalid_scope")
}

// ownRedirector uses an application without an owner that was not registered by the
// operator.
func ownRedirector(t *testing.T, s *fixture.Server) {
	for _, source := range []oauthkit.RegistrationSource{oauthkit.RegisteredDynamically, oauthkit.RegisteredByDocument} {
		client := register(t, s, &oauthkit.AbstractApplication{
			Name: "Itself", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://itself.test/cb"}, RegistrationSource: source,
			GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		})
		for _, broken := range brokenRequests(client) {
			s.Browser("alice").Open(client.AuthorizeRequest(broken...)).ErrorPage(400)
		}
		s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
	}
}

// operatorsRedirector uses a redirect URI that the operator registered, so errors are
// sent to it (RFC 6749 §4.1.2.1).
func operatorsRedirector(_ *testing.T, s *fixture.Server) {
	s.Browser("").Open(s.Web.AuthorizeRequest("scope=nonsense")).Refused("invalid_scope")
	s.Browser("alice").Open(s.Web.AuthorizeRequest("response_type=token")).Refused("unsupported_response_type")
}
