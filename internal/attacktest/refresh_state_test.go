package attacktest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestRefreshState tests changes between the approval and a refresh.
func TestRefreshState(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-15 user deactivated", Test: userDeactivated},
		{Name: "F-15 the host fails to say whether the user is active", Test: hostFails},
		askedEachTime(),
		{Name: "F-16 consent revoked", Test: consentRevoked},
		{Name: "F-16 scope removed from the application", Test: scopeTaken},
		{Name: "F-17 application disabled, narrowed, with another secret", Test: applicationChanged},
	})
}

func userDeactivated(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	used, unused, bobs := alice.Tokens(s.Web), alice.Tokens(s.Web), s.Browser("bob").Tokens(s.Web)
	successor := s.Web.Refresh(used.Refresh).Tokens()
	s.Users.Deactivate("alice")
	s.Web.Refresh(used.Refresh).ErrorJSON(400, "invalid_grant") // the retry of F-04
	s.Web.Refresh(unused.Refresh).ErrorJSON(400, "invalid_grant")
	ended(s, s.Web, used, successor, unused)
	for _, tokens := range []fixture.Tokens{used, successor, unused} {
		token, err := s.Store.RefreshToken(t.Context(), secret.Hash(tokens.Refresh))
		if err != nil || token.Authorization.RevokedAt.IsZero() {
			t.Errorf("got %+v, %v; want the Authorization revoked", token, err)
		}
	}
	for _, event := range fixture.EventsOf[oauthkit.AuthorizationRevoked](s.Events) {
		if event.Reason != oauthkit.RevokedByInactivity || event.Subject != "alice" {
			t.Errorf("got events %+v, want one for the inactive user alice", event)
		}
	}
	s.Web.Refresh(bobs.Refresh).Tokens()
}

// hostFails shows that a failure of the host neither refreshes nor revokes.
func hostFails(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	used, unused := alice.Tokens(s.Web), alice.Tokens(s.Web)
	s.Web.Refresh(used.Refresh).Tokens()
	s.Users.Fail(errors.New("the user database is down"))
	s.Web.Refresh(unused.Refresh).Unavailable()
	s.Web.Refresh(used.Refresh).Unavailable()
	s.Users.Fail(nil)
	s.Web.Refresh(unused.Refresh).Tokens()
	s.Web.Refresh(used.Refresh).Tokens()
}

// askedEachTime counts the calls of UserIsActive.
func askedEachTime() fixture.Case {
	var asked atomic.Int64
	return fixture.Case{
		Name: "F-15 the host is asked for each refresh",
		Configure: func(config *oauthkit.Config, _ storetest.Store) {
			active := config.UserIsActive
			config.UserIsActive = func(ctx context.Context, subject string) (bool, error) {
				asked.Add(1)
				return active(ctx, subject)
			}
		},
		Test: func(t *testing.T, s *fixture.Server) {
			tokens := s.Browser("alice").Tokens(s.Web)
			for range 3 {
				asked.Store(0)
				previous := tokens.Refresh
				tokens = s.Web.Refresh(previous).Tokens()
				s.Web.Refresh(previous).Tokens()
				if got := asked.Load(); got != 2 {
					t.Errorf("got %d calls, want one for the refresh and one for its retry", got)
				}
			}
		},
	}
}

func consentRevoked(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	first, second := alice.Tokens(s.Web), alice.Tokens(s.Web)
	bobs, others := bob.Tokens(s.Web), alice.Tokens(s.Evil)
	if err := s.Provider.RevokeConsent(t.Context(), "web", "alice"); err != nil {
		t.Fatal(err)
	}
	ended(s, s.Web, first, second)
	if events := fixture.EventsOf[oauthkit.ConsentRevoked](s.Events); len(events) != 1 || len(events[0].AuthorizationIDs) != 2 {
		t.Errorf("got events %+v, want one with two Authorizations", events)
	}
	s.Web.Refresh(bobs.Refresh).Tokens()
	s.Evil.Refresh(others.Refresh).Tokens()
	alice.Open(s.Web.AuthorizeRequest()).Consent() // she is asked again
}

func scopeTaken(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
		app.Scopes = slices.DeleteFunc(app.Scopes, func(scope string) bool { return scope == "api:read" })
	})
	s.Web.Refresh(tokens.Refresh, "scope=api:read").ErrorJSON(400, "invalid_scope")
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	if tokens.Scope != "openid" {
		t.Errorf("got scope %q, want the scopes still allowed", tokens.Scope)
	}
	s.Bearer("/api/read", tokens.Access).ErrorJSON(403, "insufficient_scope")
}

func applicationChanged(_ *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	s.Web.Refresh(tokens.Refresh).Unauthorized()
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = false })
	tokens = s.Browser("alice").Tokens(s.Web) // the change revoked earlier tokens
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
		app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
	})
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "unauthorized_client")
	renewed := *s.Web
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
		app.GrantTypes = append(app.GrantTypes, oauth2.Refreshing)
		renewed.Secret = app.GenerateSecret()
	})
	s.Web.Refresh(tokens.Refresh).Unauthorized()
	renewed.Refresh(tokens.Refresh).Tokens()
}
