package clienttest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// TestGoOIDC signs alice in with a client written with golang.org/x/oauth2 and
// coreos/go-oidc, once for each signing algorithm.
func TestGoOIDC(t *testing.T) {
	eachDatabase(t, func(t *testing.T, idp *process) {
		alice := newPerson(t)
		for clientID, algorithm := range map[string]string{"web": oidc.RS256, "web-es256": oidc.ES256} {
			t.Run(clientID, func(t *testing.T) { checkGoOIDC(t, idp, alice, clientID, algorithm) })
		}
	})
}

func checkGoOIDC(t *testing.T, idp *process, alice *person, clientID, algorithm string) {
	provider, err := oidc.NewProvider(t.Context(), idp.issuer())
	if err != nil {
		t.Fatal(err)
	}
	config := &oauth2.Config{
		ClientID: clientID, ClientSecret: webSecret, Endpoint: provider.Endpoint(), RedirectURL: callback,
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "read"},
	}
	tokens := signIn(t, config, alice)
	checkIDToken(t, provider, config, tokens, algorithm)

	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := info.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if info.Subject != "alice" || claims["name"] != "Alice Liddell" || info.Email != "alice@example.com" || !info.EmailVerified {
		t.Errorf("got user info %v, want alice's", claims)
	}

	// All 14 claims of profile, both of email, and sub (OpenID Connect Core 5.4).
	if len(claims) != 17 || claims["updated_at"] != 1772366400.0 || claims["birthdate"] != "1852-05-04" || claims["email_verified"] != true {
		t.Errorf("got user info %v, want all claims of profile and email, and none of phone and address", claims)
	}

	old := *tokens
	old.Expiry = time.Now().Add(-time.Minute)
	renewed, err := config.TokenSource(t.Context(), &old).Token()
	if err != nil {
		t.Fatal(err)
	}
	if renewed.AccessToken == tokens.AccessToken || renewed.RefreshToken == tokens.RefreshToken {
		t.Error("got an old token after a refresh, want new ones")
	}
	checkIDToken(t, provider, config, renewed, algorithm)
	checkIntrospection(t, idp, renewed.AccessToken)
}

// signIn goes through the authorization code flow with PKCE, as RFC 9700 recommends.
func signIn(t *testing.T, config *oauth2.Config, alice *person) *oauth2.Token {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	back, _, err := alice.answer(config.AuthCodeURL("state-1", oidc.Nonce("nonce-1"), oauth2.S256ChallengeOption(verifier)), "allow")
	if err != nil {
		t.Fatal(err)
	}
	answer := back.Query()
	if answer.Get("state") != "state-1" || answer.Get("iss") == "" || !strings.HasPrefix(back.String(), callback+"?") {
		t.Fatalf("got the response %s, want one with state and issuer at %s", back, callback)
	}
	tokens, err := config.Exchange(t.Context(), answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func checkIDToken(t *testing.T, provider *oidc.Provider, config *oauth2.Config, tokens *oauth2.Token, algorithm string) {
	t.Helper()
	raw, _ := tokens.Extra("id_token").(string)
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID, SupportedSigningAlgs: []string{algorithm}})
	token, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	if token.Subject != "alice" || token.Nonce != "nonce-1" && token.Nonce != "" {
		t.Errorf("got subject %s and nonce %s, want alice and nonce-1", token.Subject, token.Nonce)
	}
}

func checkIntrospection(t *testing.T, idp *process, token string) {
	t.Helper()
	if document := introspect(t, idp, token); document["active"] != true || document["sub"] != "alice" {
		t.Errorf("got %v, want an active token of alice", document)
	}
}

// introspect introspects a token as another application, which may do so.
func introspect(t *testing.T, idp *process, token string) map[string]any {
	t.Helper()
	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, idp.issuer()+"/introspect", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("api", webSecret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document map[string]any
	decode(t, response, &document)
	return document
}

// decode decodes a JSON response.
func decode(t *testing.T, response *http.Response, document any) {
	t.Helper()
	if err := json.NewDecoder(response.Body).Decode(document); err != nil {
		t.Fatalf("%s: %v", response.Status, err)
	}
}

// TestDeny shows that the application gets an error if the user denies, and that the
// user is asked again next time.
func TestDeny(t *testing.T) {
	eachDatabase(t, func(t *testing.T, idp *process) {
		alice := newPerson(t)
		address := idp.issuer() + "/authorize?" + url.Values{
			"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {callback}, "scope": {"openid"}, "state": {"s"},
			"code_challenge": {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())}, "code_challenge_method": {"S256"},
		}.Encode()
		for _, want := range []int{2, 1} { // pages: sign-in and consent, then only consent
			back, pages, err := alice.answer(address, "deny")
			if err != nil {
				t.Fatal(err)
			}
			if got := back.Query(); got.Get("error") != "access_denied" || got.Has("code") || pages != want {
				t.Errorf("got %s after %d pages, want access_denied after %d", back, pages, want)
			}
		}
	})
}
