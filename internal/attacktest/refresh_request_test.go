package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestRefreshRequest tests which application can refresh, for which scopes, and
// until when.
func TestRefreshRequest(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "F-11 scope narrows and never widens", Test: refreshedScope},
		{Name: "F-12 token of another application", Test: foreignRefreshToken},
		{Name: "F-13 authentication", Test: refreshAuthentication},
		{Name: "F-14 idle lifetime", Test: idleLifetime},
		{Name: "F-14 absolute lifetime", Test: absoluteLifetime},
		{Name: "F-20 the ID token describes the same sign-in", Test: refreshedIDToken},
		{Name: "F-21 applications that get a refresh token", Test: refreshTokenIssued},
		{Name: "F-22 malformed token", Test: malformedRefreshToken},
	})
}

func refreshedScope(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web, "scope=openid email api:read")
	for _, ask := range []struct{ override, want string }{
		{"scope=api:read", "api:read"}, {"scope", "openid email api:read"}, {"scope=", "openid email api:read"},
		{"scope=openid", "openid"}, {"scope=openid email api:read", "openid email api:read"},
	} {
		tokens = s.Web.Refresh(tokens.Refresh, ask.override).Tokens()
		if tokens.Scope != ask.want || s.RS.Introspect(tokens.Access).Active()["scope"] != ask.want {
			t.Errorf("%s: got scope %q, want %q", ask.override, tokens.Scope, ask.want)
		}
		if (tokens.ID != "") != strings.Contains(ask.want, "openid") {
			t.Errorf("%s: got ID token %q, want one only with openid", ask.override, tokens.ID)
		}
	}
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Scopes = append(app.Scopes, "api:write") })
	for _, more := range []string{"openid profile", "openid email api:read profile", "api:write", "nonsense", "OPENID", "openid\"", "introspection"} {
		s.Web.Refresh(tokens.Refresh, "scope="+more).ErrorJSON(400, "invalid_scope")
	}
	s.Web.Refresh(tokens.Refresh).Tokens()
}

func foreignRefreshToken(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	s.Evil.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	s.SPA.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	misused := fixture.EventsOf[oauthkit.CredentialMisused](s.Events)
	want := oauthkit.CredentialMisused{
		ClientID: "evil", OwnerID: "web", Credential: "refresh_token", CredentialID: oauthkit.CredentialID(tokens.Refresh),
	}
	if len(misused) != 2 || misused[0] != want {
		t.Errorf("got events %+v, want misuse of a refresh token of web by evil and spa", misused)
	}
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	s.Web.Refresh(tokens.Refresh).Tokens()
	s.Evil.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant") // also a used one
	s.RS.Introspect(tokens.Access).Active()
}

func refreshAuthentication(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens, public := alice.Tokens(s.Web), alice.Tokens(s.SPA)
	for _, token := range []string{tokens.Refresh, public.Refresh} {
		nameless := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
		s.Do(fixture.NewRequest(http.MethodPost, "/o/token", nameless)).Unauthorized()
	}
	s.WebPost.Refresh(tokens.Refresh, "client_id=web", "client_secret").Unauthorized()
	s.WebPost.Refresh(tokens.Refresh, "client_id=web", "client_secret="+s.WebPost.Secret).Unauthorized()
	// Not its registered method.
	s.WebPost.Refresh(tokens.Refresh, "client_id=web", "client_secret="+s.Web.Secret).Unauthorized()
	s.SPA.Refresh(tokens.Refresh, "client_id=web").Unauthorized()
	s.SPA.Refresh(public.Refresh, "client_id=").Unauthorized()
	s.CLI.Refresh(public.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Refresh(public.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Refresh(tokens.Refresh).Tokens()
	s.SPA.Refresh(public.Refresh).Tokens()
}

func idleLifetime(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	idle := 30 * 24 * time.Hour
	tokens, late := alice.Tokens(s.Web), alice.Tokens(s.Web)
	s.Clock.Advance(idle - time.Second)
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	s.Clock.Advance(time.Second)
	s.Web.Refresh(late.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Introspect(late.Refresh).Inactive()
	s.Web.Refresh(tokens.Refresh).Tokens() // the idle time started again
}

// absoluteLifetime refreshes until the absolute lifetime ends.
func absoluteLifetime(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	for range 4 {
		s.Clock.Advance(20 * 24 * time.Hour)
		tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	}
	s.Clock.Advance(10*24*time.Hour - 5*time.Minute)
	tokens = s.Web.Refresh(tokens.Refresh).Tokens()
	if tokens.ExpiresIn != 300 {
		t.Errorf("got expires_in %d, want 300: an access token does not outlive its Authorization", tokens.ExpiresIn)
	}
	s.Clock.Advance(5 * time.Minute)
	ended(s, s.Web, tokens)
}

func refreshedIDToken(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	signedIn := s.Clock.Now()
	s.Clock.Advance(time.Minute)
	tokens := alice.Tokens(s.Web)
	before := claimsOf(t, tokens.ID)
	s.Clock.Advance(time.Hour)
	alice.SignIn("bob") // a later sign-in does not affect the token
	after := claimsOf(t, s.Web.Refresh(tokens.Refresh).Tokens().ID)
	for _, name := range []string{"iss", "sub", "aud", "auth_time"} {
		if before[name] == nil || after[name] != before[name] {
			t.Errorf("%s: got %v after the refresh, want %v", name, after[name], before[name])
		}
	}
	if after["nonce"] != nil {
		t.Errorf("got nonce %v after the refresh, want none: it belongs to one authorization response", after["nonce"])
	}
	if after["sub"] != "alice" || after["auth_time"] != float64(signedIn.Unix()) || after["iat"] != float64(s.Clock.Now().Unix()) {
		t.Errorf("got claims %v, want those of alice, of her sign-in at %d, and of now", after, signedIn.Unix())
	}
}

// refreshTokenIssued tests a design decision: the registered grant types decide, not
// offline_access.
func refreshTokenIssued(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	if tokens := alice.Tokens(s.Web, "scope=openid"); tokens.Refresh == "" {
		t.Error("got no refresh token, want one: the application is registered for the grant")
	}
	without := register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, RedirectURIs: oauthkit.URIs{"https://no.test/cb"},
	})
	if tokens := alice.Tokens(without); tokens.Refresh != "" {
		t.Error("got a refresh token for an application without the grant type, want none")
	}
	s.UpdateApplication("svc", func(app *oauthkit.AbstractApplication) { app.GrantTypes = append(app.GrantTypes, oauth2.Refreshing) })
	if tokens := s.Service.ClientCredentials().Tokens(); tokens.Refresh != "" {
		t.Error("got a refresh token for client_credentials, want none")
	}
}

func malformedRefreshToken(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, override := range []string{
		"refresh_token", "refresh_token=", "refresh_token=\x00", "refresh_token=" + tokens.Refresh + "\x00", "refresh_token=\xff",
		"refresh_token=" + strings.Repeat("a", 10<<10), "+refresh_token=" + tokens.Refresh,
	} {
		s.Web.Refresh(tokens.Refresh, override).ErrorJSON(400, "invalid_request")
	}
	body := strings.TrimPrefix(tokens.Refresh, "ort_")
	for _, value := range []string{
		"a", tokens.Access, code, tokens.ID, secret.Hash(tokens.Refresh), secret.New(secret.RefreshToken), body, "oat_" + body, "ORT_" + body,
		tokens.Refresh + " ", " " + tokens.Refresh, tokens.Refresh + "=", tokens.Refresh[1:], tokens.Refresh[:46], strings.ToUpper(tokens.Refresh),
		"ort_" + strings.Repeat("é", 43), strings.Repeat("a", 8000),
	} {
		s.Web.Refresh(value).ErrorJSON(400, "invalid_grant")
	}
	s.Web.Refresh(tokens.Refresh).Tokens()
	s.Web.Redeem(code).Tokens()
}
