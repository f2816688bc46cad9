package oauthkit_test

import (
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

// consentScene is a provider with one application and one user, who is asked for scopes.
type consentScene struct {
	*testing.T
	store    *memstore.Store
	provider *oauthkit.Provider
	user     *oauthkit.User
	now      time.Time // the clock
}

// newConsentScene lets change, if it is not nil, change what the host has configured and registered.
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
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.provider, err = oauthkit.New("https://example.com/o", store, config); err != nil {
		t.Fatal(err)
	}
	return s
}

// request asks for scopes, to be answered at an address, for some APIs or for every one.
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

// remembers reports whether a request is answered without asking the user.
func (s *consentScene) remembers(request *oauthkit.AuthorizeRequest) bool {
	s.Helper()
	_, enough, err := s.provider.RememberedConsent(s.Context(), request, s.user)
	if err != nil {
		s.Fatal(err)
	}
	return enough
}

// opens begins a request and returns it with what the consent page reads before the user answers.
func (s *consentScene) opens(scope string, resources ...string) (*oauthkit.AuthorizeRequest, oauthkit.Decision) {
	s.Helper()
	request := s.request(scope, callback, resources...)
	interaction := &oauthkit.Interaction{Hash: secret.NewID(), CreatedAt: request.Now, ExpiresAt: request.Now.Add(time.Hour)}
	if err := s.store.SaveInteraction(s.Context(), interaction, 10); err != nil {
		s.Fatal(err)
	}
	consent, _, err := s.provider.RememberedConsent(s.Context(), request, s.user)
	if err != nil {
		s.Fatal(err)
	}
	return request, oauthkit.Decision{Consent: consent, InteractionHash: interaction.Hash}
}

// allows has the user answer, and returns what is remembered then.
func (s *consentScene) allows(request *oauthkit.AuthorizeRequest, decision oauthkit.Decision) *oauthkit.Consent {
	s.Helper()
	decision.Given = true
	response, err := s.provider.Approve(s.Context(), request, s.user, decision)
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
	if _, err := s.store.RevokeConsent(s.Context(), "client", "alice", s.provider.Now()); err != nil {
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

// TestWithdrawnConsentStaysWithdrawn has a consent page open while everything is withdrawn in another tab: its answer counts
// for what it showed, and brings nothing else back.
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

// TestWithdrawnConsentIsNotRemembered has it withdrawn before a request is answered that nobody is asked about.
func TestWithdrawnConsentIsNotRemembered(t *testing.T) {
	s := newConsentScene(t, nil)
	s.allows(s.opens("read write"))
	request, decision := s.opens("read")
	s.revokes()
	if _, err := s.provider.Approve(t.Context(), request, s.user, decision); !errors.Is(err, oauthkit.ErrRevoked) {
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
		t.Error("got what expired remembered together with what was approved since")
	}
}

// TestSkippedConsentNeedsIdentity is RFC 8252 §8.6: any program on the device can listen on a loopback address.
func TestSkippedConsentNeedsIdentity(t *testing.T) {
	const loopback = "http://127.0.0.1/callback"
	s := newConsentScene(t, func(_ *oauthkit.Config, app *oauthkit.AbstractApplication) {
		app.ClientType, app.SkipAuthorization, app.RedirectURIs = oauthkit.Public, true, oauthkit.URIs{callback, loopback}
	})
	if !s.remembers(s.request("read", callback)) {
		t.Error("got a question for a trusted application at its own address")
	}
	if s.remembers(s.request("read", loopback)) {
		t.Error("got no question for whoever listens on a loopback address")
	}
}
