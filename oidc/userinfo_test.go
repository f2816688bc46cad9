package oidc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// allClaims returns every claim that a host can set, and reserved ones.
func allClaims(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
	yes, no := true, false
	return oidc.Claims{
		Name: "Alice", UpdatedAt: 1, Email: "alice@as.test", EmailVerified: &no, PhoneNumber: "+1", PhoneNumberVerified: &yes,
		Address: &oidc.Address{Country: "Wonderland"},
		Extra: map[string]any{
			"groups": []string{"staff"}, "name#ja": "アリス", "email#x": "x", "nickname": "Al",
			"sub": "mallory", "iss": "https://evil.test", "aud": "evil", "exp": 1, "client_id": "evil", "events": 1,
		},
	}, nil
}

// userInfo calls the user info endpoint as the handler does for a valid token. It runs
// the functions in between after the token was authenticated.
func (s *site) userInfo(bearer string, between ...func()) (*httptest.ResponseRecorder, error) {
	s.t.Helper()
	token, err := s.provider.Authenticate(s.t.Context(), oauthkit.BearerToken(bearer))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, run := range between {
		run()
	}
	recorder := httptest.NewRecorder()
	err = s.endpoint("userinfo").Bearer(recorder, httptest.NewRequest(http.MethodGet, issuer+"/userinfo", nil), token)
	return recorder, err
}

// TestUserInfo is U-07: user info holds the claims that the scopes cover, and always
// the subject.
func TestUserInfo(t *testing.T) {
	s := newSite(t, oidc.Config{Claims: allClaims})
	tests := map[string]string{
		"openid":         `{"groups":["staff"],"sub":"alice"}`,
		"openid profile": `{"groups":["staff"],"name":"Alice","name#ja":"アリス","nickname":"Al","sub":"alice","updated_at":1}`,
		"openid email":   `{"email":"alice@as.test","email#x":"x","email_verified":false,"groups":["staff"],"sub":"alice"}`,
		"openid phone":   `{"groups":["staff"],"phone_number":"+1","phone_number_verified":true,"sub":"alice"}`,
		"openid address": `{"address":{"country":"Wonderland"},"groups":["staff"],"sub":"alice"}`,
		"openid offline_access address phone": `{"address":{"country":"Wonderland"},"groups":["staff"],"phone_number":"+1",` +
			`"phone_number_verified":true,"sub":"alice"}`,
	}
	for scope, want := range tests {
		t.Run(scope, func(t *testing.T) {
			s.t = t
			recorder, err := s.userInfo(s.signIn(url.Values{"scope": {scope}}).AccessToken)
			if err != nil || recorder.Body.String() != want {
				t.Errorf("got %s and %v, want %s", recorder.Body, err, want)
			}
			for name, value := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"} {
				if got := recorder.Header().Get(name); got != value {
					t.Errorf("got %s %q, want %q", name, got, value)
				}
			}
		})
	}
}

// TestUserInfoOfNarrowedToken checks that the token's scopes decide, not those of the
// consent.
func TestUserInfoOfNarrowedToken(t *testing.T) {
	s := newSite(t, oidc.Config{Claims: allClaims})
	first := s.signIn(url.Values{"scope": {"openid email address"}})
	narrowed, err := s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}, "scope": {"openid address"}})
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := s.userInfo(narrowed.AccessToken)
	if want := `{"address":{"country":"Wonderland"},"groups":["staff"],"sub":"alice"}`; err != nil || recorder.Body.String() != want {
		t.Errorf("got %s and %v, want %s", recorder.Body, err, want)
	}
}

// TestUserInfoWithoutClaims covers the zero Config.
func TestUserInfoWithoutClaims(t *testing.T) {
	s := newSite(t, oidc.Config{})
	recorder, err := s.userInfo(s.signIn(url.Values{"scope": {"openid email"}}).AccessToken)
	if want := `{"sub":"alice"}`; err != nil || recorder.Body.String() != want {
		t.Errorf("got %s and %v, want %s", recorder.Body, err, want)
	}
}

// TestClaimsRequest checks the request that the host receives, with the application in
// the host's type.
func TestClaimsRequest(t *testing.T) {
	var got string
	s := newSite(t, oidc.Config{Claims: oidc.ClaimsFor(func(_ context.Context, app *application, request *oidc.ClaimsRequest) (oidc.Claims, error) {
		got = fmt.Sprint(app.Logo, request.Subject, request.Scopes, request.Application.GetID(), request.Authorization.ClientID)
		for _, claim := range []string{"email", "email_verified", "email#fr", "name", "address", "groups", "sub", "iss"} {
			got += fmt.Sprint(" ", claim, "=", request.Allows(claim))
		}
		return oidc.Claims{}, nil
	})})
	if _, err := s.userInfo(s.signIn(url.Values{"scope": {"openid email"}}).AccessToken); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(s.app.Logo, "alice", oauthkit.Scopes{"openid", "email"}, "web", "web") +
		" email=true email_verified=true email#fr=true name=false address=false groups=true sub=false iss=false"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUserInfoRejects covers tokens without a user, and users or applications that do
// not exist.
func TestUserInfoRejects(t *testing.T) {
	var failure error
	s := newSite(t, oidc.Config{Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
		return oidc.Claims{Name: "not to be told"}, failure
	}})
	user := s.signIn(nil).AccessToken
	machine, err := s.exchange(url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	disable := func() {
		s.app.Disabled = true
		if err := s.store.UpdateApplication(t.Context(), s.app, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	nothing := func() {}
	tests := []struct {
		name    string
		token   string
		fails   error
		between func()
		want    oauthkit.ErrorCode
	}{
		{"U-06 machine token", machine.AccessToken, nil, nothing, oauthkit.InsufficientScope},
		{"the host fails", user, errDown, nothing, oauthkit.TemporarilyUnavailable},
		{"deleted user", user, fmt.Errorf("user alice: %w", oauthkit.ErrNotFound), nothing, oauthkit.InvalidToken},
		{"the application is disabled", user, nil, disable, oauthkit.InvalidToken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			failure = test.fails
			recorder, err := s.userInfo(test.token, test.between)
			if oauthkit.CodeOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if recorder.Body.Len() != 0 || len(recorder.Header()) != 0 {
				t.Errorf("got %v %s written beside the error, want nothing", recorder.Header(), recorder.Body)
			}
		})
	}
}

// TestUserInfoOfRestrictedToken is U-11: a token for other resources does not open user
// info, which has the name of its address.
func TestUserInfoOfRestrictedToken(t *testing.T) {
	s := newSite(t, oidc.Config{Claims: allClaims})
	self := s.provider.Issuer() + "/userinfo"
	tests := map[string]struct {
		resources oauthkit.URIs
		want      oauthkit.ErrorCode
	}{
		"no resources":      {nil, ""},
		"user info":         {oauthkit.URIs{self}, ""},
		"an API, user info": {oauthkit.URIs{"https://api.test", self}, ""},
		"an API":            {oauthkit.URIs{"https://api.test"}, oauthkit.InvalidToken},
		"the issuer":        {oauthkit.URIs{issuer}, oauthkit.InvalidToken},
		"with a slash":      {oauthkit.URIs{self + "/"}, oauthkit.InvalidToken},
	}
	bearer := s.signIn(nil).AccessToken
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			token, err := s.provider.Authenticate(t.Context(), oauthkit.BearerToken(bearer))
			if err != nil {
				t.Fatal(err)
			}
			token.Resources = test.resources
			recorder := httptest.NewRecorder()
			err = s.endpoint("userinfo").Bearer(recorder, httptest.NewRequest(http.MethodGet, self, nil), token)
			if (err != nil || test.want != "") && oauthkit.CodeOf(err) != test.want || (err == nil) != (recorder.Body.Len() > 0) {
				t.Errorf("got %v and %s, want %q", err, recorder.Body, test.want)
			}
		})
	}
}

// TestEndpoints checks the rows of the endpoint table.
func TestEndpoints(t *testing.T) {
	s := newSite(t, oidc.Config{})
	userInfo, keySet := s.endpoint("userinfo"), s.endpoint(".well-known/jwks.json")
	if userInfo.Scope != "openid" || userInfo.Metadata != "userinfo_endpoint" || !slices.Equal(userInfo.Methods, []string{"GET", "POST"}) {
		t.Errorf("got %+v, want GET and POST with the scope openid", userInfo)
	}
	if keySet.Anyone == nil || keySet.Metadata != "jwks_uri" || !slices.Equal(keySet.Methods, []string{"GET"}) {
		t.Errorf("got %+v, want GET for anyone", keySet)
	}
}

// TestMetadata covers OpenID Connect Discovery 1.0 §3, and checks that only existing
// features are announced.
func TestMetadata(t *testing.T) {
	minimal := `{"backchannel_logout_session_supported":true,"backchannel_logout_supported":true,"claim_types_supported":["normal"],"claims_parameter_supported":false,` +
		`"claims_supported":["iss","sub","aud","exp","iat","auth_time","nonce","at_hash","amr","sid"],` +
		`"id_token_signing_alg_values_supported":["RS256","ES256"],"prompt_values_supported":["none","login","consent","select_account"],` +
		`"request_parameter_supported":false,"request_uri_parameter_supported":false,"subject_types_supported":["public"]}`
	withClaims := strings.Replace(minimal, `"sid"]`, `"sid","name","groups"]`, 1)
	withStandard := strings.Replace(minimal, `"sid"]`, `"sid","name","given_name","family_name","middle_name","nickname",`+
		`"preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at",`+
		`"email","email_verified","phone_number","phone_number_verified","address"]`, 1)
	withACR := strings.Replace(minimal, `"sid"]`, `"sid","acr"]`, 1)
	for want, config := range map[string]oidc.Config{
		minimal:      {},
		withClaims:   {Claims: allClaims, ClaimNames: []string{"name", "groups"}},
		withStandard: {Claims: allClaims, ClaimNames: oidc.StandardClaims()},
		`{"acr_values_supported":["urn:test:2"],` + withACR[1:]: {ACRValues: []string{"urn:test:2"}},
	} {
		s := newSite(t, config)
		metadata := map[string]any{}
		s.provider.DecorateMetadata(metadata, func(group oauthkit.Group) bool { return group == "oidc" })
		got, err := json.Marshal(metadata)
		if err != nil || string(got) != want {
			t.Errorf("got %s and %v, want %s", got, err, want)
		}
		if got := s.provider.MetadataDocuments(); !slices.Equal(got, []oauthkit.MetadataDocument{{Group: "oidc", Name: "openid-configuration"}}) {
			t.Errorf("got documents %v, want openid-configuration", got)
		}
		texts, err := s.provider.ScopeTexts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, scope := range []string{"openid", "profile", "email", "address", "phone", "offline_access"} {
			if texts[scope] == "" {
				t.Errorf("scope %s has no description for the consent page", scope)
			}
		}
	}
}
