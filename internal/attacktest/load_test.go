package attacktest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestLoad tests requests that try to cost the server more than the client.
func TestLoad(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "Q-04 long tokens and headers", Test: longTokens},
		{Name: "Q-05 thousands of cookies", Test: manyCookies},
		{Name: "Q-08 goroutines end with their requests", Test: goroutinesEnd},
		{Name: "Q-11 long URIs, scopes and lists are refused by their length", Test: longParameters},
	})
}

// longTokens sends headers up to the limit of net/http, which is 1 MiB; larger ones
// are answered with 431. Values that are too long for a token must be refused without
// a look-up.
func longTokens(t *testing.T, s *fixture.Server) {
	s.Store.ClearCalls()
	for name, token := range map[string]string{
		"dots": strings.Repeat(".", 1<<19), "access token": "oat_" + strings.Repeat("A", 1<<19),
		"JWT": strings.Repeat("e30.", 1<<17), "just too long": "oat_" + strings.Repeat("A", 4093),
	} {
		for _, path := range []string{"/o/userinfo", "/api/read"} {
			answer := s.Bearer(path, token)
			if answer.Status != http.StatusUnauthorized {
				t.Errorf("%s at %s: got %d, want 401", name, path, answer.Status)
			}
			if len(answer.Body)+len(answer.Header.Get("WWW-Authenticate")) > 1000 {
				t.Errorf("%s at %s: got an answer with the token in it, want none", name, path)
			}
		}
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got store calls %v, want none", calls)
	}
	basic := fixture.NewRequest(http.MethodPost, "/o/token", url.Values{"grant_type": {"client_credentials"}})
	basic.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 64<<10)+":x")))
	s.Do(basic).ErrorJSON(401, "invalid_client")
	proof := s.Web.Request("/o/token", url.Values{"grant_type": {"authorization_code"}, "code": {"x"}})
	proof.Header.Set("DPoP", strings.Repeat("e30.", 16<<10)) // not read
	s.Do(proof).ErrorJSON(400, "invalid_grant")
	s.RS.Introspect(strings.Repeat(".", 8<<10)).Inactive()
	s.RS.Introspect(strings.Repeat(".", 8<<10+1)).ErrorJSON(400, "invalid_request")
	s.Browser("alice").Authorize(s.Web.AuthorizeRequest("id_token_hint=" + strings.Repeat("e30.", 12<<10))).Refused("invalid_request")
}

// manyCookies sends more cookies than Go parses, as a browser does if another host of
// the domain sets them. Such a browser has none of the provider's cookies, like one
// that refuses cookies.
func manyCookies(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	token := alice.Tokens(s.Web).Access
	login := s.Browser("").Authorize(s.Web.AuthorizeRequest())
	many := strings.Repeat("a=b; ", 10_000) + "last=1"
	for path, want := range map[string]int{
		"/o/authorize?" + s.Web.AuthorizeRequest().Encode(): http.StatusSeeOther, "/o/consent?interaction=x": http.StatusNotFound,
		"/o/applications/": http.StatusSeeOther, "/o/api/applications": http.StatusForbidden, "/o/.well-known/jwks.json": http.StatusOK,
	} {
		request := fixture.NewRequest(http.MethodGet, path, nil)
		request.Header.Set("Cookie", many)
		if answer := s.Do(request); answer.Status != want {
			t.Errorf("%.20s: got %d, want %d: %.200s", path, answer.Status, want, answer.Body)
		}
	}
	request := s.Web.Request("/o/introspect", url.Values{"token": {token}})
	request.Header.Set("Cookie", many)
	s.Do(request).Active()
	login.Login() // a browser without them continues
}

// goroutinesEnd sends requests whose clients wait, hang up, or are cut off by a
// store failure.
func goroutinesEnd(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Tokens(s.Web)
	before := goleak.IgnoreCurrent()
	for range 5 {
		tokens := alice.Tokens(s.Web)
		s.Web.Refresh(tokens.Refresh).Tokens()
		s.HangUp(s.Web.Request("/o/revoke_token", url.Values{"token": {tokens.Refresh}}), 0)
		s.HangUp(fixture.NewRequest(http.MethodGet, "/o/authorize?"+s.Web.AuthorizeRequest().Encode(), nil), time.Millisecond)
		s.Store.Fail(1)
		s.Web.Refresh(tokens.Refresh)
		s.Store.Heal()
	}
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"))
}

// longParameters expects long parameters to be refused by their length before they
// are parsed, so that their content does not affect the time taken.
func longParameters(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	s.Store.ClearCalls()
	for name, form := range map[string]url.Values{
		"redirect URI like IPv6": s.Web.AuthorizeRequest("redirect_uri=http://[" + strings.Repeat(":", 100<<10) + "]/cb"),
		"redirect URI":           s.Web.AuthorizeRequest("redirect_uri=https://rp.test/" + strings.Repeat("../", 30<<10)),
		"scope":                  s.Web.AuthorizeRequest("scope=" + strings.Repeat("a ", 50<<10)),
		"prompt":                 s.Web.AuthorizeRequest("prompt=" + strings.Repeat("none ", 20<<10)),
		"claims":                 s.Web.AuthorizeRequest("claims=" + strings.Repeat("[", 100<<10)),
		"languages":              s.Web.AuthorizeRequest("ui_locales=" + strings.Repeat("de-", 30<<10)),
		"parameters":             {"resource": make([]string, 10_000)},
	} {
		if answer := alice.Authorize(form); answer.Status != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", name, answer.Status)
		}
		if calls := s.Store.Calls(); len(calls) > 0 {
			t.Errorf("%s: got store calls %v, want none", name, calls)
		}
	}
	alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=http://[" + strings.Repeat(":", 40<<10) + "]/cb")).ErrorPage(400)
	alice.Authorize(s.Web.AuthorizeRequest("scope=" + strings.Repeat("a ", 20<<10))).Refused("invalid_scope")
}

// TestZones tests a host whose clock has another time zone.
func TestZones(t *testing.T) {
	fixture.Run(t, []fixture.Case{{Name: "RL-23 a clock in another zone", Configure: inKiritimati, Test: func(t *testing.T, s *fixture.Server) {
		tokens := s.Browser("alice").Tokens(s.Web)
		active := s.RS.Introspect(tokens.Access).Active()
		issued, expires := s.Clock.Now().Unix(), s.Clock.Now().Add(10*time.Minute).Unix()
		if active["iat"] != float64(issued) || active["exp"] != float64(expires) {
			t.Errorf("got iat %v and exp %v, want %d and %d", active["iat"], active["exp"], issued, expires)
		}
		second := s.SecondInstance()
		s.Clock.Advance(10*time.Minute - time.Second)
		second.RS.Introspect(tokens.Access).Active()
		s.Clock.Advance(time.Second)
		second.RS.Introspect(tokens.Access).Inactive()
		s.Web.Refresh(tokens.Refresh).Tokens()
	}}})
}

// inKiritimati sets the clock to the zone furthest from UTC.
func inKiritimati(config *oauthkit.Config, _ storetest.Store) {
	now := config.Now
	config.Now = func() time.Time { return now().In(time.FixedZone("+14", 14*60*60)) }
}
