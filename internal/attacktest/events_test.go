package attacktest

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestEvents tests that each incident sends one event with all its details.
func TestEvents(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "refused authorization requests", Test: rejectionEvents},
		{Name: "sign-in", Test: signInEvents},
		{Name: "names of credentials", Test: credentialEvents},
		{Name: "denied introspection", Test: introspectionEvents},
		{Name: "failed authentication", Test: authenticationEvents},
		{Name: "requests from other sites", Test: crossSiteEvents},
		{Name: "failures", Test: failureEvents},
	})
}

// observes calls do and expects exactly these events.
func observes(t *testing.T, s *fixture.Server, do func(), want ...oauthkit.Event) {
	t.Helper()
	before := len(s.Events.All())
	do()
	if got := s.Events.All()[before:]; !reflect.DeepEqual(got, append([]oauthkit.Event{}, want...)) {
		t.Errorf("got events %+v, want %+v", got, want)
	}
}

func rejectionEvents(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	observes(t, s, func() { alice.Authorize(s.Web.AuthorizeRequest("client_id=nobody")).ErrorPage(400) }, oauthkit.AuthorizeRejected{
		Code: oauthkit.InvalidRequest, Reason: oauthkit.ReasonApplicationUnknown, Description: "the application is not known", Shown: true,
	})
	observes(t, s, func() { alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=https://evil.test/cb")).ErrorPage(400) }, oauthkit.AuthorizeRejected{
		ClientID: "web", Code: oauthkit.InvalidRequest, Reason: oauthkit.ReasonRedirectURIMismatch, Description: "the redirect_uri is not one of the application's", Shown: true,
	})
	observes(t, s, func() { alice.Get("/o/authorize?%zz").ErrorPage(400) }, oauthkit.AuthorizeRejected{
		Code: oauthkit.InvalidRequest, Reason: oauthkit.ReasonMalformedRequest, Description: "the parameters are not form-encoded", Shown: true,
	})
	observes(t, s, func() {
		alice.Authorize(s.Web.AuthorizeRequest("code_challenge_method=plain")).Refused("invalid_request")
	}, oauthkit.AuthorizeRejected{
		ClientID: "web", Code: oauthkit.InvalidRequest, Reason: "invalid_request", Description: "code_challenge_method must be S256",
	})
	observes(t, s, func() { alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("consent_required") }, oauthkit.AuthorizeRejected{
		ClientID: "web", Code: oauthkit.ConsentRequired, Reason: "consent_required", Description: "the user has to be asked",
	})
	observes(t, s, func() { alice.Decide(alice.Open(s.Web.AuthorizeRequest()).Consent(), "deny").Refused("access_denied") }, oauthkit.ConsentDenied{
		ClientID: "web", Subject: "alice", Scopes: oauthkit.Scopes{"openid", "api:read"},
	})
}

func signInEvents(t *testing.T, s *fixture.Server) {
	observes(t, s, func() { s.Browser("").Authorize(s.Web.AuthorizeRequest()).Login() }, oauthkit.SignInRequired{ClientID: "web"})
	observes(t, s, func() { s.Browser("alice").Authorize(s.Web.AuthorizeRequest("prompt=login")).Login() }, oauthkit.SignInRequired{ClientID: "web", Subject: "alice"})
	observes(t, s, func() { s.Browser("").Get("/o/applications/").Login() }, oauthkit.SignInRequired{})

	alice := s.Browser("alice")
	page := alice.Authorize(s.Web.AuthorizeRequest())
	alice.SignOut()
	observes(t, s, func() { alice.Follow(page).Login() }, oauthkit.SignInRequired{ClientID: "web"})
}

// credentialEvents follows the credentials of one sign-in by their names.
func credentialEvents(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
	granted := fixture.EventsOf[oauthkit.AuthorizationGranted](s.Events)
	if len(granted) != 1 || granted[0].CodeID != oauthkit.CredentialID(code) || len(granted[0].CodeID) != 8 {
		t.Fatalf("got %+v, want one with the name of the code", granted)
	}
	id := granted[0].AuthorizationID
	issued := func(tokens fixture.Tokens, grantType string) oauthkit.TokenIssued {
		return oauthkit.TokenIssued{
			ClientID: "web", Subject: "alice", AuthorizationID: id, GrantType: grantType, Scopes: oauthkit.Scopes{"openid", "api:read"},
			AccessTokenID: oauthkit.CredentialID(tokens.Access), RefreshTokenID: oauthkit.CredentialID(tokens.Refresh),
		}
	}
	first := s.Web.Redeem(code).Tokens()
	second := s.Web.Refresh(first.Refresh).Tokens()
	retried := issued(s.Web.Refresh(first.Refresh).Tokens(), "refresh_token")
	retried.Retried = true
	want := []oauthkit.TokenIssued{issued(first, "authorization_code"), issued(second, "refresh_token"), retried}
	if got := fixture.EventsOf[oauthkit.TokenIssued](s.Events); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	misused := oauthkit.CredentialMisused{ClientID: "evil", OwnerID: "web", Credential: "refresh_token", CredentialID: oauthkit.CredentialID(second.Refresh)}
	observes(t, s, func() { s.Evil.Refresh(second.Refresh) }, misused)
	observes(t, s, func() { s.Evil.Revoke(second.Refresh) }, misused)
	observes(t, s, func() { s.Web.Redeem(code).ErrorJSON(400, "invalid_grant") },
		oauthkit.AuthorizationRevoked{ClientID: "web", Subject: "alice", AuthorizationID: id, Reason: oauthkit.RevokedByReplay},
		oauthkit.CredentialReplayed{
			ClientID: "web", Subject: "alice", AuthorizationID: id,
			Credential: "authorization_code", CredentialID: oauthkit.CredentialID(code),
		})
}

func introspectionEvents(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	denied := func(by, kind, token string) oauthkit.IntrospectionDenied {
		return oauthkit.IntrospectionDenied{ClientID: by, OwnerID: "web", Credential: kind, CredentialID: oauthkit.CredentialID(token)}
	}
	observes(t, s, func() { s.Evil.Introspect(tokens.Access).Inactive() }, denied("evil", "access_token", tokens.Access))
	observes(t, s, func() { s.RS.Introspect(tokens.Refresh).Inactive() }, denied("rs", "refresh_token", tokens.Refresh))
	observes(t, s, func() { s.RS.Introspect(tokens.Access).Active() })
	observes(t, s, func() { s.Web.Introspect(tokens.Refresh).Active() })
	observes(t, s, func() { s.Evil.Introspect(presented).Inactive() })
}

func authenticationEvents(t *testing.T, s *fixture.Server) {
	anonymous, wrong := *s.WebPost, *s.WebPost
	anonymous.ID, wrong.Secret = "nobody", presented
	observes(t, s, func() { anonymous.ClientCredentials().Unauthorized() }, oauthkit.ClientAuthenticationFailed{Method: "client_secret_post"})
	observes(t, s, func() { wrong.ClientCredentials().Unauthorized() }, oauthkit.ClientAuthenticationFailed{ClientID: "webp", Method: "client_secret_post"})
}

// crossSiteEvents sends the requests that other sites can make a browser send.
func crossSiteEvents(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest()).Consent()
	action, form := page.Form()
	form.Set("decision", "allow")
	request := fixture.NewRequest(http.MethodPost, action, form)
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	request.Header.Set("Origin", "https://evil.test")
	observes(t, s, func() { alice.Do(request).ErrorPage(403) },
		oauthkit.CrossSiteBlocked{Endpoint: "consent", Reason: oauthkit.ReasonCrossSite, Origin: "https://evil.test"})
	observes(t, s, func() { alice.Decide(page, "allow", "token=x").ErrorPage(403) },
		oauthkit.CrossSiteBlocked{Endpoint: "consent", Reason: oauthkit.ReasonFormExpired, Origin: fixture.Origin})
	observes(t, s, func() { s.Browser("alice").Get(action + "?interaction=" + form.Get("interaction")).ErrorPage(403) },
		oauthkit.CrossSiteBlocked{Endpoint: "consent", Reason: oauthkit.ReasonOtherBrowser})
	observes(t, s, func() { alice.Post("/o/applications/register/", nil).ErrorPage(403) },
		oauthkit.CrossSiteBlocked{Endpoint: "applications/register", Reason: oauthkit.ReasonFormExpired, Origin: fixture.Origin})
}

// failureEvents makes the store and then the host fail.
func failureEvents(t *testing.T, s *fixture.Server) {
	token := s.Service.ClientCredentials().Tokens().Access
	s.Store.Fail(0)
	observes(t, s, func() { s.Service.ClientCredentials().Unavailable() }, oauthkit.StorageUnavailable{Endpoint: "token"})
	observes(t, s, func() { s.Browser("alice").Authorize(s.Web.AuthorizeRequest()).Unavailable() }, oauthkit.StorageUnavailable{Endpoint: "authorize"})
	observes(t, s, func() { s.Bearer("/api/read", token).Unavailable() }, oauthkit.StorageUnavailable{})
	observes(t, s, func() { s.Bearer("/o/userinfo", token).Unavailable() }, oauthkit.StorageUnavailable{Endpoint: "userinfo"})
	s.Store.Heal()
	observes(t, s, func() { s.Do(fixture.NewRequest(http.MethodGet, "/o/nothing", nil)).ErrorPage(404) })
}
