package attacktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestConsentChoice tests a host that lets users approve fewer scopes than requested.
func TestConsentChoice(t *testing.T) {
	choose := func(config *oauthhttp.Config) { config.UserChoosesScopes = true }
	fixture.Run(t, []fixture.Case{
		{Name: "B-04 fewer scopes", ConfigureHandler: choose, Test: fewerScopes},
		{Name: "B-04 a scope that is deselected later", ConfigureHandler: choose, Test: scopeTakenBack},
		{Name: "B-10 a redirect URI added while the page is open", Test: addressAdded},
		{Name: "B-04 scopes that were not requested", ConfigureHandler: choose, Test: moreScopes},
		{Name: "B-04 a host without a choice of scopes", Test: noChoice},
		{Name: "B-10 the page names the APIs", ConfigureHandler: choose, Test: resourcesOnPage},
	})
}

func fewerScopes(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	ask := s.Web.AuthorizeRequest("scope=openid email api:read")
	page := alice.Open(ask).Consent()
	if _, fields := page.Form(); !slices.Equal(fields["scope"], []string{"openid", "email", "api:read"}) {
		t.Errorf("got the scopes %q in the form, want each requested one", fields["scope"])
	}
	tokens := s.Web.Redeem(alice.Decide(page, "allow", "scope=api:read").Code()).Tokens()
	if tokens.Scope != "openid api:read" || tokens.ID == "" || s.RS.Introspect(tokens.Access).Active()["scope"] != "openid api:read" {
		t.Errorf("got scope %q, want openid, which every approval includes, and api:read", tokens.Scope)
	}
	s.Web.Refresh(tokens.Refresh, "scope=openid email").ErrorJSON(400, "invalid_scope")
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Code() // approved scopes are remembered
	page = alice.Open(ask).Consent()                                   // denied scopes are not
	code := alice.Decide(page, "allow", "scope").Code()                // only openid is left
	if tokens := s.Web.Redeem(code).Tokens(); tokens.Scope != "openid" {
		t.Errorf("got scope %q, want only openid", tokens.Scope)
	}
	// An approval without any scope is an error.
	nothing := alice.Decide(alice.Open(s.SPA.AuthorizeRequest("scope=email api:read")).Consent(), "allow", "scope")
	if nothing.Status != 422 || !strings.Contains(nothing.Body, `role="alert"`) {
		t.Errorf("got %s, want the form again, with the error", nothing)
	}
	alice.Decide(nothing, "allow", "scope=email", "token=x").ErrorPage(403)
	s.Browser("mallory").Decide(nothing, "allow", "scope=email").ErrorPage(403)
	alice.Decide(nothing, "deny").Refused("access_denied")
	granted := fixture.EventsOf[oauthkit.ConsentGranted](s.Events)
	if len(granted) != 2 || granted[0].Scopes.String() != "openid api:read" {
		t.Errorf("got events %+v, want two consents, the first to openid api:read", granted)
	}
}

// scopeTakenBack deselects a scope that was approved before. It must not be granted
// again without a question.
func scopeTakenBack(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	ask := s.Web.AuthorizeRequest("scope=openid email api:read")
	alice.Decide(alice.Open(ask).Consent(), "allow").Code()
	page := alice.Open(s.Web.AuthorizeRequest("scope=openid email api:read", "prompt=consent")).Consent()
	alice.Decide(page, "allow", "scope=api:read").Code()
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Code()
	alice.Open(ask).Consent()
}

// addressAdded adds a redirect URI while the consent page is open. The consent must
// not cover it.
func addressAdded(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) {
		app.RedirectURIs = append(app.RedirectURIs, "https://thief.test/cb")
	})
	alice.Decide(page, "allow").ErrorPage(403)
	alice.Open(s.Web.AuthorizeRequest("redirect_uri=https://thief.test/cb")).Consent()
}

func moreScopes(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Scopes = append(app.Scopes, "api:write") })
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	for _, more := range []string{"api:write", "email", "introspection", "nonsense", "OPENID", "openid api:read", "api:read "} {
		alice.Decide(page, "allow", "+scope="+more).ErrorPage(400)
		alice.Decide(page, "allow", "scope="+more).ErrorPage(400)
	}
	alice.Decide(page, "allow", "+decision=deny").ErrorPage(400) // only scope may be repeated
	alice.Decide(page, "allow", "+token=x").ErrorPage(400)
	if events := fixture.EventsOf[oauthkit.ConsentGranted](s.Events); len(events) > 0 {
		t.Errorf("got %v, want no consent", events)
	}
	// The page is still valid, and a repeated scope counts once.
	tokens := s.Web.Redeem(alice.Decide(page, "allow", "+scope=api:read").Code()).Tokens()
	if tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want the requested scopes", tokens.Scope)
	}
}

func noChoice(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	if strings.Contains(page.Body, "checkbox") {
		t.Error("got a choice of scopes on the page, want none")
	}
	if tokens := s.Web.Redeem(alice.Decide(page, "allow", "scope=openid").Code()).Tokens(); tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want the scopes shown", tokens.Scope)
	}
}

func resourcesOnPage(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	shown := textOf(t, alice.Open(s.Web.AuthorizeRequest("resource=https://api.test", "+resource=https://other.test")).Consent())
	if !strings.Contains(shown, "Only for https://api.test https://other.test") {
		t.Errorf("got a page that does not name the APIs:\n%s", shown)
	}
	if shown := textOf(t, alice.Open(s.Web.AuthorizeRequest()).Consent()); strings.Contains(shown, "Only for") {
		t.Errorf("got a page that names APIs although consent is for all:\n%s", shown)
	}
}
