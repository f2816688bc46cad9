package attacktest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// response is the response to a request with a token.
type response struct {
	status     int
	challenges []string
}

// present sends a token to the provider's own endpoint, to an API in its program and to
// one in another program.
func present(t *testing.T, s *fixture.Server, scheme, token, header, key string) map[string]response {
	t.Helper()
	responses := map[string]response{}
	remote := remoteAPI(t, s, func(config *oauthapi.IntrospectorConfig) {
		config.KeyBindings, config.CacheTime = namedKeyBindings(), time.Minute
	})
	for where, api := range map[string]oauthapi.API{"local API": {Tokens: s.Provider}, "remote API": remote} {
		request, recorder := httptest.NewRequest(http.MethodGet, "https://api.test/", nil), httptest.NewRecorder()
		request.Header.Set("Authorization", scheme+" "+token)
		request.Header.Set(header, key)
		api.RequireScopes("api:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(recorder, request)
		responses[where] = response{recorder.Code, recorder.Header().Values("WWW-Authenticate")}
	}
	request := fixture.NewRequest(http.MethodGet, "/o/userinfo", nil)
	request.Header.Set("Authorization", scheme+" "+token)
	request.Header.Set(header, key)
	answer := s.Do(request)
	responses["userinfo"] = response{answer.Status, answer.Header.Values("WWW-Authenticate")}
	return responses
}

// wantResponses expects a status from each endpoint and, if it is 401, the error in the
// challenge of the scheme.
func wantResponses(t *testing.T, responses map[string]response, status int, scheme, code string) {
	t.Helper()
	for where, got := range responses {
		wrong := slices.ContainsFunc(got.challenges, func(challenge string) bool {
			used := strings.HasPrefix(challenge, scheme+" ")
			return used != strings.Contains(challenge, fmt.Sprintf(`error="%s"`, code)) || used == strings.Contains(challenge, "realm=")
		})
		if got.status != status || status == 401 && (len(got.challenges) != 2 || wrong) {
			t.Errorf("%s: got %d with %q, want %d with %s in the challenge of %s, and that of the other scheme",
				where, got.status, got.challenges, status, code, scheme)
		}
	}
}

func boundAccessToken(t *testing.T, s *fixture.Server) {
	bound := boundTokens(s, s.SPA).Access
	wantResponses(t, present(t, s, "DPoP", bound, "DPoP", "key1"), 200, "", "")
	wantResponses(t, present(t, s, "dpop", bound, "DPoP", "key1"), 200, "", "")
	wantResponses(t, present(t, s, "Bearer", bound, "DPoP", "key1"), 401, "Bearer", "invalid_token")
	wantResponses(t, present(t, s, "DPoP", bound, "DPoP", "key2"), 401, "DPoP", "invalid_token")
	wantResponses(t, present(t, s, "DPoP", bound, "DPoP", "malformed"), 401, "DPoP", "invalid_dpop_proof")
	wantResponses(t, present(t, s, "DPoP", bound, "X-Other", "key1"), 401, "DPoP", "invalid_token")
	inBody := fixture.NewRequest(http.MethodPost, "/o/userinfo", url.Values{"access_token": {bound}})
	inBody.Header.Set("DPoP", "key1")
	if answer := s.Do(inBody); answer.Status != 401 || answer.Members()["error"] != "invalid_token" {
		t.Errorf("in the body: got %d %s, want 401 invalid_token", answer.Status, answer.Body)
	}
	if status, _ := statusAt(remoteAPI(t, s, nil), bound); status != 401 {
		t.Errorf("a remote API without key bindings: got %d, want 401", status)
	}
}

func wrongScheme(t *testing.T, s *fixture.Server) {
	unbound := s.Browser("alice").Tokens(s.SPA).Access
	wantResponses(t, present(t, s, "Bearer", unbound, "DPoP", "key1"), 200, "", "")
	wantResponses(t, present(t, s, "DPoP", unbound, "DPoP", "key1"), 401, "DPoP", "invalid_token")

	request := s.SPA.Request("/o/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {s.Browser("bob").Approve(s.SPA.AuthorizeRequest()).Code()},
		"redirect_uri": {s.SPA.RedirectURI}, "code_verifier": {fixture.Verifier},
	})
	request.Header.Set("X-Certificate", "key1")
	certified := s.Do(request).Tokens().Access // RFC 8705 §3: token_type stays Bearer
	wantResponses(t, present(t, s, "Bearer", certified, "X-Certificate", "key1"), 200, "", "")
	wantResponses(t, present(t, s, "Bearer", certified, "X-Certificate", "key2"), 401, "Bearer", "invalid_token")
	wantResponses(t, present(t, s, "Bearer", certified, "DPoP", "key1"), 401, "Bearer", "invalid_token")
	wantResponses(t, present(t, s, "DPoP", certified, "DPoP", "key1"), 401, "DPoP", "invalid_token")
}

func requiredProof(t *testing.T, s *fixture.Server) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"api:read"}}
	ask(s, s.Service, "", form).ErrorJSON(400, "invalid_dpop_proof")
	tokens := ask(s, s.Service, "key1", form).TokensOfType("DPoP")
	wantCNF(t, s.RS.Introspect(tokens.Access).Active(), "jkt", "key1")
}

func twoKeys(_ *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.SPA.AuthorizeRequest()).Code()
	request := s.SPA.Request("/o/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {s.SPA.RedirectURI}, "code_verifier": {fixture.Verifier},
	})
	request.Header.Set("DPoP", "key1")
	request.Header.Set("X-Certificate", "key1")
	s.Do(request).ErrorJSON(400, "invalid_request")
	redeemWith(s, s.SPA, strings.Repeat("k", 256), code).ErrorJSON(400, "invalid_request")
	redeemWith(s, s.SPA, "key1", code).TokensOfType("DPoP")
}

// wantCNF expects the key of an introspection response (RFC 9449 §6.2).
func wantCNF(t *testing.T, members map[string]any, method, key string) {
	t.Helper()
	cnf, _ := members["cnf"].(map[string]any)
	if len(cnf) != 1 || cnf[method] != key {
		t.Errorf("got cnf %v, want %s %s", members["cnf"], method, key)
	}
}

func boundIntrospection(t *testing.T, s *fixture.Server) {
	bound, unbound := boundTokens(s, s.Web), s.Browser("bob").Tokens(s.Web)
	members := s.RS.Introspect(bound.Access).Active()
	wantCNF(t, members, "jkt", "key1")
	if members["token_type"] != "DPoP" {
		t.Errorf("got token_type %v, want DPoP", members["token_type"])
	}
	members = s.RS.Introspect(unbound.Access).Active()
	if _, has := members["cnf"]; has || members["token_type"] != "Bearer" {
		t.Errorf("a bearer token: got token_type %v and cnf %v, want Bearer and none", members["token_type"], members["cnf"])
	}
}

func proofHeaders(t *testing.T, s *fixture.Server) {
	preflight := fixture.NewRequest(http.MethodOptions, "/o/token", nil)
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	answer := from(s, spaOrigin, preflight)
	if got := answer.Header.Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type, DPoP" {
		t.Errorf("got allowed headers %q, want that of the proof too", got)
	}
	answer = from(s, spaOrigin, s.SPA.Request("/o/token", url.Values{"grant_type": {"nonsense"}}))
	if got := answer.Header.Get("Access-Control-Expose-Headers"); got != "Retry-After, WWW-Authenticate, DPoP-Nonce" {
		t.Errorf("got readable headers %q, want that of the binding too", got)
	}
}

func uncheckedProof(t *testing.T, s *fixture.Server) {
	code := s.Browser("alice").Approve(s.SPA.AuthorizeRequest()).Code()
	s.Users.Fail(http.ErrHandlerTimeout) // tells the fixture that the host may fail
	s.Users.Fail(nil)
	redeemWith(s, s.SPA, "gone", code).Unavailable()
	bound := redeemWith(s, s.SPA, "key1", code).TokensOfType("DPoP")
	for where, got := range present(t, s, "DPoP", bound.Access, "DPoP", "gone") {
		if got.status != 503 || len(got.challenges) > 0 {
			t.Errorf("%s: got %d with %q, want 503 without a challenge", where, got.status, got.challenges)
		}
	}
}

// removedBinding presents a token that was bound before the extension was removed.
func removedBinding(t *testing.T, s *fixture.Server) {
	confirmation := oauthkit.Confirmation{Method: "jkt", Value: "key1"}
	authorization := &oauthkit.Authorization{
		ID: "bound", ClientID: "web", Subject: "alice", Scopes: oauthkit.Scopes{"openid", "api:read"},
		CreatedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour),
	}
	value := secret.New(secret.AccessToken)
	token := &oauthkit.AccessToken{
		Hash: secret.Hash(value), Authorization: authorization, Scopes: authorization.Scopes, Confirmation: confirmation,
		IssuedAt: s.Clock.Now(), ExpiresAt: s.Clock.Now().Add(time.Hour),
	}
	if err := s.Store.SaveTokens(t.Context(), authorization, oauthkit.Tokens{Access: token}); err != nil {
		t.Fatal(err)
	}
	s.RS.Introspect(value).Inactive()
	challenged(t, s.Bearer("/o/userinfo", value), 401, invalidToken)
	challenged(t, s.Bearer("/api/read", value), 401, invalidToken)
}
