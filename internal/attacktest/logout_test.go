package attacktest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
	"github.com/oauthkit/oauthkit/store/storetest"
)

// TestLogout tests which requests of applications end a session, and where they lead
// (OpenID Connect RP-Initiated Logout 1.0).
func TestLogout(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "L-01 sign-out without a proof", Test: logoutWithoutProof},
		{Name: "L-02 bad redirect", Test: logoutElsewhere},
		{Name: "L-03 forged hint", Test: logoutForged},
		{Name: "L-04 redirect to another application", Test: logoutToOther},
		{Name: "L-05 hint of another user", Test: logoutOfOther},
		{Name: "L-05 hint of another session", Test: logoutOfOtherSession},
		{Name: "L-06 state", Test: logoutState},
		{Name: "L-07 dangerous schemes", Test: logoutSchemes},
		{Name: "L-08 effect", Test: logoutEffect},
		{Name: "L-08 effect, in a host without session ids", Test: func(t *testing.T, s *fixture.Server) {
			s.Users.OmitSessionIDs()
			logoutEffect(t, s)
		}},
		{Name: "the answer is lost", Test: logoutUnanswered},
		{Name: "L-08 sign-out of the host", Test: logoutByHost},
		{Name: "L-09 two applications", Test: logoutTwice},
		{Name: "L-13 POST from another site", Test: logoutByPost},
		{Name: "L-14 default", Test: func(t *testing.T, s *fixture.Server) { logoutTokens(t, s, true, false) }},
		{Name: "L-14 everything ends", Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.Logout = oauthkit.LogoutEndsAll
		}, Test: func(t *testing.T, s *fixture.Server) { logoutTokens(t, s, false, false) }},
		{Name: "L-14 nothing ends", Configure: func(config *oauthkit.Config, _ storetest.Store) {
			config.Logout = oauthkit.LogoutKeepsAll
		}, Test: func(t *testing.T, s *fixture.Server) { logoutTokens(t, s, true, true) }},
		{Name: "L-15 open redirector", Test: logoutRedirector},
		{Name: "the store fails", Test: logoutFails},
	})
}

// logoutURI is the registered address of web after a logout.
const logoutURI = "https://rp.test/out"

// logout opens the sign-out page with parameters, in pairs.
func logout(browser *fixture.Browser, parameters ...string) *fixture.Answer {
	return browser.Get(signOutPath + "?" + pairs(parameters).Encode())
}

func pairs(parameters []string) url.Values {
	form := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		form.Add(parameters[i], parameters[i+1])
	}
	return form
}

// question expects the page that asks for confirmation, and returns it.
func question(t *testing.T, answer *fixture.Answer) *fixture.Answer {
	t.Helper()
	if answer.OK(); tokenOf(answer) == "" || strings.Contains(answer.Body, "You are signed out") {
		t.Fatalf("%s: got %s, want the question", answer, answer.Body)
	}
	return answer
}

// confirm presses the button of the question.
func confirm(browser *fixture.Browser, page *fixture.Answer) *fixture.Answer {
	action, form := page.Form()
	form.Set("logout", "yes")
	return browser.Post(action, form)
}

// redirected expects a redirect to exactly want.
func redirected(t *testing.T, answer *fixture.Answer, want string) {
	t.Helper()
	if answer.Status != http.StatusSeeOther || answer.Location() != want {
		t.Errorf("%s: got %d and Location %q, want 303 and %q", answer, answer.Status, answer.Location(), want)
	}
}

// checkSignedOut expects that no user is signed in to the host.
func checkSignedOut(t *testing.T, browser *fixture.Browser) {
	t.Helper()
	if page := browser.Get(signOutPath).OK(); !strings.Contains(page.Body, "You are signed out") {
		t.Errorf("%s: got %s, want a user who is signed out", page, page.Body)
	}
}

// logoutWithoutProof sends requests without an ID token: each asks, and says who asks.
func logoutWithoutProof(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, parameters := range [][]string{
		nil, {"state", "x"}, {"client_id", "web"}, {"client_id", "web", "post_logout_redirect_uri", logoutURI}, {"logout_hint", "alice"},
	} {
		page := question(t, logout(alice, parameters...))
		if named := strings.Contains(page.Body, ">Web<"); named != (len(parameters) > 0 && parameters[0] == "client_id") {
			t.Errorf("%s: got the name of the application: %v", page, named)
		}
	}
	checkSignedIn(t, s, alice)
	page := question(t, logout(alice, "client_id", "web", "post_logout_redirect_uri", logoutURI, "state", "s"))
	redirected(t, confirm(alice, page), logoutURI+"?state=s")
	if got, want := fixture.EventsOf[oauthkit.SignedOut](s.Events), (oauthkit.SignedOut{ClientID: "web", Subject: "alice"}); len(got) != 1 || got[0] != want {
		t.Errorf("got events %v, want %v", got, want)
	}
	alice.SignIn("alice") // the form of another request, and of the session before
	alice.Post(signOutPath, url.Values{"token": {tokenOf(page)}, "logout": {"yes"}}).ErrorPage(403)
	fresh := question(t, logout(alice, "client_id", "web"))
	_, form := fresh.Form()
	form.Set("client_id", "webp")
	alice.Post(signOutPath, form).ErrorPage(403)
}

// logoutElsewhere asks for redirects to addresses that are not registered.
func logoutElsewhere(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	hint := alice.Tokens(s.Web).ID
	for _, uri := range []string{
		"https://evil.test", logoutURI + "?foo=bar", logoutURI + "/", logoutURI + "#", logoutURI + "#x", "HTTPS://rp.test/out", "https://rp.test:443/out",
		"https://rp.test/cb", "//rp.test/out", "https://rp.test/out%20", "https://u@rp.test/out", "javascript:alert(1)", "data:text/html,x", logoutURI + "\r\nX: y",
	} {
		for _, proof := range [][]string{{"id_token_hint", hint}, {"client_id", "web"}, {"id_token_hint", hint, "client_id", "web"}} {
			logout(alice, append(proof, "post_logout_redirect_uri", uri, "state", "s")...).ErrorPage(400)
		}
		page := question(t, logout(alice, "post_logout_redirect_uri", uri)) // of no application: not even shown
		if strings.Contains(page.Body, "evil.test") && uri != "https://evil.test" {
			t.Errorf("%s: got %s", page, page.Body)
		}
	}
	logout(alice, "id_token_hint", hint, "post_logout_redirect_uri", logoutURI, "post_logout_redirect_uri", logoutURI).ErrorPage(400)
	checkSignedIn(t, s, alice)
	page := question(t, logout(alice, "post_logout_redirect_uri", logoutURI))
	redirected(t, confirm(alice, page), signOutPath)
}

// logoutForged sends hints that are no ID tokens of the application. The ID token of a
// neighbour provider has the same keys.
func logoutForged(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	neighbour := s.OtherProvider(fixture.Origin + "/other")
	parts := strings.Split(tokens.ID, ".")
	for _, parameters := range [][]string{
		{"id_token_hint", "x"}, {"id_token_hint", tokens.Access}, {"id_token_hint", tokens.Refresh},
		{"id_token_hint", parts[0] + "." + parts[1] + "."},
		{"id_token_hint", "eyJhbGciOiJub25lIn0." + parts[1] + "."},
		{"id_token_hint", alice.On(neighbour).Tokens(neighbour.Web).ID},
		{"id_token_hint", tokens.ID, "client_id", "webp"}, {"id_token_hint", tokens.ID, "client_id", "unknown"},
		{"id_token_hint", tokens.ID, "id_token_hint", tokens.ID},
		{"id_token_hint", strings.Repeat("x", 9000)},
	} {
		logout(alice, parameters...).ErrorPage(400)
		logout(alice, append(parameters, "post_logout_redirect_uri", logoutURI)...).ErrorPage(400)
	}
	checkSignedIn(t, s, alice)
	s.Clock.Advance(48 * 3600e9)
	// This one has expired, but it is an ID token of the application.
	redirected(t, logout(alice, "id_token_hint", tokens.ID, "post_logout_redirect_uri", logoutURI), logoutURI)
	checkSignedOut(t, alice)
}

// logoutToOther combines the proof of one application with the address of another.
func logoutToOther(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	hint := alice.Tokens(s.Web).ID
	for _, uri := range []string{"https://evil.test/out", "https://rpp.test/out"} {
		logout(alice, "id_token_hint", hint, "post_logout_redirect_uri", uri).ErrorPage(400)
		logout(alice, "client_id", "web", "post_logout_redirect_uri", uri).ErrorPage(400)
	}
	checkSignedIn(t, s, alice)
}

// logoutOfOther sends the ID token of another user. Alice decides.
func logoutOfOther(t *testing.T, s *fixture.Server) {
	alice, bob := s.Browser("alice"), s.Browser("bob")
	hint := bob.Tokens(s.Web).ID
	page := question(t, logout(alice, "id_token_hint", hint, "post_logout_redirect_uri", logoutURI))
	checkSignedIn(t, s, alice)
	if !strings.Contains(page.Body, "Alice Example") || strings.Contains(page.Body, "Bob") {
		t.Errorf("%s: got %s, want a question about alice", page, page.Body)
	}
	redirected(t, confirm(alice, page), logoutURI)
	checkSignedOut(t, alice)
	bob.Authorize(s.Web.AuthorizeRequest("prompt=none")).Code()
}

// logoutOfOtherSession sends the ID token of alice's phone, and that of a session that
// is over.
func logoutOfOtherSession(t *testing.T, s *fixture.Server) {
	alice, phone := s.Browser("alice"), s.Browser("alice")
	other, before := phone.Tokens(s.Web).ID, alice.Tokens(s.Web).ID
	alice.SignIn("alice")
	question(t, logout(alice, "id_token_hint", other, "post_logout_redirect_uri", logoutURI))
	question(t, logout(alice, "id_token_hint", before, "post_logout_redirect_uri", logoutURI))
	checkSignedIn(t, s, alice)
	checkSignedIn(t, s, phone)
}

// logoutState expects the state back unchanged, and none if there was none.
func logoutState(t *testing.T, s *fixture.Server) {
	for _, state := range []string{`"><script>`, "a b&c=d#e%20", "ü", ""} {
		alice := s.Browser("alice")
		answer := logout(alice, "id_token_hint", alice.Tokens(s.Web).ID, "post_logout_redirect_uri", logoutURI, "state", state)
		location, err := url.Parse(answer.Location())
		if err != nil || answer.Status != http.StatusSeeOther || location.Query().Get("state") != state || location.Query().Has("state") != (state != "") {
			t.Errorf("%s: got %d and Location %q, want the state %q", answer, answer.Status, answer.Location(), state)
		}
	}
	alice := s.Browser("alice")
	logout(alice, "id_token_hint", alice.Tokens(s.Web).ID, "state", strings.Repeat("x", 5000)).ErrorPage(400)
	page := question(t, logout(alice, "client_id", "web", "state", `"><script>alert(1)</script>`))
	if strings.Contains(page.Body, "<script") {
		t.Errorf("%s: got %s, want an escaped state", page, page.Body)
	}
}

// logoutSchemes registers addresses that would run a script.
func logoutSchemes(t *testing.T, s *fixture.Server) {
	for _, uri := range []string{"javascript:alert(1)", "data:text/html,x", "vbscript:x", "javascript://rp.test/%0aalert(1)", "http://rp.test/out", "file:///etc/passwd"} {
		app := leaver("leaver")
		app.PostLogoutRedirectURIs = oauthkit.URIs{uri}
		if _, err := s.Register(app); err == nil {
			t.Errorf("%s: got no error as post_logout_redirect_uri", uri)
		}
		planted := s.AddUnchecked(app)
		logout(s.Browser("alice"), "client_id", planted.ID, "post_logout_redirect_uri", uri).ErrorPage(400)
	}
}

// leaver returns an application of the operator with addresses for logouts.
func leaver(id string) *oauthkit.AbstractApplication {
	return &oauthkit.AbstractApplication{
		ClientID: id, Name: "Leaver " + id, ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"openid", "offline_access", "api:read"},
		GrantTypes: oauthkit.GrantTypes{"authorization_code", "refresh_token"}, RedirectURIs: oauthkit.URIs{"https://" + id + ".test/cb"},
		PostLogoutRedirectURIs: oauthkit.URIs{"https://" + id + ".test/out"},
	}
}

// logoutEffect expects that nothing of the session is left, also for a thief with its
// cookies, and that a pending code is not redeemed.
func logoutEffect(t *testing.T, s *fixture.Server) {
	alice, thief := s.Browser("alice"), s.Browser("")
	tokens := alice.Tokens(s.Web)
	pending := alice.Authorize(s.Web.AuthorizeRequest()).Code()
	copied := alice.Cookies()
	redirected(t, logout(alice, "id_token_hint", tokens.ID, "post_logout_redirect_uri", logoutURI, "state", "s"), logoutURI+"?state=s")
	for _, cookie := range copied {
		thief.SetCookie(cookie)
	}
	for _, browser := range []*fixture.Browser{alice, thief} {
		browser.Authorize(s.Web.AuthorizeRequest("prompt=none")).Refused("login_required")
		checkSignedOut(t, browser)
	}
	s.RS.Introspect(tokens.Access).Inactive()
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	s.Web.Redeem(pending).ErrorJSON(400, "invalid_grant")
	alice.SignIn("alice")
	again := alice.Tokens(s.Web)
	s.RS.Introspect(again.Access).Active()
	question(t, logout(alice, "id_token_hint", tokens.ID)) // the ID token of the session before
}

// logoutUnanswered signs alice out without the answer that deletes the library's cookie,
// as if the network failed. In a host without session ids, that cookie is the session,
// which has ended. Alice signs in once more, and has another one.
func logoutUnanswered(t *testing.T, s *fixture.Server) {
	s.Users.OmitSessionIDs()
	alice := s.Browser("alice")
	tokens, before := alice.Tokens(s.Web), alice.Cookies()
	logout(alice, "id_token_hint", tokens.ID)
	for _, cookie := range before {
		alice.SetCookie(cookie)
	}
	alice.SignIn("alice")
	waiting := alice.Authorize(s.Web.AuthorizeRequest())
	s.Clock.Advance(time.Second)
	alice.SignIn("alice")
	alice.ReturnFromLogin(waiting).Code()
	s.RS.Introspect(alice.Tokens(s.Web).Access).Active()

	for _, cookie := range before {
		alice.SetCookie(cookie)
	}
	alice.SignIn("alice")
	silent := alice.Authorize(s.Web.AuthorizeRequest("prompt=none"))
	if !strings.Contains(silent.Location(), "error=login_required") {
		t.Errorf("%s: got Location %q, want login_required", silent, silent.Location())
	}
	alice.Authorize(s.Web.AuthorizeRequest("prompt=none")).Code()
}

// logoutByHost calls the function for a host that has its own sign-out.
func logoutByHost(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	page := alice.Open(s.WebPost.AuthorizeRequest()).Consent()
	request := fixture.NewRequest(http.MethodPost, "/", nil)
	for _, cookie := range alice.Cookies() {
		request.AddCookie(cookie)
	}
	recorder := newRecorder()
	if err := s.Handler.EndSession(recorder, request); err != nil {
		t.Fatal(err)
	}
	if set := recorder.Header().Get("Set-Cookie"); !strings.Contains(set, "Max-Age=0") || recorder.written {
		t.Errorf("got Set-Cookie %q, want the library's cookie deleted, and no response", set)
	}
	s.RS.Introspect(tokens.Access).Inactive()
	s.Web.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
	alice.Decide(page, "allow").ErrorPage(404)
	if ended := fixture.EventsOf[oauthkit.SessionEnded](s.Events); len(ended) != 1 || ended[0].Clients != 1 {
		t.Errorf("got events %v, want the end of a session with one application", ended)
	}
	s.Users.Fail(errors.New("the session store is down"))
	if err := s.Handler.EndSession(newRecorder(), request); err == nil {
		t.Error("got no error although the user is unknown")
	}
	s.Users.Fail(nil)
	if err := s.Handler.EndSession(newRecorder(), fixture.NewRequest(http.MethodPost, "/", nil)); err != nil {
		t.Errorf("got %v without a user, want nil", err)
	}
}

// recorder is a response of the host, in which the library may set only headers.
type recorder struct {
	header  http.Header
	written bool
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) Write(body []byte) (int, error) {
	r.written = true
	return len(body), nil
}

func (r *recorder) WriteHeader(int) { r.written = true }

// logoutTwice signs alice out by two applications, one after the other.
func logoutTwice(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	web, webp := alice.Tokens(s.Web).ID, alice.Tokens(s.WebPost).ID
	redirected(t, logout(alice, "id_token_hint", web, "post_logout_redirect_uri", logoutURI), logoutURI)
	redirected(t, logout(alice, "id_token_hint", webp, "post_logout_redirect_uri", "https://rpp.test/out", "state", "2"), "https://rpp.test/out?state=2")
	if events := fixture.EventsOf[oauthkit.SignedOut](s.Events); len(events) != 1 {
		t.Errorf("got events %v, want one sign-out", events)
	}
}

// logoutByPost posts requests as pages of other sites do. Browsers send no SameSite=Lax
// cookies with them, so they are repeated as GET.
func logoutByPost(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	hint := alice.Tokens(s.Web).ID
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}, {"Origin": "null"}} {
		post := func(form url.Values) *fixture.Answer {
			request := fixture.NewRequest(http.MethodPost, signOutPath, form)
			for name, value := range header {
				request.Header.Set(name, value)
			}
			return alice.Do(request)
		}
		repeated := post(url.Values{"client_id": {"web"}})
		redirected(t, repeated, signOutPath+"?client_id=web")
		question(t, alice.Get(repeated.Location()))
		post(url.Values{"token": {tokenOf(alice.Get(signOutPath))}}).ErrorPage(403)
		post(url.Values{"logout": {"yes"}, "id_token_hint": {hint}}).ErrorPage(403)
	}
	checkSignedIn(t, s, alice)
	request := fixture.NewRequest(http.MethodPost, signOutPath, url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {logoutURI}, "state": {"s"}})
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	repeated := alice.Do(request)
	if repeated.Status != http.StatusSeeOther || !strings.HasPrefix(repeated.Location(), signOutPath+"?") {
		t.Fatalf("%s: got %d and %q, want the same request as GET", repeated, repeated.Status, repeated.Location())
	}
	redirected(t, alice.Get(repeated.Location()), logoutURI+"?state=s")
	checkSignedOut(t, alice)
	both := fixture.NewRequest(http.MethodPost, signOutPath+"?client_id=web", url.Values{"client_id": {"web"}})
	alice.Do(both).ErrorPage(400)
}

// logoutTokens signs out and looks at the tokens with and without offline_access.
func logoutTokens(t *testing.T, s *fixture.Server, offlineKept, onlineKept bool) {
	alice := s.Browser("alice")
	online, offline := alice.Tokens(s.Web), alice.Tokens(s.WebPost, "scope=openid api:read offline_access")
	redirected(t, logout(alice, "id_token_hint", online.ID, "post_logout_redirect_uri", logoutURI), logoutURI)
	check := func(client *fixture.Client, tokens fixture.Tokens, kept bool) {
		if !kept {
			client.Refresh(tokens.Refresh).ErrorJSON(400, "invalid_grant")
			s.RS.Introspect(tokens.Access).Inactive()
			return
		}
		s.RS.Introspect(tokens.Access).Active()
		refreshed := client.Refresh(tokens.Refresh).Tokens()
		alice.SignIn("alice") // the refreshed ID token belongs to no session
		question(t, logout(alice, "id_token_hint", refreshed.ID))
	}
	check(s.Web, online, onlineKept)
	check(s.WebPost, offline, offlineKept)
}

// logoutRedirector uses an application that mallory registered to send people to her
// address by a link to this site. They get a page with a link, unless they use it.
func logoutRedirector(t *testing.T, s *fixture.Server) {
	const uri = "https://evil.test/out"
	mallory, visitor, alice := s.Browser("mallory"), s.Browser(""), s.Browser("alice")
	hint := mallory.Tokens(s.Evil).ID
	for _, proof := range [][]string{{"client_id", "evil"}, {"id_token_hint", hint}, {"id_token_hint", hint, "client_id", "evil"}} {
		page := logout(visitor, append(proof, "post_logout_redirect_uri", uri, "state", "s")...).OK()
		if !strings.Contains(page.Body, `href="`+uri+`?state=s"`) || !strings.Contains(page.Body, "evil.test</bdi>") || page.Header.Get("Refresh") != "" {
			t.Errorf("%s: got %s, want a page with a link that names the host", page, page.Body)
		}
		question(t, logout(alice, append(proof, "post_logout_redirect_uri", uri)...))
	}
	after := confirm(alice, question(t, logout(alice, "client_id", "evil", "post_logout_redirect_uri", uri)))
	if after.Status != http.StatusSeeOther || !strings.HasPrefix(after.Location(), signOutPath+"?") {
		t.Errorf("%s: got %d and %q, want the page with a link", after, after.Status, after.Location())
	}
	if page := alice.Get(after.Location()).OK(); !strings.Contains(page.Body, `href="`+uri+`"`) {
		t.Errorf("%s: got %s, want a link", page, page.Body)
	}
	alice.SignIn("alice")
	redirected(t, logout(alice, "id_token_hint", alice.Tokens(s.Evil).ID, "post_logout_redirect_uri", uri), uri)
}

// logoutFails expects that a failure of the store is never taken for a sign-out.
func logoutFails(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	tokens := alice.Tokens(s.Web)
	parameters := []string{"id_token_hint", tokens.ID, "post_logout_redirect_uri", logoutURI}
	s.Store.ClearCalls()
	s.Store.Fail(1) // the application
	logout(alice, parameters...).Unavailable()
	s.Store.Fail(2) // the end of the session
	logout(alice, parameters...).Unavailable()
	s.Store.Heal()
	checkSignedIn(t, s, alice)
	s.RS.Introspect(tokens.Access).Active()
	redirected(t, logout(alice, parameters...), logoutURI)
}

// TestFrontChannelLogout tests the page that tells applications in the browser (OpenID
// Connect Front-Channel Logout 1.0).
func TestFrontChannelLogout(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "L-12 frames", Test: logoutFrames},
		{Name: "L-12 addresses that no frame may have", Test: logoutBadFrames},
		{Name: "L-12 as many frames as allowed", Test: logoutManyFrames},
		{Name: "L-12 without front-channel logout", ConfigureHandler: func(config *oauthhttp.Config) { config.SignOut = nil }, Test: noLogout},
	})
}

// framed returns an application with an address for frames.
func framed(id, uri string) *oauthkit.AbstractApplication {
	app := leaver(id)
	app.FrontChannelLogoutURI = uri
	return app
}

// addClient adds an application of the operator.
func addClient(t *testing.T, s *fixture.Server, app *oauthkit.AbstractApplication) *fixture.Client {
	t.Helper()
	client, err := s.Register(app)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// logoutFrames expects frames of the applications of this session only, with the issuer
// and the sid, and no state or token.
func logoutFrames(t *testing.T, s *fixture.Server) {
	one := addClient(t, s, framed("one", "https://one.test/front?x=1"))
	two := addClient(t, s, framed("two", "https://two.test/front"))
	addClient(t, s, framed("three", "https://three.test/front"))
	alice, phone := s.Browser("alice"), s.Browser("alice")
	hint := alice.Tokens(one).ID
	alice.Tokens(two)
	other := phone.Tokens(two)
	page := logout(alice, "id_token_hint", hint, "post_logout_redirect_uri", "https://one.test/out", "state", "secret-state").OK()
	ended := fixture.EventsOf[oauthkit.SessionEnded](s.Events)
	query := strings.ReplaceAll(url.Values{"iss": {fixture.Issuer}, "sid": {ended[0].SessionID}}.Encode(), "&", "&amp;")
	for _, frame := range []string{"https://one.test/front?x=1&amp;" + query, "https://two.test/front?" + query} {
		if !strings.Contains(page.Body, `<iframe src="`+frame+`"`) {
			t.Errorf("%s: got %s, want a frame %s", page, page.Body, frame)
		}
	}
	if strings.Count(page.Body, "<iframe") != 2 || strings.Contains(page.Body, hint) {
		t.Errorf("%s: got %s, want two frames and no ID token", page, page.Body)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src https://one.test https://two.test; ") {
		t.Errorf("%s: got policy %q, want exactly two origins of frames", page, policy)
	}
	if got, want := page.Header.Get("Refresh"), "5;url=https://one.test/out?state=secret-state"; got != want {
		t.Errorf("%s: got Refresh %q, want %q", page, got, want)
	}
	checkSignedOut(t, alice)
	two.Refresh(other.Refresh).Tokens()
}

// logoutBadFrames expects no frame for addresses that reached the store without a check.
func logoutBadFrames(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	for _, uri := range []string{
		"javascript:alert(1)", "data:text/html,x", "//one.test/front", "/o/logout", "http://one.test/front", "https://one.test;script-src https://evil.test/x",
		"https://user@one.test/front", "https://one.test/front#x", "https://*/x", "one.test/front", "com.example.app:/front",
	} {
		alice.SignIn("alice")
		client := s.AddUnchecked(framed("one", uri))
		answer := logout(alice, "id_token_hint", alice.Tokens(client).ID)
		if answer.Status != http.StatusSeeOther || answer.Location() != signOutPath {
			t.Errorf("%s: got %d, %q for %s, want no frame", answer, answer.Status, answer.Location(), uri)
		}
	}
}

// logoutManyFrames uses more applications than a page has frames for.
func logoutManyFrames(t *testing.T, s *fixture.Server) {
	alice := s.Browser("alice")
	var hint string
	for _, name := range "abcdefghijklmnopqrstuvw" {
		client := addClient(t, s, framed("app-"+string(name), "https://app-"+string(name)+".test/front"))
		hint = alice.Tokens(client).ID
	}
	page := logout(alice, "id_token_hint", hint).OK()
	if got := strings.Count(page.Body, "<iframe"); got != 20 {
		t.Errorf("%s: got %d frames, want 20", page, got)
	}
}

// noLogout expects no endpoint and no metadata in a host without a sign-out.
func noLogout(t *testing.T, s *fixture.Server) {
	document := s.Browser("").Get("/o/.well-known/openid-configuration").OK().Members()
	for _, member := range []string{"end_session_endpoint", "frontchannel_logout_supported", "frontchannel_logout_session_supported", "check_session_iframe"} {
		if document[member] != nil {
			t.Errorf("got %s %v, want none", member, document[member])
		}
	}
	s.Browser("alice").Get(signOutPath + "?client_id=web").ErrorPage(404)
}
