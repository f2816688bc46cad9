package attacktest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestAuthorizeParameters sends malformed authorization requests and requests for
// things that do not exist.
func TestAuthorizeParameters(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-01 repeated parameters", Test: repeatedParameters},
		{Name: "A-02 unknown parameter", Test: func(_ *testing.T, s *fixture.Server) {
			s.Browser("alice").Approve(s.Web.AuthorizeRequest("foo=bar", "utm_source=<b>", "allow=")).Code()
		}},
		{Name: "A-03 POST accepts forms only", Test: posted},
		{Name: "A-04 methods", Test: methods},
		{Name: "A-05 no response_type", Test: func(_ *testing.T, s *fixture.Server) {
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type")).Refused("invalid_request")
			s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type=")).Refused("invalid_request")
		}},
		{Name: "A-06 response types that are not code", Test: responseTypes},
		{Name: "A-07 response type not allowed for the application", Test: unauthorizedResponseType},
		{Name: "A-20 scope", Test: scopes},
		{Name: "A-30 claims parameter", Test: claimsParameter},
		{Name: "A-30 single claims", Configure: withClaimsParameter, Test: singleClaims},
		{Name: "A-31 hints for the page have no effect", Test: hints},
		{Name: "A-32 request objects are refused and not fetched", Test: requestObjects},
		{Name: "A-33 malformed client_id", Test: malformedClientID},
		{Name: "A-34 disabled application", Test: disabledApplication},
		{Name: "A-35 malformed query", Test: malformedQuery},
	})
}

func repeatedParameters(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, name := range []string{
		"response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "response_mode", "foo",
	} {
		form := s.Web.AuthorizeRequest()
		value := form.Get(name)
		for _, second := range []string{value, "other"} {
			form[name] = []string{value, second}
			alice.Authorize(form).Refused("invalid_request")
		}
		form[name] = []string{value}
		alice.Post("/o/authorize?"+name+"="+strings.ReplaceAll(value, " ", "+"), form).Refused("invalid_request")
	}
	alice.Authorize(s.Web.AuthorizeRequest("+client_id=web")).ErrorPage(400)
	alice.Authorize(s.Web.AuthorizeRequest("+client_id=evil")).ErrorPage(400)
	alice.Post("/o/authorize?client_id=web", s.Web.AuthorizeRequest()).ErrorPage(400)
	alice.Approve(s.Web.AuthorizeRequest("+resource=https://api.test", "+resource=https://other.test")).Code()
}

func posted(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Follow(alice.Post("/o/authorize", s.Web.AuthorizeRequest())).Consent()
	for _, mediaType := range []string{
		"application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/x-www-form-urlencoded; charset=utf-16",
	} {
		request := fixture.NewRequest(http.MethodPost, "/o/authorize", s.Web.AuthorizeRequest())
		request.Header.Set("Content-Type", mediaType)
		alice.Do(request).ErrorPage(http.StatusUnsupportedMediaType)
	}
	request := fixture.NewRequest(http.MethodPost, "/o/authorize", s.Web.AuthorizeRequest())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	alice.Follow(alice.Do(request)).Consent()
}

func methods(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code() // a GET request would now return a code
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch, "get"} {
		answer := alice.Do(fixture.NewRequest(method, "/o/authorize", s.Web.AuthorizeRequest()))
		answer.ErrorPage(http.StatusMethodNotAllowed)
		if allow := answer.Header.Get("Allow"); allow != "GET, POST" {
			t.Errorf("%s: got Allow %q, want GET, POST", method, allow)
		}
	}
}

func responseTypes(_ *testing.T, s *fixture.Server) {
	for _, responseType := range []string{
		"token", "id_token", "code token", "code id_token", "id_token token", "none", "code code", "CODE", "code,id_token", " code", "code ", "co%64e", "device",
	} {
		s.Browser("alice").Authorize(s.Web.AuthorizeRequest("response_type=" + responseType)).Refused("unsupported_response_type")
	}
}

func unauthorizedResponseType(t *testing.T, s *fixture.Server) {
	client := register(t, s, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://other.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	})
	s.Browser("alice").Authorize(client.AuthorizeRequest()).Refused("unauthorized_client")
	s.Browser("").Authorize(client.AuthorizeRequest("prompt=none")).Refused("unauthorized_client")
}

func scopes(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("s%d", i)
	}
	for _, scope := range []string{
		"nonsense", "openid nonsense", "api:write", "openid api:write", "introspection", `api:read" x`, "openid\tapi:read", "openid\u00a0api:read",
		"openid  api:read", " openid", "openid ", "OPENID", `api\read`, "openid\x00", "openid,api:read", strings.Join(many, " "),
	} {
		code := "invalid_scope"
		if strings.Contains(scope, "\x00") {
			code = "invalid_request" // not valid text
		}
		alice.Authorize(s.Web.AuthorizeRequest("scope=" + scope)).Refused(code)
	}
	code := alice.Approve(s.Web.AuthorizeRequest("scope=api:read openid")).Code()
	alice.Authorize(s.Web.AuthorizeRequest("scope=openid api:read")).Code() // the order of scopes does not matter
	s.Web.Redeem(code).Tokens()
}

func claimsParameter(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	members := make([]string, 10_000)
	for i := range members {
		members[i] = fmt.Sprintf(`"c%d":0`, i)
	}
	for _, claims := range []string{
		"nonsense", "[]", `"x"`, "null", "{", `{"userinfo":[]}`, `{"userinfo":{"email":1}}`, `{"userinfo":{"a":null,"a":null}}`, `{} {}`,
		`{"userinfo":{` + strings.Join(members[:1000], ",") + `}}`,
		`{"userinfo":{"a":{"value":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}}}`,
	} {
		alice.Authorize(s.Web.AuthorizeRequest("claims=" + claims)).Refused("invalid_request")
	}
	// The request is too large.
	alice.Authorize(s.Web.AuthorizeRequest(`claims={"userinfo":{` + strings.Join(members, ",") + `}}`)).ErrorPage(400)
	alice.Approve(s.Web.AuthorizeRequest(`claims={"userinfo":{"nonsense":{"essential":true}},"id_token":{"email":null}}`)).Code()
}

func hints(t *testing.T, s *fixture.Server) {
	const script = `"><img src=x onerror=1>`
	alice := s.Browser("alice")
	form := s.Web.AuthorizeRequest("login_hint="+script, "ui_locales=../../etc/passwd", "claims_locales="+script, "display="+script, "acr_values="+script)
	page := alice.Open(form).Consent()
	if strings.Contains(page.Body, "<img") || strings.Contains(page.Body, "etc/passwd") {
		t.Errorf("got a page with a hint from the request, want none of them: %s", page.Body)
	}
	alice.Decide(page, "allow").Code()
	alice.Authorize(s.Web.AuthorizeRequest("login_hint=bob")).Code() // for alice: a hint does not sign a user in
	for _, name := range []string{"login_hint", "acr_values"} {
		alice.Authorize(s.Web.AuthorizeRequest(name + "=" + strings.Repeat("a", 512))).Code()
		alice.Authorize(s.Web.AuthorizeRequest(name + "=" + strings.Repeat("a", 513))).Refused("invalid_request")
		alice.Authorize(s.Web.AuthorizeRequest(name + "=" + strings.Repeat("a", 10<<10))).Refused("invalid_request")
	}
}

func requestObjects(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	var fetched atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer canary.Close()
	alice.Authorize(s.Web.AuthorizeRequest("request=eyJhbGciOiJub25lIn0.e30.")).Refused("request_not_supported")
	alice.Authorize(s.Web.AuthorizeRequest("request_uri=" + canary.URL)).Refused("request_uri_not_supported")
	alice.Authorize(s.Web.AuthorizeRequest("request=eyJhbGciOiJub25lIn0.e30.", "request_uri="+canary.URL)).Refused("invalid_request")
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.RequirePushedAuthorizationRequests = true })
	alice.Authorize(s.Web.AuthorizeRequest()).Refused("invalid_request") // there is no endpoint to push the request to
	if n := fetched.Load(); n > 0 {
		t.Errorf("got %d requests at the request_uri, want none", n)
	}
}

func malformedClientID(t *testing.T, s *fixture.Server) {
	trace := regexp.MustCompile(`[A-Za-z0-9_-]{22}`)
	pages := map[string]bool{}
	for _, id := range []string{
		"nobody", "web\x00", "web\xff", "\xed\xa0\x80", strings.Repeat("w", 10<<10), "web'--", "web ", " web", "WEB", "web\n", `" OR 1=1 --`, "<script>alert(1)</script>",
	} {
		answer := s.Browser("alice").Authorize(s.Web.AuthorizeRequest("client_id=" + id))
		answer.ErrorPage(400)
		pages[trace.ReplaceAllString(answer.Body, "")] = true
	}
	if len(pages) != 1 {
		t.Errorf("got %d different error pages, want 1: %v", len(pages), pages)
	}
	s.Store.ClearCalls()
	for _, id := range []string{"client_id=", "client_id", "client_id=web\x00", "client_id=web\xff", "client_id=" + strings.Repeat("w", 256)} {
		s.Browser("alice").Authorize(s.Web.AuthorizeRequest(id)).ErrorPage(400)
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got calls %v of the store, want none for a malformed client_id", calls)
	}
}

func disabledApplication(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	page := alice.Open(s.WebPost.AuthorizeRequest()).Consent()
	for _, id := range []string{"web", "webp"} {
		s.UpdateApplication(id, func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	}
	alice.Authorize(s.Web.AuthorizeRequest()).ErrorPage(400)
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).ErrorPage(400)
	alice.Decide(page, "allow").ErrorPage(400)
}

func malformedQuery(_ *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	good := s.Web.AuthorizeRequest().Encode()
	for _, query := range []string{
		good + ";x=1", strings.ReplaceAll(good, "&", ";"), good + "&a=%zz", good + "&a=%", good + strings.Repeat("&a", 1000), "client_id=web;x=1",
	} {
		alice.Get("/o/authorize?" + query).ErrorPage(400)
	}
}

func withClaimsParameter(config *oauthkit.Config, store storetest.Store) {
	verified := true
	config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{
		Keys: store, ClaimsParameter: true, ClaimNames: oidc.StandardClaims(),
		Claims: func(context.Context, *oidc.ClaimsRequest) (oidc.Claims, error) {
			return oidc.Claims{Name: "Alice Example", Email: "alice@users.test", EmailVerified: &verified}, nil
		},
	})}
}

// singleClaims requests a claim whose scope the user did not approve. The page shows it
// each time, and it goes only to where it was requested.
func singleClaims(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	form := s.Web.AuthorizeRequest("scope=openid", `claims={"userinfo":{"email":{"essential":true}},"id_token":{"iss":{"value":"https://evil.test"}}}`)
	alice.Approve(s.Web.AuthorizeRequest("scope=openid")).Code() // remembered
	for range 2 {
		page := alice.Open(form).Consent()
		if !strings.Contains(page.Body, "<li><bdi>Email address</bdi></li>") {
			t.Errorf("got the page %s, want the claim named", page.Body)
		}
		tokens := s.Web.Redeem(alice.Decide(page, "allow").Code()).Tokens()
		if got := userClaims(t, s, tokens.Access); len(got) != 2 || got["email"] != "alice@users.test" {
			t.Errorf("got user info %v, want sub and email", got)
		}
		if got := claimsOf(t, tokens.ID); got["email"] != nil || got["iss"] != fixture.Issuer {
			t.Errorf("got the ID token %v, want no email and the issuer", got)
		}
	}
	silent := maps.Clone(form)
	silent.Set("prompt", "none")
	alice.Authorize(silent).Refused("consent_required")
	other := s.Web.AuthorizeRequest("scope=openid", `claims={"id_token":{"sub":{"value":"bob"}}}`)
	alice.Authorize(other).Refused("login_required")
	plain := s.Web.Redeem(alice.Authorize(s.Web.AuthorizeRequest("scope=openid")).Code()).Tokens()
	if got := userClaims(t, s, plain.Access); len(got) != 1 {
		t.Errorf("got user info %v for a request without claims, want only sub", got)
	}
}
