package memstore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// word is an extension with a word of response_type that adds nothing to responses.
type word oauthkit.ResponseType

func (w word) Extend(registry *oauthkit.Registry) error {
	registry.Responder(w)
	return nil
}

func (w word) ResponseType() oauthkit.ResponseType { return oauthkit.ResponseType(w) }

func (w word) ValidateAuthorize(*oauthkit.AuthorizeRequest) error { return nil }

func (w word) Respond(context.Context, *oauthkit.AuthorizeRequest, *oauthkit.AuthorizeAnswer) error {
	return nil
}

// respondingConfig allows several response types.
func respondingConfig(store *memstore.Store) oauthkit.Config {
	return oauthkit.Config{
		Grants:        grants.Standard(store),
		Scopes:        oauthkit.StaticScopes{"openid": "know who you are"},
		Extensions:    []oauthkit.Extension{word("id_token"), word("token")},
		ResponseTypes: []oauthkit.ResponseType{"code", "id_token code", "token"},
	}
}

// newResponding returns a provider with the response types of respondingConfig.
func newResponding(t *testing.T, config oauthkit.ApplicationsConfig) *managed {
	t.Helper()
	m := newManaged(t, config)
	provider, err := oauthkit.New("https://as.test/o", m.store, respondingConfig(m.store))
	if err != nil {
		t.Fatal(err)
	}
	m.provider, m.applications = provider, newApplications(t, provider, m.store, config)
	return m
}

// TestM08_ResponseTypesOfOwners shows which response types an owner may choose: for a
// new application also code, the default, and otherwise also those that the operator
// chose before.
func TestM08_ResponseTypesOfOwners(t *testing.T) {
	for _, tc := range []struct {
		config, offered []oauthkit.ResponseType
	}{
		{nil, []oauthkit.ResponseType{"code", "code id_token"}},
		{[]oauthkit.ResponseType{"token", "id_token"}, []oauthkit.ResponseType{"token"}},
		{[]oauthkit.ResponseType{}, nil},
	} {
		m := newResponding(t, oauthkit.ApplicationsConfig{ResponseTypes: tc.config})
		if got := m.applications.ResponseTypes(); !slices.Equal(got, tc.offered) {
			t.Errorf("%q: got %q offered, want %q", tc.config, got, tc.offered)
		}
		for _, asked := range []oauthkit.ResponseType{"code", "code id_token", "token", "id_token", "none"} {
			form := goodForm()
			form.ResponseTypes = oauthkit.ResponseTypes{asked}
			app, _, err := m.applications.Create(t.Context(), user("alice"), form)
			wantChosen(t, app, err, asked, asked == oauthkit.ResponseTypeCode || slices.Contains(tc.offered, asked))

			operated := m.createWithResponseTypes("token")
			app, err = m.applications.Update(t.Context(), user("alice"), operated.ClientID, form)
			wantChosen(t, app, err, asked, asked == oauthkit.ResponseTypeToken || slices.Contains(tc.offered, asked))
		}
	}
}

// createWithResponseTypes returns an application of alice whose response types the
// operator chose.
func (m *managed) createWithResponseTypes(types ...oauthkit.ResponseType) *logoApplication {
	m.Helper()
	app, _ := m.create("alice")
	app.ResponseTypes = types
	if err := m.store.UpdateApplication(m.Context(), app, m.now); err != nil {
		m.Fatal(err)
	}
	return app
}

func wantChosen(t *testing.T, app oauthkit.Application, err error, asked oauthkit.ResponseType, allowed bool) {
	t.Helper()
	if !allowed {
		wantNotOffered(t, err, asked)
	} else if err != nil || !oauthkit.AllowsResponseType(app, asked) {
		t.Errorf("%q: got %v, %v; want it chosen", asked, app, err)
	}
}

func wantNotOffered(t *testing.T, err error, asked oauthkit.ResponseType) {
	t.Helper()
	var problems oauthkit.Problems
	if !errors.As(err, &problems) || len(problems) != 1 || !slices.Equal(problems.Of("response_types"), []string{string(asked) + " cannot be chosen"}) {
		t.Errorf("%q: got %v, want the one problem that it cannot be chosen", asked, err)
	}
}

// TestM08_TrustForMoreResponseTypes shows that users are asked if the owner adds a
// response type, although the application stays verified. Fewer have no effect.
func TestM08_TrustForMoreResponseTypes(t *testing.T) {
	for _, tc := range []struct {
		before, after oauthkit.ResponseTypes
		skips         bool
	}{
		{nil, nil, true},
		{nil, oauthkit.ResponseTypes{"code"}, true},
		{oauthkit.ResponseTypes{"code"}, nil, true},
		{oauthkit.ResponseTypes{"code id_token", "code"}, oauthkit.ResponseTypes{"code"}, true},
		{oauthkit.ResponseTypes{"code id_token", "code"}, nil, true},
		{nil, oauthkit.ResponseTypes{"code", "code id_token"}, false},
		{oauthkit.ResponseTypes{"code"}, oauthkit.ResponseTypes{"code id_token"}, false},
		{oauthkit.ResponseTypes{"code id_token"}, oauthkit.ResponseTypes{"code id_token", "token"}, false},
		{oauthkit.ResponseTypes{"code id_token"}, nil, false},
	} {
		m := newResponding(t, oauthkit.ApplicationsConfig{ResponseTypes: []oauthkit.ResponseType{"code", "code id_token", "token"}})
		trusted, _ := m.create("alice")
		trusted.ResponseTypes, trusted.SkipAuthorization, trusted.Verified = tc.before, true, true
		if err := m.store.UpdateApplication(t.Context(), trusted, m.now); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(trusted)
		form.ResponseTypes = tc.after
		updated, err := m.applications.Update(t.Context(), user("alice"), trusted.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) != tc.skips || !oauthkit.IsVerified(updated) {
			t.Errorf("%q after %q: got %+v, %v; want it verified, and trusted %t", tc.after, tc.before, updated, err, tc.skips)
		}
	}
}

// TestResponseTypesOfOperators shows that an operator may set every response type that
// the provider supports, and keep others.
func TestResponseTypesOfOperators(t *testing.T) {
	m := newResponding(t, oauthkit.ApplicationsConfig{})
	register := func(types ...oauthkit.ResponseType) (*logoApplication, error) {
		app := &logoApplication{Agree: true, AbstractApplication: oauthkit.AbstractApplication{
			ClientType: oauthkit.Confidential, ResponseTypes: types, RedirectURIs: oauthkit.URIs{"https://rp.test/cb"},
		}}
		_, err := m.applications.Register(t.Context(), user("admin"), app)
		return app, err
	}
	app, err := register("token", "code id_token")
	if err != nil {
		t.Fatal(err)
	}
	_, err = register("token", "none")
	if want := "none is not one of [code code id_token token]"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	without, err := oauthkit.New("https://as.test/o", m.store, oauthkit.Config{Grants: grants.Standard(m.store)})
	if err != nil {
		t.Fatal(err)
	}
	m.applications = newApplications(t, without, m.store, oauthkit.ApplicationsConfig{Owned: func(context.Context, *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: true}, nil
	}})
	for added, allowed := range map[oauthkit.ResponseType]bool{"code id_token": true, "id_token": false} {
		_, err = m.applications.Change(t.Context(), user("admin"), app.ClientID, func(app oauthkit.Application) error {
			abstract := oauthkit.Abstract(app)
			abstract.ResponseTypes = append(abstract.ResponseTypes, added)
			return nil
		})
		if (err == nil) != allowed {
			t.Errorf("%q added where only code is supported: got %v, want allowed: %t", added, err, allowed)
		}
	}
}

// TestUnsupported shows what a provider cannot serve of an application that is stored
// without Register.
func TestUnsupported(t *testing.T) {
	provider := newResponding(t, oauthkit.ApplicationsConfig{}).provider
	for _, tc := range []struct {
		app  oauthkit.AbstractApplication
		want string
	}{
		{oauthkit.AbstractApplication{}, ""},
		{oauthkit.AbstractApplication{GrantTypes: oauthkit.GrantTypes{"client_credentials", "implicit"}, Scopes: oauthkit.Scopes{"openid", "introspection"}}, ""},
		{oauthkit.AbstractApplication{GrantTypes: oauthkit.GrantTypes{"password"}}, "grant_types: password is not one of [authorization_code"},
		{oauthkit.AbstractApplication{Scopes: oauthkit.Scopes{"raed"}}, "scopes: raed is not one of [offline_access openid]"},
		{oauthkit.AbstractApplication{ResponseTypes: oauthkit.ResponseTypes{"none"}}, "response_types: none is not one of"},
		{oauthkit.AbstractApplication{TokenEndpointAuthMethod: oauthkit.AuthMethodPrivateKeyJWT}, "token_endpoint_auth_method: must be one of"},
	} {
		tc.app.ClientType = oauthkit.Confidential
		problems, err := provider.Unsupported(t.Context(), &tc.app)
		if err != nil || (len(problems) != 0) != (tc.want != "") || !strings.HasPrefix(problems.Error(), tc.want) {
			t.Errorf("%+v: got %q, %v, want %q", tc.app, problems, err, tc.want)
		}
	}
}
