package attacktest

import (
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestSecretRotation tests an application with two valid secrets.
func TestSecretRotation(t *testing.T) {
	fixture.Run(t, []fixture.Case{{Name: "T-21 the old secret is valid during the overlap only", Test: func(_ *testing.T, s *fixture.Server) {
		renewed := *s.Service
		rotate := func(keep time.Duration) {
			s.UpdateApplication(s.Service.ID, func(app *oauthkit.AbstractApplication) {
				renewed.Secret = app.RotateSecret(s.Clock.Now(), keep)
			})
		}
		rotate(time.Hour)
		s.Service.ClientCredentials().Tokens()
		renewed.ClientCredentials().Tokens()
		s.Clock.Advance(time.Hour)
		s.Service.ClientCredentials().Unauthorized()
		renewed.ClientCredentials().Tokens()

		second := renewed
		rotate(0)
		second.ClientCredentials().Unauthorized()
		renewed.ClientCredentials().Tokens()
	}}})
}
