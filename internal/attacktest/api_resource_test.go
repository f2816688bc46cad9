package attacktest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestNamedAPI tests which tokens named APIs accept, in the provider's program and in
// another program.
func TestNamedAPI(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "U-11 audience", Test: audience},
		{Name: "U-11 audience of refreshed tokens", Test: refreshedAudience},
		{Name: "U-01 challenges of a remote API", Test: remoteChallenges},
		{Name: "U-08 other credentials at a remote API", Test: otherCredentialAtRemoteAPI},
		{Name: "U-10 user deactivated, remote API", Test: deactivatedAtRemoteAPI},
		{Name: "U-12 cached answers are not mixed up", Test: sharedAnswers},
		{Name: "remote API without its provider", Test: remoteFailure},
	})
}

// inProcess sends requests to a handler without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, request)
	return recorder.Result(), nil
}

// remoteAPI returns an API without a name that asks the server's introspection
// endpoint. It authenticates as the application rs unless change says otherwise.
func remoteAPI(t *testing.T, s *fixture.Server, change func(*oauthapi.IntrospectorConfig)) oauthapi.API {
	t.Helper()
	config := oauthapi.IntrospectorConfig{
		Endpoint: fixture.Issuer + "/introspect", ClientID: s.RS.ID, ClientSecret: s.RS.Secret, Now: s.Clock.Now,
		Client: &http.Client{Transport: inProcess{fixture.NewHandler(t, s.Provider, oauthhttp.Config{})}},
	}
	if change != nil {
		change(&config)
	}
	introspector, err := oauthapi.NewIntrospector(config)
	if err != nil {
		t.Fatal(err)
	}
	return oauthapi.API{Tokens: introspector}
}

// statusAt calls an API that requires the scope api:read. It returns the status and
// the challenge.
func statusAt(api oauthapi.API, token string) (status int, challenge string) {
	request := httptest.NewRequest(http.MethodGet, "https://api.test/", nil)
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	api.RequireScopes("api:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(recorder, request)
	return recorder.Code, recorder.Header().Get("WWW-Authenticate")
}

// apisWith returns the APIs of a name: one in the provider's program, one remote.
func apisWith(t *testing.T, s *fixture.Server, resource string) map[string]oauthapi.API {
	remote := remoteAPI(t, s, nil)
	remote.Resource = resource
	return map[string]oauthapi.API{"local": {Tokens: s.Provider, Resource: resource}, "remote": remote}
}

// accepts expects the token to be accepted by the APIs with these names and
// no others.
func accepts(t *testing.T, s *fixture.Server, token string, names ...string) {
	t.Helper()
	for _, name := range []string{"", "https://api.test", "https://other.test", "https://api.test/", "https://never.test"} {
		want := 401
		for _, accepting := range names {
			if name == accepting {
				want = 200
			}
		}
		for where, api := range apisWith(t, s, name) {
			status, challenge := statusAt(api, token)
			if status != want || want == 401 && !strings.HasPrefix(challenge, invalidToken) {
				t.Errorf("%s API %q: got %d with challenge %q, want %d", where, name, status, challenge, want)
			}
		}
	}
}

func audience(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	plain := alice.Tokens(s.Web, "scope=openid api:read")
	accepts(t, s, plain.Access, "")
	here := alice.Tokens(s.Web, "scope=openid api:read", "resource=https://api.test")
	accepts(t, s, here.Access, "https://api.test")
	both := alice.Tokens(s.Web, "scope=openid api:read", "resource=https://api.test", "+resource=https://other.test")
	accepts(t, s, both.Access, "https://api.test", "https://other.test")
	accepts(t, s, s.Service.ClientCredentials("scope=api:read", "resource=https://other.test").Tokens().Access, "https://other.test")
	s.Bearer("/o/userinfo", plain.Access).OK() // the provider's own API, which has a name of its own
	for _, tokens := range []fixture.Tokens{here, both} {
		challenged(t, s.Bearer("/o/userinfo", tokens.Access), 401, invalidToken)
	}
	challenged(t, s.Bearer("/api/read", here.Access), 401, invalidToken)
}

func refreshedAudience(t *testing.T, s *fixture.Server) {
	both := s.Browser("alice").Tokens(s.Web, "scope=openid api:read", "resource=https://api.test", "+resource=https://other.test")
	narrowed := s.Web.Refresh(both.Refresh, "resource=https://other.test").Tokens()
	accepts(t, s, narrowed.Access, "https://other.test")
	accepts(t, s, s.Web.Refresh(narrowed.Refresh).Tokens().Access, "https://api.test", "https://other.test")
}

func remoteChallenges(t *testing.T, s *fixture.Server) {
	alice, api := s.Browser("alice"), remoteAPI(t, s, nil)
	tokens, revoked := alice.Tokens(s.Web), s.Browser("bob").Tokens(s.Web)
	want := func(token string, status int, challenge string) {
		t.Helper()
		if got, header := statusAt(api, token); got != status || !strings.HasPrefix(header, challenge) {
			t.Errorf("got %d with challenge %q, want %d with %q", got, header, status, challenge)
		}
	}
	want(revoked.Access, 200, "")
	s.Web.Revoke(revoked.Access).OK()
	want(revoked.Access, 401, invalidToken) // at once, because nothing is cached by default
	want("a b", 400, invalidRequest)
	want(secret.New(secret.AccessToken), 401, invalidToken)
	want(alice.Tokens(s.Web, "scope=openid").Access, 403, insufficientScope+`, scope="api:read"`)
	want(tokens.Access, 200, "")
	s.Clock.Advance(10 * time.Minute)
	want(tokens.Access, 401, invalidToken)
}

func otherCredentialAtRemoteAPI(t *testing.T, s *fixture.Server) {
	alice, api := s.Browser("alice"), remoteAPI(t, s, nil)
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, value := range []string{tokens.ID, tokens.Refresh, code, s.Web.Secret, secret.Hash(tokens.Access), "alice", "web"} {
		if got, _ := statusAt(api, value); got != 401 {
			t.Errorf("got %d, want 401", got)
		}
	}
	s.Web.Redeem(code).Tokens() // the code is still unused
}

func deactivatedAtRemoteAPI(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice").Tokens(s.Web).Access, s.Browser("bob").Tokens(s.Web).Access
	s.Users.Deactivate("alice")
	for token, want := range map[string]int{alice: 401, bob: 200} {
		if got, _ := statusAt(remoteAPI(t, s, nil), token); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

// sharedAnswers checks two tokens concurrently with a cache that holds one answer.
func sharedAnswers(t *testing.T, s *fixture.Server) {
	writing, reading := s.Service.ClientCredentials("scope=api:write").Tokens().Access, s.Service.ClientCredentials("scope=api:read").Tokens().Access
	api := remoteAPI(t, s, func(config *oauthapi.IntrospectorConfig) { config.CacheTime, config.CacheSize = time.Minute, 1 })
	fixture.Race(20, func(int) {
		for range 10 {
			if got, _ := statusAt(api, writing); got != 403 {
				t.Errorf("got %d for a token without the scope, want 403", got)
			}
			if got, _ := statusAt(api, reading); got != 200 {
				t.Errorf("got %d for a token with the scope, want 200", got)
			}
		}
	})
}

// remoteFailure checks that an API without an answer from the provider, because its
// database is down or the secret is wrong, does not call the token invalid.
func remoteFailure(t *testing.T, s *fixture.Server) {
	token := s.Browser("alice").Tokens(s.Web).Access
	wrong := remoteAPI(t, s, func(config *oauthapi.IntrospectorConfig) { config.ClientSecret = "wrong" })
	if got, _ := statusAt(wrong, token); got != 503 {
		t.Errorf("with a wrong secret: got %d, want 503", got)
	}
	api := remoteAPI(t, s, nil)
	s.Store.Fail(0)
	if got, _ := statusAt(api, token); got != 503 {
		t.Errorf("without the database: got %d, want 503", got)
	}
}
