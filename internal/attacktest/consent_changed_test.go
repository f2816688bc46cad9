package attacktest

import (
	"context"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestConsentPageChanged changes the application while the consent page is open.
func TestConsentPageChanged(t *testing.T) {
	defaults := &changingDefaults{}
	fixture.Run(t, []fixture.Case{
		{Name: "B-10 another name while the page is open", Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			page := alice.Open(s.Web.AuthorizeRequest()).Consent()
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Name = "The bank" })
			alice.Decide(page, "allow").ErrorPage(403)
			alice.Approve(s.Web.AuthorizeRequest()).Code() // the current page
		}},
		{Name: "B-10 another client type since the consent", Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			alice.Approve(s.Web.AuthorizeRequest()).Code()
			alice.Authorize(s.Web.AuthorizeRequest()).Code()
			page := alice.Open(s.Web.AuthorizeRequest("prompt=consent")).Consent()
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
				app.ClientType, app.TokenEndpointAuthMethod, app.ClientSecret = oauthkit.Public, "none", ""
			})
			alice.Decide(page, "allow").ErrorPage(403)
			alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
			alice.Open(s.Web.AuthorizeRequest()).Consent()
		}},
		{Name: "B-10 the page says that consent is for every API", Test: func(t *testing.T, s *fixture.Server) {
			const says = "valid for every API"
			alice := s.Browser("alice")
			if page := alice.Open(s.Web.AuthorizeRequest()).Consent(); !strings.Contains(page.Body, says) {
				t.Error("got a page without a note about every API, want one")
			}
			if page := alice.Open(s.Web.AuthorizeRequest("resource=https://api.test")).Consent(); strings.Contains(page.Body, says) {
				t.Error("got a page for one API with a note about every API, want none")
			}
		}},
		{Name: "B-10 consent for every API in a host without named APIs", Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.Resources = nil
		}, Test: func(t *testing.T, s *fixture.Server) {
			if page := s.Browser("alice").Open(s.Web.AuthorizeRequest()).Consent(); strings.Contains(page.Body, "every API") {
				t.Error("got a page with a note about APIs that have no names, want none")
			}
		}},
		{Name: "B-10 other default scopes while the page is open", Configure: defaults.configure, Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			defaults.scopes = oauthkit.Scopes{"openid"}
			page := alice.Open(s.Web.AuthorizeRequest("scope")).Consent()
			defaults.scopes = oauthkit.Scopes{"openid", "api:read"}
			alice.Decide(page, "allow").ErrorPage(403)
			alice.Approve(s.Web.AuthorizeRequest("scope")).Code()
		}},
	})
}

// changingDefaults is a scope backend whose default scopes can change.
type changingDefaults struct {
	oauthkit.ScopeBackend
	scopes oauthkit.Scopes
}

func (c *changingDefaults) configure(config *oauthkit.Config, _ storetest.Store) {
	c.ScopeBackend, config.Scopes = config.Scopes, c
}

// Default implements [oauthkit.ScopeBackend].
func (c *changingDefaults) Default(context.Context, oauthkit.Application, oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	return c.scopes, nil
}
