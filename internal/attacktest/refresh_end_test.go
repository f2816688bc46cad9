package attacktest

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestRefreshEnd refreshes at one instance while the other ends what is refreshed. Whichever came first: once the end was
// answered, nothing is alive, the successors included. Logout, which does not exist yet, will revoke as the host does.
func TestRefreshEnd(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-09 refresh against revocation", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 300, aliceAtWeb, func(_ context.Context, other *fixture.Server, trial refreshTrial) error {
				trial.client.On(other).Revoke(trial.Refresh).OK()
				return nil
			})
		}},
		{Name: "F-10 refresh against the host's revocation", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, aliceAtWeb, func(ctx context.Context, other *fixture.Server, trial refreshTrial) error {
				token, err := other.Store.AccessToken(ctx, secret.Hash(trial.Access))
				if err != nil {
					return err
				}
				return other.Provider.RevokeAuthorization(ctx, token.Authorization)
			})
		}},
		{Name: "F-10 refresh against the withdrawal of consent", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, aliceAtWeb, func(ctx context.Context, other *fixture.Server, trial refreshTrial) error {
				return other.Provider.RevokeConsent(ctx, trial.client.ID, trial.user)
			})
		}},
		{Name: "F-10 refresh against the deactivation of the user", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, anotherUser, func(_ context.Context, other *fixture.Server, trial refreshTrial) error {
				other.Users.Deactivate(trial.user)
				return nil
			})
		}},
		{Name: "F-10 refresh against the removal of the application", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, anotherApplication, func(_ context.Context, other *fixture.Server, trial refreshTrial) error {
				other.RemoveApplication(trial.client.ID)
				return nil
			})
		}},
	})
}

// refreshTrial is a user whose tokens are about to be refreshed while something ends them.
type refreshTrial struct {
	fixture.Tokens
	client *fixture.Client
	user   string
}

func aliceAtWeb(_ *testing.T, s *fixture.Server, _ int) refreshTrial {
	return refreshTrial{client: s.Web, user: "alice"}
}

func anotherUser(_ *testing.T, s *fixture.Server, i int) refreshTrial {
	return refreshTrial{client: s.Web, user: fmt.Sprintf("user%d", i)}
}

func anotherApplication(t *testing.T, s *fixture.Server, _ int) refreshTrial {
	return refreshTrial{user: "alice", client: register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://one.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
	})}
}

func raceRefresh(
	t *testing.T, s *fixture.Server, trials int, choose func(*testing.T, *fixture.Server, int) refreshTrial,
	end func(context.Context, *fixture.Server, refreshTrial) error,
) {
	t.Helper()
	other := s.SecondInstance()
	for i := range trials {
		trial := choose(t, s, i)
		trial.Tokens = s.Browser(trial.user).Tokens(trial.client, "scope=api:read")
		var refreshed *fixture.Answer
		fixture.Race(2, func(side int) {
			if side == 0 {
				refreshed = trial.client.Refresh(trial.Refresh)
			} else if err := end(t.Context(), other, trial); err != nil {
				t.Errorf("ending it: %v", err)
			}
		})
		nothingAlive(t, s, trial, refreshed)
	}
}

// nothingAlive looks at what was there before and, if the refresh came first, at what came of it.
func nothingAlive(t *testing.T, s *fixture.Server, trial refreshTrial, refreshed *fixture.Answer) {
	t.Helper()
	last := trial.Tokens
	switch refreshed.Status {
	case 200:
		last = refreshed.Tokens()
		s.RS.Introspect(last.Access).Inactive()
	case 401:
		refreshed.ErrorJSON(401, "invalid_client") // the application is gone
	default:
		refreshed.ErrorJSON(400, "invalid_grant")
	}
	s.RS.Introspect(trial.Access).Inactive()
	if again := trial.client.Refresh(last.Refresh); again.Status == 200 {
		t.Errorf("got 200 for a refresh token after its end was answered")
	}
}
