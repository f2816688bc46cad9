package oidc_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

func requestable() oidc.Config {
	return oidc.Config{Claims: allClaims, ClaimsParameter: true, ClaimNames: append(oidc.StandardClaims(), "groups")}
}

// TestRequestedClaims is A-30 if the parameter is on: the consent page shows every claim
// that no scope covers, and each claim goes only to where it was requested.
func TestRequestedClaims(t *testing.T) {
	tests := []struct {
		name, claims, scope string
		shown               []string
		idToken, userInfo   string
		chooses             oauthkit.Scopes
	}{
		{
			name: "user info", claims: `{"userinfo":{"name":{"essential":true},"phone_number":null}}`, scope: "openid", shown: []string{"name", "phone_number"},
			idToken: `{}`, userInfo: `{"groups":["staff"],"name":"Alice","phone_number":"+1","sub":"alice"}`,
		},
		{
			name: "ID token", claims: `{"id_token":{"email":null,"name#ja":null}}`, scope: "openid", shown: []string{"email", "name#ja"},
			idToken: `{"email":"alice@as.test","name#ja":"アリス"}`, userInfo: `{"groups":["staff"],"sub":"alice"}`,
		},
		{
			name: "covered by a scope", claims: `{"id_token":{"email":{"value":"x"},"groups":null}}`, scope: "openid email",
			idToken: `{"email":"alice@as.test","groups":["staff"]}`, userInfo: `{"email":"alice@as.test","email#x":"x","email_verified":false,"groups":["staff"],"sub":"alice"}`,
		},
		{
			name: "scope not approved", claims: `{"id_token":{"email":null},"userinfo":{"email":null}}`, scope: "openid email", chooses: oauthkit.Scopes{"openid"},
			idToken: `{}`, userInfo: `{"groups":["staff"],"sub":"alice"}`,
		},
		{
			name: "reserved and unknown", claims: `{"userinfo":{"iss":null,"exp":null,"client_id":null,"unknown":null,"auth_time":null},"id_token":{"aud":null,"x":null}}`, scope: "openid",
			idToken: `{}`, userInfo: `{"groups":["staff"],"sub":"alice"}`,
		},
		{
			name: "claims to be shown already", claims: `{"shown":["email"],"requested":{"userinfo":{"email":null}},"userinfo":{"name":null}}`, scope: "openid", shown: []string{"name"},
			idToken: `{}`, userInfo: `{"groups":["staff"],"name":"Alice","sub":"alice"}`,
		},
	}
	s := newSite(t, requestable())
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			parameters := url.Values{"scope": {test.scope}, "claims": {test.claims}}
			request, err := s.authorize(parameters)
			if err != nil || !slices.Equal(request.Claims, test.shown) {
				t.Fatalf("got %v and claims %q, want %q shown", err, request.Claims, test.shown)
			}
			answer, err := s.provider.Respond(t.Context(), request, alice(), oauthkit.Decision{Given: true, Scopes: test.chooses})
			if err != nil {
				t.Fatal(err)
			}
			response, err := s.redeem(answer.Get("code"))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // also after a refresh
				if got := s.aboutUser(response); got != test.idToken {
					t.Errorf("ID token: got %s, want %s", got, test.idToken)
				}
				recorder, err := s.userInfo(response.AccessToken)
				if err != nil || recorder.Body.String() != test.userInfo {
					t.Errorf("user info: got %s and %v, want %s", recorder.Body, err, test.userInfo)
				}
				if response, err = s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {response.RefreshToken}}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestRequestedClaimsAskAgain checks that consent to single claims is not remembered,
// and that consent to scopes is not consent to claims.
func TestRequestedClaimsAskAgain(t *testing.T) {
	s := newSite(t, requestable())
	for range 2 {
		for claims, want := range map[string]bool{``: true, `{"userinfo":{"email":null}}`: true, `{"userinfo":{"name":null}}`: false} {
			request, err := s.authorize(url.Values{"scope": {"openid email"}, "claims": {claims}})
			if err != nil {
				t.Fatal(err)
			}
			consent, enough, err := s.provider.RememberedConsent(t.Context(), &request.ConsentRequest, alice())
			if err != nil {
				t.Fatal(err)
			}
			if consent != nil && enough != want {
				t.Errorf("%s: got enough %t, want %t", claims, enough, want)
			}
			if _, err := s.provider.Respond(t.Context(), request, alice(), oauthkit.Decision{Consent: consent, Given: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRequestedSubjectAndACR covers sub and acr in the parameter claims.
func TestRequestedSubjectAndACR(t *testing.T) {
	s := newSite(t, requestable())
	tests := map[string]struct {
		claims string
		want   string // subject, classes and acr_values, or the error
	}{
		"user":                  {`{"id_token":{"sub":{"value":"bob"}},"userinfo":{"sub":{"value":"bob"}}}`, "bob [] "},
		"any user":              {`{"id_token":{"sub":{"essential":true}}}`, " [] "},
		"two users":             {`{"id_token":{"sub":{"value":"bob"}},"userinfo":{"sub":{"value":"alice"}}}`, "invalid_request"},
		"several users":         {`{"id_token":{"sub":{"values":["bob","alice"]}}}`, "invalid_request"},
		"user that is a number": {`{"id_token":{"sub":{"value":1}}}`, "invalid_request"},
		"essential classes":     {`{"id_token":{"acr":{"essential":true,"values":["gold","silver"]}}}`, " [gold silver] gold silver"},
		"essential class":       {`{"id_token":{"acr":{"essential":true,"value":"gold"}}}`, " [gold] gold"},
		"any class":             {`{"id_token":{"acr":{"essential":true}}}`, " [] "},
		"voluntary class":       {`{"id_token":{"acr":{"values":["gold"]}}}`, " [] "},
		"class with a space":    {`{"id_token":{"acr":{"essential":true,"values":["gold silver"]}}}`, "invalid_request"},
		"class in a list":       {`{"id_token":{"acr":{"essential":true,"values":[["gold"]]}}}`, "invalid_request"},
		"long class":            {`{"id_token":{"acr":{"essential":true,"value":"` + strings.Repeat("g", 513) + `"}}}`, "invalid_request"},
		"large value":           {`{"userinfo":{"name":{"value":"` + strings.Repeat("g", 2<<10) + `"}}}`, "invalid_request"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := s.authorize(url.Values{"claims": {test.claims}})
			var got string
			if err != nil {
				got = string(oauthkit.CodeOf(err))
			} else {
				got = fmt.Sprint(request.Subject, " ", request.RequiredACR, " ", request.Form.Get("acr_values"))
			}
			if got != test.want {
				t.Errorf("got %q (%v), want %q", got, err, test.want)
			}
		})
	}
}
