package attacktest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// TestFault is RL-01: it makes each store call of each endpoint fail, first before
// the call takes effect, then after it, like a connection lost after COMMIT. A
// failure is never reported as a refusal: the answer is 503. Nothing is lost or
// done by half: the same request, sent again, takes effect or is answered as a
// repeated one.
func TestFault(t *testing.T) {
	var cases []fixture.Case
	for _, act := range slices.Concat(pageActs(), tokenActs(), credentialActs()) {
		cases = append(cases, fixture.Case{Name: act.name, Test: act.test})
	}
	fixture.Run(t, cases)
}

// TestHostFault makes the host fail instead when it is asked for the current user or
// whether a user is active.
func TestHostFault(t *testing.T) {
	var cases []fixture.Case
	for _, act := range slices.Concat(pageActs(), tokenActs(), credentialActs()) {
		cases = append(cases, fixture.Case{Name: act.name, Test: func(_ *testing.T, s *fixture.Server) {
			send := act.prepare(s)
			s.Users.Fail(errors.New("the host failed"))
			answer := send()
			s.Users.Fail(nil)
			if act.alone {
				act.done(s, answer)
				return
			}
			answer.Unavailable()
			act.done(s, send())
		}})
	}
	fixture.Run(t, cases)
}

// faultyAct is a request with store calls that can fail.
type faultyAct struct {
	name string
	// page is true if the answer is a page.
	page bool
	// prepare creates the state that the request needs, each time again, and returns
	// a function that sends the request.
	prepare func(s *fixture.Server) (send func() *fixture.Answer)
	// done checks the answer to a successful request.
	done func(s *fixture.Server, answer *fixture.Answer)
	// once is the store call whose effect is possible only once. If it is empty, the
	// request can be repeated.
	once string
	// repeated checks the answer to a request repeated after that effect.
	repeated func(answer *fixture.Answer)
	// alone is true if the host is not asked.
	alone bool
}

func (a faultyAct) test(t *testing.T, s *fixture.Server) {
	calls := a.calls(s)
	if len(calls) == 0 || a.once != "" && !slices.Contains(calls, a.once) {
		t.Fatalf("got store calls %v, want some, %q among them", calls, a.once)
	}
	for i, call := range calls {
		n := i + 1
		a.fails(t, s, calls[:n], func() { s.Store.Fail(n) }, a.done)
		again := a.done
		if call == a.once {
			again = func(_ *fixture.Server, answer *fixture.Answer) { a.repeated(answer) }
		}
		a.fails(t, s, calls[:n], func() { s.Store.FailAfterCall(n) }, again)
	}
}

// calls returns the store calls of the request if nothing fails.
func (a faultyAct) calls(s *fixture.Server) []string {
	send := a.prepare(s)
	s.Store.ClearCalls()
	answer := send()
	calls := s.Store.Calls()
	a.done(s, answer)
	return calls
}

// fails sends the request while the last of the calls fails, and then again.
func (a faultyAct) fails(t *testing.T, s *fixture.Server, calls []string, fail func(), again func(*fixture.Server, *fixture.Answer)) {
	t.Helper()
	send := a.prepare(s)
	s.Store.ClearCalls()
	fail()
	answer := send()
	answer.Unavailable()
	if page := strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html"); page != a.page {
		t.Errorf("%s fails: got Content-Type %q, want a page: %t", calls[len(calls)-1], answer.Header.Get("Content-Type"), a.page)
	}
	if got := s.Store.Calls(); !slices.Equal(got, calls) {
		t.Errorf("got store calls %v, want %v: a failure ends the request without another attempt", got, calls)
	}
	s.Store.Heal()
	again(s, send())
}

// askAgain makes an authorization request ask a user who has approved it before.
const askAgain = "prompt=consent"

// pageActs returns the requests that browsers send.
func pageActs() []faultyAct {
	decided := func(answer *fixture.Answer) { answer.ErrorPage(409) }
	code := func(s *fixture.Server, answer *fixture.Answer) { s.Web.Redeem(answer.Code()).Tokens() }
	consent := func(_ *fixture.Server, answer *fixture.Answer) { answer.Consent() }
	decide := func(decision string) func(*fixture.Server) func() *fixture.Answer {
		return func(s *fixture.Server) func() *fixture.Answer {
			alice := s.Browser("alice")
			page := alice.Open(s.Web.AuthorizeRequest(askAgain)).Consent()
			return func() *fixture.Answer { return alice.Decide(page, decision) }
		}
	}
	return []faultyAct{
		{name: "authorize, signed in, consent remembered", page: true, done: code, prepare: func(s *fixture.Server) func() *fixture.Answer {
			alice := s.Browser("alice")
			alice.Approve(s.Web.AuthorizeRequest()).Code()
			return func() *fixture.Answer { return alice.Authorize(s.Web.AuthorizeRequest()) }
		}},
		{name: "authorize, not signed in", page: true, prepare: func(s *fixture.Server) func() *fixture.Answer {
			anonymous := s.Browser("")
			return func() *fixture.Answer { return anonymous.Authorize(s.Web.AuthorizeRequest()) }
		}, done: func(_ *fixture.Server, answer *fixture.Answer) { answer.Login() }},
		{name: "authorize, to be asked", page: true, prepare: func(s *fixture.Server) func() *fixture.Answer {
			alice := s.Browser("alice")
			return func() *fixture.Answer { return alice.Open(s.Web.AuthorizeRequest(askAgain)) }
		}, done: consent},
		{name: "consent page", page: true, prepare: func(s *fixture.Server) func() *fixture.Answer {
			alice := s.Browser("alice")
			waiting := alice.Authorize(s.Web.AuthorizeRequest(askAgain))
			return func() *fixture.Answer { return alice.Follow(waiting) }
		}, done: consent},
		{name: "consent page after signing in, consent remembered", page: true, prepare: func(s *fixture.Server) func() *fixture.Answer {
			s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			alice := s.Browser("")
			login := alice.Authorize(s.Web.AuthorizeRequest()).Login()
			alice.SignIn("alice")
			return func() *fixture.Answer { return alice.ReturnFromLogin(login) }
		}, done: code},
		{name: "consent page after a sign-in that was demanded", page: true, prepare: func(s *fixture.Server) func() *fixture.Answer {
			s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			alice := s.Browser("")
			login := alice.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()
			s.Clock.Advance(time.Second)
			alice.SignIn("alice")
			return func() *fixture.Answer { return alice.ReturnFromLogin(login) }
		}, done: code, once: "SaveApproval", repeated: decided},
		{name: "approve", page: true, prepare: decide("allow"), done: code, once: "SaveApproval", repeated: decided},
		{name: "deny", page: true, prepare: decide("deny"), done: func(_ *fixture.Server, answer *fixture.Answer) { answer.Refused("access_denied") },
			once: "ConsumeInteraction", repeated: decided},
	}
}

// tokenActs returns the requests to the token endpoint.
func tokenActs() []faultyAct {
	issued := func(s *fixture.Server, answer *fixture.Answer) { s.RS.Introspect(answer.Tokens().Access).Active() }
	refused := func(_ *fixture.Server, answer *fixture.Answer) { answer.ErrorJSON(400, "invalid_grant") }
	return []faultyAct{
		{name: "token, code", done: issued, prepare: func(s *fixture.Server) func() *fixture.Answer {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			return func() *fixture.Answer { return s.Web.Redeem(code) }
		}, once: "RedeemCode", repeated: func(answer *fixture.Answer) { answer.ErrorJSON(400, "invalid_grant") }},
		{name: "token, code that was used", alone: true, done: refused, prepare: func(s *fixture.Server) func() *fixture.Answer {
			code := s.Browser("alice").Approve(s.Web.AuthorizeRequest()).Code()
			s.Web.Redeem(code).Tokens()
			return func() *fixture.Answer { return s.Web.Redeem(code) }
		}},
		{name: "token, refresh", done: issued, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Web.Refresh(tokens.Refresh)
		})},
		{name: "token, retry of a refresh", done: issued, prepare: func(s *fixture.Server) func() *fixture.Answer {
			tokens := s.Browser("alice").Tokens(s.Web)
			s.Web.Refresh(tokens.Refresh).Tokens()
			return func() *fixture.Answer { return s.Web.Refresh(tokens.Refresh) }
		}},
		{name: "token, refresh token that was used", alone: true, done: refused, prepare: func(s *fixture.Server) func() *fixture.Answer {
			tokens := s.Browser("alice").Tokens(s.Web)
			s.Web.Refresh(s.Web.Refresh(tokens.Refresh).Tokens().Refresh).Tokens()
			return func() *fixture.Answer { return s.Web.Refresh(tokens.Refresh) }
		}},
		{name: "token, client credentials", alone: true, done: issued, prepare: func(s *fixture.Server) func() *fixture.Answer {
			return func() *fixture.Answer { return s.Service.ClientCredentials() }
		}},
	}
}

// withTokens prepares a request about tokens that alice gave to web.
func withTokens(send func(*fixture.Server, fixture.Tokens) *fixture.Answer) func(*fixture.Server) func() *fixture.Answer {
	return func(s *fixture.Server) func() *fixture.Answer {
		tokens := s.Browser("alice").Tokens(s.Web)
		return func() *fixture.Answer { return send(s, tokens) }
	}
}

// credentialActs returns the requests that use tokens.
func credentialActs() []faultyAct {
	ok := func(_ *fixture.Server, answer *fixture.Answer) { answer.OK() }
	inactive := func(_ *fixture.Server, answer *fixture.Answer) { answer.Inactive() }
	active := func(_ *fixture.Server, answer *fixture.Answer) { answer.Active() }
	unknown := secret.New(secret.AccessToken)
	return []faultyAct{
		{name: "introspect, access token", done: active, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.RS.Introspect(tokens.Access)
		})},
		{name: "introspect, refresh token", done: active, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Web.Introspect(tokens.Refresh)
		})},
		{name: "introspect, by an access token", done: active, prepare: func(s *fixture.Server) func() *fixture.Answer {
			app := &oauthkit.AbstractApplication{
				ClientID: oauthkit.NewClientID(), Name: "Gateway", ClientType: oauthkit.Confidential,
				GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
			}
			gateway, err := s.Register(app)
			if err != nil {
				panic(err) // no fault is set yet
			}
			own := gateway.ClientCredentials("scope=introspection").Tokens()
			tokens := s.Browser("alice").Tokens(s.Web)
			return func() *fixture.Answer { return byToken(s, own.Access, tokens.Access) }
		}},
		{name: "introspect, unknown token", alone: true, done: inactive, prepare: withTokens(func(s *fixture.Server, _ fixture.Tokens) *fixture.Answer {
			return s.RS.Introspect(unknown)
		})},
		{name: "revoke, access token", alone: true, done: ok, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Web.Revoke(tokens.Access)
		})},
		{name: "revoke, refresh token", alone: true, done: ok, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Web.Revoke(tokens.Refresh)
		})},
		{name: "revoke, unknown token", alone: true, done: ok, prepare: withTokens(func(s *fixture.Server, _ fixture.Tokens) *fixture.Answer {
			return s.Web.Revoke(unknown)
		})},
		{name: "user info", done: ok, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Bearer("/o/userinfo", tokens.Access)
		})},
		{name: "the host's API", done: ok, prepare: withTokens(func(s *fixture.Server, tokens fixture.Tokens) *fixture.Answer {
			return s.Bearer("/api/read", tokens.Access)
		})},
	}
}
