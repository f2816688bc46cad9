package memstore_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/generates"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// exchangesOwn requests a token for the application itself.
func (s *consentScene) exchangesOwn() (*oauthkit.TokenResponse, error) {
	s.Helper()
	app, err := s.provider.Application(s.Context(), "client")
	if err != nil {
		s.Fatal(err)
	}
	return s.provider.Exchange(s.Context(), oauthkit.TokenRequest{Application: app, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}}})
}

func withOwnTokens(choose func(context.Context, oauthkit.LifetimeRequest) (time.Duration, error)) func(*oauthkit.Config, *oauthkit.AbstractApplication) {
	return func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
		config.ChooseAccessTokenLifetime = choose
		app.GrantTypes = append(app.GrantTypes, oauth2.ClientCredentials)
	}
}

// TestChosenLifetime shows that response and row have the same lifetime, in whole
// seconds.
func TestChosenLifetime(t *testing.T) {
	var asked []oauthkit.LifetimeRequest
	s := newConsentScene(t, withOwnTokens(func(_ context.Context, request oauthkit.LifetimeRequest) (time.Duration, error) {
		asked = append(asked, request)
		return 7*time.Minute + 999*time.Millisecond, nil // expires_in has no fractions
	}))
	response, err := s.exchangesOwn()
	if err != nil || response.ExpiresIn != 420 {
		t.Fatalf("got %+v, %v; want expires_in 420", response, err)
	}
	token, err := s.provider.Authenticate(t.Context(), oauthkit.BearerToken(response.AccessToken))
	if err != nil || !token.ExpiresAt.Equal(s.now.Add(7*time.Minute)) {
		t.Fatalf("got %+v, %v; want it to expire in 7 minutes", token, err)
	}
	last := asked[len(asked)-1]
	if last.Application.GetID() != "client" || last.GrantType != oauth2.ClientCredentials || last.Scopes.String() != "read" || last.Subject != "" {
		t.Errorf("got asked with %+v, want the application, its grant and scopes, and no user", last)
	}
	s.now = s.now.Add(7*time.Minute - time.Second)
	if _, err := s.provider.Authenticate(t.Context(), oauthkit.BearerToken(response.AccessToken)); err != nil {
		t.Errorf("got %v a second before the end", err)
	}
	s.now = s.now.Add(time.Second)
	if _, err := s.provider.Authenticate(t.Context(), oauthkit.BearerToken(response.AccessToken)); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		t.Errorf("got %v at the end, want invalid_token", err)
	}
}

// TestImpossibleLifetime shows that the request fails without a token, with the reason
// only in the log.
func TestImpossibleLifetime(t *testing.T) {
	tests := []struct {
		name     string
		lifetime time.Duration
		err      error
		want     oauthkit.ErrorCode
	}{
		{"zero", 0, nil, oauthkit.ServerError},
		{"less than a second", 999 * time.Millisecond, nil, oauthkit.ServerError},
		{"negative", -time.Hour, nil, oauthkit.ServerError},
		{"two hundred years", 200 * 365 * 24 * time.Hour, nil, oauthkit.ServerError},
		{"the host cannot know", time.Hour, errors.New("policy service is down"), oauthkit.TemporarilyUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			issued := 0
			choose := withOwnTokens(func(context.Context, oauthkit.LifetimeRequest) (time.Duration, error) { return test.lifetime, test.err })
			s := newConsentScene(t, func(config *oauthkit.Config, app *oauthkit.AbstractApplication) {
				choose(config, app)
				config.Observe = func(_ context.Context, event oauthkit.Event) {
					if _, ok := event.(oauthkit.TokenIssued); ok {
						issued++
					}
				}
			})
			response, err := s.exchangesOwn()
			var known *oauthkit.Error
			if response != nil || oauthkit.CodeOf(err) != test.want || issued != 0 {
				t.Fatalf("got %v, %v and %d tokens issued; want %s", response, err, issued, test.want)
			}
			if errors.As(err, &known) && known.Description == err.Error() {
				t.Errorf("got the description %q, which reveals the reason in the log", known.Description)
			}
		})
	}
}

// TestAccessTokensOfGoOAuth2 uses a generator of go-oauth2. Its tokens have no prefix
// and work.
func TestAccessTokensOfGoOAuth2(t *testing.T) {
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "job", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	}
	provider, err := oauthkit.New("https://as.test", store, oauthkit.Config{
		Grants: grants.Standard(store), AccessTokens: generates.NewAccessGenerate(),
	})
	if err != nil {
		t.Fatal(err)
	}
	issue := func() string {
		response, err := provider.Exchange(t.Context(), oauthkit.TokenRequest{Application: app, Form: url.Values{"grant_type": {"client_credentials"}}})
		if err != nil {
			t.Fatal(err)
		}
		return response.AccessToken
	}
	first := issue()
	if first == issue() {
		t.Fatal("got the same token twice")
	}
	token, err := provider.Authenticate(t.Context(), oauthkit.BearerToken(first))
	if err != nil || token.Authorization.ClientID != "job" {
		t.Errorf("got %+v, %v; want the token that was issued", token, err)
	}
	if _, err := provider.Authenticate(t.Context(), oauthkit.BearerToken(first+"x")); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		t.Errorf("another token: got %v, want invalid_token", err)
	}
}
