package attacktest

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestWaitingRequest tests an authorization request between its arrival and the
// decision: first sealed in the path to which the login page returns, then in a row
// of the user.
func TestWaitingRequest(t *testing.T) {
	withoutSecret := func(config *oauthkit.Config, _ storetest.Store) {
		config.Secret = ""
		// The fixture's keys are encrypted.
		config.Extensions = []oauthkit.Extension{oidc.New(oidc.Config{Keys: memstore.New()})}
	}
	fixture.Run(t, []fixture.Case{
		{Name: "Q-02 abandoned authorization requests", Test: abandonedRequests},
		{Name: "Q-02 requests of one user and of one browser", Test: crowdedUser},
		{Name: "B-24 changed by an attacker", Test: changedSeal},
		{Name: "B-24 changed by an attacker, without Config.Secret", Configure: withoutSecret, Test: changedSeal},
		{Name: "B-25 sealed by another issuer or for another purpose", Test: foreignSeal},
		{Name: "B-26 opened again", Test: repeatedSeal},
		{Name: "B-27 expired", Test: expiredRequest},
		{Name: "B-28 maximum size", Test: largeRequest},
		{Name: "B-29 application changed", Test: changedWhilePending},
		{Name: "B-30 another user returns", Test: otherUserReturns},
		{Name: "B-31 on another instance, without Config.Secret", Configure: withoutSecret, Test: sharedSecret},
		{Name: "B-32 unknown parameters", Test: droppedParameters},
		{Name: "ST-12 pending requests in a dump", Test: waitingInDump},
	})
}

// sealOf returns the sealed request that travels through the login page.
func sealOf(login *fixture.Answer) string {
	location, err := url.Parse(login.Location())
	if err != nil {
		return ""
	}
	sealed, _ := strings.CutPrefix(location.Query().Get("next"), "/o/consent?request=")
	return sealed
}

// abandonedRequests expects anonymous requests to store nothing.
func abandonedRequests(t *testing.T, s *fixture.Server) {
	known := s.Browser("")
	alice := s.Browser("alice")
	alice.Approve(s.Web.AuthorizeRequest()).Code()
	s.Store.ClearCalls()
	for range 50 {
		known.ReturnFromLogin(known.Authorize(s.Web.AuthorizeRequest()).Login()).Login()
		s.Browser("").Authorize(s.Web.AuthorizeRequest("state=" + strings.Repeat("s", 2000))).Login()
		s.Browser("").Authorize(s.Web.AuthorizeRequest("padding=" + strings.Repeat("p", 16<<10))).Login()
		// Alice has to sign in again.
		alice.ReturnFromLogin(alice.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()).Login()
	}
	for _, call := range s.Store.Calls() {
		if call != "Application" {
			t.Errorf("got the store call %s, want only Application", call)
		}
	}
}

// crowdedUser expects the number of pending requests of a user, and of a browser, to
// be limited, and the latest to work.
func crowdedUser(t *testing.T, s *fixture.Server) {
	const limit, more = 20, 25
	open := func(pages []*fixture.Answer, browsers func(i int) *fixture.Browser) {
		t.Helper()
		for i, page := range pages {
			again := browsers(i).Get("/o/consent?interaction=" + interactionOf(page))
			if i < more-limit {
				again.ErrorPage(404)
			} else {
				again.Consent()
			}
		}
	}
	bob := s.Browser("bob")
	others := bob.Open(s.Web.AuthorizeRequest()).Consent()

	var pages []*fixture.Answer
	var browsers []*fixture.Browser
	for range more { // one user in many browsers
		alice := s.Browser("alice")
		pages, browsers = append(pages, alice.Open(s.Web.AuthorizeRequest()).Consent()), append(browsers, alice)
		s.Clock.Advance(time.Microsecond)
	}
	open(pages, func(i int) *fixture.Browser { return browsers[i] })

	shared := s.Browser("")
	pages = nil
	users := []string{"carol", "dave"}
	for i := range more { // many users in one browser
		shared.SignIn(users[i%len(users)])
		pages = append(pages, shared.Open(s.Web.AuthorizeRequest()).Consent())
		s.Clock.Advance(time.Microsecond)
	}
	open(pages, func(i int) *fixture.Browser { shared.SignIn(users[i%len(users)]); return shared })

	bob.Decide(others, "allow").Code()
}

// changedSeal expects the same answer for every changed seal, so that an attacker
// learns nothing.
func changedSeal(t *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest()).Login()
	sealed := sealOf(login)
	if len(sealed) < 200 {
		t.Fatalf("got %q, want a sealed request", sealed)
	}
	browser.SignIn("alice")
	nonsense := withoutTraceID(browser.Get("/o/consent?request=nonsense"))
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{"", sealed[1:], sealed[:len(sealed)-1], sealed + "A", sealed + "=", sealed + "\n", " " + sealed, strings.Repeat("A", len(sealed)), sealed + sealed}
	for i := 0; i < len(raw); i += len(raw) / 40 {
		changed := slices.Clone(raw)
		changed[i] ^= 1
		forged = append(forged, base64.RawURLEncoding.EncodeToString(changed))
	}
	s.Store.ClearCalls()
	for _, value := range forged {
		answer := browser.Get("/o/consent?request=" + url.QueryEscape(value))
		answer.ErrorPage(404)
		if got := withoutTraceID(answer); got != nonsense {
			t.Errorf("%.60s: got another page than for an invalid seal:\n%s", value, got)
		}
	}
	if calls := s.Store.Calls(); len(calls) > 0 {
		t.Errorf("got store calls %v, want none for an invalid seal", calls)
	}
	browser.ReturnFromLogin(login).Consent()
}

// withoutTraceID returns a page without the parts that differ each time.
func withoutTraceID(a *fixture.Answer) string {
	before, after, _ := strings.Cut(a.Body, "<dt>Reference</dt>")
	_, after, _ = strings.Cut(after, "</dd>")
	return before + after
}

// foreignSeal expects a seal to be valid only at its issuer and for its purpose,
// although all share one secret.
func foreignSeal(t *testing.T, s *fixture.Server) {
	other := s.OtherProvider("https://as.test/b")
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest()).Login()
	there := browser.On(other)
	theirs := there.Authorize(other.Web.AuthorizeRequest()).Login()
	ours := (&http.Response{Header: login.Header}).Cookies()[0]
	name := (&http.Response{Header: theirs.Header}).Cookies()[0].Name
	browser.SetCookie(&http.Cookie{Name: name, Value: ours.Value}) // both identify the browser by the same value
	browser.SignIn("alice")
	there.Get("/b/consent?request=" + sealOf(login)).ErrorPage(404)
	for _, purpose := range []string{"", "authorization", "interaction", "authorization request2"} {
		raw, err := base64.RawURLEncoding.DecodeString(sealOf(login))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := s.Provider.Open(t.Context(), purpose, raw, nil); err == nil {
			t.Errorf("%q: got %q, want an error for another purpose", purpose, text)
		}
		text, err := s.Provider.Open(t.Context(), "authorization request", raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		if raw, err = s.Provider.Seal(t.Context(), purpose, text, nil); err != nil {
			t.Fatal(err)
		}
		browser.Get("/o/consent?request=" + base64.RawURLEncoding.EncodeToString(raw)).ErrorPage(404)
	}
	browser.ReturnFromLogin(login).Consent()
}

// repeatedSeal opens the link again, like a browser's history.
func repeatedSeal(t *testing.T, s *fixture.Server) {
	begin := func(user string, overrides ...string) (*fixture.Browser, *fixture.Answer) {
		browser := s.Browser("")
		login := browser.Authorize(s.Web.AuthorizeRequest(overrides...)).Login()
		s.Clock.Advance(time.Second)
		browser.SignIn(user)
		return browser, login
	}
	alice, login := begin("alice")
	first, second := alice.ReturnFromLogin(login).Consent(), alice.ReturnFromLogin(login).Consent()
	if interactionOf(first) != interactionOf(second) {
		t.Error("got two rows for one request, want one")
	}
	alice.Decide(first, "allow").Code()
	alice.Decide(second, "allow").ErrorPage(409)
	alice.ReturnFromLogin(login).Code() // the answer of /authorize, now that consent is remembered

	bob, denied := begin("bob")
	bob.Decide(bob.ReturnFromLogin(denied).Consent(), "deny").Refused("access_denied")
	bob.ReturnFromLogin(denied).ErrorPage(409)

	for _, demand := range []string{"prompt=login", "max_age=0", "max_age=300", "prompt=select_account"} {
		again, login := begin("alice", demand)
		again.ReturnFromLogin(login).Code()
		again.ReturnFromLogin(login).ErrorPage(409) // one sign-in answers one request
		again.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()
	}
	asked, login := begin("alice", "prompt=consent")
	asked.Decide(asked.ReturnFromLogin(login).Consent(), "allow").Code()
	asked.ReturnFromLogin(login).ErrorPage(409)

	early := s.Browser("alice") // the sign-in is older than the request
	stale := early.Authorize(s.Web.AuthorizeRequest("prompt=login")).Login()
	s.Clock.Advance(time.Minute)
	early.ReturnFromLogin(stale).Login()
}

// expiredRequest expects a pending request to expire after 30 minutes, whether sealed
// or stored.
func expiredRequest(_ *testing.T, s *fixture.Server) {
	const lifetime = 30 * time.Minute
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest()).Login()
	s.Clock.Advance(lifetime - time.Microsecond)
	browser.SignIn("alice")
	page := browser.ReturnFromLogin(login).Consent()
	s.Clock.Advance(time.Microsecond)
	browser.ReturnFromLogin(login).ErrorPage(404)
	browser.Get("/o/consent?interaction=" + interactionOf(page)).ErrorPage(404)
	browser.Decide(page, "allow").ErrorPage(404)
	browser.Decide(page, "deny").ErrorPage(404)

	page = browser.Open(s.Web.AuthorizeRequest()).Consent() // without a sign-in
	s.Clock.Advance(lifetime - time.Microsecond)
	browser.Get("/o/consent?interaction=" + interactionOf(page)).Consent()
	s.Clock.Advance(time.Microsecond)
	browser.Decide(page, "allow").ErrorPage(404)

	gone := s.Browser("")
	login = gone.Authorize(s.Web.AuthorizeRequest()).Login()
	s.Clock.Advance(lifetime)
	gone.ReturnFromLogin(login).ErrorPage(404) // before the user is asked to sign in
}

// largeRequest expects a request that is too large to be refused at once, and the
// largest accepted one to work.
func largeRequest(t *testing.T, s *fixture.Server) {
	const limit = 4 << 10
	browser, alice := s.Browser(""), s.Browser("alice")
	next := func(state int) int {
		return len("/o/consent?request=" + sealOf(browser.Authorize(s.Web.AuthorizeRequest("state="+strings.Repeat("s", state))).Login()))
	}
	largest := 2000 + (limit-next(2000))*3/4
	if size := next(largest); size > limit || size < limit-1 {
		t.Errorf("got %d bytes for a state of %d, want %d or one less", size, largest, limit)
	}
	for _, larger := range []int{largest + 2, 4000} {
		browser.Authorize(s.Web.AuthorizeRequest("state=" + strings.Repeat("s", larger))).Refused("invalid_request")
	}
	// It does not travel through the login page.
	alice.Open(s.SPA.AuthorizeRequest("state=" + strings.Repeat("s", 4000))).Consent()
	long := strings.TrimSpace(strings.Repeat("openid ", 584))
	alice.Authorize(s.SPA.AuthorizeRequest("state="+strings.Repeat("s", 4096), "scope="+long)).Refused("invalid_request")
	login := browser.Authorize(s.Web.AuthorizeRequest("state=" + strings.Repeat("s", largest))).Login()
	for _, value := range []string{strings.Repeat("A", limit+1), strings.Repeat("A", 7<<10)} {
		browser.Get("/o/consent?request=" + value).ErrorPage(404)
	}
	browser.SignIn("alice")
	browser.Decide(browser.ReturnFromLogin(login).Consent(), "allow").Code()
}

// changedWhilePending expects the request to be checked again when it returns.
func changedWhilePending(_ *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest()).Login()
	browser.SignIn("alice")
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Scopes = oauthkit.Scopes{"api:read"} })
	browser.ReturnFromLogin(login).Refused("invalid_scope")
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.RedirectURIs = oauthkit.URIs{"https://rp.test/other"} })
	browser.ReturnFromLogin(login).ErrorPage(400)
	s.UpdateApplication("web", func(app *oauthkit.AbstractApplication) { app.Disabled = true })
	browser.ReturnFromLogin(login).ErrorPage(400)
	s.RemoveApplication("web")
	browser.ReturnFromLogin(login).ErrorPage(400)
}

// otherUserReturns expects each user to decide for themselves, and the hint to be
// respected.
func otherUserReturns(t *testing.T, s *fixture.Server) {
	hint := s.Browser("alice").Tokens(s.Web).ID
	browser := s.Browser("")
	login := browser.Authorize(s.SPA.AuthorizeRequest()).Login()
	hinted := browser.Authorize(s.Web.AuthorizeRequest("id_token_hint=" + hint)).Login()
	browser.SignIn("alice")
	alices := browser.ReturnFromLogin(login).Consent()
	browser.SignIn("bob")
	browser.ReturnFromLogin(hinted).Refused("login_required")
	bobs := browser.ReturnFromLogin(login).Consent()
	moved := browser.Follow(browser.Get("/o/consent?interaction=" + interactionOf(alices))).Consent()
	if interactionOf(alices) == interactionOf(bobs) || interactionOf(moved) != interactionOf(bobs) {
		t.Error("got the same row for two users or two rows for one, want one for each")
	}
	browser.Decide(alices, "allow").ErrorPage(403)
	browser.Decide(alices, "allow", "token="+tokenOf(bobs)).ErrorPage(403)
	browser.Decide(bobs, "allow", "interaction="+interactionOf(alices)).ErrorPage(403)
	code := browser.Decide(bobs, "allow").Code()
	if claims := claimsOf(t, s.SPA.Redeem(code).Tokens().ID); claims["sub"] != "bob" {
		t.Errorf("got claims %v, want those of bob", claims)
	}
	s.Browser("bob").Get("/o/consent?request=" + sealOf(login)).ErrorPage(403) // in another browser
	s.Browser("").Get("/o/consent?request=" + sealOf(login)).ErrorPage(403)
}

// sharedSecret starts at one instance and continues at the other, without
// Config.Secret.
func sharedSecret(t *testing.T, s *fixture.Server) {
	second := s.SecondInstance()
	for range 2 { // first with an empty database, then with the stored secret
		browser := s.Browser("")
		login, theirs := browser.Authorize(s.Web.AuthorizeRequest()).Login(), browser.On(second).Authorize(second.SPA.AuthorizeRequest()).Login()
		browser.SignIn("alice")
		browser.Decide(browser.On(second).ReturnFromLogin(login).Consent(), "deny").Refused("access_denied")
		browser.On(second).Decide(browser.ReturnFromLogin(theirs).Consent(), "deny").Refused("access_denied")
	}
	fresh := s.SecondInstance() // which has to read the secret
	fresh.Store.Fail(2)
	browser := fresh.Browser("")
	browser.Authorize(fresh.Web.AuthorizeRequest()).Unavailable()
	fresh.Store.Heal()
	browser.Authorize(fresh.Web.AuthorizeRequest()).Login()
	fresh.Store.ClearCalls()
	browser.Authorize(fresh.Web.AuthorizeRequest()).Login()
	if calls := fresh.Store.Calls(); !slices.Equal(calls, []string{"Application"}) {
		t.Errorf("got store calls %v, want the secret cached in memory", calls)
	}
}

// droppedParameters expects unknown parameters to have no effect and no size.
func droppedParameters(t *testing.T, s *fixture.Server) {
	browser := s.Browser("")
	plain := len(sealOf(browser.Authorize(s.Web.AuthorizeRequest()).Login()))
	for _, override := range []string{"foo=" + strings.Repeat("x", 8000), "claims_locales=de", "display=hologram", "request2=x", `claims={"userinfo":{}}`} {
		login := browser.Authorize(s.Web.AuthorizeRequest(override)).Login()
		if got := len(sealOf(login)); got != plain {
			t.Errorf("%.30s: got %d bytes, want the %d without it", override, got, plain)
		}
	}
}

// waitingInDump searches the database for the parameters of a request.
func waitingInDump(t *testing.T, s *fixture.Server) {
	hint := s.Browser("alice").Tokens(s.Web).ID
	said := []string{
		"login_hint=alice@example.test", "state=the-state-of-the-request", "nonce=the-nonce-of-the-request", "id_token_hint=" + hint,
		"code_challenge=" + fixture.Challenge("another-verifier-of-more-than-43-characters-in-all"),
		"prompt=consent",
	}
	alice := s.Browser("alice")
	page := alice.Open(s.Web.AuthorizeRequest(said...)).Consent()
	browser := s.Browser("")
	login := browser.Authorize(s.Web.AuthorizeRequest(said...)).Login()
	browser.SignIn("alice")
	browser.ReturnFromLogin(login).Consent()
	dump := s.Dump()
	if dump == "" { // memory has no dump
		return
	}
	said = append(said[:5], "id="+interactionOf(page), "seal="+sealOf(login))
	for _, parameter := range said {
		_, value, _ := strings.Cut(parameter, "=")
		for _, written := range []string{value, url.QueryEscape(value), hex.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(value))} {
			if strings.Contains(dump, written) {
				t.Errorf("got %.40s in the dump, want it absent", parameter)
			}
		}
	}
}
