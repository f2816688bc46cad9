package attacktest

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestKeyBinding tests codes and tokens that are bound to a key, with a binding like
// DPoP (RFC 9449) whose proof is only the name of the key.
func TestKeyBinding(t *testing.T) {
	cases := []fixture.Case{
		{Name: "C-19 dpop_jkt", Test: boundCode},
		{Name: "F-18 bound refresh token", Test: boundRefreshToken},
		{Name: "F-18 repeat with another key", Test: boundRepeat},
		{Name: "F-18 a late repeat with another key is a replay", Test: lateBoundRepeat},
		{Name: "P-13 refresh token of a confidential application", Test: unboundRefreshToken},
		{Name: "P-13 repeat of a confidential application", Test: unboundRepeat},
		{Name: "U-09 bound access token", Test: boundAccessToken},
		{Name: "P-10 scheme of another token_type", Test: wrongScheme},
		{Name: "P-12 required by the application", Test: requiredProof},
		{Name: "P-01 two keys in one request", Test: twoKeys},
		{Name: "I-04 cnf and token_type", Test: boundIntrospection},
		{Name: "P-01 key of a grant", Test: keyOfGrant},
		{Name: "X-07 headers of proofs", Test: proofHeaders},
		{Name: "RL-20 the proof cannot be checked", Test: uncheckedProof},
	}
	for i := range cases {
		cases[i].Configure = func(config *oauthkit.Config, store storetest.Store) {
			config.Extensions, config.Grants = append(config.Extensions, namedKeys{}), append(config.Grants, keyGrant{store})
		}
	}
	fixture.Run(t, append(cases, fixture.Case{Name: "P-10 key binding that was removed", Test: removedBinding},
		fixture.Case{Name: "P-10 token in the authorization response", Test: boundInResponse, Configure: func(config *oauthkit.Config, store storetest.Store) {
			hybrid(config, store)
			config.Extensions = append(config.Extensions, namedKeys{})
		}}))
}

// namedKeys is an extension with two key bindings. The header DPoP holds the name of a
// key. The header X-Certificate is the second binding, of type Bearer as that of RFC
// 8705. The key "gone" cannot be checked.
type namedKeys struct{}

func (namedKeys) Extend(registry *oauthkit.Registry) error {
	registry.AuthorizeParameters("dpop_jkt")
	registry.ValidateAuthorize(func(_ context.Context, request *oauthkit.AuthorizeRequest) error {
		if key := request.Form.Get("dpop_jkt"); key != "" {
			request.Confirmation = oauthkit.Confirmation{Method: "jkt", Value: key}
		}
		return nil
	})
	for _, binding := range namedKeyBindings() {
		registry.KeyBinding(binding)
	}
	return nil
}

func namedKeyBindings() oauthkit.KeyBindings {
	return oauthkit.KeyBindings{
		{
			Method: "jkt", TokenType: "DPoP", ChallengeParameters: `algs="ES256"`,
			RequestHeaders: []string{"DPoP"}, ResponseHeaders: []string{"DPoP-Nonce"},
			Confirm: func(_ http.ResponseWriter, r *http.Request, app oauthkit.Application) (string, error) {
				key := r.Header.Get("DPoP")
				switch {
				case key == "gone":
					return "", oauthkit.Unavailable(nil)
				case key == "" && app.GetID() == "svc":
					return "", oauthkit.Errorf("invalid_dpop_proof", "this application must prove a key")
				default:
					return key, nil
				}
			},
			Verify: verifyHeader("DPoP"),
		},
		{
			Method: "x5t#S256",
			Confirm: func(_ http.ResponseWriter, r *http.Request, _ oauthkit.Application) (string, error) {
				return r.Header.Get("X-Certificate"), nil
			},
			Verify: verifyHeader("X-Certificate"),
		},
	}
}

func verifyHeader(name string) func(context.Context, oauthkit.PresentedToken) (string, error) {
	return func(_ context.Context, presented oauthkit.PresentedToken) (string, error) {
		switch key := presented.Request.Header.Get(name); key {
		case "gone":
			return "", oauthkit.Unavailable(nil)
		case "malformed":
			return "", oauthkit.Errorf("invalid_dpop_proof", "the proof is malformed")
		default:
			return key, nil
		}
	}
}

// keyGrant is a grant of the host that binds its tokens to the key in the request.
type keyGrant struct{ store oauthkit.TokenStore }

func (keyGrant) GrantType() oauth2.GrantType { return "urn:example:key" }

func (g keyGrant) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	request.Confirmation = oauthkit.Confirmation{Method: "jkt", Value: request.Form.Get("key")}
	authorization := request.NewAuthorization(oauthkit.Scopes{"api:read"})
	return request.Issue(ctx, &oauthkit.Issuance{
		Authorization: authorization, Scopes: authorization.Scopes,
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			return g.store.SaveTokens(ctx, authorization, tokens)
		},
	})
}

// keyOfGrant expects that a grant cannot store a key that the store could not read.
func keyOfGrant(t *testing.T, s *fixture.Server) {
	grant := keyGrant{}.GrantType()
	client, err := s.Register(&oauthkit.AbstractApplication{
		ClientID: "keys", ClientType: oauthkit.Confidential, TokenEndpointAuthMethod: oauthkit.AuthMethodSecretBasic,
		GrantTypes: oauthkit.GrantTypes{grant}, Scopes: oauthkit.Scopes{"api:read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "two words", strings.Repeat("k", 256), "\u00e9"} {
		ask(s, client, "", url.Values{"grant_type": {string(grant)}, "key": {key}}).ErrorJSON(400, "invalid_request")
	}
	tokens := ask(s, client, "", url.Values{"grant_type": {string(grant)}, "key": {"key1"}}).TokensOfType("DPoP")
	wantCNF(t, s.RS.Introspect(tokens.Access).Active(), "jkt", "key1")
}

// ask sends a token request with the proof of a key, or without if key is empty.
func ask(s *fixture.Server, client *fixture.Client, key string, form url.Values) *fixture.Answer {
	request := client.Request("/o/token", form)
	if key != "" {
		request.Header.Set("DPoP", key)
	}
	return s.Do(request)
}

func redeemWith(s *fixture.Server, client *fixture.Client, key, code string) *fixture.Answer {
	return ask(s, client, key, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {client.RedirectURI}, "code_verifier": {fixture.Verifier},
	})
}

func refreshWith(s *fixture.Server, client *fixture.Client, key, token string) *fixture.Answer {
	return ask(s, client, key, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// boundTokens returns tokens of the user alice that are bound to key1.
func boundTokens(s *fixture.Server, client *fixture.Client) fixture.Tokens {
	code := s.Browser("alice").Approve(client.AuthorizeRequest()).Code()
	return redeemWith(s, client, "key1", code).TokensOfType("DPoP")
}

// wantNoReplay expects that no refusal revoked anything.
func wantNoReplay(t *testing.T, s *fixture.Server) {
	t.Helper()
	if seen, revoked := replays(s); seen != 0 || revoked != 0 {
		t.Errorf("got %d replay and %d revocation events, want none", seen, revoked)
	}
}

func boundCode(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, client := range []*fixture.Client{s.SPA, s.Web} {
		code := alice.Approve(client.AuthorizeRequest("dpop_jkt=key1")).Code()
		for _, key := range []string{"", "key2", "KEY1", "key11"} {
			redeemWith(s, client, key, code).ErrorJSON(400, "invalid_grant")
		}
		certificate := client.Request("/o/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {client.RedirectURI}, "code_verifier": {fixture.Verifier},
		})
		certificate.Header.Set("X-Certificate", "key1") // the same name as another kind of key
		s.Do(certificate).ErrorJSON(400, "invalid_grant")
		wantNoReplay(t, s)
		redeemWith(s, client, "key1", code).TokensOfType("DPoP")
	}
	alice.Open(s.SPA.AuthorizeRequest("dpop_jkt=" + strings.Repeat("k", 256))).Refused("invalid_request")
	alice.Open(s.SPA.AuthorizeRequest("dpop_jkt=two words")).Refused("invalid_request")
}

// boundInResponse requests a token and a code in one response. The token is bound too.
func boundInResponse(t *testing.T, s *fixture.Server) {
	s.UpdateApplication("web", allowTypes("code token"))
	request := s.Web.AuthorizeRequest("response_type=code token", "dpop_jkt=key1")
	parameters := s.Browser("alice").Approve(request).Response()
	if parameters.Get("token_type") != "DPoP" {
		t.Errorf("got token_type %s, want DPoP", parameters.Get("token_type"))
	}
	token := parameters.Get("access_token")
	wantResponses(t, present(t, s, "Bearer", token, "DPoP", "key1"), 401, "Bearer", "invalid_token")
	wantResponses(t, present(t, s, "DPoP", token, "DPoP", "key2"), 401, "DPoP", "invalid_token")
	wantResponses(t, present(t, s, "DPoP", token, "DPoP", "key1"), 200, "", "")
	wantCNF(t, s.RS.Introspect(token).Active(), "jkt", "key1")
	redeemWith(s, s.Web, "key2", parameters.Get("code")).ErrorJSON(400, "invalid_grant")
	redeemWith(s, s.Web, "key1", parameters.Get("code")).TokensOfType("DPoP")
}

func boundRefreshToken(t *testing.T, s *fixture.Server) {
	first := boundTokens(s, s.SPA)
	for _, key := range []string{"", "key2"} {
		refreshWith(s, s.SPA, key, first.Refresh).ErrorJSON(400, "invalid_grant")
	}
	second := refreshWith(s, s.SPA, "key1", first.Refresh).TokensOfType("DPoP")
	// The used token is no replay without its key: the thief must not revoke anything.
	s.Wait(time.Hour)
	for _, key := range []string{"", "key2"} {
		refreshWith(s, s.SPA, key, first.Refresh).ErrorJSON(400, "invalid_grant")
	}
	wantNoReplay(t, s)
	third := refreshWith(s, s.SPA, "key1", second.Refresh).TokensOfType("DPoP")
	refreshWith(s, s.SPA, "key2", third.Refresh).ErrorJSON(400, "invalid_grant")
}

// boundRepeat begins with a token that is not bound, so that a request with another key
// than the first one reaches the sealed response.
func boundRepeat(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.SPA)
	second := refreshWith(s, s.SPA, "key1", first.Refresh).TokensOfType("DPoP")
	for _, key := range []string{"", "key2"} {
		answer := refreshWith(s, s.SPA, key, first.Refresh)
		answer.ErrorJSON(400, "invalid_grant")
		if strings.Contains(answer.Body, second.Refresh) || strings.Contains(answer.Body, second.Access) {
			t.Errorf("key %q: got the response that is bound to another key", key)
		}
	}
	if again := refreshWith(s, s.SPA, "key1", first.Refresh).TokensOfType("DPoP"); again.Access != second.Access || again.Refresh != second.Refresh {
		t.Error("a repeat with the same key: got other tokens, want the first response")
	}
	if repeated, refused := repeatEvents(s); repeated != 3 || refused != 0 {
		t.Errorf("got %d repeat and %d refusal events, want 3 and none: refused keys count too", repeated, refused)
	}
	wantNoReplay(t, s)
}

func lateBoundRepeat(t *testing.T, s *fixture.Server) {
	first := s.Browser("alice").Tokens(s.SPA)
	refreshWith(s, s.SPA, "key1", first.Refresh).TokensOfType("DPoP")
	s.Wait(time.Hour)
	refreshWith(s, s.SPA, "key2", first.Refresh).ErrorJSON(400, "invalid_grant")
	if seen, revoked := replays(s); seen != 1 || revoked != 1 {
		t.Errorf("got %d replay and %d revocation events, want one of each", seen, revoked)
	}
}

func unboundRefreshToken(t *testing.T, s *fixture.Server) {
	first := boundTokens(s, s.Web)
	second := refreshWith(s, s.Web, "key2", first.Refresh).TokensOfType("DPoP")
	wantCNF(t, s.RS.Introspect(second.Access).Active(), "jkt", "key2")
	refreshWith(s, s.Web, "", second.Refresh).Tokens()
	wantNoReplay(t, s)
}

func unboundRepeat(t *testing.T, s *fixture.Server) {
	first := boundTokens(s, s.Web)
	second := refreshWith(s, s.Web, "key1", first.Refresh).TokensOfType("DPoP")
	other := refreshWith(s, s.Web, "key2", first.Refresh).TokensOfType("DPoP")
	if other.Access == second.Access || other.Refresh != second.Refresh {
		t.Error("got the response of another key or another refresh token, want a new access token and the same refresh token")
	}
	wantCNF(t, s.RS.Introspect(other.Access).Active(), "jkt", "key2")
	wantCNF(t, s.RS.Introspect(second.Access).Active(), "jkt", "key1")
}
