package attacktest

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
)

// TestConsentPageIsWhatIsApproved changes the application while its user looks at the page.
func TestConsentPageIsWhatIsApproved(t *testing.T) {
	fixture.Run(t, []fixture.Case{{Name: "B-10 another name while the page is open", Test: func(_ *testing.T, s *fixture.Server) {
		alice := s.Browser("alice")
		page := alice.Open(s.Web.AZ()).Consent()
		s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Name = "The bank" })
		alice.Decide(page, "allow").PAGE(403)
		alice.Approve(s.Web.AZ()).Code() // the page as it is now
	}}})
}
