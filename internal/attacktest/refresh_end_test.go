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

// TestRefreshEnd refreshes at one instance while the other revokes. In either order,
// once the revocation has been answered, no token is valid, including the successors.
// Logout, which does not exist yet, will revoke in the same way.
func TestRefreshEnd(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-09 refresh against revocation", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 300, aliceAtWeb, func(_ context.Context, other *fixture.Server, user signedIn) error {
				user.client.On(other).Revoke(user.Refresh).OK()
				return nil
			})
		}},
		{Name: "F-10 refresh against the host's revocation", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, aliceAtWeb, func(ctx context.Context, other *fixture.Server, user signedIn) error {
				token, err := other.Store.AccessToken(ctx, secret.Hash(user.Access))
				if err != nil {
					return err
				}
				return other.Provider.RevokeAuthorization(ctx, token.Authorization)
			})
		}},
		{Name: "F-10 refresh against the revocation of consent", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, aliceAtWeb, func(ctx context.Context, other *fixture.Server, user signedIn) error {
				return other.Provider.RevokeConsent(ctx, user.client.ID, user.name)
			})
		}},
		{Name: "F-10 refresh against the deactivation of the user", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, anotherUser, func(_ context.Context, other *fixture.Server, user signedIn) error {
				other.Users.Deactivate(user.name)
				return nil
			})
		}},
		{Name: "F-10 refresh against the deletion of the application", Test: func(t *testing.T, s *fixture.Server) {
			raceRefresh(t, s, 40, anotherApplication, func(_ context.Context, other *fixture.Server, user signedIn) error {
				other.RemoveApplication(user.client.ID)
				return nil
			})
		}},
	})
}

// signedIn holds the tokens of a user that are refreshed while they are revoked.
type signedIn struct {
	fixture.Tokens
	client *fixture.Client
	name   string
}

func aliceAtWeb(_ *testing.T, s *fixture.Server, _ int) signedIn {
	return signedIn{client: s.Web, name: "alice"}
}

func anotherUser(_ *testing.T, s *fixture.Server, i int) signedIn {
	return signedIn{client: s.Web, name: fmt.Sprintf("user%d", i)}
}

func anotherApplication(t *testing.T, s *fixture.Server, _ int) signedIn {
	return signedIn{name: "alice", client: register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://one.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.Refreshing},
	})}
}

func raceRefresh(
	t *testing.T, s *fixture.Server, rounds int, choose func(*testing.T, *fixture.Server, int) signedIn,
	end func(context.Context, *fixture.Server, signedIn) error,
) {
	t.Helper()
	other := s.SecondInstance()
	for i := range rounds {
		user := choose(t, s, i)
		user.Tokens = s.Browser(user.name).Tokens(user.client, "scope=api:read")
		var refreshed *fixture.Answer
		fixture.Race(2, func(side int) {
			if side == 0 {
				refreshed = user.client.Refresh(user.Refresh)
			} else if err := end(t.Context(), other, user); err != nil {
				t.Errorf("revoking: %v", err)
			}
		})
		wantAllRevoked(t, s, user, refreshed)
	}
}

// wantAllRevoked checks the tokens from before the race and, if the refresh came
// first, its result.
func wantAllRevoked(t *testing.T, s *fixture.Server, user signedIn, refreshed *fixture.Answer) {
	t.Helper()
	last := user.Tokens
	switch refreshed.Status {
	case 200:
		last = refreshed.Tokens()
		s.RS.Introspect(last.Access).Inactive()
	case 401:
		refreshed.ErrorJSON(401, "invalid_client") // the application is deleted
	default:
		refreshed.ErrorJSON(400, "invalid_grant")
	}
	s.RS.Introspect(user.Access).Inactive()
	if again := user.client.Refresh(last.Refresh); again.Status == 200 {
		t.Errorf("got 200 for a refresh token after its revocation, want an error")
	}
}
