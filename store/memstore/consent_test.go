package memstore_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/memstore"
)

const callback = "https://client.example/callback"

// consentScene is a provider with one application and one user.
type consentScene struct {
	*testing.T
	store    *memstore.Store
	provider *oauthkit.Provider
	user     *oauthkit.User
	now      time.Time // the clock
}

// newConsentScene returns a consentScene after change, if not nil, has modified the
// configuration and the application.
func newConsentScene(t *testing.T, change func(*oauthkit.Config, *oauthkit.AbstractApplication)) *consentScene {
	t.Helper()
	store := memstore.New()
	s := &consentScene{T: t, store: store, user: &oauthkit.User{Subject: "alice"}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	app := &oauthkit.AbstractApplication{
		ClientID: "client", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{callback}, Scopes: oauthkit.Scopes{"basic", "read", "write"},
	}
	config := oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"basic": "your name", "read": "read all", "write": "change all"},
		Now:    func() time.Time { return s.now },
	}
	if change != nil {
		change(&config, app)
	}
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.provider, err = oauthkit.New("https://example.com/o", store, config); err != nil {
		t.Fatal(err)
	}
	return s
}

// request returns an authorization request for scopes, with a redirect URI, for some
// APIs or all.
func (s *consentScene) request(scope, redirectURI string, resources ...string) *oauthkit.AuthorizeRequest {
	s.Helper()
	request, err := s.provider.NewAuthorizeRequest(s.Context(), url.Values{
		"client_id": {"client"}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {scope}, "resource": resources,
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err != nil {
		s.Fatal(err)
	}
	return request
}

// remembers reports whether a request needs no consent page.
func (s *consentScene) remembers(request *oauthkit.AuthorizeRequest) bool {
	s.Helper()
	_, enough, err := s.provider.RememberedConsent(s.Context(), &request.ConsentRequest, s.user)
	if err != nil {
		s.Fatal(err)
	}
	return enough
}

// opens saves an interaction for a request and returns the request with the Decision of
// a consent page.
func (s *consentScene) opens(scope string, resources ...string) (*oauthkit.AuthorizeRequest, oauthkit.Decision) {
	s.Helper()
	request := s.request(scope, callback, resources...)
	interaction := &oauthkit.Interaction{Hash: secret.NewID(), CreatedAt: request.Now, ExpiresAt: request.Now.Add(time.Hour)}
	if err := s.store.SaveInteraction(s.Context(), interaction, 10); err != nil {
		s.Fatal(err)
	}
	consent, _, err := s.provider.RememberedConsent(s.Context(), &request.ConsentRequest, s.user)
	if err != nil {
		s.Fatal(err)
	}
	return request, oauthkit.Decision{Consent: consent, InteractionHash: interaction.Hash}
}

// allows approves a request and returns the Consent stored afterwards.
func (s *consentScene) allows(request *oauthkit.AuthorizeRequest, decision oauthkit.Decision) *oauthkit.Consent {
	s.Helper()
	decision.Given = true
	response, err := s.provider.Respond(s.Context(), request, s.user, decision)
	if err != nil || response.Get("code") == "" {
		s.Fatalf("Approve: got %v, %v, want a code", response, err)
	}
	interaction, err := s.store.Interaction(s.Context(), decision.InteractionHash)
	if err != nil || interaction.ConsumedAt.IsZero() {
		s.Errorf("got %+v, %v, want the interaction consumed", interaction, err)
	}
	consent, err := s.store.Consent(s.Context(), "client", "alice")
	if err != nil {
		s.Fatal(err)
	}
	return consent
}

func (s *consentScene) revokes() {
	s.Helper()
	if _, err := s.store.RevokeConsent(s.Context(), "client", "alice", oauthkit.Revocation{Now: s.provider.Now()}); err != nil {
		s.Fatal(err)
	}
}

func TestConsentIsWidened(t *testing.T) {
	s := newConsentScene(t, nil)
	first := s.allows(s.opens("read write"))
	second := s.allows(s.opens("basic"))
	if want := (oauthkit.Scopes{"read", "write", "basic"}); !slices.Equal(second.Scopes, want) || second.ID != first.ID {
		t.Errorf("got %q under %s, want %q under %s", second.Scopes, second.ID, want, first.ID)
	}
}

// TestWithdrawnConsentStaysWithdrawn has a consent page open while the Consent is
// revoked in another tab. Its approval applies to the scopes that it showed and
// restores no others.
func TestWithdrawnConsentStaysWithdrawn(t *testing.T) {
	s := newConsentScene(t, nil)
	first := s.allows(s.opens("read write"))
	request, decision := s.opens("basic")
	s.revokes()
	second := s.allows(request, decision)
	if want := (oauthkit.Scopes{"basic"}); !slices.Equal(second.Scopes, want) || second.ID == first.ID {
		t.Errorf("got %q under %s, want %q under another ID than %s", second.Scopes, second.ID, want, first.ID)
	}
}

// TestWithdrawnConsentIsNotRemembered revokes the Consent during a request without a
// consent page.
func TestWithdrawnConsentIsNotRemembered(t *testing.T) {
	s := newConsentScene(t, nil)
	s.allows(s.opens("read write"))
	request, decision := s.opens("read")
	s.revokes()
	if _, err := s.provider.Respond(t.Context(), request, s.user, decision); !errors.Is(err, oauthkit.ErrRevoked) {
		t.Errorf("got %v, want ErrRevoked", err)
	}
	if _, err := s.store.Consent(t.Context(), "client", "alice"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("Consent: got %v, want ErrNotFound", err)
	}
	interaction, err := s.store.Interaction(t.Context(), decision.InteractionHash)
	if err != nil || !interaction.ConsumedAt.IsZero() {
		t.Errorf("got %+v, %v, want the interaction open", interaction, err)
	}
}

func TestExpiredConsentStaysExpired(t *testing.T) {
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.ConsentLifetime = time.Hour })
	s.allows(s.opens("read write"))
	if !s.remembers(s.request("write", callback)) {
		t.Error("got asked again at once, want consent remembered")
	}
	s.now = s.now.Add(2 * time.Hour)
	if s.remembers(s.request("read", callback)) {
		t.Error("got no question two hours later, want consent expired")
	}
	s.allows(s.opens("read"))
	if !s.remembers(s.request("read", callback)) || s.remembers(s.request("write", callback)) {
		t.Error("expired scopes are remembered together with newly approved ones")
	}
}

// TestSkippedConsentNeedsIdentity is RFC 8252 §8.6: any program on the device can
// listen on a loopback address.
func TestSkippedConsentNeedsIdentity(t *testing.T) {
	const loopback = "http://127.0.0.1/callback"
	s := newConsentScene(t, func(_ *oauthkit.Config, app *oauthkit.AbstractApplication) {
		app.ClientType, app.SkipAuthorization, app.RedirectURIs = oauthkit.Public, true, oauthkit.URIs{callback, loopback}
	})
	if !s.remembers(s.request("read", callback)) {
		t.Error("got a question for a trusted application at its own address")
	}
	if s.remembers(s.request("read", loopback)) {
		t.Error("got no consent page for a loopback address")
	}
}

// TestConsentOfEachAPI approves scopes for several APIs in turn. Each approval is
// remembered separately.
func TestConsentOfEachAPI(t *testing.T) {
	const a, b = "https://a.test", "https://b.test"
	type asked struct {
		scope     string
		resources []string
	}
	all := []asked{
		{"read", nil}, {"read", []string{a}}, {"read", []string{b}}, {"read", []string{b, a}},
		{"basic", nil}, {"basic", []string{a}}, {"basic", []string{b}}, {"read basic", []string{a}},
	}
	for name, test := range map[string]struct {
		approved   []asked
		remembered []int // of all
	}{
		"nothing":                    {nil, nil},
		"one after the other":        {[]asked{all[1], all[2]}, []int{1, 2, 3}},
		"both at once":               {[]asked{all[3]}, []int{1, 2, 3}},
		"other scopes for the other": {[]asked{all[1], all[6]}, []int{1, 6}},
		"every API":                  {[]asked{all[0]}, []int{0, 1, 2, 3}},
		"every API, then one more":   {[]asked{all[0], all[5]}, []int{0, 1, 2, 3, 5, 7}},
		"one, then every API":        {[]asked{all[1], all[4]}, []int{1, 4, 5, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.Resources = []string{a, b} })
			for _, one := range test.approved {
				s.allows(s.opens(one.scope, one.resources...))
			}
			for i, one := range all {
				if got, want := s.remembers(s.request(one.scope, callback, one.resources...)), slices.Contains(test.remembered, i); got != want {
					t.Errorf("%v: got remembered %t, want %t", one, got, want)
				}
			}
		})
	}
}

// TestConsentKeepsItsEnd shows that approving other scopes does not extend the expiry
// of scopes that the page did not show.
func TestConsentKeepsItsEnd(t *testing.T) {
	const day = 24 * time.Hour
	s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) { config.ConsentLifetime = 90 * day })
	s.allows(s.opens("read"))
	s.now = s.now.Add(89 * day)
	s.allows(s.opens("basic"))
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten before its end")
	}
	s.now = s.now.Add(2 * day)
	if s.remembers(s.request("read", callback)) {
		t.Error("scopes last shown 91 days ago are remembered")
	}
	s.allows(s.opens("read basic"))
	s.now = s.now.Add(89 * day)
	if !s.remembers(s.request("read basic", callback)) {
		t.Error("got it forgotten, want 90 days from when all of it was shown")
	}
}

// TestConsentForAPIsKeepsItsEnd is TestConsentKeepsItsEnd with scopes of one API.
func TestConsentForAPIsKeepsItsEnd(t *testing.T) {
	const day, a, b = 24 * time.Hour, "https://a.test", "https://b.test"
	for name, test := range map[string]struct {
		resources []string
		want      bool // read at a is remembered for another 90 days
	}{"the same": {[]string{a}, true}, "both": {[]string{b, a}, true}, "another": {[]string{b}, false}, "every API": {nil, true}} {
		t.Run(name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
				config.ConsentLifetime, config.Resources = 90*day, []string{a, b}
			})
			s.allows(s.opens("read", a))
			s.now = s.now.Add(89 * day)
			s.allows(s.opens("read basic", test.resources...))
			s.now = s.now.Add(2 * day)
			if got := s.remembers(s.request("read", callback, a)); got != test.want {
				t.Errorf("got remembered %t, want %t", got, test.want)
			}
		})
	}
}

// asks parses an authorization request with this approval_prompt, or without one if it
// is empty.
func (s *consentScene) asks(approvalPrompt string) (*oauthkit.AuthorizeRequest, error) {
	s.Helper()
	form := url.Values{
		"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	if approvalPrompt != "" {
		form.Set("approval_prompt", approvalPrompt)
	}
	return s.provider.NewAuthorizeRequest(s.Context(), form)
}

func TestApprovalPrompt(t *testing.T) {
	tests := []struct {
		name       string
		configured oauthkit.ApprovalPrompt
		sent       string
		askConsent bool // prompt=consent
		trusted    bool
		remembers  bool
	}{
		{name: "nothing said", remembers: true},
		{name: "auto", sent: "auto", remembers: true},
		{name: "force", sent: "force"},
		{name: "force by default", configured: oauthkit.ApprovalForce},
		{name: "auto against the default", configured: oauthkit.ApprovalForce, sent: "auto", remembers: true},
		{name: "prompt=consent beats auto", sent: "auto", askConsent: true},
		{name: "a trusted application is not asked for", sent: "force", trusted: true, remembers: true},
		{name: "nor by default", configured: oauthkit.ApprovalForce, trusted: true, remembers: true},
		{name: "prompt=consent beats trust", trusted: true, askConsent: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
				config.ApprovalPrompt, app.SkipAuthorization = test.configured, test.trusted
			})
			s.allows(s.opens("read"))
			request, err := s.asks(test.sent)
			if err != nil {
				t.Fatal(err)
			}
			request.AskConsent = test.askConsent
			if got := s.remembers(request); got != test.remembers {
				t.Errorf("got remembered %t, want %t", got, test.remembers)
			}
		})
	}
}

// TestPromptConsent shows that prompt=consent also works without OpenID Connect.
func TestPromptConsent(t *testing.T) {
	s := newConsentScene(t, nil)
	s.allows(s.opens("read"))
	for prompt, want := range map[string]bool{"": true, "consent": false, "login consent": false, "consents": true} {
		request, err := s.provider.NewAuthorizeRequest(t.Context(), url.Values{
			"client_id": {"client"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"read"}, "prompt": {prompt},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.remembers(request); got != want {
			t.Errorf("prompt=%s: got remembered %t, want %t", prompt, got, want)
		}
	}
}

func TestUnknownApprovalPrompt(t *testing.T) {
	s := newConsentScene(t, nil)
	for _, value := range []string{"nonsense", "AUTO", "auto force", "force "} {
		request, err := s.asks(value)
		if oauthkit.CodeOf(err) != oauthkit.InvalidRequest || request == nil {
			t.Errorf("%q: got %v, %v; want invalid_request for the application", value, request, err)
		}
	}
	config := oauthkit.Config{ApprovalPrompt: "auto"} // auto is the empty value only
	if _, err := oauthkit.New("https://example.com/o", s.store, config); err == nil {
		t.Error("got a provider with an unknown ApprovalPrompt")
	}
}

func TestSkipConsent(t *testing.T) {
	down := errors.New("the list of trusted applications is down")
	tests := []struct {
		name     string
		skip     func(*oauthkit.ConsentRequest, *oauthkit.User) (bool, error)
		change   func(*oauthkit.AuthorizeRequest)
		skips    bool
		wantCode oauthkit.ErrorCode
	}{
		{
			name: "this application for this user", skips: true,
			skip: func(request *oauthkit.ConsentRequest, user *oauthkit.User) (bool, error) {
				return request.Application.GetID() == "client" && user.Subject == "alice", nil
			},
		},
		{name: "not this one", skip: func(*oauthkit.ConsentRequest, *oauthkit.User) (bool, error) { return false, nil }},
		{
			name: "prompt=consent", skip: func(*oauthkit.ConsentRequest, *oauthkit.User) (bool, error) { return true, nil },
			change: func(request *oauthkit.AuthorizeRequest) { request.AskConsent = true },
		},
		{
			name: "the host cannot know", wantCode: oauthkit.TemporarilyUnavailable,
			skip: func(*oauthkit.ConsentRequest, *oauthkit.User) (bool, error) { return true, down },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, func(config *oauthkit.Config, _ *oauthkit.AbstractApplication) {
				config.SkipConsent = func(_ context.Context, request *oauthkit.ConsentRequest, user *oauthkit.User) (bool, error) {
					return test.skip(request, user)
				}
			})
			request := s.request("read", callback)
			if test.change != nil {
				test.change(request)
			}
			consent, skips, err := s.provider.RememberedConsent(t.Context(), &request.ConsentRequest, s.user)
			if test.wantCode != "" {
				if oauthkit.CodeOf(err) != test.wantCode || skips {
					t.Errorf("got %t, %v; want %s", skips, err, test.wantCode)
				}
				return
			}
			if err != nil || skips != test.skips || consent != nil {
				t.Errorf("got %v, %t, %v; want no consent and skipped %t", consent, skips, err, test.skips)
			}
		})
	}
}

// TestSkipConsentNeedsIdentity tests RFC 8252 §8.6 for Config.SkipConsent: it is not
// called for loopback addresses.
func TestSkipConsentNeedsIdentity(t *testing.T) {
	const loopback = "http://127.0.0.1/callback"
	asked := 0
	s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
		app.ClientType, app.RedirectURIs = oauthkit.Public, oauthkit.URIs{callback, loopback}
		config.SkipConsent = func(context.Context, *oauthkit.ConsentRequest, *oauthkit.User) (bool, error) {
			asked++
			return true, nil
		}
	})
	if s.remembers(s.request("read", loopback)) || asked != 0 {
		t.Errorf("got trusted at a loopback address, after asking the host %d times", asked)
	}
	if !s.remembers(s.request("read", callback)) || asked != 1 {
		t.Errorf("got not trusted at its own address, after asking the host %d times", asked)
	}
}

// TestConsentIsForWhatWasShown changes the identity of an application after an
// approval. The next approval does not restore scopes approved for the previous
// identity.
func TestConsentIsForWhatWasShown(t *testing.T) {
	tests := []struct {
		name   string
		change func(app *oauthkit.AbstractApplication)
		asks   bool
	}{
		{"another name", func(app *oauthkit.AbstractApplication) { app.Name = "Bank" }, true},
		{"another redirect URI", func(app *oauthkit.AbstractApplication) {
			app.RedirectURIs = append(app.RedirectURIs, "https://evil.example/")
		}, true},
		{"another secret", func(app *oauthkit.AbstractApplication) { app.ImportSecret("another") }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newConsentScene(t, nil)
			s.allows(s.opens("read write"))
			app, err := s.store.Application(t.Context(), "client")
			if err != nil {
				t.Fatal(err)
			}
			test.change(oauthkit.Abstract(app))
			if err := s.store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
				t.Fatal(err)
			}
			if asks := !s.remembers(s.request("read", callback)); asks != test.asks {
				t.Errorf("got asked %t, want %t", asks, test.asks)
			}
			s.allows(s.opens("read"))
			if !s.remembers(s.request("read", callback)) || s.remembers(s.request("write", callback)) == test.asks {
				t.Error("remembers scopes that were not approved for the current identity of the application")
			}
		})
	}
}

// TestFewerScopes has the user approve some of the requested scopes. Only these are
// granted and remembered.
func TestFewerScopes(t *testing.T) {
	s := newConsentScene(t, nil)
	request, decision := s.opens("read write")
	decision.Scopes = oauthkit.Scopes{"read", "basic"}
	decision.Given = true
	if response, err := s.provider.Respond(t.Context(), request, s.user, decision); oauthkit.CodeOf(err) != oauthkit.InvalidScope {
		t.Errorf("got %v, %v for a scope that was not asked for, want invalid_scope", response, err)
	}
	decision.Scopes = oauthkit.Scopes{"read"}
	if consent := s.allows(request, decision); consent.Scopes.String() != "read" {
		t.Errorf("got %q remembered, want read", consent.Scopes)
	}
	if !s.remembers(s.request("read", callback)) || s.remembers(s.request("read write", callback)) {
		t.Error("got the scope remembered that was refused, or not the one that was approved")
	}
}
