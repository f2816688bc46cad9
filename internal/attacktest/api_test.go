package attacktest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestAPI tests access tokens at the userinfo endpoint and at the host's API behind
// RequireScopes. Both share the check of a token, but not the places where a request
// may carry it.
func TestAPI(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "U-01 challenges", Test: challenges},
		{Name: "U-02 scope missing", Test: scopeMissing},
		{Name: "U-03 token in the URL", Test: tokenInURL},
		{Name: "U-04 token in two places", Test: tokenInTwoPlaces},
		{Name: "U-05 malformed scheme", Test: malformedScheme},
		{Name: "U-08 other credentials as access token", Test: otherCredentialAtAPI},
		{Name: "U-10 user deactivated", Test: deactivatedAtAPI},
		{Name: "U-11 tokens that were not issued", Test: forgedTokens},
		{Name: "U-12 requests share nothing", Test: sharedState},
		{Name: "U-13 incomplete token", Test: incompleteToken},
	})
}

// protected lists the paths that require an access token.
var protected = []string{"/o/userinfo", "/api/read"}

// call sends a GET request with these Authorization headers.
func call(s *fixture.Server, path string, authorization ...string) *fixture.Answer {
	request := fixture.NewRequest(http.MethodGet, path, nil)
	request.Header["Authorization"] = authorization
	return s.Do(request)
}

// challenged expects an error with one challenge that has this prefix (RFC 6750 §3).
func challenged(t *testing.T, answer *fixture.Answer, status int, challenge string) {
	t.Helper()
	got := answer.Header.Values("WWW-Authenticate")
	if answer.Status != status || len(got) != 1 || !strings.HasPrefix(got[0], challenge) {
		t.Errorf("%s: got %d with WWW-Authenticate %q, want %d with %s", answer, answer.Status, got, status, challenge)
	}
	if strings.Contains(answer.Body, "alice") || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: got Cache-Control %q and body %q, want no-store and no user data", answer, answer.Header.Get("Cache-Control"), answer.Body)
	}
}

const (
	invalidRequest    = `Bearer error="invalid_request"`
	invalidToken      = `Bearer error="invalid_token"`
	insufficientScope = `Bearer error="insufficient_scope"`
)

func challenges(t *testing.T, s *fixture.Server) {
	tokens := s.Browser("alice").Tokens(s.Web)
	revoked := s.Browser("bob").Tokens(s.Web)
	s.Web.Revoke(revoked.Access).OK()
	for _, path := range protected {
		nothing := call(s, path)
		challenged(t, nothing, 401, "Bearer")
		if got := nothing.Header.Get("WWW-Authenticate"); strings.Contains(got, "error") || nothing.Body != "" {
			t.Errorf("%s: got challenge %q and body %q, want a challenge without an error: the client may not have known", path, got, nothing.Body)
		}
		for _, malformed := range []string{"Bearer", "Bearer ", "Bearer a\tb", "Bearer é", `Bearer "x"`, "Bearer a,b", "Bearer ==", "Bearer a=b"} {
			challenged(t, call(s, path, malformed), 400, invalidRequest)
		}
		challenged(t, s.Bearer(path, revoked.Access), 401, invalidToken)
		challenged(t, s.Bearer(path, secret.New(secret.AccessToken)), 401, invalidToken)
		s.Bearer(path, tokens.Access).OK()
	}
	s.Clock.Advance(10 * time.Minute)
	for _, path := range protected {
		challenged(t, s.Bearer(path, tokens.Access), 401, invalidToken)
	}
}

func scopeMissing(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	signedIn, reading := alice.Tokens(s.Web, "scope=openid email"), alice.Tokens(s.Web, "scope=api:read")
	challenged(t, s.Bearer("/o/userinfo", reading.Access), 403, insufficientScope+`, scope="openid"`)
	challenged(t, s.Bearer("/api/read", signedIn.Access), 403, insufficientScope+`, scope="api:read"`)
	narrowed := s.Web.Refresh(alice.Tokens(s.Web).Refresh, "scope=openid").Tokens()
	challenged(t, s.Bearer("/api/read", narrowed.Access), 403, insufficientScope)
	s.Bearer("/api/read", reading.Access).OK()
	s.Bearer("/o/userinfo", signedIn.Access).OK()
}

func tokenInURL(t *testing.T, s *fixture.Server) {
	token := s.Browser("alice").Tokens(s.Web).Access
	for _, path := range protected {
		for _, name := range []string{"access_token", "token", "bearer_token", "ACCESS_TOKEN"} {
			challenged(t, call(s, path+"?"+name+"="+token), 401, "Bearer")
			challenged(t, s.Do(fixture.NewRequest(http.MethodPost, path+"?"+name+"="+token, nil)), 401, "Bearer")
		}
	}
	inBody := url.Values{"access_token": {token}}
	s.Do(fixture.NewRequest(http.MethodPost, "/o/userinfo", inBody)).OK() // RFC 6750 §2.2
	// The body is for the API itself.
	challenged(t, s.Do(fixture.NewRequest(http.MethodPost, "/api/read", inBody)), 401, "Bearer")
	get := fixture.NewRequest(http.MethodPost, "/o/userinfo", inBody)
	get.Method = http.MethodGet // the body of a GET request does not count (RFC 6750 §2.2)
	challenged(t, s.Do(get), 401, "Bearer")
	typeless := fixture.NewRequest(http.MethodPost, "/o/userinfo", inBody)
	typeless.Header.Set("Content-Type", "text/plain")
	challenged(t, s.Do(typeless), 401, "Bearer")
}

func tokenInTwoPlaces(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice").Tokens(s.Web).Access, s.Browser("bob").Tokens(s.Web).Access
	for _, inBody := range []string{alice, bob, "x"} {
		request := fixture.NewRequest(http.MethodPost, "/o/userinfo", url.Values{"access_token": {inBody}})
		request.Header.Set("Authorization", "Bearer "+alice)
		challenged(t, s.Do(request), 400, invalidRequest)
	}
	repeated := fixture.NewRequest(http.MethodPost, "/o/userinfo", url.Values{"access_token": {alice, bob}})
	challenged(t, s.Do(repeated), 400, invalidRequest)
	for _, path := range protected {
		challenged(t, call(s, path, "Bearer "+alice, "Bearer "+alice), 400, invalidRequest)
		challenged(t, call(s, path, "Bearer "+alice, "Bearer "+bob), 400, invalidRequest)
		challenged(t, call(s, path, "Basic eDp5", "Bearer "+alice), 400, invalidRequest)
	}
}

func malformedScheme(t *testing.T, s *fixture.Server) {
	token := s.Browser("alice").Tokens(s.Web).Access
	basic := fixture.NewRequest(http.MethodGet, "/", nil)
	basic.SetBasicAuth("web", token)
	for _, path := range protected {
		call(s, path, "bearer "+token).OK()
		call(s, path, "BEARER "+token).OK()
		for _, unknown := range []string{
			"BearerX " + token, "Bearer" + token, "Bearer\t" + token, token, "Token " + token, "DPoP " + token, basic.Header.Get("Authorization"), ", Bearer " + token,
		} {
			challenged(t, call(s, path, unknown), 401, "Bearer")
		}
		for _, malformed := range []string{"Bearer  " + token, "Bearer " + token + " y", "Bearer " + token + ", Basic eDp5", "Bearer token=" + token + "x=\""} {
			challenged(t, call(s, path, malformed), 400, invalidRequest)
		}
	}
}

func otherCredentialAtAPI(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens, code := alice.Tokens(s.Web), alice.Approve(s.Web.AuthorizeRequest()).Code()
	for _, path := range protected {
		for _, value := range []string{
			tokens.ID, tokens.Refresh, code, s.Web.Secret, secret.Hash(tokens.Access), "oat_" + strings.TrimPrefix(tokens.Refresh, "ort_"), "alice", "web",
		} {
			challenged(t, s.Bearer(path, value), 401, invalidToken)
		}
	}
	s.Web.Refresh(tokens.Refresh).Tokens()
	s.Web.Redeem(code).Tokens()
}

func deactivatedAtAPI(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice").Tokens(s.Web).Access, s.Browser("bob").Tokens(s.Web).Access
	s.Users.Deactivate("alice")
	for _, path := range protected {
		challenged(t, s.Bearer(path, alice), 401, invalidToken)
		s.Bearer(path, bob).OK()
	}
}

// forgedTokens sends JWTs that an API might accept if it trusted their content.
// Access tokens are looked up in the database.
func forgedTokens(t *testing.T, s *fixture.Server) {
	own := s.Browser("alice").Tokens(s.Web)
	claims := claimsOf(t, own.ID)
	for _, forged := range []string{
		unsigned(own.ID), // alg none
		own.ID,           // typ JWT, for the application
		"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL290aGVyLnRlc3QiLCJzdWIiOiJhbGljZSIsInNjb3BlIjoib3BlbmlkIGFwaTpyZWFkIn0.",
		resigned(t, claims),
		resigned(t, map[string]any{"iss": fixture.Issuer, "sub": "alice", "aud": fixture.Origin, "client_id": "web", "scope": "openid api:read"}),
	} {
		for _, path := range protected {
			challenged(t, s.Bearer(path, forged), 401, invalidToken)
		}
		s.RS.Introspect(forged).Inactive()
	}
}

func sharedState(t *testing.T, s *fixture.Server) {
	writing, reading := s.Service.ClientCredentials("scope=api:write").Tokens().Access, s.Service.ClientCredentials("scope=api:read").Tokens().Access
	fixture.Race(50, func(i int) {
		for range 10 {
			challenged(t, s.Bearer("/api/read", writing), 403, insufficientScope)
			if answer := s.Bearer("/api/read", reading); answer.Status != 200 || !strings.Contains(answer.Body, `"scope":"api:read"`) {
				t.Errorf("got %d %s, want the token's own scope", answer.Status, answer.Body)
			}
		}
	})
}

// incompleteToken tests a token that another program wrote into the database. It
// grants only what its row holds.
func incompleteToken(t *testing.T, s *fixture.Server) {
	for _, path := range protected {
		for _, scopes := range []oauthkit.Scopes{nil, {}, {"api"}, {"api:read:all"}, {"*"}} {
			challenged(t, s.Bearer(path, writtenElsewhere(t, s, "web", scopes)), 403, insufficientScope)
		}
		challenged(t, s.Bearer(path, writtenElsewhere(t, s, "", oauthkit.Scopes{"openid", "api:read"})), 401, invalidToken)
		s.Bearer(path, writtenElsewhere(t, s, "web", oauthkit.Scopes{"openid", "api:read"})).OK()
	}
}

func writtenElsewhere(t *testing.T, s *fixture.Server, clientID string, scopes oauthkit.Scopes) string {
	t.Helper()
	value, now := secret.New(secret.AccessToken), s.Clock.Now()
	authorization := &oauthkit.Authorization{
		ID: secret.NewID(), ClientID: clientID, Subject: "alice", Scopes: scopes, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	err := s.Store.SaveTokens(t.Context(), authorization, oauthkit.Tokens{Access: &oauthkit.AccessToken{
		Hash: secret.Hash(value), Authorization: authorization, Scopes: scopes, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
