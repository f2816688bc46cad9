package attacktest

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestStepUp tests requests for a stronger or more recent sign-in (RFC 9470).
func TestStepUp(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "U-11 sign-in that an API demands", Configure: withClasses, Test: demandingAPI},
		{Name: "A-31 acr_values of a user who is signed in", Configure: withClasses, Test: preferredClass},
		{Name: "A-30 essential acr that no sign-in reaches", Configure: withClasses, Test: essentialClass},
		{Name: "A-21 prompt=none with acr_values", Configure: withClasses, Test: silentClass},
	})
}

// withClasses configures the authentication context classes urn:gold, urn:silver and
// urn:bronze, and the parameter claims.
func withClasses(config *oauthkit.Config, store storetest.Store) {
	config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{
		Keys: store, ACRValues: []string{"urn:gold", "urn:silver", "urn:bronze"}, ClaimsParameter: true, ClaimNames: []string{"name"},
		Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) { return oidc.Claims{}, nil },
	})}
}

// demandingAPI calls an API that demands a class and an age of the sign-in, and steps up
// by its challenge. Tokens that were issued before keep their sign-in.
func demandingAPI(t *testing.T, s *fixture.Server) {
	const challenge = `Bearer error="insufficient_user_authentication", `
	const demands = `acr_values="urn:gold urn:silver", max_age="300", scope="api:read"`
	s.Users.UseACR("urn:bronze")
	alice := s.Browser("alice")
	weak := alice.Tokens(s.Web)
	refused := s.Bearer("/api/pay", weak.Access)
	challenged(t, refused, 401, challenge)
	if got := refused.Header.Get("WWW-Authenticate"); !strings.HasSuffix(got, demands) {
		t.Errorf("got %s, want the demands %s", got, demands)
	}
	s.Bearer("/api/read", weak.Access).OK()

	login := alice.Authorize(s.Web.AuthorizeRequest("acr_values=urn:gold urn:silver", "max_age=300")).Login()
	s.Clock.Advance(time.Second)
	s.Users.UseACR("urn:silver")
	alice.SignIn("alice")
	strong := s.Web.Redeem(alice.ReturnFromLogin(login).Code()).Tokens()
	s.Bearer("/api/pay", strong.Access).OK()
	challenged(t, s.Bearer("/api/pay", weak.Access), 401, challenge)
	active := s.RS.Introspect(strong.Access).Active()
	if active["acr"] != "urn:silver" || active["auth_time"] != float64(s.Clock.Now().Unix()) {
		t.Errorf("got %v, want acr and auth_time of the second sign-in", active)
	}
	challenged(t, s.Bearer("/api/pay", s.Web.Refresh(weak.Refresh).Tokens().Access), 401, challenge)

	s.Clock.Advance(5 * time.Minute)
	s.Bearer("/api/pay", strong.Access).OK()
	s.Clock.Advance(time.Second)
	challenged(t, s.Bearer("/api/pay", strong.Access), 401, challenge)
	// A refresh is no sign-in.
	challenged(t, s.Bearer("/api/pay", s.Web.Refresh(strong.Refresh).Tokens().Access), 401, challenge)

	// A token without a user has no sign-in.
	machine := s.Service.ClientCredentials("scope=api:read").Tokens()
	challenged(t, s.Bearer("/api/pay", machine.Access), 401, challenge)
	if active := s.RS.Introspect(machine.Access).Active(); active["acr"] != nil || active["auth_time"] != nil {
		t.Errorf("got %v, want no sign-in", active)
	}
}

// preferredClass asks for classes that are voluntary: the user signs in once, and
// whatever they reach is in the ID token. Classes that the host does not have are
// ignored.
func preferredClass(t *testing.T, s *fixture.Server) {
	s.Users.UseACR("urn:bronze")
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	alice.Authorize(s.Web.AuthorizeRequest("acr_values=urn:platinum")).Code()
	alice.Authorize(s.Web.AuthorizeRequest("acr_values=urn:silver urn:bronze")).Code()
	login := alice.Authorize(s.Web.AuthorizeRequest("acr_values=urn:platinum urn:gold")).Login()
	if query := queryOf(t, login.Location()); query.Get("prompt") != "login" {
		t.Errorf("got %s, want prompt=login", login.Location())
	}
	tokens := s.Web.Redeem(alice.ReturnFromLogin(login).Code()).Tokens()
	if got := claimsOf(t, tokens.ID)["acr"]; got != "urn:bronze" {
		t.Errorf("got acr %v, want the one of the sign-in", got)
	}
}

// essentialClass asks for a class that must be reached.
func essentialClass(_ *testing.T, s *fixture.Server) {
	essential := func(class string) string {
		return `claims={"id_token":{"acr":{"essential":true,"value":"` + class + `"}}}`
	}
	s.Users.UseACR("urn:bronze")
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	alice.Authorize(s.Web.AuthorizeRequest(essential("urn:platinum"))).Refused("unmet_authentication_requirements")
	alice.Authorize(s.Web.AuthorizeRequest(essential("urn:gold"), "prompt=none")).Refused("login_required")
	login := alice.Authorize(s.Web.AuthorizeRequest(essential("urn:gold"))).Login()
	alice.ReturnFromLogin(login).Login() // without a sign-in
	s.Clock.Advance(time.Second)
	alice.SignIn("alice")
	alice.ReturnFromLogin(login).Refused("unmet_authentication_requirements")
	s.Clock.Advance(time.Second)
	s.Users.UseACR("urn:gold")
	alice.SignIn("alice")
	alice.ReturnFromLogin(login).Code()
}

// silentClass asks for a class without a page: the sign-in that exists is the answer.
func silentClass(t *testing.T, s *fixture.Server) {
	s.Users.UseACR("urn:bronze")
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	tokens := s.Web.Redeem(alice.Authorize(s.Web.AuthorizeRequest("prompt=none", "acr_values=urn:gold")).Code()).Tokens()
	if got := claimsOf(t, tokens.ID)["acr"]; got != "urn:bronze" {
		t.Errorf("got acr %v, want the one of the sign-in", got)
	}
}

// TestSelectAccount tests the pages of the host besides the login page.
func TestSelectAccount(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-22 select_account on the login page", Test: selectAtLogin},
		{Name: "A-23 selection is not a sign-in", ConfigureHandler: withPages, Test: selectAccount},
		{Name: "A-22 create", ConfigureHandler: withPages, Test: signUp},
	})
}

func withPages(config *oauthhttp.Config) {
	config.SelectAccountURL, config.SignUpURL = "/accounts", "/sign-up?from=app"
}

func queryOf(t *testing.T, location string) url.Values {
	t.Helper()
	parsed, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query()
}

// wantPage checks that an answer redirects to a page of the host.
func wantPage(t *testing.T, answer *fixture.Answer, path, prompt string) *fixture.Answer {
	t.Helper()
	location, query := answer.Location(), queryOf(t, answer.Location())
	if answer.Status != 303 || !strings.HasPrefix(location, path+"?") || query.Get("prompt") != prompt || query.Get("next") == "" {
		t.Errorf("%s: got %d to %s, want %s with prompt=%s", answer, answer.Status, location, path, prompt)
	}
	return answer
}

// selectAtLogin tests a host without a page for accounts. A selection in the past, or a
// link, does not count.
func selectAtLogin(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	alice.SelectAccount()
	login := wantPage(t, alice.Authorize(s.Web.AuthorizeRequest("prompt=select_account")), "/login", "select_account")
	wantPage(t, alice.ReturnFromLogin(login), "/login", "select_account")
	next := queryOf(t, login.Location()).Get("next")
	for _, forged := range []string{"&prompt=none", "&prompt=", "&selected_at=9999999999", "&account=alice"} {
		wantPage(t, alice.Get(next+forged), "/login", "select_account")
	}
	s.Clock.Advance(time.Second)
	alice.SelectAccount()
	alice.ReturnFromLogin(login).Code()
	// The user selects for each request.
	wantPage(t, alice.Authorize(s.Web.AuthorizeRequest("prompt=select_account")), "/login", "select_account")
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("prompt=none select_account")).Refused("invalid_request")
}

// selectAccount selects another account, and none where a sign-in is demanded.
func selectAccount(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	s.Browser("bob").Approve(s.Web.AuthorizeRequest()).Code()
	chooser := wantPage(t, alice.Authorize(s.Web.AuthorizeRequest("prompt=select_account")), "/accounts", "select_account")
	s.Clock.Advance(time.Second)
	alice.SignIn("bob")
	if got := claimsOf(t, s.Web.Redeem(alice.ReturnFromLogin(chooser).Code()).Tokens().ID)["sub"]; got != "bob" {
		t.Errorf("got sub %v, want the selected account", got)
	}
	for _, demand := range []string{"prompt=login select_account", "max_age=0"} {
		both := alice.Authorize(s.Web.AuthorizeRequest("prompt=select_account", demand))
		s.Clock.Advance(time.Second)
		alice.SelectAccount()
		login := wantPage(t, alice.ReturnFromLogin(both), "/login", "login")
		s.Clock.Advance(time.Second)
		alice.SignIn("bob")
		alice.ReturnFromLogin(login).Code()
	}
}

// signUp sends users to the page on which they create an account.
func signUp(t *testing.T, s *fixture.Server) {
	for _, other := range []string{"create login", "create select_account", "none create", "create foo"} {
		s.Browser("alice").Authorize(s.Web.AuthorizeRequest("prompt=" + other)).Refused("invalid_request")
	}
	for user, created := range map[string]string{"": "carol", "alice": "dave"} {
		browser := s.Browser(user)
		page := wantPage(t, browser.Authorize(s.Web.AuthorizeRequest("prompt=create")), "/sign-up", "create")
		if query := queryOf(t, page.Location()); query.Get("from") != "app" {
			t.Errorf("got %s, want the query of the page", page.Location())
		}
		wantPage(t, browser.ReturnFromLogin(page), "/sign-up", "create")
		s.Clock.Advance(time.Second)
		browser.SignIn(created)
		browser.Decide(browser.ReturnFromLogin(page).Consent(), "allow").Code()
	}
	for _, path := range []string{"/.well-known/openid-configuration/o", "/o/.well-known/openid-configuration"} {
		if document := s.Browser("").Get(path).Body; !strings.Contains(document, `"create"`) {
			t.Errorf("%s: got %s, want create among the values of prompt", path, document)
		}
	}
}
