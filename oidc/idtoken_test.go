package oidc_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-oauth2/oauth2/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// verify checks an ID token as a client does, with the published keys, and returns its
// claims.
func (s *site) verify(response *oauthkit.TokenResponse) map[string]any {
	s.t.Helper()
	claims := s.verifyToken(idToken(s.t, response))
	// OpenID Connect Core, section 3.1.3.6: the left half of the hash.
	sum := sha256.Sum256([]byte(response.AccessToken))
	if want := base64.RawURLEncoding.EncodeToString(sum[:16]); claims["at_hash"] != want {
		s.t.Errorf("got at_hash %v, want %s", claims["at_hash"], want)
	}
	return claims
}

// verifyToken verifies any token for the application with the published keys, and returns
// its claims.
func (s *site) verifyToken(token string) map[string]any {
	s.t.Helper()
	var published jose.JSONWebKeySet
	if err := json.Unmarshal(s.keySet().Body.Bytes(), &published); err != nil {
		s.t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) {
		keys := published.Key(token.Header["kid"].(string))
		if len(keys) != 1 || keys[0].Algorithm != token.Method.Alg() {
			return nil, fmt.Errorf("the header %v names no published key", token.Header)
		}
		return keys[0].Key, nil
	}, jwt.WithValidMethods([]string{"RS256", "ES256"}), jwt.WithIssuer(issuer), jwt.WithAudience("web"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(s.clock.Now))
	if err != nil {
		s.t.Fatal(err)
	}
	return claims
}

// TestIDToken is C-21.
func TestIDToken(t *testing.T) {
	s := newSite(t, oidc.Config{})
	for chosen, want := range map[string]string{"": "RS256", "RS256": "RS256", "ES256": "ES256"} {
		t.Run("algorithm "+chosen, func(t *testing.T) {
			s.t, s.app.Algorithm = t, chosen
			response := s.signIn(url.Values{"nonce": {"n1"}, "scope": {"openid email"}})
			if got := header(t, idToken(t, response)); got["alg"] != want || got["typ"] != "JWT" || s.published()[got["kid"].(string)] == nil {
				t.Errorf("got header %v, want a JWT by a published %s key", got, want)
			}
			claims := s.verify(response)
			delete(claims, "at_hash") // verified
			now := float64(s.clock.Now().Unix())
			expect(t, claims, map[string]any{
				"iss": issuer, "sub": "alice", "aud": "web", "nonce": "n1", "iat": now, "exp": now + 3600,
				"auth_time": now - 1800, "acr": "urn:test:2", "amr": []any{"pwd", "otp"}, "sid": s.provider.SessionID(alice()),
			})
		})
	}
}

// TestIDTokenOfUnknownSignIn checks that claims without a value are omitted.
func TestIDTokenOfUnknownSignIn(t *testing.T) {
	s := newSite(t, oidc.Config{IDTokenLifetime: 5 * time.Minute})
	response, err := s.redeem(s.code(&oauthkit.User{Subject: "bob"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	claims := s.verify(response)
	delete(claims, "at_hash")
	now := float64(s.clock.Now().Unix())
	expect(t, claims, map[string]any{"iss": issuer, "sub": "bob", "aud": "web", "iat": now, "exp": now + 300})
}

// TestIDTokenOfRefresh checks §12.2: a refresh issues a new ID token for the same
// sign-in.
func TestIDTokenOfRefresh(t *testing.T) {
	s := newSite(t, oidc.Config{})
	first := s.signIn(url.Values{"nonce": {"n1"}, "scope": {"openid email"}})
	before := s.verify(first)
	s.clock.advance(time.Hour)
	refreshed, err := s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	after := s.verify(refreshed)
	for _, name := range []string{"iss", "sub", "aud", "auth_time", "acr"} {
		if after[name] != before[name] {
			t.Errorf("got %s %v, want %v as before", name, after[name], before[name])
		}
	}
	if before["nonce"] != "n1" || after["nonce"] != nil {
		t.Errorf("got nonce %v and after the refresh %v, want n1 and none", before["nonce"], after["nonce"])
	}
	if after["iat"] != before["iat"].(float64)+3600 {
		t.Errorf("got iat %v an hour after %v", after["iat"], before["iat"])
	}
	narrowed, err := s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshed.RefreshToken}, "scope": {"email"}})
	if err != nil || narrowed.Extra["id_token"] != nil {
		t.Errorf("got %v and %v after a refresh without openid, want no ID token", err, narrowed.Extra)
	}
}

// TestNoIDToken covers responses that are not for a user or not for OpenID Connect.
func TestNoIDToken(t *testing.T) {
	s := newSite(t, oidc.Config{})
	if response := s.signIn(url.Values{"scope": {"email"}}); response.Extra["id_token"] != nil {
		t.Error("got an ID token without the scope openid")
	}
	response, err := s.exchange(url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}})
	if err != nil || response.Extra["id_token"] != nil {
		t.Errorf("got %v and %v, want a token of the application without an ID token", err, response.Extra)
	}
}

// TestIDTokenAlgorithm is K-09: an unsupported algorithm is an error and does not
// consume the code.
func TestIDTokenAlgorithm(t *testing.T) {
	s := newSite(t, oidc.Config{})
	code := s.code(alice(), nil)
	for _, algorithm := range []string{"none", "HS256", "rs256", "RS512"} {
		s.app.Algorithm = algorithm
		if _, err := s.redeem(code); oauthkit.CodeOf(err) != oauthkit.ServerError {
			t.Errorf("got %v for %s, want server_error", err, algorithm)
		}
	}
	s.app.Algorithm = "ES256"
	if _, err := s.redeem(code); err != nil {
		t.Errorf("got %v after the application was corrected, want the code still valid", err)
	}
}

// TestIDTokenClaims is K-10: a host can add claims, but not replace claims of the
// protocol.
func TestIDTokenClaims(t *testing.T) {
	reserved := []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash",
		"scope", "client_id", "cnf", "act", "sid", "events",
	}
	s := newSite(t, oidc.Config{
		IDTokenClaims: oidc.IDTokenClaimsFor(func(_ context.Context, app *application, issued *oauthkit.Issued) (map[string]any, error) {
			claims := map[string]any{"logo": app.Logo, "user": issued.Authorization.Subject, "email": "alice@as.test", "name#fr": "Alice"}
			for _, name := range reserved {
				claims[name] = "evil"
			}
			return claims, nil
		}),
	})
	response, err := s.redeem(s.code(&oauthkit.User{Subject: "alice"}, url.Values{"scope": {"openid email"}}))
	if err != nil {
		t.Fatal(err)
	}
	claims := s.verify(response)
	delete(claims, "at_hash")
	now := float64(s.clock.Now().Unix())
	expect(t, claims, map[string]any{
		"iss": issuer, "sub": "alice", "aud": "web", "iat": now, "exp": now + 3600,
		"logo": s.app.Logo, "user": "alice", "email": "alice@as.test", // not the name: its scope was not granted
	})
}

// TestIDTokenClaimsFail checks that a failure leaves the code valid for another
// attempt.
func TestIDTokenClaimsFail(t *testing.T) {
	failure := errDown
	s := newSite(t, oidc.Config{IDTokenClaims: func(context.Context, *oauthkit.Issued) (map[string]any, error) {
		return map[string]any{"fine": true}, failure
	}})
	code := s.code(alice(), nil)
	if _, err := s.redeem(code); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable || !errors.Is(err, errDown) {
		t.Errorf("got %v, want temporarily_unavailable", err)
	}
	failure = nil
	if _, err := s.redeem(code); err != nil {
		t.Errorf("got %v at the second attempt, want the code still valid", err)
	}
}

// TestApplicationOfAnotherType calls adapters with a type that the store does not
// return.
func TestApplicationOfAnotherType(t *testing.T) {
	type otherApplication struct{ *oauthkit.AbstractApplication }
	app := &application{}
	issued := &oauthkit.Issued{Application: app}
	_, err := oidc.IDTokenClaimsFor(func(context.Context, otherApplication, *oauthkit.Issued) (map[string]any, error) {
		return map[string]any{}, nil
	})(t.Context(), issued)
	if err == nil {
		t.Error("IDTokenClaimsFor: got no error")
	}
	_, err = oidc.ClaimsFor(func(context.Context, otherApplication, *oidc.ClaimsRequest) (oidc.Claims, error) {
		return oidc.Claims{}, nil
	})(t.Context(), &oidc.ClaimsRequest{Application: app})
	if err == nil {
		t.Error("ClaimsFor: got no error")
	}
}

// TestIDTokenWithoutRefresh checks that an application without the refresh grant gets
// an ID token.
func TestIDTokenWithoutRefresh(t *testing.T) {
	s := newSite(t, oidc.Config{})
	s.app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
	if response := s.signIn(url.Values{"scope": {"openid offline_access"}}); response.RefreshToken != "" || idToken(t, response) == "" {
		t.Error("got a refresh token, want only an ID token")
	}
}

func header(t *testing.T, token string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(decode(t, token, 0), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// expect compares the members of two JSON objects.
func expect(t *testing.T, got, want map[string]any) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	for name := range got {
		if _, wanted := want[name]; !wanted {
			names = append(names, name)
		}
	}
	for _, name := range names {
		g, _ := json.Marshal(got[name])
		w, _ := json.Marshal(want[name])
		if string(g) != string(w) {
			t.Errorf("got %s %s, want %s", name, g, w)
		}
	}
}
