package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

// TestAuthorizeParameters covers the parameters that OpenID Connect adds to an
// authorization request.
func TestAuthorizeParameters(t *testing.T) {
	type asked struct {
		silent, signIn, account, signUp, consent bool
		maxAge                                   int // seconds; -1: any
	}
	nothing := asked{maxAge: -1}
	tests := []struct {
		name, parameter, value string
		want                   asked
		refused                bool
	}{
		{"A-21 none", "prompt", "none", asked{silent: true, maxAge: -1}, false},
		{"A-22 none with another", "prompt", "none login", asked{}, true},
		{"A-22 another with none", "prompt", "consent none", asked{}, true},
		{"A-22 none twice", "prompt", "none none", asked{}, true},
		{"A-22 upper case", "prompt", "None", asked{}, true},
		{"A-22 unknown", "prompt", "foo", asked{}, true},
		{"A-22 unknown beside known", "prompt", "login foo", asked{}, true},
		{"A-22 double space", "prompt", "login  consent", asked{}, true},
		{"A-22 space", "prompt", " ", asked{}, true},
		{"A-22 empty counts as omitted", "prompt", "", nothing, false},
		{"A-23 login", "prompt", "login", asked{signIn: true, maxAge: -1}, false},
		{"A-23 select_account", "prompt", "select_account", asked{account: true, maxAge: -1}, false},
		{"A-23 login and select_account", "prompt", "login select_account", asked{signIn: true, account: true, maxAge: -1}, false},
		{"A-22 create", "prompt", "create", asked{signUp: true, maxAge: -1}, false},
		{"A-22 create and consent", "prompt", "create consent", asked{signUp: true, consent: true, maxAge: -1}, false},
		{"A-22 create and login", "prompt", "create login", asked{}, true},
		{"A-22 create and select_account", "prompt", "select_account create", asked{}, true},
		{"A-22 none and create", "prompt", "none create", asked{}, true},
		{"A-25 consent", "prompt", "consent", asked{consent: true, maxAge: -1}, false},
		{"A-25 login and consent", "prompt", "login consent", asked{signIn: true, consent: true, maxAge: -1}, false},
		{"A-24 one second", "max_age", "1", asked{maxAge: 1}, false},
		{"A-24 zero", "max_age", "0", asked{maxAge: 0}, false},
		{"A-24 longest", "max_age", "4294967295", asked{maxAge: 4294967295}, false},
		{"A-24 negative", "max_age", "-1", asked{}, true},
		{"A-24 signed", "max_age", "+1", asked{}, true},
		{"A-24 no number", "max_age", "x", asked{}, true},
		{"A-24 fraction", "max_age", "1.5", asked{}, true},
		{"A-24 underscore", "max_age", "1_0", asked{}, true},
		{"A-24 overflow", "max_age", "99999999999999999999", asked{}, true},
		{"A-24 empty counts as omitted", "max_age", "", nothing, false},
		{"A-31 login_hint", "login_hint", `"><img src=x onerror=1>`, nothing, false},
		{"A-31 ui_locales", "ui_locales", "../../etc/passwd", nothing, false},
		{"A-31 display", "display", "hologram", nothing, false},
		{"A-31 longest login_hint", "login_hint", strings.Repeat("x", 512), nothing, false},
		{"A-31 long login_hint", "login_hint", strings.Repeat("x", 513), asked{}, true},
		{"A-31 longest acr_values", "acr_values", strings.Repeat("x", 512), nothing, false},
		{"A-31 long acr_values", "acr_values", strings.Repeat("x", 513), asked{}, true},
		{"C-21 long nonce", "nonce", strings.Repeat("n", 513), asked{}, true},
		{"C-21 longest nonce", "nonce", strings.Repeat("n", 512), nothing, false},
	}
	s := newSite(t, oidc.Config{})
	for _, test := range tests {
		for _, scope := range []string{"openid email", "email"} {
			if scope == "email" && test.parameter == "nonce" {
				continue // see TestParametersOfOpenIDOnly
			}
			t.Run(test.name+" with "+scope, func(t *testing.T) {
				request, err := s.authorize(url.Values{"scope": {scope}, test.parameter: {test.value}})
				if test.refused {
					if oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
						t.Errorf("got %v, want invalid_request", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got := asked{
					silent: request.Silent, signIn: request.AskSignIn, account: request.AskAccount, signUp: request.AskSignUp,
					consent: request.AskConsent, maxAge: -1,
				}
				if request.MaxAge != nil {
					got.maxAge = int(*request.MaxAge / time.Second)
				}
				if got != test.want || request.Subject != "" {
					t.Errorf("got %+v for user %q, want %+v for anyone", got, request.Subject, test.want)
				}
			})
		}
	}
}

// TestACRValues checks which classes of a request are preferred: those that the host has,
// in the order of the request.
func TestACRValues(t *testing.T) {
	for _, supported := range [][]string{nil, {"bronze", "silver", "gold"}} {
		s := newSite(t, oidc.Config{ACRValues: supported})
		request, err := s.authorize(url.Values{"scope": {"email"}, "acr_values": {"gold platinum silver"}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"gold", "silver"}
		if supported == nil {
			want = nil
		}
		if !slices.Equal(request.PreferredACR, want) || request.RequiredACR != nil || request.Form.Get("acr_values") != "gold platinum silver" {
			t.Errorf("with %q: got %q preferred and %q required, want %q and none", supported, request.PreferredACR, request.RequiredACR, want)
		}
	}
}

// TestClaimsParameter is A-30: a malformed claims parameter is rejected, and a valid
// one changes nothing, since the consent page does not show it.
func TestClaimsParameter(t *testing.T) {
	var many strings.Builder
	for i := range 10_000 {
		many.WriteString(`"c` + strconv.Itoa(i) + `":null,`)
	}
	tests := map[string]struct {
		claims  string
		refused bool
	}{
		"example of section 5.5":   {`{"userinfo":{"given_name":{"essential":true},"email":null,"http://example.info/claims/groups":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`, false},
		"unknown members":          {`{"other":[1],"userinfo":{"unknown":{"new":1}}}`, false},
		"another user":             {`{"id_token":{"sub":{"value":"bob"}}}`, false},
		"empty":                    {`{}`, false},
		"not JSON":                 {`x`, true},
		"null":                     {` null`, true},
		"array":                    {`[]`, true},
		"string":                   {`"userinfo"`, true},
		"claim is a string":        {`{"userinfo":{"email":"yes"}}`, true},
		"essential is no boolean":  {`{"userinfo":{"email":{"essential":"yes"}}}`, true},
		"the same member twice":    {`{"userinfo":{},"userinfo":{}}`, true},
		"data after it":            {`{}{}`, true},
		"10 000 members":           {`{"userinfo":{` + many.String() + `"z":null}}`, true},
		"nested 1 000 deep":        {`{"userinfo":{"a":{"value":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}}}`, true},
		"nested 1 000 deep, other": {strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), true},
	}
	s := newSite(t, oidc.Config{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := s.authorize(url.Values{"claims": {test.claims}})
			if test.refused && oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
				t.Errorf("got %v, want invalid_request", err)
			}
			if !test.refused && (err != nil || request.Subject != "" || len(request.Params) != 0) {
				t.Errorf("got %v, user %q and params %v, want no change", err, request.Subject, request.Params)
			}
		})
	}
}

// TestDisplay checks that only the values of OpenID Connect Core are kept.
func TestDisplay(t *testing.T) {
	s := newSite(t, oidc.Config{})
	for value, want := range map[string]string{
		"page": "page", "popup": "popup", "touch": "touch", "wap": "wap", "Page": "", "page popup": "", "": "", "hologram": "",
	} {
		request, err := s.authorize(url.Values{"display": {value}})
		if err != nil || request.Form.Get("display") != want {
			t.Errorf("%q: got %q, %v, want %q", value, request.Form.Get("display"), err, want)
		}
	}
}

// TestParametersOfOpenIDOnly shows that parameters without a meaning in OAuth 2.0 are
// ignored without the scope openid (RFC 6749 §3.1).
func TestParametersOfOpenIDOnly(t *testing.T) {
	s := newSite(t, oidc.Config{})
	request, err := s.authorize(url.Values{"scope": {"email"}, "claims": {"x"}, "nonce": {strings.Repeat("n", 513)}})
	if err != nil || len(request.Params) != 0 {
		t.Errorf("got %v and params %v, want both parameters ignored", err, request.Params)
	}
}

// TestIDTokenHint is A-29, with the attacks on the verifier (K-02, K-08, K-11, K-12).
func TestIDTokenHint(t *testing.T) {
	s := newSite(t, oidc.Config{})
	own := idToken(t, s.signIn(nil))
	s.app.Algorithm = "ES256"
	ownES256 := idToken(t, s.signIn(nil))
	key := s.signingKey()
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]any{"kid": key.id, "typ": "JWT"}
	parts := strings.Split(own, ".")
	with := func(changes jwt.MapClaims) jwt.MapClaims {
		claims := jwt.MapClaims{"iss": issuer, "sub": "alice", "aud": "web", "exp": int64(1772370000), "iat": int64(1772366400)}
		maps.Copy(claims, changes)
		return claims
	}
	tests := map[string]struct{ hint, want string }{
		"own":                {own, "alice"},
		"own, ES256":         {ownES256, "alice"},
		"made by the test":   {forge(t, jwt.SigningMethodRS256, key.private, header, with(nil)), "alice"},
		"of bob":             {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"sub": "bob"})), "bob"},
		"long expired":       {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"exp": 2, "iat": 1})), "alice"},
		"several audiences":  {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"aud": []string{"x", "web"}})), "alice"},
		"for evil":           {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"aud": "evil"})), ""},
		"no audience":        {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"aud": []string{}})), ""},
		"other issuer":       {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"iss": "https://as.test/x"})), ""},
		"no subject":         {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"sub": ""})), ""},
		"subject no string":  {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"sub": 7})), ""},
		"of the future":      {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"iat": int64(1999999999)})), ""},
		"K-12 exp as text":   {forge(t, jwt.SigningMethodRS256, key.private, header, with(jwt.MapClaims{"exp": "1772370000"})), ""},
		"K-08 logout token":  {forge(t, jwt.SigningMethodRS256, key.private, map[string]any{"kid": key.id, "typ": "logout+jwt"}, with(nil)), ""},
		"K-08 access token":  {forge(t, jwt.SigningMethodRS256, key.private, map[string]any{"kid": key.id, "typ": "at+jwt"}, with(nil)), ""},
		"K-02 none":          {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, with(nil)), ""},
		"K-02 HS256":         {forge(t, jwt.SigningMethodHS256, x509.MarshalPKCS1PublicKey(&key.private.PublicKey), header, with(nil)), ""},
		"K-02 PS256":         {forge(t, jwt.SigningMethodPS256, key.private, header, with(nil)), ""},
		"K-02 foreign key":   {forge(t, jwt.SigningMethodRS256, foreign, header, with(nil)), ""},
		"K-02 unknown kid":   {forge(t, jwt.SigningMethodRS256, key.private, map[string]any{"kid": "x", "typ": "JWT"}, with(nil)), ""},
		"K-02 no kid":        {forge(t, jwt.SigningMethodRS256, key.private, map[string]any{"typ": "JWT"}, with(nil)), ""},
		"K-02 other payload": {parts[0] + "." + encode(t, with(jwt.MapClaims{"sub": "bob"})) + "." + parts[2], ""},
		"K-11 five parts":    {parts[0] + ".a.b.c.d", ""},
		"not a token":        {"x", ""},
		"too long":           {strings.Repeat("x", 1<<20), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := s.authorize(url.Values{"id_token_hint": {test.hint}})
			if test.want == "" && oauthkit.CodeOf(err) != oauthkit.InvalidRequest {
				t.Errorf("got %v, want invalid_request", err)
			}
			if test.want != "" && err != nil {
				t.Error(err)
			}
			if request.Subject != test.want {
				t.Errorf("got a request for user %q, want %q", request.Subject, test.want)
			}
		})
	}
}

// FuzzIDTokenHint checks that a hint names a user only if it equals, byte for byte, a
// token that the provider issued.
func FuzzIDTokenHint(f *testing.F) {
	var s *site
	var own string
	f.Add("", 0)
	f.Add("x.y.z", 1)
	f.Add("eyJhbGciOiJub25lIn0", 0)
	f.Fuzz(func(t *testing.T, text string, at int) {
		if s == nil {
			s = newSite(t, oidc.Config{})
			own = idToken(t, s.signIn(nil))
		}
		s.t = t
		at = max(0, min(at, len(own)))
		for _, hint := range []string{text, own[:at] + text, text + own[at:], own[:at] + text + own[at:]} {
			request, err := s.authorize(url.Values{"id_token_hint": {hint}})
			switch {
			case request == nil:
				t.Fatalf("got no request: %v", err)
			case hint == own && (err != nil || request.Subject != "alice"):
				t.Errorf("got %v and user %q for the token itself", err, request.Subject)
			case hint != own && request.Subject != "":
				t.Errorf("got user %q for %q", request.Subject, hint)
			case hint != own && hint != "" && oauthkit.CodeOf(err) != oauthkit.InvalidRequest:
				t.Errorf("got %v for %q, want invalid_request", err, hint)
			}
		}
	})
}

// ownKey is the provider's RSA key. An attacker has it who can read the database and
// knows the secret.
type ownKey struct {
	id      string
	private *rsa.PrivateKey
}

// forge signs any header and claims.
func forge(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	if _, named := header["typ"]; !named {
		delete(token.Header, "typ")
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func encode(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	document, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(document)
}

// decode returns the decoded part of a token.
func decode(t *testing.T, token string, part int) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[part])
	if err != nil {
		t.Fatal(err)
	}
	return data
}
