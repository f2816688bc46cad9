package oauthkit_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// consentSite is a provider with one application, app, that alice uses. Its clock is moved by hand.
type consentSite struct {
	t        *testing.T
	provider *oauthkit.Provider
	now      time.Time
}

func newConsentSite(t *testing.T, config oauthkit.Config, app *oauthkit.AbstractApplication) *consentSite {
	t.Helper()
	store := memstore.New()
	app.ClientID, app.GrantTypes, app.Scopes = "app", oauthkit.GrantTypes{oauth2.AuthorizationCode}, oauthkit.Scopes{"read", "write"}
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	s := &consentSite{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	config.Grants = grants.Standard(store)
	config.Scopes = map[string]string{"read": "", "write": ""}
	config.Now = func() time.Time { return s.now }
	provider, err := oauthkit.New("https://as.test", store, config)
	if err != nil {
		t.Fatal(err)
	}
	s.provider = provider
	return s
}

// ask reports whether alice would be answered without being asked, and approves if she is to.
func (s *consentSite) ask(scope, redirectURI string, approve bool) (enough bool) {
	s.t.Helper()
	alice := &oauthkit.User{Subject: "alice"}
	request, err := s.provider.NewAuthorizeRequest(s.t.Context(), url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {redirectURI}, "scope": {scope},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	consent, enough, err := s.provider.RememberedConsent(s.t.Context(), request, alice)
	if err != nil {
		s.t.Fatal(err)
	}
	if approve {
		if _, err := s.provider.Approve(s.t.Context(), request, alice, oauthkit.Decision{Consent: consent, Given: true}); err != nil {
			s.t.Fatal(err)
		}
	}
	return enough
}

func TestExpiredConsentStaysExpired(t *testing.T) {
	const callback = "https://rp.test/cb"
	s := newConsentSite(t, oauthkit.Config{ConsentLifetime: time.Hour}, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{callback},
	})
	s.ask("read write", callback, true)
	if !s.ask("write", callback, false) {
		t.Error("got asked again at once, want consent remembered")
	}
	s.now = s.now.Add(2 * time.Hour)
	if s.ask("read", callback, true) {
		t.Error("got no question two hours later, want consent expired")
	}
	if !s.ask("read", callback, false) || s.ask("write", callback, false) {
		t.Error("got what expired remembered together with what was approved since")
	}
}

// TestSkippedConsentNeedsIdentity is RFC 8252 §8.6: any program on the device can listen on a loopback address.
func TestSkippedConsentNeedsIdentity(t *testing.T) {
	s := newConsentSite(t, oauthkit.Config{}, &oauthkit.AbstractApplication{
		ClientType: oauthkit.Public, SkipAuthorization: true, RedirectURIs: oauthkit.URIs{"https://app.test/cb", "http://127.0.0.1/cb"},
	})
	if !s.ask("read", "https://app.test/cb", false) {
		t.Error("got a question for a trusted application at its own address")
	}
	if s.ask("read", "http://127.0.0.1:5000/cb", false) {
		t.Error("got no question for whoever listens on a loopback address")
	}
}
