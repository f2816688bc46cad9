package consent_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/examples/extensions/consent"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// site is a provider with the applications tv and radio.
type site struct {
	*testing.T
	issuer  string
	secrets map[string]string
	now     time.Time
}

func newSite(t *testing.T) *site {
	s := &site{T: t, secrets: map[string]string{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	store := memstore.New()
	for _, id := range []string{"tv", "radio"} {
		app := &oauthkit.AbstractApplication{
			ClientID: id, Name: id, ClientType: oauthkit.Confidential,
			GrantTypes: oauthkit.GrantTypes{consent.GrantType, oauth2.Refreshing}, Scopes: oauthkit.Scopes{"read", "write"},
		}
		s.secrets[id] = app.GenerateSecret()
		if err := store.CreateApplication(t.Context(), app, s.now); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	s.issuer = server.URL + "/o"
	provider, err := oauthkit.New(s.issuer, store, oauthkit.Config{
		Grants: append(grants.Standard(store), consent.New(store)), Scopes: oauthkit.StaticScopes{"read": "read", "write": "write"},
		Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler, err = oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(r *http.Request) (*oauthkit.User, error) {
			user, session, _ := r.BasicAuth() // in place of a cookie
			return &oauthkit.User{Subject: user, SessionID: session}, nil
		},
		UserChoosesScopes: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post sends a form as the application id and returns the members of the response.
func (s *site) post(id, path string, form url.Values) map[string]any {
	s.Helper()
	request, err := http.NewRequest(http.MethodPost, s.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, s.secrets[id])
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	members := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&members); err != nil {
		s.Fatal(err)
	}
	return members
}

// begin begins a request and returns the device's credential and the user's code.
func (s *site) begin() (credential, userCode string) {
	s.Helper()
	begun := s.post("tv", "/device_request", url.Values{"scope": {"read write"}})
	if begun["verification_uri"] != s.issuer+"/device" || begun["expires_in"] != 600.0 {
		s.Fatalf("got %v, want a code for the user", begun)
	}
	return begun["credential"].(string), begun["user_code"].(string)
}

// redeem sends the token request of an application.
func (s *site) redeem(id, credential string) map[string]any {
	s.Helper()
	return s.post(id, "/token", url.Values{"grant_type": {string(consent.GrantType)}, "credential": {credential}})
}

// browser is a browser in which a user is signed in.
type browser struct {
	*site
	client        *http.Client
	user, session string
}

func (s *site) browser(user, session string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, user, session}
}

// page is a page, or a redirect, that a browser got.
type page struct {
	status   int
	location string
	text     string
	fields   url.Values // hidden fields
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	markup = regexp.MustCompile(`<[^>]*>`)
)

// do sends a request, with a form unless it is nil.
func (b *browser) do(path string, form url.Values) page {
	b.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	address, _ := url.Parse(b.issuer)
	request, err := http.NewRequest(method, address.ResolveReference(&url.URL{Path: path}).String(), strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.SetBasicAuth(b.user, b.session)
	response, err := b.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	var body strings.Builder
	if err := response.Write(&body); err != nil {
		b.Fatal(err)
	}
	got := page{response.StatusCode, response.Header.Get("Location"), markup.ReplaceAllString(body.String(), " "), url.Values{}}
	for _, field := range hidden.FindAllStringSubmatch(body.String(), -1) {
		got.fields.Set(field[1], field[2])
	}
	return got
}

// enter enters the code and returns the address of the consent page.
func (b *browser) enter(userCode string) (path string) {
	b.Helper()
	form := b.do("/o/device", nil).fields
	form.Set("user_code", userCode)
	answer := b.do("/o/device", form)
	if answer.status != http.StatusSeeOther || !strings.HasPrefix(answer.location, "/o/device/") {
		b.Fatalf("got %d to %q: %s; want the consent page", answer.status, answer.location, answer.text)
	}
	return answer.location
}

// decision returns the form of the consent page with a decision.
func (p page) decision(decision string, scopes ...string) url.Values {
	form := url.Values{"decision": {decision}, "scope": scopes}
	for name, values := range p.fields {
		form[name] = values
	}
	return form
}

func TestApprove(t *testing.T) {
	s := newSite(t)
	credential, userCode := s.begin()
	if got := s.redeem("tv", credential); got["error"] != "authorization_pending" {
		t.Errorf("got %v before the decision, want authorization_pending", got)
	}
	alice := s.browser("alice", "1")
	path := alice.enter(strings.ToLower(userCode))
	shown := alice.do(path, nil)
	for _, want := range []string{"You entered the code " + userCode, "tv", "alice", "write", "Allow"} {
		if !strings.Contains(shown.text, want) {
			t.Errorf("got a page without %q:\n%s", want, shown.text)
		}
	}
	for _, without := range []string{"an app on this device", "Answer goes to", "you go back to"} {
		if strings.Contains(shown.text, without) {
			t.Errorf("got a page with %q, want one that names no recipient:\n%s", without, shown.text)
		}
	}
	if got := alice.do(path, shown.decision("allow")); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, "Choose at least one") {
		t.Errorf("got %d without a scope: %s; want the page again", got.status, got.text)
	}
	if got := alice.do(path, shown.decision("allow", "read")); got.status != http.StatusOK || !strings.Contains(got.text, "Your device is connected") {
		t.Errorf("got %d: %s; want a connected device", got.status, got.text)
	}
	if got := alice.do(path, shown.decision("allow", "read")); got.status != http.StatusBadRequest {
		t.Errorf("got %d for a second answer, want 400", got.status)
	}
	if got := s.redeem("radio", credential); got["error"] != "invalid_grant" {
		t.Errorf("got %v for another application, want invalid_grant", got)
	}
	tokens := s.redeem("tv", credential)
	if tokens["scope"] != "read" || tokens["access_token"] == nil || tokens["refresh_token"] == nil {
		t.Fatalf("got %v, want tokens with the scope read", tokens)
	}
	if got := s.redeem("tv", credential); got["error"] != "invalid_grant" {
		t.Errorf("got %v for a replay, want invalid_grant", got)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}
	if got := s.post("tv", "/token", refresh); got["error"] != "invalid_grant" {
		t.Errorf("got %v after a replay, want the tokens revoked", got)
	}
}

func TestDeny(t *testing.T) {
	s := newSite(t)
	credential, userCode := s.begin()
	alice := s.browser("alice", "1")
	path := alice.enter(userCode)
	got := alice.do(path, alice.do(path, nil).decision("deny"))
	if got.status != http.StatusOK || !strings.Contains(got.text, "Your device is not connected") {
		t.Errorf("got %d: %s; want a device that is not connected", got.status, got.text)
	}
	if got := s.redeem("tv", credential); got["error"] != "access_denied" {
		t.Errorf("got %v, want access_denied", got)
	}
	form := alice.do("/o/device", nil).fields
	form.Set("user_code", userCode)
	if got := alice.do("/o/device", form); got.status != http.StatusUnprocessableEntity {
		t.Errorf("got %d for the code of a denied request, want 422", got.status)
	}
}

// TestAskedForEachDevice connects a second device. The user is asked although they have
// allowed the same, because the code may be from the device of a stranger.
func TestAskedForEachDevice(t *testing.T) {
	s := newSite(t)
	alice := s.browser("alice", "1")
	_, userCode := s.begin()
	path := alice.enter(userCode)
	alice.do(path, alice.do(path, nil).decision("allow", "read", "write"))
	credential, userCode := s.begin()
	if got := alice.do(alice.enter(userCode), nil); !strings.Contains(got.text, "You entered the code "+userCode) {
		t.Errorf("got %d: %s; want the question", got.status, got.text)
	}
	if got := s.redeem("tv", credential); got["error"] != "authorization_pending" {
		t.Errorf("got %v, want authorization_pending", got)
	}
}

// TestOthersCannotAnswer sends the form that alice was shown in another way.
func TestOthersCannotAnswer(t *testing.T) {
	s := newSite(t)
	credential, userCode := s.begin()
	alice := s.browser("alice", "1")
	path := alice.enter(userCode)
	form := alice.do(path, nil).decision("allow", "read")
	bob, elsewhere, later := s.browser("bob", "1"), s.browser("alice", "1"), *alice
	bob.client, later.session = alice.client, "2"
	_, other := s.begin()
	otherPath := alice.enter(other)
	for name, send := range map[string]func() page{
		"another user":    func() page { return bob.do(path, form) },
		"another browser": func() page { return elsewhere.do(path, form) },
		"another session": func() page { return later.do(path, form) },
		"another request": func() page { return alice.do(otherPath, form) },
		"no token":        func() page { return alice.do(path, url.Values{"decision": {"allow"}, "scope": {"read"}}) },
		"another scope": func() page {
			form := url.Values{"token": form["token"], "decision": {"allow"}, "scope": {"admin"}}
			return alice.do(path, form)
		},
		"a link of another user": func() page { return bob.do(path, nil) },
		"no decision":            func() page { return alice.do(path, url.Values{"decision": {"maybe"}, "token": form["token"]}) },
	} {
		if got := send(); got.status != http.StatusForbidden && got.status != http.StatusBadRequest {
			t.Errorf("%s: got %d: %s; want a refusal", name, got.status, got.text)
		}
	}
	s.now = s.now.Add(10 * time.Minute)
	if got := alice.do(path, form); got.status != http.StatusBadRequest {
		t.Errorf("got %d for an expired request, want 400", got.status)
	}
	if got := s.redeem("tv", credential); got["error"] != "invalid_grant" {
		t.Errorf("got %v, want no tokens", got)
	}
}
