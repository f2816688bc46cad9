package attacktest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestFormPost tests the page that posts a response to the redirect URI (OAuth 2.0 Form
// Post Response Mode).
func TestFormPost(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "A-09 hostile parameters", Test: hostileFormPost},
		{Name: "A-09 the page is answered once", Test: func(t *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			answer := alice.Approve(s.Web.AuthorizeRequest("response_mode=form_post"))
			if got := answer.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			code := answer.Code()
			s.Web.Redeem(code).Tokens()
			s.Web.Redeem(code).ErrorJSON(400, "invalid_grant")
		}},
		{Name: "A-09 errors", Test: func(t *testing.T, s *fixture.Server) {
			alice := s.Browser("alice")
			for _, mistake := range []string{"scope=nonsense", "prompt=none", "code_challenge", "resource=https://evil.test"} {
				answer := alice.Authorize(s.CLI.AuthorizeRequest(mistake, "response_mode=form_post", `state="><script>alert(1)</script>`))
				checkScripts(t, answer)
			}
		}},
	})
}

var scriptElement = regexp.MustCompile(`(?is)<script[^>]*>(.*?)</script`)

// checkScripts checks that a page has one script, and that its policy permits no other.
func checkScripts(t *testing.T, answer *fixture.Answer) {
	t.Helper()
	scripts := scriptElement.FindAllStringSubmatch(answer.Body, -1)
	if answer.Status != http.StatusOK || len(scripts) != 1 || strings.Count(strings.ToLower(answer.Body), "<script") != 1 {
		t.Errorf("%s: got %d with the scripts %q, want 200 with one:\n%s", answer, answer.Status, scripts, answer.Body)
		return
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	policy := strings.Split(answer.Header.Get("Content-Security-Policy"), "; ")
	for _, directive := range []string{
		"default-src 'none'", "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'", "style-src 'self'", "frame-ancestors 'none'",
		"base-uri 'none'", "form-action https: http:",
	} {
		if !slices.Contains(policy, directive) {
			t.Errorf("%s: got the policy %q, want %s", answer, policy, directive)
		}
	}
	if len(policy) != 6 {
		t.Errorf("%s: got the policy %q, want no other directive", answer, policy)
	}
}

func hostileFormPost(t *testing.T, s *fixture.Server) {
	for _, state := range []string{
		`"><script>alert(1)</script>`, `' onfocus=alert(1) autofocus='`, "</form><form action=https://evil.test>", "a\nb\n\tc", "{{.Action}} &quot; &#34;",
		`"><base href="https://evil.test/">`, `--><!--`, "<meta http-equiv=refresh content=0;url=https://evil.test>", "https://00000000.invalid/",
	} {
		bob := s.Browser("bob")
		answer := bob.Approve(s.CLI.AuthorizeRequest("response_mode=form_post", "state="+state))
		checkScripts(t, answer)
		answer.Code() // compares the state, the issuer and the action
	}
}
