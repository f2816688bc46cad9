package attacktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestConsentChoice is about a host that lets the user approve fewer scopes than are asked for.
func TestConsentChoice(t *testing.T) {
	choose := func(config *oauthhttp.Config) { config.UserChoosesScopes = true }
	fixture.Run(t, []fixture.Case{
		{Name: "B-04 fewer scopes", ConfigureHandler: choose, Test: fewerScopes},
		{Name: "B-04 a scope that is taken back", ConfigureHandler: choose, Test: scopeTakenBack},
		{Name: "B-10 an address that is added while the page is open", Test: addressAdded},
		{Name: "B-04 scopes that were not asked for", ConfigureHandler: choose, Test: moreScopes},
		{Name: "B-04 a host that does not let choose", Test: noChoice},
		{Name: "B-10 the page says which APIs it is about", ConfigureHandler: choose, Test: resourcesOnPage},
	})
}

func fewerScopes(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	ask := s.Web.AuthorizeRequest("scope=openid email api:read")
	page := alice.Open(ask).Consent()
	if _, fields := page.Form(); !slices.Equal(fields["scope"], []string{"openid", "email", "api:read"}) {
		t.Errorf("got the scopes %q in the form, want each that is asked for", fields["scope"])
	}
	tokens := s.Web.Redeem(alice.Decide(page, "allow", "scope=api:read").Code()).Tokens()
	if tokens.Scope != "openid api:read" || tokens.ID == "" || s.RS.Introspect(tokens.Access).Active()["scope"] != "openid api:read" {
		t.Errorf("got scope %q, want openid, which comes with any approval, and api:read", tokens.Scope)
	}
	s.Web.Refresh(tokens.Refresh, "scope=openid email").ErrorJSON(400, "invalid_scope")
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Code() // what was approved is remembered
	page = alice.Open(ask).Consent()                                   // and what was refused is not
	code := alice.Decide(page, "allow", "scope").Code()                // nothing is left but openid
	if tokens := s.Web.Redeem(code).Tokens(); tokens.Scope != "openid" {
		t.Errorf("got scope %q, want openid alone", tokens.Scope)
	}
	nothing := alice.Decide(alice.Open(s.SPA.AuthorizeRequest("scope=email api:read")).Consent(), "allow", "scope") // an approval of nothing
	if nothing.Status != 422 || !strings.Contains(nothing.Body, `role="alert"`) {
		t.Errorf("got %s, want the form once more, with what is wrong", nothing)
	}
	alice.Decide(nothing, "allow", "scope=email", "token=x").ErrorPage(403)
	s.Browser("mallory").Decide(nothing, "allow", "scope=email").ErrorPage(403)
	alice.Decide(nothing, "deny").Refused("access_denied")
	granted := fixture.EventsOf[oauthkit.ConsentGranted](s.Events)
	if len(granted) != 2 || granted[0].Scopes.String() != "openid api:read" {
		t.Errorf("got %+v observed, want two consents, the first to openid api:read", granted)
	}
}

// scopeTakenBack unchecks what was approved before: it must not come back without a question.
func scopeTakenBack(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	ask := s.Web.AuthorizeRequest("scope=openid email api:read")
	alice.Decide(alice.Open(ask).Consent(), "allow").Code()
	page := alice.Open(s.Web.AuthorizeRequest("scope=openid email api:read", "prompt=consent")).Consent()
	alice.Decide(page, "allow", "scope=api:read").Code()
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Code()
	alice.Open(ask).Consent()
}

// addressAdded has the application get another address between the page and the answer, which is not for that one.
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
	alice.Decide(page, "allow", "+decision=deny").ErrorPage(400) // scope alone may be repeated
	alice.Decide(page, "allow", "+token=x").ErrorPage(400)
	if events := fixture.EventsOf[oauthkit.ConsentGranted](s.Events); len(events) > 0 {
		t.Errorf("got %v, want no consent", events)
	}
	tokens := s.Web.Redeem(alice.Decide(page, "allow", "+scope=api:read").Code()).Tokens() // the page is still good, and twice is once
	if tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want what was asked for", tokens.Scope)
	}
}

func noChoice(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	if strings.Contains(page.Body, "checkbox") {
		t.Error("got a choice on the page, want all or nothing")
	}
	if tokens := s.Web.Redeem(alice.Decide(page, "allow", "scope=openid").Code()).Tokens(); tokens.Scope != "openid api:read" {
		t.Errorf("got scope %q, want what was shown", tokens.Scope)
	}
}

func resourcesOnPage(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	shown := textOf(t, alice.Open(s.Web.AuthorizeRequest("resource=https://api.test", "+resource=https://other.test")).Consent())
	if !strings.Contains(shown, "Only for https://api.test https://other.test") {
		t.Errorf("got a page that does not say which APIs it is about:\n%s", shown)
	}
	if shown := textOf(t, alice.Open(s.Web.AuthorizeRequest()).Consent()); strings.Contains(shown, "Only for") {
		t.Errorf("got a page that names APIs where all are meant:\n%s", shown)
	}
}
