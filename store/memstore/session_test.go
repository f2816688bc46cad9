package memstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// approveInSession approves a request without a credential, in a session of alice.
func (p *post) approveInSession(app oauthkit.Application) error {
	request := &oauthkit.ConsentRequest{Application: app, Scopes: oauthkit.Scopes{"read"}, Now: p.clock()}
	user := &oauthkit.User{Subject: "alice", SessionID: "cookie"}
	return p.provider.Approve(p.Context(), request, user, oauthkit.Decision{}, func(*oauthkit.Approval) error { return nil })
}

// TestMembership shows that only an application that wants to be told of a logout stays
// in the session after its credentials have expired, for Config.SessionLifetime.
func TestMembership(t *testing.T) {
	for name, test := range map[string]struct {
		app  oauthkit.AbstractApplication
		days int
		want []string
	}{
		"back-channel":  {oauthkit.AbstractApplication{BackChannelLogoutURI: "https://web.test/out"}, 29, []string{"web"}},
		"front-channel": {oauthkit.AbstractApplication{FrontChannelLogoutURI: "https://web.test/out", RedirectURIs: oauthkit.URIs{"https://web.test:443/cb"}}, 29, []string{"web"}},
		"too late":      {oauthkit.AbstractApplication{BackChannelLogoutURI: "https://web.test/out"}, 30, nil},
		"neither":       {oauthkit.AbstractApplication{}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPost(t, memstore.New(), nil)
			test.app.ClientID, test.app.ClientType = "web", oauthkit.Confidential
			if err := p.store.CreateApplication(t.Context(), &test.app, p.clock()); err != nil {
				t.Fatal(err)
			}
			if err := p.approveInSession(&test.app); err != nil {
				t.Fatal(err)
			}
			p.pass(time.Duration(test.days) * 24 * time.Hour)
			if _, err := p.provider.Cleanup(t.Context(), oauthkit.CleanupLimits{}); err != nil {
				t.Fatal(err)
			}
			authorizations := oauthkit.NewAuthorizations(p.provider, p.store)
			if connections, err := authorizations.Connections(t.Context(), "alice"); err != nil || len(connections) != 0 {
				t.Errorf("got %d connected applications, %v, want none", len(connections), err)
			}
			if got, err := authorizations.EndSession(t.Context(), "alice", "cookie"); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("EndSession: got %q, %v, want %q", got, err, test.want)
			}
			err := p.approveInSession(&test.app)
			var refusal *oauthkit.Error
			if !errors.Is(err, oauthkit.ErrEnded) || !errors.As(err, &refusal) || refusal.Code != oauthkit.LoginRequired {
				t.Errorf("Approve, in the ended session: got %v, want login_required", err)
			}
		})
	}
}

// TestWhoIsTold shows that an application is told of a revocation by the host, but not of
// its own.
func TestWhoIsTold(t *testing.T) {
	p := newPost(t, memstore.New(), func(context.Context, *oauthkit.Notice) error { return nil })
	app := &oauthkit.AbstractApplication{ClientID: "web", ClientType: oauthkit.Confidential}
	for _, test := range []struct {
		name   string
		revoke func(authorization *oauthkit.Authorization, token string) error
		want   int
	}{
		{"application", func(_ *oauthkit.Authorization, token string) error {
			return p.provider.Revoke(t.Context(), app, token)
		}, 0},
		{"host", func(authorization *oauthkit.Authorization, _ string) error {
			return p.provider.RevokeAuthorization(t.Context(), authorization)
		}, 1},
	} {
		token := secret.New(secret.AccessToken)
		authorization := &oauthkit.Authorization{
			ID: test.name, ClientID: "web", Subject: "alice", SessionID: "sid", CreatedAt: p.clock(), ExpiresAt: p.clock().Add(time.Hour),
		}
		access := &oauthkit.AccessToken{Hash: oauthkit.CredentialHash(token), Authorization: authorization, ExpiresAt: authorization.ExpiresAt}
		if err := p.store.SaveTokens(t.Context(), authorization, oauthkit.Tokens{Access: access}); err != nil {
			t.Fatal(err)
		}
		if err := test.revoke(authorization, token); err != nil {
			t.Fatal(err)
		}
		if stored, err := p.store.AccessToken(t.Context(), access.Hash); err != nil || stored.Authorization.RevokedAt.IsZero() {
			t.Errorf("%s: got %v, want it revoked", test.name, err)
		}
		p.round()
		if got := len(p.clients()); got != test.want {
			t.Errorf("%s: got %d notices, want %d", test.name, got, test.want)
		}
	}
}
