package attacktest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// injections are texts that change an SQL statement into which they are inserted.
var injections = []string{
	`' OR '1'='1`, `' OR 1=1 --`, `'; DROP TABLE oauth_applications; --`, `') OR ('a'='a`, `" OR ""="`, `web' --`, `web'/*`, `web'||'`,
	`\' OR 1=1 --`, `' UNION SELECT client_id FROM oauth_applications --`, `'; SELECT pg_sleep(60); --`, `$1`, `?`, `$1'$2`, `%`, `_`, `web%`,
	`{applications}`, `@client_id`, `:client_id`, `E'\\x27'`, "\u02bc OR 1=1", "\uff07 OR 1=1", `-1`, `0x27`, `NULL`, `true`, `{"$ne":null}`, `[]`,
}

// TestInjection sends them in every text that the provider takes, and signs in users
// with such names.
func TestInjection(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "ST-05 in a parameter", Test: injectedParameters},
		{Name: "ST-05 in values from the host", Test: injectedSubjects},
	})
}

// injectedParameters compares each answer with that for an ordinary word.
func injectedParameters(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	renamed := func(id, secret string) *fixture.Client {
		client := *s.Web
		client.ID, client.Secret = id, secret
		return &client
	}
	for name, send := range map[string]func(text string) *fixture.Answer{
		"authorize client_id": func(text string) *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest("client_id=" + text)) },
		"authorize redirect_uri": func(text string) *fixture.Answer {
			return alice.Authorize(s.Web.AuthorizeRequest("redirect_uri=" + text))
		},
		"authorize scope": func(text string) *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest("scope=" + text)) },
		"authorize state": func(text string) *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest("state=" + text)) },
		"authorize nonce": func(text string) *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest("nonce=" + text)) },
		"authorize challenge": func(text string) *fixture.Answer {
			return alice.Authorize(s.Web.AuthorizeRequest("code_challenge=" + text))
		},
		"authorize response_type": func(text string) *fixture.Answer {
			return alice.Authorize(s.Web.AuthorizeRequest("response_type=" + text))
		},
		"authorize other": func(text string) *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest(text + "=" + text)) },
		"kept state": func(text string) *fixture.Answer {
			return s.Browser("bob").Open(s.Web.AuthorizeRequest("state=" + text))
		},
		"consent":               func(text string) *fixture.Answer { return alice.Get("/o/consent?interaction=" + url.QueryEscape(text)) },
		"client_id":             func(text string) *fixture.Answer { return renamed(text, s.Web.Secret).Refresh("x") },
		"client_id in the body": func(text string) *fixture.Answer { return s.WebPost.Refresh("x", "client_id="+text) },
		"client_secret":         func(text string) *fixture.Answer { return renamed("web", text).Refresh("x") },
		"grant_type":            func(text string) *fixture.Answer { return s.Web.Refresh("x", "grant_type="+text) },
		"code":                  func(text string) *fixture.Answer { return s.Web.Redeem(text) },
		"refresh_token":         func(text string) *fixture.Answer { return s.Web.Refresh(text) },
		"token scope":           func(text string) *fixture.Answer { return s.Web.Refresh(tokens.Refresh, "scope="+text) },
		"introspect":            func(text string) *fixture.Answer { return s.RS.Introspect(text) },
		"introspect hint":       func(text string) *fixture.Answer { return s.RS.Introspect("x", "token_type_hint="+text) },
		"revoke":                func(text string) *fixture.Answer { return s.Web.Revoke(text) },
	} {
		want := outcome(send("nonsense"))
		for _, text := range injections {
			if got := outcome(send(text)); got != want {
				t.Errorf("%s: got %s for %q, want %s as for an ordinary word", name, got, text, want)
			}
		}
	}
	s.RS.Introspect(tokens.Access).Active()
	s.Web.Refresh(tokens.Refresh).Tokens()
}

// outcome returns the parts of an answer that do not depend on the request.
func outcome(answer *fixture.Answer) string {
	where, query, _ := strings.Cut(answer.Location(), "?")
	response, err := url.ParseQuery(query)
	return fmt.Sprintf("%d %s error=%v,%s active=%v %v", answer.Status, where, answer.Members()["error"], response.Get("error"), answer.Members()["active"], err)
}

// injectedSubjects tests users with such subjects, which are returned unchanged and
// are distinct.
func injectedSubjects(t *testing.T, s *fixture.Server) {
	victim := s.Browser("alice").Tokens(s.Web)
	for _, subject := range injections {
		browser := s.Browser(subject)
		tokens := s.Web.Redeem(browser.Approve(s.Web.AuthorizeRequest("nonce=" + subject)).Code()).Tokens()
		if got := s.RS.Introspect(tokens.Access).Active()["sub"]; got != subject {
			t.Errorf("got sub %v, want %q", got, subject)
		}
		browser.Authorize(s.Web.AuthorizeRequest()).Code() // the consent is remembered
		s.Web.Refresh(tokens.Refresh).Tokens()
		if err := s.Provider.RevokeConsent(t.Context(), "web", subject); err != nil {
			t.Errorf("%q: revoking consent: %v", subject, err)
		}
		s.RS.Introspect(tokens.Access).Inactive()
		browser.Open(s.Web.AuthorizeRequest()).Consent()
	}
	s.RS.Introspect(victim.Access).Active()
	if revoked := fixture.EventsOf[oauthkit.ConsentRevoked](s.Events); len(revoked) != len(injections) {
		t.Errorf("got %d revocation events, want %d", len(revoked), len(injections))
	}
	for _, event := range fixture.EventsOf[oauthkit.ConsentRevoked](s.Events) {
		if len(event.AuthorizationIDs) != 2 {
			t.Errorf("got %+v, want the two Authorizations of that user", event)
		}
	}
}
