package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// respond approves a request as user and returns the response.
func (s *site) respond(user *oauthkit.User, parameters url.Values) url.Values {
	s.t.Helper()
	request, err := s.authorize(parameters)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.provider.Respond(s.t.Context(), request, user, oauthkit.Decision{})
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// TestSessionState checks which responses have session_state, and that no two are equal.
func TestSessionState(t *testing.T) {
	s := newSite(t, oidc.Config{SessionManagement: true})
	state := s.respond(alice(), nil).Get("session_state")
	if !regexp.MustCompile(`^[\w-]{43}\.[\w-]+$`).MatchString(state) {
		t.Errorf("got session_state %q, want a hash and a salt", state)
	}
	if again := s.respond(alice(), nil).Get("session_state"); again == state {
		t.Error("got the same session_state twice, want another salt")
	}
	for name, response := range map[string]url.Values{
		"no openid":  s.respond(alice(), url.Values{"scope": {"profile"}}),
		"no session": s.respond(&oauthkit.User{Subject: "bob"}, nil),
		"off":        newSite(t, oidc.Config{}).respond(alice(), nil),
	} {
		if response.Has("session_state") {
			t.Errorf("%s: got session_state, want none", name)
		}
	}
}

// TestSessionStateOfErrors checks that errors have the state of the browser's cookie,
// which is empty without a session, and another salt each.
func TestSessionStateOfErrors(t *testing.T) {
	s := newSite(t, oidc.Config{SessionManagement: true})
	cookie := s.provider.SessionCookies(alice())[0]
	refuse := func(scope string, cookies ...*http.Cookie) string {
		t.Helper()
		request, err := s.authorize(url.Values{"scope": {scope}})
		if err != nil {
			t.Fatal(err)
		}
		r, parameters := httptest.NewRequest(http.MethodGet, issuer+"/authorize", nil), url.Values{}
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		s.provider.DecorateRefusal(r, request, parameters)
		return parameters.Get("session_state")
	}
	for state, got := range map[string][]string{
		cookie.Value: {refuse("openid", cookie), refuse("openid", cookie)},
		"":           {refuse("openid"), refuse("openid")},
	} {
		for _, value := range got {
			_, salt, _ := strings.Cut(value, ".")
			sum := sha256.Sum256([]byte("web " + strings.TrimSuffix(callback, "/cb") + " " + state + " " + salt))
			if want := base64.RawURLEncoding.EncodeToString(sum[:]) + "." + salt; value != want {
				t.Errorf("got session_state %q for the cookie %q, want %q", value, state, want)
			}
		}
		if got[0] == got[1] {
			t.Error("got the same session_state twice, want another salt")
		}
	}
	if got := refuse("profile", cookie); got != "" {
		t.Errorf("got session_state %q without openid, want none", got)
	}
}

// TestSessionCookie checks that the cookie changes with the user and the session, and is
// deleted with it.
func TestSessionCookie(t *testing.T) {
	s := newSite(t, oidc.Config{SessionManagement: true})
	later, bob := alice(), alice()
	later.SessionID, bob.Subject = "the next session", "bob"
	seen := map[string]bool{s.provider.SessionID(alice()): true, alice().SessionID: true}
	for _, user := range []*oauthkit.User{alice(), later, bob} {
		cookie := s.provider.SessionCookies(user)[0]
		if seen[cookie.Value] || len(cookie.Value) != 43 {
			t.Errorf("got %s, want a value that is neither the session nor one of before", cookie)
		}
		seen[cookie.Value] = true
		_, attributes, _ := strings.Cut(cookie.String(), ";")
		if want := " Path=/; Secure; SameSite=None"; attributes != want || !strings.HasPrefix(cookie.Name, "__Host-oauthkit-state-") {
			t.Errorf("got %s with attributes %q, want %q", cookie.Name, attributes, want)
		}
	}
	if gone := s.provider.SessionCookies(nil)[0]; gone.Value != "" || gone.MaxAge >= 0 {
		t.Errorf("got %s, want the cookie deleted", gone)
	}
	if cookies := newSite(t, oidc.Config{}).provider.SessionCookies(alice()); len(cookies) > 0 {
		t.Errorf("got %v, want none without session management", cookies)
	}
}

// TestL16_CheckSession checks the page for frames: the only one that other sites may
// show, with nothing about the user.
func TestL16_CheckSession(t *testing.T) {
	s := newSite(t, oidc.Config{SessionManagement: true})
	endpoint := s.endpoint("check_session")
	recorder := httptest.NewRecorder()
	recorder.Header().Set("X-Frame-Options", "DENY")
	if err := endpoint.Anyone(recorder, httptest.NewRequest(http.MethodGet, issuer+"/check_session", nil)); err != nil {
		t.Fatal(err)
	}
	policy := recorder.Header().Get("Content-Security-Policy")
	if recorder.Header().Get("X-Frame-Options") != "" || strings.Contains(policy, "frame-ancestors") {
		t.Errorf("got %v, want a page for frames", recorder.Header())
	}
	if !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("got policy %q, want one script by its hash", policy)
	}
	for _, modern := range []string{"=>", "async", "crypto"} {
		if strings.Contains(recorder.Body.String(), modern) {
			t.Errorf("got a script with %s, which the conformance suite's browser cannot run", modern)
		}
	}
	if endpoint.Metadata != "check_session_iframe" || !endpoint.InMemory || endpoint.Group != "oidc" {
		t.Errorf("got %+v, want the published page, in memory", endpoint)
	}
	if name := s.provider.SessionCookies(alice())[0].Name; !strings.Contains(recorder.Body.String(), `data-cookie="`+name+`"`) {
		t.Errorf("got %s, want the name of the cookie", recorder.Body)
	}
}

// TestSessionManagementNeedsHTTPS checks that a cookie for other sites is never sent in
// clear.
func TestSessionManagementNeedsHTTPS(t *testing.T) {
	for issuer, allowed := range map[string]bool{"https://as.test": true, "http://127.0.0.1:8000": true, "http://as.test": false} {
		store := memstore.New()
		_, err := oauthkit.New(issuer, store, oauthkit.Config{
			AllowInsecureIssuer: true, Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store, SessionManagement: true})},
		})
		if (err == nil) != allowed {
			t.Errorf("%s: got %v, want allowed: %v", issuer, err, allowed)
		}
	}
}
