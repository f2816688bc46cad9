package attacktest

import (
	"context"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestConsentPageIsWhatIsApproved changes the application while its user looks at the page.
func TestConsentPageIsWhatIsApproved(t *testing.T) {
	defaults := &changingDefaults{}
	fixture.Run(t, []fixture.Case{
		{Name: "B-10 another name while the page is open", Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			page := alice.Open(s.Web.AZ()).Consent()
			s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Name = "The bank" })
			alice.Decide(page, "allow").PAGE(403)
			alice.Approve(s.Web.AZ()).Code() // the page as it is now
		}},
		{Name: "B-10 other default scopes while the page is open", Configure: defaults.configure, Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			defaults.scopes = oauthkit.Scopes{"openid"}
			page := alice.Open(s.Web.AZ("scope")).Consent()
			defaults.scopes = oauthkit.Scopes{"openid", "api:read"}
			alice.Decide(page, "allow").PAGE(403)
			alice.Approve(s.Web.AZ("scope")).Code()
		}},
	})
}

// changingDefaults gives the scopes that it holds at the moment to requests that name none.
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
