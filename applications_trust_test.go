package oauthkit_test

import (
	"context"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestM08_TrustOfAnotherName is an owner who makes of a trusted application another one.
func TestM08_TrustOfAnotherName(t *testing.T) {
	for name, change := range map[string]func(*oauthkit.ApplicationForm){
		"name":    func(form *oauthkit.ApplicationForm) { form.Name = "The bank" },
		"address": func(form *oauthkit.ApplicationForm) { form.RedirectURIs = oauthkit.URIs{"https://evil.test/cb"} },
		"public":  func(form *oauthkit.ApplicationForm) { form.ClientType = oauthkit.Public },
		"addition": func(form *oauthkit.ApplicationForm) {
			form.RedirectURIs = append(form.RedirectURIs, "https://evil.test/cb")
		},
	} {
		m := newManaged(t, oauthkit.ApplicationsConfig{})
		trusted, _ := m.create("alice")
		trusted.SkipAuthorization, trusted.Verified = true, true
		if err := m.store.UpdateApplication(t.Context(), trusted); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(trusted)
		change(&form)
		updated, err := m.applications.Update(t.Context(), user("alice"), trusted.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) || oauthkit.IsVerified(updated) {
			t.Errorf("%s: got %+v, %v; want no trust left", name, updated, err)
		}
	}
}

// TestM08_TrustForMoreScopes is an owner whose application may ask for more than the operator saw: its users are asked, but it is still
// who it was. Asking for less costs nothing.
func TestM08_TrustForMoreScopes(t *testing.T) {
	for _, test := range []struct {
		scopes oauthkit.Scopes
		skips  bool
	}{{oauthkit.Scopes{"read"}, true}, {oauthkit.Scopes{"read", "write"}, false}} {
		m := newManaged(t, oauthkit.ApplicationsConfig{Scopes: oauthkit.Scopes{"openid", "read", "write"}})
		trusted, _ := m.create("alice")
		trusted.Scopes, trusted.SkipAuthorization, trusted.Verified = oauthkit.Scopes{"read"}, true, true
		if err := m.store.UpdateApplication(t.Context(), trusted); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(trusted)
		form.Scopes = test.scopes
		updated, err := m.applications.Update(t.Context(), user("alice"), trusted.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) != test.skips || !oauthkit.IsVerified(updated) {
			t.Errorf("%q: got %+v, %v; want it verified, and trusted %t", test.scopes, updated, err, test.skips)
		}
	}
}

// callbackApplication has its name and its address in fields of the host's own.
type callbackApplication struct {
	oauthkit.AbstractApplication
	Title, Callback string
}

func (a *callbackApplication) DisplayName() string               { return a.Title }
func (a *callbackApplication) AllowsRedirectURI(uri string) bool { return uri == a.Callback }
func (a *callbackApplication) RegisteredRedirectURIs() oauthkit.URIs {
	return oauthkit.URIs{a.Callback}
}

func (a *callbackApplication) FormFields() []oauthkit.FormField {
	return []oauthkit.FormField{{Name: "title", Value: a.Title}, {Name: "callback", Value: a.Callback}}
}

func (a *callbackApplication) SetFormField(name, value string) error {
	switch name {
	case "title":
		a.Title = value
	case "callback":
		a.Callback = value
	}
	return nil
}

// TestM08_TrustOfHostFields is an owner who gives his application another name or address where only the host's type has them. What
// he leaves as it was costs him nothing.
func TestM08_TrustOfHostFields(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*oauthkit.ApplicationForm)
		trusted bool
	}{
		"title":    {func(form *oauthkit.ApplicationForm) { form.Fields["title"] = "The bank" }, false},
		"callback": {func(form *oauthkit.ApplicationForm) { form.Fields["callback"] = "https://evil.test/cb" }, false},
		"name":     {func(form *oauthkit.ApplicationForm) { form.Name = "The bank" }, false}, // hidden by the title, until the host shows it
		"nothing":  {func(*oauthkit.ApplicationForm) {}, true},
	} {
		m := newManaged(t, oauthkit.ApplicationsConfig{})
		m.store.NewModel = func() oauthkit.Application { return &callbackApplication{} }
		app := &callbackApplication{Title: "Photos", Callback: "https://photos.test/cb"}
		app.ClientID, app.UserID, app.ClientType = "photos", "alice", oauthkit.Public
		app.GrantTypes = oauthkit.GrantTypes{oauth2.AuthorizationCode}
		app.SkipAuthorization, app.Verified = true, true
		if err := m.store.CreateApplication(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		form := oauthkit.FormOf(app)
		test.change(&form)
		updated, err := m.applications.Update(t.Context(), user("alice"), app.ClientID, form)
		if err != nil || oauthkit.SkipsConsent(updated) != test.trusted || oauthkit.IsVerified(updated) != test.trusted {
			t.Errorf("%s: got %+v, %v; want trust %v", name, updated, err, test.trusted)
		}
	}
}

// TestM08_SecretOfPublicApplication is one that was confidential: its secret does not come back with its type.
func TestM08_SecretOfPublicApplication(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app, secret := m.create("alice")
	form := oauthkit.FormOf(app)
	for _, form.ClientType = range []oauthkit.ClientType{oauthkit.Public, oauthkit.Confidential} {
		updated, err := m.applications.Update(t.Context(), user("alice"), app.ClientID, form)
		if err != nil || oauthkit.VerifyPassword(updated, secret, m.now) {
			t.Errorf("%s: got %+v, %v; want the secret gone", form.ClientType, updated, err)
		}
	}
}

// switchingOff is a store whose operator switches an application off after it was read, once.
type switchingOff struct {
	*memstore.Store
	done bool
}

func (s *switchingOff) UpdateApplication(ctx context.Context, app oauthkit.Application) error {
	if !s.done {
		s.done = true
		stored, err := s.Store.Application(ctx, app.GetID())
		if err != nil {
			return err
		}
		oauthkit.Abstract(stored).Disabled = true
		if err := s.Store.UpdateApplication(ctx, stored); err != nil {
			return err
		}
	}
	return s.Store.UpdateApplication(ctx, app)
}

// TestM05_OperatorsDecisionStays is an owner who saves while the operator switches his application off.
func TestM05_OperatorsDecisionStays(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app, _ := m.create("alice")
	provider, err := oauthkit.New("https://as.test/o", m.store, oauthkit.Config{Grants: grants.Standard(m.store)})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*oauthkit.Applications) error{
		"Update": func(applications *oauthkit.Applications) error {
			_, err := applications.Update(t.Context(), user("alice"), app.ClientID, oauthkit.FormOf(app))
			return err
		},
		"RotateSecret": func(applications *oauthkit.Applications) error {
			_, err := applications.RotateSecret(t.Context(), user("alice"), app.ClientID, 0)
			return err
		},
	} {
		if err := change(newApplications(t, provider, &switchingOff{Store: m.store}, oauthkit.ApplicationsConfig{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		stored, err := m.store.Application(t.Context(), app.ClientID)
		if err != nil || oauthkit.IsUsable(stored) {
			t.Errorf("%s: got %+v, %v; want it to stay switched off", name, stored, err)
		}
	}
}
