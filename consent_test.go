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
	"github.com/oauthkit/oauthkit/store/memstore"
)

// consentScene is a provider with one application and one user, who is asked for scopes.
type consentScene struct {
	*testing.T
	store    *memstore.Store
	provider *oauthkit.Provider
	user     *oauthkit.User
}

func newConsentScene(t *testing.T) *consentScene {
	t.Helper()
	store, now := memstore.New(), time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)
	app := &oauthkit.AbstractApplication{
		ClientID: "client", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://client.example/callback"}, Scopes: oauthkit.Scopes{"basic", "read", "write"},
	}
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: map[string]string{"basic": "your name", "read": "read all", "write": "change all"},
		Now:    func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &consentScene{t, store, provider, &oauthkit.User{Subject: "alice"}}
}

// opens begins a request and returns it with what the consent page reads before the user answers.
func (s *consentScene) opens(scope string) (*oauthkit.AuthorizeRequest, oauthkit.Decision) {
	s.Helper()
	request, err := s.provider.NewAuthorizeRequest(s.Context(), url.Values{
		"client_id": {"client"}, "redirect_uri": {"https://client.example/callback"}, "response_type": {"code"}, "scope": {scope},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if err != nil {
		s.Fatal(err)
	}
	interaction := &oauthkit.Interaction{Hash: scope, CreatedAt: request.Now, ExpiresAt: request.Now.Add(time.Hour)}
	if err := s.store.SaveInteraction(s.Context(), interaction); err != nil {
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
	s := newConsentScene(t)
	first := s.allows(s.opens("read write"))
	second := s.allows(s.opens("basic"))
	if want := (oauthkit.Scopes{"read", "write", "basic"}); !slices.Equal(second.Scopes, want) || second.ID != first.ID {
		t.Errorf("got %q under %s, want %q under %s", second.Scopes, second.ID, want, first.ID)
	}
}

// TestWithdrawnConsentStaysWithdrawn has a consent page open while everything is withdrawn in another tab: its answer counts
// for what it showed, and brings nothing else back.
func TestWithdrawnConsentStaysWithdrawn(t *testing.T) {
	s := newConsentScene(t)
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
	s := newConsentScene(t)
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
