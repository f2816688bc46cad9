package attacktest

import (
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// TestAuthorizeUser tests when a user has to sign in or consent, and that a request
// cannot evade it.
func TestAuthorizeUser(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-21 prompt=none shows no page", Test: promptNone},
		{Name: "A-22 malformed prompt", Test: func(_ *testing.T, s *fixture.Server) {
			for _, prompt := range []string{"none login", "none none", "None", "foo", "login foo", " login", "login  consent", "create"} {
				s.Browser("alice").Authorize(s.Web.AuthorizeRequest("prompt=" + prompt)).Refused("invalid_request")
			}
		}},
		{Name: "A-23 prompt=login cannot be evaded", Test: promptLogin},
		{Name: "A-24 max_age", Test: maxAge},
		{Name: "A-24 default_max_age", Test: defaultMaxAge},
		{Name: "A-25 prompt=consent asks again", Test: func(_ *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			alice.Approve(s.Web.AuthorizeRequest()).Code()
			alice.Decide(alice.Open(s.Web.AuthorizeRequest("prompt=consent")).Consent(), "allow").Code()
			alice.Authorize(s.Web.AuthorizeRequest()).Code()
		}},
		{Name: "A-26 parameters that ask to skip consent", Test: func(_ *testing.T, s *fixture.Server) {
			for _, parameter := range []string{
				"approval_prompt=auto", "skip_authorization=1", "skip_authorization=true", "allow=true", "consent=yes", "trusted=1", "auto_approve=true", "decision=allow",
			} {
				alice := s.Browser("alice")
				alice.Open(s.Web.AuthorizeRequest(parameter)).Consent()
				alice.Follow(alice.Post("/o/authorize", s.Web.AuthorizeRequest(parameter))).Consent()
				alice.Get(alice.Authorize(s.Web.AuthorizeRequest()).Location() + "&" + parameter).Consent()
			}
		}},
		{Name: "A-27 public applications on a device need consent each time", Test: publicConsent},
		{Name: "A-28 consent covers the user, application and scopes shown", Test: consentGrows},
		{Name: "A-29 id_token_hint", Test: idTokenHint},
		{Name: "A-39 offline_access is shown before it is granted", Test: offlineAccess},
	})
}

func promptNone(t *testing.T, s *fixture.Server) {
	s.Browser("").Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	alice := s.Browser("alice")
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none", "max_age=0")).Refused("login_required")
	if calls := s.Store.Calls(); slices.Contains(calls, "SaveInteraction") || slices.Contains(calls, "SaveApproval") {
		t.Errorf("got calls %v of the store, want no request saved", calls)
	}
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Code()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none", "scope=openid email")).Refused("consent_required")
	s.Browser("bob").Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required")
	alice.SignOut()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
}

func promptLogin(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	before := claimsOf(t, alice.Tokens(s.Web).ID)["auth_time"].(float64)
	// A sign-in in the same second as the request does not count.
	alice.ReturnFromLogin(alice.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()).Login()
	s.Clock.Advance(time.Minute)
	login := alice.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()
	alice.ReturnFromLogin(login).Login()
	s.Clock.Advance(time.Minute)
	again := alice.ReturnFromLogin(login).Login() // returning without a sign-in does not count
	next, err := url.Parse(again.Location())
	if err != nil {
		t.Fatal(err)
	}
	path := next.Query().Get("next")
	if strings.Contains(path, "prompt") {
		t.Errorf("got %q, want a URL in which the user cannot remove prompt=login", path)
	}
	alice.Get(path + "&prompt=none").Login()
	alice.Get(path + "&prompt=&max_age=9999").Login()
	alice.SignIn("alice")
	after := claimsOf(t, s.Web.Redeem(alice.ReturnFromLogin(login).Code()).Tokens().ID)["auth_time"].(float64)
	if after-before != 120 {
		t.Errorf("got auth_time %v after %v, want the second sign-in, 120 s later", after, before)
	}
}

func maxAge(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	signedIn := s.Clock.Now().Unix()
	s.Clock.Advance(2 * time.Second)
	alice.Authorize(s.Web.AuthorizeRequest("max_age=1")).Login()
	alice.Authorize(s.Web.AuthorizeRequest("max_age=1", "prompt=none")).Refused("login_required")
	alice.Authorize(s.Web.AuthorizeRequest("max_age=0")).Login()
	for _, malformed := range []string{"-1", "x", "99999999999999999999", "1.5", "1e3", "+1", " 1", "0x10"} {
		alice.Authorize(s.Web.AuthorizeRequest("max_age=" + malformed)).Refused("invalid_request")
	}
	tokens := alice.Tokens(s.Web, "max_age=10")
	if got := claimsOf(t, tokens.ID)["auth_time"]; got != float64(signedIn) {
		t.Errorf("got auth_time %v, want %d", got, signedIn)
	}
	login := alice.Authorize(s.Web.AuthorizeRequest("max_age=1")).Login()
	alice.ReturnFromLogin(login).Login()
	s.Clock.Advance(time.Second)
	alice.SignIn("alice")
	alice.ReturnFromLogin(login).Code()
}

// defaultMaxAge tests an application that limits the age of sign-ins. The parameter
// max_age takes precedence; a parameter without a value does not.
func defaultMaxAge(_ *testing.T, s *fixture.Server) {
	age := 60
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.DefaultMaxAge = &age })
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Clock.Advance(61 * time.Second)
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
	alice.Authorize(s.Web.AuthorizeRequest("max_age=")).Login()
	alice.Authorize(s.Web.AuthorizeRequest("max_age=62")).Code()
	login := alice.Authorize(s.Web.AuthorizeRequest("scope=api:read")).Login() // OAuth 2.0 as well
	alice.ReturnFromLogin(login).Login()
	s.Clock.Advance(time.Second)
	alice.SignIn("alice")
	alice.ReturnFromLogin(login).Code()
}

func publicConsent(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, uri := range []string{"http://127.0.0.1:5000/cb", "http://[::1]:5000/cb", "com.example.cli:/cb"} {
		for range 2 {
			alice.Decide(alice.Open(s.CLI.AuthorizeRequest("redirect_uri="+uri)).Consent(), "allow").Code()
		}
		alice.Authorize(s.CLI.AuthorizeRequest("redirect_uri="+uri, "prompt=none")).Refused("consent_required")
	}
	alice.Approve(s.SPA.AuthorizeRequest()).Code()
	alice.Authorize(s.SPA.AuthorizeRequest()).Code() // an https redirect URI belongs to one application (RFC 8252 §8.6)
}

func consentGrows(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest("scope=openid")).Code()
	alice.Authorize(s.Web.AuthorizeRequest("scope=openid")).Code()
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Consent()
	alice.Open(s.WebPost.AuthorizeRequest("scope=openid")).Consent()
	s.Browser("bob").Open(s.Web.AuthorizeRequest("scope=openid")).Consent()
	alice.Decide(alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")), "deny").Refused("access_denied")
	alice.Open(s.Web.AuthorizeRequest("scope=openid api:read")).Consent()
	alice.Approve(s.Web.AuthorizeRequest("scope=openid api:read")).Code()
	alice.Authorize(s.Web.AuthorizeRequest("scope=api:read")).Code() // a subset of the approved scopes
	alice.Open(s.Web.AuthorizeRequest("scope=api:read email")).Consent()
}

func idTokenHint(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	own, bobs, evils := alice.Tokens(s.Web).ID, bob.Tokens(s.Web).ID, alice.Tokens(s.Evil).ID
	alice.Authorize(s.Web.AuthorizeRequest("id_token_hint=" + own)).Code()
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none", "id_token_hint="+bobs)).Refused("login_required")
	alice.Authorize(s.Web.AuthorizeRequest("id_token_hint=" + bobs)).Refused("login_required")
	s.Browser("").Authorize(s.Web.AuthorizeRequest("id_token_hint=" + own)).Login() // a hint does not sign a user in

	for name, hint := range map[string]string{
		"another application's": evils,
		"not signed":            unsigned(own),
		"foreign key":           resigned(t, claimsOf(t, own)),
		"other issuer":          resigned(t, map[string]any{"iss": "https://other.test", "sub": "alice", "aud": "web"}),
		"another's payload":     strings.Split(own, ".")[0] + "." + strings.Split(bobs, ".")[1] + "." + strings.Split(own, ".")[2],
		"no token":              "nonsense",
		"an access token":       alice.Tokens(s.Web).Access,
	} {
		t.Log(name)
		alice.Authorize(s.Web.AuthorizeRequest("id_token_hint=" + hint)).Refused("invalid_request")
	}
	// A user's application gets no error redirect.
	alice.Authorize(s.Evil.AuthorizeRequest("id_token_hint=" + own)).ErrorPage(400)
}

// unsigned returns the token with the algorithm none and no signature.
func unsigned(token string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + strings.Split(token, ".")[1] + "."
}

// resigned returns claims signed with a key unknown to the provider.
func resigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	key, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	token, err := key.Sign("JWT", claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func offlineAccess(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	page := alice.Open(s.Web.AuthorizeRequest("scope=openid api:read offline_access")).Consent()
	texts, err := s.Provider.ScopeTexts(t.Context())
	words := texts["offline_access"]
	if err != nil || words == "" || !strings.Contains(html.UnescapeString(page.Body), words) {
		t.Errorf("got a page without %q, want the explanation of offline_access", words)
	}
	tokens := s.Web.Redeem(alice.Decide(page, "allow").Code()).Tokens()
	if !slices.Contains(strings.Fields(tokens.Scope), "offline_access") || tokens.Refresh == "" {
		t.Errorf("got scope %q and refresh token %q, want both", tokens.Scope, tokens.Refresh)
	}
}
