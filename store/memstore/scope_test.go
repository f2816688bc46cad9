package memstore_test

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// scopesByApplication makes "admin" available only to the application "job", and
// returns it as a default for all.
type scopesByApplication struct{ failing string }

func (s scopesByApplication) answer(method string, scopes ...string) (oauthkit.Scopes, error) {
	if s.failing == method {
		return nil, errors.New("the table of scopes is locked")
	}
	return scopes, nil
}

func (s scopesByApplication) All(context.Context) (map[string]string, error) {
	_, err := s.answer("All")
	return map[string]string{"read": "read all", "admin": "change all"}, err
}

func (s scopesByApplication) Available(_ context.Context, app oauthkit.Application, request oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	if app.GetID() == "job" && request.GrantType == oauth2.ClientCredentials && request.Form.Get("audit") == "" {
		return s.answer("Available", "read", "admin")
	}
	return s.answer("Available", "read")
}

func (s scopesByApplication) Default(context.Context, oauthkit.Application, oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	return s.answer("Default", "read", "admin", "read", "nonsense", "unlisted")
}

// everyScope makes the scope introspection available, which no user can allow.
type everyScope struct{}

func (everyScope) All(context.Context) (map[string]string, error) {
	return map[string]string{oauthkit.IntrospectionScope: "look at every token"}, nil
}

func (everyScope) Default(context.Context, oauthkit.Application, oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	return oauthkit.Scopes{oauthkit.IntrospectionScope}, nil
}

func (everyScope) Available(context.Context, oauthkit.Application, oauthkit.ScopeRequest) (oauthkit.Scopes, error) {
	return oauthkit.Scopes{oauthkit.IntrospectionScope}, nil
}

func TestScopeBackend(t *testing.T) {
	tests := []struct {
		name, client, scope, audit string
		backend                    oauthkit.ScopeBackend
		granted                    string
		refused                    oauthkit.ErrorCode
	}{
		{name: "asked for", client: "job", scope: "admin", backend: scopesByApplication{}, granted: "admin"},
		{name: "by default", client: "job", backend: scopesByApplication{}, granted: "read admin"},
		{name: "not available to another", client: "other", scope: "admin", backend: scopesByApplication{}, refused: oauthkit.InvalidScope},
		{name: "not available in this request", client: "job", scope: "admin", audit: "yes", backend: scopesByApplication{}, refused: oauthkit.InvalidScope},
		{name: "defaults are a part of what is available", client: "other", backend: scopesByApplication{}, granted: "read"},
		{name: "unknown", client: "job", scope: "nonsense", backend: scopesByApplication{}, refused: oauthkit.InvalidScope},
		{name: "All fails", client: "job", scope: "read", backend: scopesByApplication{"All"}, refused: oauthkit.TemporarilyUnavailable},
		{name: "Available fails", client: "job", scope: "read", backend: scopesByApplication{"Available"}, refused: oauthkit.TemporarilyUnavailable},
		{name: "Default fails", client: "job", backend: scopesByApplication{"Default"}, refused: oauthkit.TemporarilyUnavailable},
		{name: "settings", client: "job", scope: "read", backend: oauthkit.StaticScopes{"read": ""}, granted: "read"},
		{name: "settings without default", client: "job", backend: oauthkit.StaticScopes{"read": ""}, granted: ""},
		{name: "settings with default", client: "job", backend: oauthkit.StaticScopes{"read": ""}.WithDefault("read", "nonsense"), granted: "read"},
		{name: "what a machine may have", client: "job", backend: oauthkit.StaticScopes{"read": "", "write": "", "admin": ""}.WithClientCredentialsDefault(), granted: "admin read"},
		{name: "less than a machine may have", client: "job", scope: "read", backend: oauthkit.StaticScopes{"read": "", "admin": ""}.WithClientCredentialsDefault(), granted: "read"},
		{name: "offline_access without OpenID Connect", client: "job", scope: "offline_access read", backend: oauthkit.StaticScopes{"read": ""}, granted: "offline_access read"},
		{name: "introspection", client: "job", scope: "introspection read", backend: oauthkit.StaticScopes{"read": ""}, granted: "introspection read"},
		{name: "introspection by default", client: "job", backend: everyScope{}, granted: ""},
		{name: "none at all", client: "job", scope: "read", refused: oauthkit.InvalidScope},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			provider, app := newScopedProvider(t, test.backend, test.client)
			response, err := provider.Exchange(t.Context(), oauthkit.TokenRequest{Application: app, Form: url.Values{
				"grant_type": {"client_credentials"}, "scope": {test.scope}, "audit": {test.audit},
			}})
			switch {
			case test.refused != "":
				if err == nil || oauthkit.CodeOf(err) != test.refused {
					t.Errorf("got %+v, %v; want %s", response, err, test.refused)
				}
			case err != nil || response.Scope != test.granted:
				t.Errorf("got %+v, %v; want scope %q", response, err, test.granted)
			}
		})
	}
}

// TestIntrospectionScope_User requests the scope introspection from a user, with a
// backend that lists it.
func TestIntrospectionScope_User(t *testing.T) {
	store := memstore.New()
	provider, err := oauthkit.New("https://as.test", store, oauthkit.Config{Grants: grants.Standard(store), Scopes: everyScope{}})
	if err != nil {
		t.Fatal(err)
	}
	app := &oauthkit.AbstractApplication{
		ClientID: "web", Name: "Web", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://web.test/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{oauthkit.IntrospectionScope},
	}
	app.GenerateSecret()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = provider.NewAuthorizeRequest(t.Context(), url.Values{
		"response_type": {"code"}, "client_id": {"web"}, "redirect_uri": {"https://web.test/cb"}, "scope": {oauthkit.IntrospectionScope},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	})
	if oauthkit.CodeOf(err) != oauthkit.InvalidScope {
		t.Errorf("got %v, want %s", err, oauthkit.InvalidScope)
	}
}

// newScopedProvider returns a provider with these scopes, and an application that
// allows all of them except "unlisted".
func newScopedProvider(t *testing.T, backend oauthkit.ScopeBackend, clientID string) (*oauthkit.Provider, oauthkit.Application) {
	t.Helper()
	store := memstore.New()
	provider, err := oauthkit.New("https://as.test", store, oauthkit.Config{Grants: grants.Standard(store), Scopes: backend})
	if err != nil {
		t.Fatal(err)
	}
	return provider, &oauthkit.AbstractApplication{
		ClientID: clientID, ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
		Scopes: oauthkit.Scopes{"read", "admin", "nonsense", oauthkit.IntrospectionScope, oauthkit.OfflineAccessScope},
	}
}

// TestScopeTexts shows that the host's texts on the consent page and in the metadata
// replace those of an extension.
func TestScopeTexts(t *testing.T) {
	extension := scopeAdder{"openid": "know who you are", "email": "see your address", "phone": "call you"}
	provider, err := oauthkit.New("https://as.test", memstore.New(), oauthkit.Config{
		Extensions: []oauthkit.Extension{extension},
		Scopes:     oauthkit.StaticScopes{"read": "read all", "email": "write to you", "phone": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := provider.ScopeTexts(t.Context())
	want := map[string]string{"openid": "know who you are", "email": "write to you", "phone": "call you", "read": "read all"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// scopeAdder is an extension that adds scopes.
type scopeAdder map[string]string

func (s scopeAdder) Extend(registry *oauthkit.Registry) error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		registry.Scope(name, s[name])
	}
	return nil
}
