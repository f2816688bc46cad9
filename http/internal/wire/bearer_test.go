package wire

import (
	"cmp"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/oauthkit/oauthkit"
)

func TestReadToken(t *testing.T) {
	inBody := url.Values{"access_token": {"body"}}
	dpop := oauthkit.KeyBindings{{Method: "x5t#S256"}, {Method: "jkt", TokenType: "DPoP"}}
	tests := map[string]struct {
		header   []string
		form     url.Values
		bindings oauthkit.KeyBindings
		want     string
		scheme   string // if empty: Bearer
		status   int
	}{
		"another scheme":                         {header: []string{"DPoP token"}, bindings: dpop, want: "token", scheme: "DPoP"},
		"another scheme in lower case":           {header: []string{"dpop token"}, bindings: dpop, want: "token", scheme: "DPoP"},
		"Bearer beside another scheme":           {header: []string{"Bearer token"}, bindings: dpop, want: "token"},
		"body beside another scheme":             {form: inBody, bindings: dpop, want: "body"},
		"U-04 two schemes":                       {header: []string{"Bearer token", "DPoP token"}, bindings: dpop, status: 400},
		"another scheme, malformed":              {header: []string{"DPoP a b"}, bindings: dpop, status: 400},
		"unknown beside another scheme":          {header: []string{"Basic x"}, bindings: dpop, status: 401},
		"no scheme":                              {header: []string{" token"}, bindings: dpop, status: 401},
		"a scheme of no key binding":             {header: []string{"DPoP token"}, status: 401},
		"header":                                 {header: []string{"Bearer token"}, want: "token"},
		"U-05 lower case":                        {header: []string{"bearer token"}, want: "token"},
		"padded":                                 {header: []string{"Bearer to-k.e_n~+/=="}, want: "to-k.e_n~+/=="},
		"body":                                   {form: inBody, want: "body"},
		"U-01 none":                              {status: 401},
		"U-05 other scheme":                      {header: []string{"Basic dG9rZW46"}, status: 401},
		"U-05 longer scheme":                     {header: []string{"BearerX token"}, status: 401},
		"U-05 two blanks":                        {header: []string{"Bearer  token"}, status: 400},
		"U-05 two tokens":                        {header: []string{"Bearer a b"}, status: 400},
		"U-05 two headers":                       {header: []string{"Bearer a", "Bearer a"}, status: 400},
		"empty":                                  {header: []string{"Bearer "}, status: 400},
		"only padding":                           {header: []string{"Bearer =="}, status: 400},
		"padding in the middle":                  {header: []string{"Bearer a=b"}, status: 400},
		"U-04 two places":                        {header: []string{"Bearer token"}, form: inBody, status: 400},
		"U-04 two places, one of another scheme": {header: []string{"Basic x"}, form: inBody, status: 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, w := &http.Request{Header: http.Header{"Authorization": test.header}}, httptest.NewRecorder()
			got, err := ReadToken(w, r, test.form, test.bindings)
			status, scheme := 0, cmp.Or(test.scheme, "Bearer")
			if err != nil {
				status, scheme = Status(err), ""
			}
			if got.Value != test.want || got.Scheme != scheme || status != test.status {
				t.Errorf("got %s %q, %v; want %s %q and status %d", got.Scheme, got.Value, err, scheme, test.want, test.status)
			}
			if got.Request != r {
				t.Error("Request: got another, want the one that presents the token")
			}
			if IsNoToken(err) != (test.status == 401) {
				t.Errorf("got %v, want a request without a token to differ from one with a malformed token", err)
			}
		})
	}
}

// TestWriteChallenge checks the challenges of an API that accepts two schemes.
func TestWriteChallenge(t *testing.T) {
	algs := oauthkit.KeyBindings{{Method: "x5t#S256"}, {Method: "jkt", TokenType: "DPoP", ChallengeParameters: `algs="ES256"`}}
	invalid := oauthkit.Errorf(oauthkit.InvalidToken, "no")
	proof := RefusedToken(oauthkit.Errorf("invalid_dpop_proof", "no"))
	const first, firstDPoP = `Bearer realm="oauth", scope="read"`, `DPoP realm="oauth", scope="read", algs="ES256"`
	const bare, bareDPoP = `Bearer realm="oauth"`, `DPoP realm="oauth", algs="ES256"`
	tests := map[string]struct {
		authorization string
		err           error
		bindings      oauthkit.KeyBindings
		status        int
		want          []string
	}{
		"no token":              {"", errNoToken, algs, 401, []string{first, firstDPoP}},
		"no token, only Bearer": {"", errNoToken, nil, 401, []string{first}},
		"Bearer":                {"Bearer x", invalid, algs, 401, []string{`Bearer error="invalid_token", error_description="no"`, bareDPoP}},
		"DPoP":                  {"dpop x", invalid, algs, 401, []string{bare, `DPoP error="invalid_token", error_description="no", algs="ES256"`}},
		"a bad proof":           {"DPoP x", proof, algs, 401, []string{bare, `DPoP error="invalid_dpop_proof", error_description="no", algs="ES256"`}},
		"in the body":           {"", invalid, algs, 401, []string{`Bearer error="invalid_token", error_description="no"`, bareDPoP}},
		"no scope":              {"DPoP x", InsufficientScope(), algs, 403, []string{bare, `DPoP error="insufficient_scope", scope="read", algs="ES256"`}},
		"a failure":             {"DPoP x", RefusedToken(oauthkit.Unavailable(nil)), algs, 503, nil},
		"an unknown failure":    {"DPoP x", RefusedToken(errors.New("gone")), algs, 500, nil},
		"of an endpoint":        {"Bearer x", oauthkit.Errorf("invalid_thing", "no"), nil, 400, nil},
	}
	for name, test := range tests {
		r, w := &http.Request{Header: http.Header{}}, httptest.NewRecorder()
		if test.authorization != "" {
			r.Header.Set("Authorization", test.authorization)
		}
		WriteChallenge(w, r, test.err, Challenge{Scopes: oauthkit.Scopes{"read"}, Bindings: test.bindings})
		if got := w.Header().Values("WWW-Authenticate"); !slices.Equal(got, test.want) || w.Code != test.status {
			t.Errorf("%s: got %d with %q, want %d with %q", name, w.Code, got, test.status, test.want)
		}
	}
}

// TestWriteChallenge_Injection shows that the error of a key binding cannot add a
// parameter or a header, even if it repeats the proof that a stranger sent.
func TestWriteChallenge_Injection(t *testing.T) {
	const injected = "x\", scope=\"admin\\\r\nSet-Cookie: a=b\u00e9"
	err := RefusedToken(&oauthkit.Error{Code: oauthkit.ErrorCode("invalid_proof" + injected), Description: injected})
	recorder := httptest.NewRecorder()
	WriteChallenge(recorder, httptest.NewRequest(http.MethodGet, "/", nil), err, Challenge{})
	const sent = "x?, scope=?admin???Set-Cookie: a=b?"
	if got, want := recorder.Header().Get("WWW-Authenticate"), `Bearer error="invalid_proof`+sent+`", error_description="`+sent+`"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
