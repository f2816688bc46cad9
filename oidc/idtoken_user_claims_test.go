package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// protocolNames are the claims of an ID token that a sign-in with a nonce has without
// the host's claims.
func protocolNames() []string {
	return []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid"}
}

// aboutUser returns the claims of an ID token without those of the protocol, as JSON.
func (s *site) aboutUser(response *oauthkit.TokenResponse) string {
	s.t.Helper()
	claims := s.verify(response)
	for _, name := range protocolNames() {
		delete(claims, name)
	}
	document, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(document)
}

// TestIDTokenUserClaims is U-07 for ID tokens: the application decides, then the
// provider, and the scopes limit.
func TestIDTokenUserClaims(t *testing.T) {
	yes, no := true, false
	tests := []struct {
		name      string
		byDefault bool
		chosen    *bool
		scope     string
		want      string
	}{
		{"neither", false, nil, "openid email", `{}`},
		{"only the application", false, &yes, "openid email", `{"email":"alice@as.test","email#x":"x","email_verified":false,"groups":["staff"]}`},
		{"only the provider", true, nil, "openid phone", `{"groups":["staff"],"phone_number":"+1","phone_number_verified":true}`},
		{"not the application", true, &no, "openid email", `{}`},
		{"scope openid", true, nil, "openid", `{"groups":["staff"]}`},
		{"address", true, nil, "openid address", `{"address":{"country":"Wonderland"},"groups":["staff"]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, oidc.Config{Claims: allClaims, IDTokenUserClaims: test.byDefault})
			s.app.IDTokenClaims = test.chosen
			if got := s.aboutUser(s.signIn(url.Values{"scope": {test.scope}, "nonce": {"n1"}})); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestIDTokenUserClaimsOfRefresh checks that a refresh asks the host again, and that
// the scopes of the new token limit the claims.
func TestIDTokenUserClaimsOfRefresh(t *testing.T) {
	name := "Alice"
	s := newSite(t, oidc.Config{IDTokenUserClaims: true, Claims: func(_ context.Context, request *oidc.ClaimsRequest) (oidc.Claims, error) {
		if !request.IDToken || request.Subject != "alice" || request.Application.GetID() != "web" || request.Authorization.ClientID != "web" {
			t.Errorf("got %+v, want a request for an ID token of alice", request)
		}
		return oidc.Claims{Name: name, Email: "alice@as.test"}, nil
	}})
	first := s.signIn(url.Values{"scope": {"openid profile email"}})
	if got, want := s.aboutUser(first), `{"email":"alice@as.test","name":"Alice"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	name = "Alice Liddell"
	refreshed, err := s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}, "scope": {"openid profile"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.aboutUser(refreshed), `{"name":"Alice Liddell"}`; got != want {
		t.Errorf("after the refresh: got %s, want %s", got, want)
	}
}

// TestIDTokenUserClaimsAreNotProtocol is K-10 for Config.Claims: what it returns cannot
// replace a claim of the protocol, also one that this token does not have, and
// Config.IDTokenClaims takes precedence over it.
func TestIDTokenUserClaimsAreNotProtocol(t *testing.T) {
	extra := map[string]any{}
	for _, name := range append(protocolNames(), "nbf", "jti", "azp", "c_hash", "scope", "client_id", "cnf", "act", "sid", "events") {
		extra[name] = "evil"
	}
	s := newSite(t, oidc.Config{
		IDTokenUserClaims: true,
		Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
			return oidc.Claims{Name: "Alice", Nickname: "Al", Extra: extra}, nil
		},
		IDTokenClaims: func(context.Context, *oauthkit.Issued) (map[string]any, error) {
			return map[string]any{"name": "Alice for this client", "nickname": 1}, nil
		},
	})
	response, err := s.redeem(s.code(&oauthkit.User{Subject: "alice"}, url.Values{"scope": {"openid profile"}}))
	if err != nil {
		t.Fatal(err)
	}
	claims := s.verify(response)
	delete(claims, "at_hash")
	now := float64(s.clock.Now().Unix())
	expect(t, claims, map[string]any{
		"iss": issuer, "sub": "alice", "aud": "web", "iat": now, "exp": now + 3600,
		"name": "Alice for this client", "nickname": "Al", // a number is no nickname
	})
}

// TestIDTokenUserClaimsFail checks that a failure leaves the code valid, and that a
// deleted user gets no tokens.
func TestIDTokenUserClaimsFail(t *testing.T) {
	failure := errDown
	s := newSite(t, oidc.Config{IDTokenUserClaims: true, Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
		return oidc.Claims{}, failure
	}})
	code := s.code(alice(), nil)
	if _, err := s.redeem(code); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable || !errors.Is(err, errDown) {
		t.Errorf("got %v, want temporarily_unavailable", err)
	}
	failure = fmt.Errorf("user alice: %w", oauthkit.ErrNotFound)
	if _, err := s.redeem(code); oauthkit.CodeOf(err) != oauthkit.InvalidGrant {
		t.Errorf("got %v for a deleted user, want invalid_grant", err)
	}
	failure = nil
	if _, err := s.redeem(code); err != nil {
		t.Errorf("got %v at the third attempt, want the code still valid", err)
	}
}

// TestMistypedClaims checks that standard claims have the types of §5.1, in user info
// and in ID tokens, and that the host's own claims may have any.
func TestMistypedClaims(t *testing.T) {
	verified := true
	extra := map[string]any{
		"email_verified": "true", "phone_number_verified": 1, "updated_at": "2026-01-01", "name": []string{"A"}, "name#ja": nil,
		"nickname": true, "address": "1 Road", "gender": json.RawMessage(`{`), "locale": func() {},
		"family_name": "Liddell", "updated_at#fr": 1.5, "groups": 1, "phone_number": json.RawMessage(`"+1"`),
	}
	s := newSite(t, oidc.Config{IDTokenUserClaims: true, Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
		return oidc.Claims{PhoneNumberVerified: &verified, Address: &oidc.Address{}, Extra: extra}, nil
	}})
	response := s.signIn(url.Values{"scope": {"openid profile email phone address"}, "nonce": {"n1"}})
	want := `{"family_name":"Liddell","groups":1,"phone_number":"+1","phone_number_verified":true,"updated_at#fr":1.5}`
	if got := s.aboutUser(response); got != want {
		t.Errorf("ID token: got %s, want %s", got, want)
	}
	recorder, err := s.userInfo(response.AccessToken)
	if want := strings.Replace(want, `,"updated_at`, `,"sub":"alice","updated_at`, 1); err != nil || recorder.Body.String() != want {
		t.Errorf("user info: got %s and %v, want %s", recorder.Body, err, want)
	}
	if extra["email_verified"] != "true" {
		t.Error("the map of the host was changed")
	}
}

// TestClaimNames checks the errors for names that the host cannot return.
func TestClaimNames(t *testing.T) {
	for want, config := range map[string]oidc.Config{
		"iss, a claim of the protocol":     {Claims: allClaims, ClaimNames: []string{"name", "iss"}},
		`has the name "name" twice`:        {Claims: allClaims, ClaimNames: []string{"name", "name"}},
		`has the name "" twice, or it is`:  {Claims: allClaims, ClaimNames: []string{""}},
		"needs Config.Claims or Config.ID": {ClaimNames: []string{"name"}},
		"ClaimsParameter needs":            {ClaimsParameter: true, Claims: allClaims},
	} {
		s := newSite(t, oidc.Config{})
		config.Keys = s.keys
		if _, err := s.extend(oidc.New(config), secret); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
