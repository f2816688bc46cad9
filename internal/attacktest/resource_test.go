package attacktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestResource tests the APIs that a token is for (RFC 8707). The provider has
// https://api.test and https://other.test.
func TestResource(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-36 unknown resources", Test: unknownResources},
		{Name: "A-36 more resources than a request may name", Configure: withManyResources, Test: manyResources},
		{Name: "F-19 resource of a refresh", Test: refreshedResources},
		{Name: "resource of a code", Test: exchangedResources},
		{Name: "A-28 consent for some APIs and for all", Test: rememberedResources},
		{Name: "resource of a client credentials token", Test: ownResources},
		{Name: "A-36 resource that the application may not name", Test: limitedResources},
		{Name: "A-36 default resources", Test: defaultResources},
		{Name: "A-36 default resource that does not exist", Test: unknownDefault},
		{Name: "F-19 resource that the application lost", Test: lostResources},
	})
}

// badResources returns invalid values of resource, each sent alone and with a
// valid one.
func badResources() []string {
	return []string{
		"https://api.test#", "https://api.test#part", "/api", "api.test", "//api.test", "https://unknown.test", "https://api.test/",
		"https://API.test", "HTTPS://api.test", "http://api.test", "https://api.test:443", "https://alice@api.test", "urn:api", " https://api.test", "*",
	}
}

func unknownResources(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, bad := range badResources() {
		alice.Authorize(s.Web.AuthorizeRequest("resource=" + bad)).Refused("invalid_target")
		alice.Authorize(s.Web.AuthorizeRequest("resource=https://api.test", "+resource="+bad)).Refused("invalid_target")
		alice.Authorize(s.Web.AuthorizeRequest("resource="+bad, "prompt=none")).Refused("invalid_target")
	}
	form := s.Web.AuthorizeRequest()
	for i := range 20 {
		form.Add("resource", fmt.Sprintf("https://api%d.test", i))
	}
	alice.Authorize(form).Refused("invalid_target")
	// The user need not sign in to get the error.
	s.Browser("").Authorize(form).Refused("invalid_target")
	// The error is not sent to an unsafe redirect URI.
	alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody", "resource=/api")).ErrorPage(400)
	alice.Open(s.Web.AuthorizeRequest("resource=https://api.test", "+resource=https://api.test")).Consent()
}

// withManyResources configures eleven APIs.
func withManyResources(config *oauthkit.Config, _ storetest.Store) {
	config.Resources = nil
	for i := range 11 {
		config.Resources = append(config.Resources, fmt.Sprintf("https://api%d.test", i))
	}
}

func manyResources(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	form := s.Web.AuthorizeRequest()
	for i := range 10 {
		form.Add("resource", fmt.Sprintf("https://api%d.test", i))
	}
	alice.Open(form).Consent()
	form.Add("resource", "https://api10.test")
	alice.Authorize(form).Refused("invalid_target")
}

// audienceOf returns the audience that introspection reports for a token.
func audienceOf(s *fixture.Server, token string) []string {
	members, _ := s.RS.Introspect(token).Active()["aud"].([]any)
	var audience []string
	for _, member := range members {
		audience = append(audience, fmt.Sprint(member))
	}
	return audience
}

func wantAudience(t *testing.T, s *fixture.Server, token string, want ...string) {
	t.Helper()
	if got := audienceOf(s, token); !slices.Equal(got, want) {
		t.Errorf("got aud %q, want %q", got, want)
	}
}

// rememberedResources is asked about APIs that were not on the page. Consent for
// every API covers each one, and a later request for fewer does not reduce it.
func rememberedResources(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	api, other := "resource=https://api.test", "resource=https://other.test"
	alice.Approve(s.Web.AuthorizeRequest(api)).Code()
	alice.Authorize(s.Web.AuthorizeRequest(api)).Code()
	alice.Open(s.Web.AuthorizeRequest(other)).Consent()
	alice.Open(s.Web.AuthorizeRequest(api, "+"+other)).Consent()
	alice.Approve(s.Web.AuthorizeRequest()).Code() // for every API
	for range 2 {
		alice.Authorize(s.Web.AuthorizeRequest(api)).Code()
		alice.Authorize(s.Web.AuthorizeRequest(other)).Code()
		alice.Authorize(s.Web.AuthorizeRequest()).Code()
	}
	alice.Open(s.Web.AuthorizeRequest(api, "scope=openid api:read profile")).Consent()
	alice.Open(s.Web.AuthorizeRequest(api, "prompt=consent")).Consent()
}

// refreshedResources narrows the resources of one access token, which does not affect
// later ones, and fails to widen them.
func refreshedResources(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web, "resource=https://api.test", "+resource=https://other.test")
	wantAudience(t, s, tokens.Access, "https://api.test", "https://other.test")
	tokens = s.Web.Refresh(tokens.Refresh, "resource=https://other.test").Tokens()
	wantAudience(t, s, tokens.Access, "https://other.test")
	tokens = s.Web.Refresh(tokens.Refresh, "resource=https://api.test").Tokens()
	wantAudience(t, s, tokens.Access, "https://api.test")
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	wantAudience(t, s, tokens.Access, "https://api.test", "https://other.test")

	narrow := alice.Tokens(s.SPA, "resource=https://api.test")
	for _, wider := range append([]string{"https://other.test"}, badResources()...) {
		s.SPA.Refresh(narrow.Refresh, "resource="+wider).ErrorJSON(400, "invalid_target")
		s.SPA.Refresh(narrow.Refresh, "resource=https://api.test", "+resource="+wider).ErrorJSON(400, "invalid_target")
	}
	narrow = s.SPA.Refresh(narrow.Refresh).Tokens() // the refused request consumed nothing
	wantAudience(t, s, narrow.Access, "https://api.test")
}

func exchangedResources(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	code := alice.Approve(s.Web.AuthorizeRequest("resource=https://api.test")).Code()
	s.Web.Redeem(code, "resource=https://other.test").ErrorJSON(400, "invalid_target")
	s.Web.Redeem(code, "resource=https://api.test#part").ErrorJSON(400, "invalid_target")
	wantAudience(t, s, s.Web.Redeem(code).Tokens().Access, "https://api.test") // the code is still unused

	both := alice.Approve(s.Web.AuthorizeRequest("resource=https://api.test", "+resource=https://other.test")).Code()
	tokens := s.Web.Redeem(both, "resource=https://api.test").Tokens()
	wantAudience(t, s, tokens.Access, "https://api.test")
	wantAudience(t, s, s.Web.Refresh(tokens.Refresh).Tokens().Access, "https://api.test", "https://other.test")

	unbound := s.Web.Redeem(alice.Approve(s.Web.AuthorizeRequest()).Code(), "resource=https://other.test").Tokens()
	wantAudience(t, s, unbound.Access, "https://other.test") // narrower than every API
}

func ownResources(t *testing.T, s *fixture.Server) {
	wantAudience(t, s, s.Service.ClientCredentials().Tokens().Access)
	wantAudience(t, s, s.Service.ClientCredentials("resource=https://api.test").Tokens().Access, "https://api.test")
	s.Service.ClientCredentials("resource="+strings.Repeat("a", 100)).ErrorJSON(400, "invalid_target")
}

const api, other = "https://api.test", "https://other.test"

// limitedResources tests an application with a list of resources: it may name no other,
// in any request.
func limitedResources(t *testing.T, s *fixture.Server) {
	for _, client := range []*fixture.Client{s.Web, s.Service} {
		s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) { app.Resources = oauthkit.URIs{api} })
	}
	alice := s.Browser("alice")
	alice.Authorize(s.Web.AuthorizeRequest("resource=" + other)).Refused("invalid_target")
	alice.Authorize(s.Web.AuthorizeRequest("resource="+api, "+resource="+other)).Refused("invalid_target")
	s.Service.ClientCredentials("resource="+other).ErrorJSON(400, "invalid_target")
	tokens := alice.Tokens(s.Web) // for no API in particular
	s.Web.Refresh(tokens.Refresh, "resource="+other).ErrorJSON(400, "invalid_target")
	wantAudience(t, s, s.Web.Refresh(tokens.Refresh, "resource="+api).Tokens().Access, api)
	wantAudience(t, s, s.Service.ClientCredentials("resource="+api).Tokens().Access, api)
	alice.Open(s.WebPost.AuthorizeRequest("resource=" + other)).Consent()
}

// defaultResources tests an application whose requests are for one API unless they name
// another. A refresh keeps what the user allowed.
func defaultResources(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	before := alice.Tokens(s.Web)
	for _, client := range []*fixture.Client{s.Web, s.Service} {
		s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) { app.DefaultResources = oauthkit.URIs{api} })
	}
	page := alice.Open(s.Web.AuthorizeRequest("prompt=consent")).Consent()
	if !strings.Contains(page.Body, api) {
		t.Errorf("got a page without %s, want the default on it", api)
	}
	tokens := s.Web.Redeem(alice.Decide(page, "allow").Code()).Tokens()
	wantAudience(t, s, tokens.Access, api)
	s.Web.Refresh(tokens.Refresh, "resource="+other).ErrorJSON(400, "invalid_target")
	wantAudience(t, s, s.Web.Refresh(tokens.Refresh).Tokens().Access, api)
	wantAudience(t, s, alice.Tokens(s.Web, "resource="+other).Access, other)
	wantAudience(t, s, s.Service.ClientCredentials().Tokens().Access, api)
	wantAudience(t, s, s.Service.ClientCredentials("resource="+other).Tokens().Access, other)
	wantAudience(t, s, s.Web.Refresh(before.Refresh).Tokens().Access) // allowed without the default
}

// unknownDefault tests defaults that the provider does not have: a request without
// resource gets no token, and never an unrestricted one.
func unknownDefault(_ *testing.T, s *fixture.Server) {
	for _, client := range []*fixture.Client{s.Web, s.Service} {
		s.UpdateApplication(client.ID, func(app *oauthkit.AbstractApplication) {
			app.DefaultResources = oauthkit.URIs{api, "https://gone.test"}
		})
	}
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest()).Refused("invalid_target")
	s.Service.ClientCredentials().ErrorJSON(400, "invalid_target")
	s.Browser("alice").Approve(s.Web.AuthorizeRequest("resource=" + api)).Code()
}

// lostResources refreshes after the operator took APIs away from the application. A
// token for none of them would be valid at every API without a name.
func lostResources(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	both := alice.Tokens(s.Web, "resource="+api, "+resource="+other)
	one := alice.Tokens(s.Web, "resource="+other)
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Resources = oauthkit.URIs{api} })
	wantAudience(t, s, s.Web.Refresh(both.Refresh).Tokens().Access, api)
	s.Web.Refresh(one.Refresh).ErrorJSON(400, "invalid_target")
	s.Web.Refresh(one.Refresh, "resource="+other).ErrorJSON(400, "invalid_target")
}
