package attacktest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestApprovalPrompt tests when a user with a remembered consent is asked again.
func TestApprovalPrompt(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "approval_prompt", Test: approvalPrompt},
		{Name: "approval_prompt=force by default", Test: forcedApproval, Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.ApprovalPrompt = oauthkit.ApprovalForce
		}},
		{Name: "unknown approval_prompt", Test: unknownApprovalPrompt},
		{Name: "trusted application", Test: trustedApplication},
		{Name: "trusted by the host", Test: trustedByHost, Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.SkipConsent = func(_ context.Context, request *oauthkit.ConsentRequest, user *oauthkit.User) (bool, error) {
				return request.Application.GetID() == "web" && user.Subject == "alice", nil
			}
		}},
		{Name: "application that changed", Test: changedApplication},
		{Name: "access token lifetime chosen for each request", Test: chosenLifetime, Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.ChooseAccessTokenLifetime = lifetimeByRequest
		}},
	})
}

func approvalPrompt(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Decide(alice.Open(s.Web.AuthorizeRequest("approval_prompt=auto")).Consent(), "allow").Code()
	for _, parameter := range []string{"approval_prompt", "approval_prompt=", "approval_prompt=auto"} {
		alice.Open(s.Web.AuthorizeRequest(parameter)).Code()
		alice.Open(s.Web.AuthorizeRequest(parameter, "prompt=none")).Code()
		alice.Open(s.Web.AuthorizeRequest(parameter, "prompt=consent")).Consent()
		alice.Open(s.Web.AuthorizeRequest(parameter, "scope=openid api:read email")).Consent() // more scopes
	}
	page := alice.Open(s.Web.AuthorizeRequest("approval_prompt=force")).Consent()
	alice.Authorize(s.Web.AuthorizeRequest("approval_prompt=force", "prompt=none")).Refused("consent_required")
	alice.Decide(page, "allow", "approval_prompt=auto").Code()
	alice.Open(s.Web.AuthorizeRequest("approval_prompt=force")).Consent() // every time
	alice.Open(s.Web.AuthorizeRequest()).Code()
	s.Browser("bob").Open(s.Web.AuthorizeRequest("approval_prompt=auto")).Consent() // bob has approved nothing
}

func forcedApproval(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	alice.Open(s.Web.AuthorizeRequest()).Consent()
	alice.Open(s.Web.AuthorizeRequest("approval_prompt=")).Consent()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	alice.Open(s.Web.AuthorizeRequest("approval_prompt=auto")).Code()
}

func unknownApprovalPrompt(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, value := range []string{"nonsense", "AUTO", "none", "auto force", "force,auto", "<script>"} {
		alice.Authorize(s.Web.AuthorizeRequest("approval_prompt=" + value)).Refused("invalid_request")
		s.Browser("").Authorize(s.Web.AuthorizeRequest("approval_prompt=" + value)).Refused("invalid_request")
	}
	alice.Authorize(s.Web.AuthorizeRequest("approval_prompt=auto", "+approval_prompt=auto")).Refused("invalid_request")
	alice.Authorize(s.Web.AuthorizeRequest("approval_prompt=x", "redirect_uri=https://evil.test/cb")).ErrorPage(400)
}

// trustedApplication tests that no user is asked about a trusted application,
// except for its own prompt=consent, and only at a redirect URI that no other
// program can use.
func trustedApplication(t *testing.T, s *fixture.Server) {
	for _, id := range []string{"web", "cli"} {
		s.UpdateApplication(id, func(app *oauthkit.AbstractApplication) { app.SkipAuthorization = true })
	}
	alice := s.Browser("alice")
	alice.Open(s.Web.AuthorizeRequest()).Code()
	alice.Open(s.Web.AuthorizeRequest("prompt=none", "approval_prompt=force")).Code()
	alice.Open(s.Web.AuthorizeRequest("prompt=consent")).Consent()
	// Any program on the device can use this redirect URI (RFC 8252 §8.6).
	alice.Open(s.CLI.AuthorizeRequest()).Consent()
	alice.Open(s.CLI.AuthorizeRequest("redirect_uri=com.example.cli:/cb")).Consent()
	s.Browser("").Open(s.Web.AuthorizeRequest()).Login()
	if given := fixture.EventsOf[oauthkit.ConsentGranted](s.Events); len(given) > 0 {
		t.Errorf("got events %+v, want no consent from a user who was not asked", given)
	}
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.SkipAuthorization = false })
	alice.Open(s.Web.AuthorizeRequest()).Consent() // trust did not store a consent
}

func trustedByHost(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Open(s.Web.AuthorizeRequest("approval_prompt=force")).Code()
	alice.Open(s.Web.AuthorizeRequest("prompt=consent")).Consent()
	alice.Open(s.SPA.AuthorizeRequest()).Consent()
	s.Browser("bob").Open(s.Web.AuthorizeRequest()).Consent()
}

func changedApplication(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, change := range []func(*oauthkit.AbstractApplication){
		func(app *oauthkit.AbstractApplication) { app.Name = "Your Bank" },
		func(app *oauthkit.AbstractApplication) {
			app.RedirectURIs = append(app.RedirectURIs, "https://new.test/cb")
		},
		func(app *oauthkit.AbstractApplication) { app.RedirectURIs = app.RedirectURIs[:1] },
	} {
		alice.Approve(s.Web.AuthorizeRequest()).Code()
		alice.Open(s.Web.AuthorizeRequest()).Code()
		s.UpdateApplication("web", change)
		page := alice.Open(s.Web.AuthorizeRequest()).Consent()
		alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
		alice.Decide(page, "deny").Refused("access_denied")
		alice.Open(s.Web.AuthorizeRequest()).Consent()
	}
}

// lifetimeByRequest gives tokens with the scope api:write a shorter lifetime.
func lifetimeByRequest(_ context.Context, request oauthkit.LifetimeRequest) (time.Duration, error) {
	switch {
	case slices.Contains(request.Scopes, "api:write"):
		return time.Minute, nil
	case request.GrantType == oauth2.Refreshing && request.Subject == "alice":
		return 2 * time.Minute, nil
	default:
		return 3 * time.Minute, nil
	}
}

func chosenLifetime(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for _, test := range []struct {
		name   string
		tokens fixture.Tokens
		want   int64
	}{
		{"code", tokens, 180},
		{"refresh", s.Web.Refresh(tokens.Refresh).Tokens(), 120},
		{"client credentials", s.Service.ClientCredentials("scope=api:read").Tokens(), 180},
		{"client credentials with api:write", s.Service.ClientCredentials("scope=api:write").Tokens(), 60},
	} {
		members := s.RS.Introspect(test.tokens.Access).Active()
		if row := members["exp"].(float64) - members["iat"].(float64); test.tokens.ExpiresIn != test.want || int64(row) != test.want {
			t.Errorf("%s: got expires_in %d and %v seconds in the row, want %d", test.name, test.tokens.ExpiresIn, row, test.want)
		}
	}
	writing := s.Service.ClientCredentials("scope=api:write").Tokens()
	s.Clock.Advance(time.Minute - time.Second)
	s.RS.Introspect(writing.Access).Active()
	s.Clock.Advance(time.Second)
	s.RS.Introspect(writing.Access).Inactive()
}
