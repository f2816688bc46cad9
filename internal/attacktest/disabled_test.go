package attacktest

import (
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/oauthtest/fixture"
)

// TestDisabledApplication is about an application that its operator switches off, and on again.
func TestDisabledApplication(t *testing.T) {
	fixture.Run(t, []fixture.Case{{Name: "F-17 what was issued ends at once and for ever", Test: func(_ *testing.T, s *fixture.Server) {
		alice := s.Browser("alice")
		tokens, others := alice.Tokens(s.Web), alice.Tokens(s.SPA)
		s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
		s.Bearer("/api/read", tokens.Access).JSON(401, "invalid_token")
		s.RS.IN(tokens.Access).Inactive()
		s.Web.RF(tokens.Refresh).Unauthorized()
		s.RS.IN(others.Access).Active()

		s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = false })
		s.RS.IN(tokens.Access).Inactive()
		s.Web.RF(tokens.Refresh).JSON(400, "invalid_grant")
		s.RS.IN(alice.Tokens(s.Web).Access).Active()
	}}})
}
