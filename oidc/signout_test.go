package oidc_test

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
)

const afterLogout = "https://rp.test/out"

// signOut checks a request to sign out, whose application is the one of the site unless
// the parameters name another one.
func (s *site) signOut(parameters url.Values) (*oauthkit.SignOutRequest, error) {
	s.t.Helper()
	return s.provider.NewSignOutRequest(s.t.Context(), maps.Clone(parameters))
}

// TestL03_SignOutHint checks which ID tokens prove that a session is the application's.
func TestL03_SignOutHint(t *testing.T) {
	s := newSite(t, oidc.Config{})
	response := s.signIn(url.Values{"nonce": {"n1"}})
	own, key, sid := idToken(t, response), s.signingKey(), s.provider.SessionID(alice())
	header := map[string]any{"kid": key.id, "typ": "JWT"}
	with := func(changes jwt.MapClaims) string {
		claims := jwt.MapClaims{"iss": issuer, "sub": "alice", "aud": "web", "exp": int64(1772370000), "iat": int64(1772366400), "sid": sid}
		maps.Copy(claims, changes)
		return forge(t, jwt.SigningMethodRS256, key.private, header, claims)
	}
	parts := strings.Split(own, ".")
	bob := &oauthkit.User{Subject: "bob", SessionID: alice().SessionID}
	tests := map[string]struct {
		hint, client string
		proves       bool
		wantReason   oauthkit.Reason // empty if the request is valid
	}{
		"own":                     {own, "", true, ""},
		"own, with client_id":     {own, "web", true, ""},
		"long expired":            {with(jwt.MapClaims{"exp": 2, "iat": 1}), "", true, ""},
		"several audiences":       {with(jwt.MapClaims{"aud": []string{"x", "web"}}), "web", true, ""},
		"without a session":       {with(jwt.MapClaims{"sid": ""}), "", false, ""},
		"of another session":      {with(jwt.MapClaims{"sid": "x"}), "", false, ""},
		"L-05 of bob":             {with(jwt.MapClaims{"sub": "bob", "sid": s.provider.SessionID(bob)}), "", false, ""},
		"of bob, session of hers": {with(jwt.MapClaims{"sub": "bob"}), "", false, ""},
		"no hint":                 {"", "web", false, ""},
		"neither":                 {"", "", false, ""},
		"another client":          {own, "other", false, oauthkit.ReasonHintInvalid},
		"unknown client":          {own, "nobody", false, oauthkit.ReasonApplicationUnknown},
		"unknown audience":        {with(jwt.MapClaims{"aud": "nobody"}), "", false, oauthkit.ReasonHintInvalid},
		"only several audiences":  {with(jwt.MapClaims{"aud": []string{"x", "web"}}), "", false, oauthkit.ReasonHintInvalid},
		"other issuer":            {with(jwt.MapClaims{"iss": "https://as.test/x"}), "", false, oauthkit.ReasonHintInvalid},
		"no subject":              {with(jwt.MapClaims{"sub": ""}), "", false, oauthkit.ReasonHintInvalid},
		"K-02 none":               {forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, jwt.MapClaims{"iss": issuer, "sub": "alice", "aud": "web", "exp": 1, "iat": 1, "sid": sid}), "", false, oauthkit.ReasonHintInvalid},
		"K-02 other payload":      {parts[0] + "." + encode(t, jwt.MapClaims{"sub": "bob", "sid": sid}) + "." + parts[2], "", false, oauthkit.ReasonHintInvalid},
		"K-08 logout token":       {forge(t, jwt.SigningMethodRS256, key.private, map[string]any{"kid": key.id, "typ": "logout+jwt"}, jwt.MapClaims{"iss": issuer, "sub": "alice", "aud": "web", "exp": int64(1772370000), "iat": 1, "sid": sid}), "", false, oauthkit.ReasonHintInvalid},
		"an access token":         {response.AccessToken, "", false, oauthkit.ReasonHintInvalid},
		"not a token":             {"x", "", false, oauthkit.ReasonHintInvalid},
		"too long":                {strings.Repeat("x", 9<<10), "", false, oauthkit.ReasonMalformedRequest},
	}
	other := s.app.AbstractApplication
	other.ClientID = "other"
	if err := s.store.CreateApplication(t.Context(), &application{AbstractApplication: other}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parameters := url.Values{}
			if test.hint != "" {
				parameters.Set("id_token_hint", test.hint)
			}
			if test.client != "" {
				parameters.Set("client_id", test.client)
			}
			request, err := s.signOut(parameters)
			if test.wantReason != "" {
				if request != nil || oauthkit.ReasonOf(err) != test.wantReason {
					t.Errorf("got %v and %v, want %s", request, err, test.wantReason)
				}
				return
			}
			if err != nil || s.provider.Proves(request, alice()) != test.proves {
				t.Errorf("got %v, proof %v; want %v", err, err == nil && !test.proves, test.proves)
			}
			if known := test.hint != "" || test.client != ""; err == nil && (request.Application != nil) != known {
				t.Errorf("got application %v, want one: %v", request.Application, known)
			}
		})
	}
}

// TestL03_RemovedKey checks that an ID token proves nothing after its key was removed.
func TestL03_RemovedKey(t *testing.T) {
	s := newSite(t, oidc.Config{})
	hint := idToken(t, s.signIn(nil))
	if err := s.extension.RemoveKey(t.Context(), s.signingKey().id); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(2 * time.Minute)
	if request, err := s.signOut(url.Values{"id_token_hint": {hint}}); oauthkit.ReasonOf(err) != oauthkit.ReasonHintInvalid {
		t.Errorf("got %v and %v, want hint_invalid", request, err)
	}
}

// TestL08_SidAfterTheSession checks that the ID token of a refresh has the sid only while
// the session goes on, and that the former one proves nothing about another session.
func TestL08_SidAfterTheSession(t *testing.T) {
	s := newSite(t, oidc.Config{})
	first := s.signIn(url.Values{"scope": {"openid offline_access"}})
	sid := s.provider.SessionID(alice())
	refreshed, err := s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.verify(refreshed)["sid"]; got != sid {
		t.Errorf("got sid %v, want %s", got, sid)
	}
	clients, err := s.provider.EndSession(t.Context(), oauthkit.Session{Subject: "alice", ID: sid})
	if err != nil || len(clients) != 1 {
		t.Fatalf("got %v and %v, want one application", clients, err)
	}
	refreshed, err = s.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshed.RefreshToken}})
	if err != nil {
		t.Fatal(err)
	}
	if got, found := s.verify(refreshed)["sid"]; found {
		t.Errorf("got sid %v after the end of the session, want none", got)
	}
	later := alice()
	later.SessionID = "the next session of alice"
	request, err := s.signOut(url.Values{"id_token_hint": {idToken(t, first)}})
	if err != nil || s.provider.Proves(request, later) {
		t.Errorf("got %v, and a proof for the next session", err)
	}
}

// TestSignOutRequest checks the other parameters.
func TestSignOutRequest(t *testing.T) {
	s := newSite(t, oidc.Config{})
	app := s.app.AbstractApplication
	app.ClientID, app.PostLogoutRedirectURIs = "leaving", oauthkit.URIs{afterLogout, afterLogout + "?x=1", "com.example.app:/out"}
	if err := s.store.CreateApplication(t.Context(), &application{AbstractApplication: app}, time.Now()); err != nil {
		t.Fatal(err)
	}
	client := func(parameters ...string) url.Values {
		form := url.Values{"client_id": {"leaving"}}
		for i := 0; i < len(parameters); i += 2 {
			form.Add(parameters[i], parameters[i+1])
		}
		return form
	}
	tests := map[string]struct {
		form url.Values
		want string // the redirect URI, or the reason of an error
	}{
		"registered":               {client("post_logout_redirect_uri", afterLogout), afterLogout},
		"with state":               {client("post_logout_redirect_uri", afterLogout, "state", `"><script>&a=b#c`), afterLogout + "?state=%22%3E%3Cscript%3E%26a%3Db%23c"},
		"with query and state":     {client("post_logout_redirect_uri", afterLogout+"?x=1", "state", "s"), afterLogout + "?x=1&state=s"},
		"native":                   {client("post_logout_redirect_uri", "com.example.app:/out", "state", "s"), "com.example.app:/out?state=s"},
		"only state":               {client("state", "s"), ""},
		"L-02 no application":      {url.Values{"post_logout_redirect_uri": {afterLogout}}, ""},
		"L-02 another path":        {client("post_logout_redirect_uri", afterLogout+"/"), "redirect_uri_mismatch"},
		"L-02 query added":         {client("post_logout_redirect_uri", afterLogout+"?foo=bar"), "redirect_uri_mismatch"},
		"L-02 fragment added":      {client("post_logout_redirect_uri", afterLogout+"#"), "redirect_uri_mismatch"},
		"L-02 a redirect_uri":      {client("post_logout_redirect_uri", callback), "redirect_uri_mismatch"},
		"L-04 of another client":   {url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {afterLogout}}, "redirect_uri_mismatch"},
		"L-07 script":              {client("post_logout_redirect_uri", "javascript:alert(1)"), "redirect_uri_mismatch"},
		"repeated":                 {client("post_logout_redirect_uri", afterLogout, "post_logout_redirect_uri", afterLogout), "malformed_request"},
		"state repeated":           {client("state", "a", "state", "b"), "malformed_request"},
		"client_id repeated":       {client("client_id", "leaving"), "malformed_request"},
		"state too long":           {client("state", strings.Repeat("x", 4097)), "malformed_request"},
		"logout_hint too long":     {client("logout_hint", strings.Repeat("x", 513)), "malformed_request"},
		"state not text":           {client("state", "\xff"), "malformed_request"},
		"client_id not text":       {url.Values{"client_id": {"\x00"}}, "malformed_request"},
		"an unknown one, repeated": {client("x", "a", "x", "b", "logout_hint", "alice", "ui_locales", "de"), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := s.signOut(test.form)
			got := string(oauthkit.ReasonOf(err))
			if err == nil {
				got = request.RedirectURI()
				if request.Form.Has("x") {
					t.Error("got an unknown parameter")
				}
			}
			if got != test.want {
				t.Errorf("got %q and %v, want %q", got, err, test.want)
			}
		})
	}
}
