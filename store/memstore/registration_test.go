package memstore_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// machine returns a valid application for Register.
func machine(clientID string) *logoApplication {
	app := &logoApplication{Agree: true}
	app.ClientID, app.ClientType = clientID, oauthkit.Confidential
	app.GrantTypes = oauthkit.GrantTypes{oauth2.ClientCredentials}
	return app
}

// TestRegister shows that the operator sets everything except the secret.
func TestRegister(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	app := machine("machine")
	app.UserID, app.SkipAuthorization, app.Scopes = "bob", true, oauthkit.Scopes{"admin"}
	app.ImportSecret("chosen")
	secret, err := m.applications.Register(t.Context(), user("operator"), app)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := m.store.Application(t.Context(), "machine")
	if err != nil {
		t.Fatal(err)
	}
	found := stored.(*logoApplication)
	if !found.VerifyPassword(secret) || found.VerifyPassword("chosen") || found.RegistrationSource != oauthkit.RegisteredManually {
		t.Errorf("got %+v, want the secret that was returned, and no other", found)
	}
	if found.UserID != "bob" || !found.SkipAuthorization || !found.Scopes.Contains("admin") {
		t.Errorf("got %+v, want it as it was filled in", found)
	}
	want := []oauthkit.Event{oauthkit.ApplicationCreated{ClientID: "machine", By: "operator"}}
	if !reflect.DeepEqual(m.events, want) {
		t.Errorf("got the events %v, want %v", m.events, want)
	}

	public := machine("")
	public.ClientType, public.GrantTypes = oauthkit.Public, oauthkit.GrantTypes{oauth2.AuthorizationCode}
	public.RedirectURIs = oauthkit.URIs{"https://spa.test/callback"}
	if secret, err := m.applications.Register(t.Context(), user(""), public); secret != "" || err != nil || public.ClientID == "" {
		t.Errorf("public: got secret %q, client_id %q and %v, want a client_id only", secret, public.ClientID, err)
	}
}

// TestRegisterRefuses shows that all problems are returned at once, and nothing is
// stored or reported.
func TestRegisterRefuses(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	if _, err := m.applications.Register(t.Context(), user(""), machine("taken")); err != nil {
		t.Fatal(err)
	}
	before, err := m.store.Application(t.Context(), "taken")
	if err != nil {
		t.Fatal(err)
	}
	m.events = nil
	wrong := machine("taken")
	wrong.Agree, wrong.GrantTypes = false, oauthkit.GrantTypes{oauth2.Implicit}
	wrong.RedirectURIs, wrong.Scopes = oauthkit.URIs{"http://app.test/"}, oauthkit.Scopes{"openid", "amdin"}
	wrong.TokenEndpointAuthMethod = oauthkit.AuthMethodPrivateKeyJWT
	_, err = m.applications.Register(t.Context(), user(""), wrong)
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	var fields []string
	for _, problem := range problems {
		fields = append(fields, problem.Field)
	}
	for _, want := range []string{"client_id", "grant_types", "redirect_uris", "scopes", "token_endpoint_auth_method", "agree"} {
		if !slices.Contains(fields, want) {
			t.Errorf("got problems of %v, want one of %s", fields, want)
		}
	}
	after, err := m.store.Application(t.Context(), "taken")
	if err != nil || !reflect.DeepEqual(after, before) || len(m.events) > 0 {
		t.Errorf("got %+v, %v and the events %v, want the unchanged application and no events", after, err, m.events)
	}
}

// TestRegisterForNobody shows that Register without a user stores nothing.
func TestRegisterForNobody(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	if secret, err := m.applications.Register(t.Context(), nil, machine("machine")); err == nil || secret != "" {
		t.Errorf("got secret %q and %v, want no secret and an error", secret, err)
	}
	if _, err := m.store.Application(t.Context(), "machine"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("got %v, want nothing stored", err)
	}
}

// TestRegisterFailure shows that a failing lookup of the client_id is a failure of the
// store.
func TestRegisterFailure(t *testing.T) {
	s := newCheckScene(t)
	s.store.fails = "Application"
	applications := newApplications(t, s.provider(), s.store, oauthkit.ApplicationsConfig{})
	app := &oauthkit.AbstractApplication{ClientID: "new", ClientType: oauthkit.Confidential}
	if _, err := applications.Register(t.Context(), user(""), app); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want a failure", err)
	}
}

// operated returns a managed with an application of alice, in which the user "operator"
// may manage all applications.
func operated(t *testing.T) (m *managed, clientID string) {
	t.Helper()
	m = newManaged(t, oauthkit.ApplicationsConfig{Owned: func(_ context.Context, user *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: user.Subject == "operator", By: []string{user.Subject}}, nil
	}})
	app, _ := m.create("alice")
	m.events = nil
	return m, app.ClientID
}

// TestChange shows that an operator can set fields that an owner cannot, even together
// with the name, and that they are kept.
func TestChange(t *testing.T) {
	m, clientID := operated(t)
	changed, err := m.applications.Change(t.Context(), user("operator"), clientID, func(app oauthkit.Application) error {
		own := app.(*logoApplication)
		own.Name, own.Logo, own.UserID = "Our shop", "https://shop.test/logo.svg", "bob"
		own.RedirectURIs = oauthkit.URIs{"https://shop.test/cb"}
		own.Verified, own.SkipAuthorization = true, true
		own.GrantTypes, own.Scopes = append(own.GrantTypes, oauth2.ClientCredentials), oauthkit.Scopes{"admin", "introspection"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := m.store.Application(t.Context(), clientID)
	if err != nil || !reflect.DeepEqual(stored, changed) {
		t.Fatalf("got %+v, %v, want the returned application: %+v", stored, err, changed)
	}
	found := stored.(*logoApplication)
	if !found.Verified || !found.SkipAuthorization || found.Name != "Our shop" || found.UserID != "bob" || !found.Scopes.Contains("admin") || found.ClientSecret == "" {
		t.Errorf("got %+v, want it as the operator said, with its secret", found)
	}
	want := []oauthkit.Event{oauthkit.ApplicationUpdated{
		ClientID: clientID, By: "operator",
		Changed: []string{"Logo", "grant_types", "name", "redirect_uris", "scopes", "skip_authorization", "user", "verified"},
	}}
	if !reflect.DeepEqual(m.events, want) {
		t.Errorf("got the events %v, want %v", m.events, want)
	}
}

// TestChangeSwitchesOff shows that the event reports the disabling and only changed
// fields.
func TestChangeSwitchesOff(t *testing.T) {
	m, clientID := operated(t)
	_, err := m.applications.Change(t.Context(), user("operator"), clientID, func(app oauthkit.Application) error {
		app.(*logoApplication).Disabled = true
		return nil
	})
	want := []oauthkit.Event{oauthkit.ApplicationUpdated{
		ClientID: clientID, By: "operator", Changed: []string{"disabled"}, Disabled: true,
	}}
	if err != nil || !reflect.DeepEqual(m.events, want) {
		t.Errorf("got the events %v, %v, want %v", m.events, err, want)
	}
}

// TestChangeRefuses shows that nothing is stored or reported if a change is invalid,
// returns an error, or comes from another user.
func TestChangeRefuses(t *testing.T) {
	errGivenUp := errors.New("given up")
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	problemsOf := func(fields ...string) func(error) bool {
		return func(err error) bool {
			var problems oauthkit.Problems
			got := map[string]bool{}
			if errors.As(err, &problems) {
				for _, problem := range problems {
					got[problem.Field] = true
				}
			}
			return len(got) == len(fields) && !slices.ContainsFunc(fields, func(field string) bool { return !got[field] })
		}
	}
	for name, test := range map[string]struct {
		by     *oauthkit.User
		change func(*logoApplication) error
		want   func(error) bool
	}{
		"everything wrong": {user("operator"), func(app *logoApplication) error {
			app.Agree, app.Name = false, "\u200b"
			app.GrantTypes, app.Scopes = append(app.GrantTypes, oauth2.Implicit), append(app.Scopes, "amdin")
			return nil
		}, problemsOf("agree", "name", "grant_types", "scopes")},
		"no scope by the rules": {user("operator"), func(app *logoApplication) error {
			app.Scopes = oauthkit.Scopes{`"`}
			return nil
		}, func(err error) bool { // reported once
			var problems oauthkit.Problems
			return errors.As(err, &problems) && len(problems) == 1 && problems[0].Field == "scopes"
		}},
		"switched off with a scope that there is not": {user("operator"), func(app *logoApplication) error {
			app.Disabled, app.Scopes = true, append(app.Scopes, "amdin")
			return nil
		}, problemsOf("scopes")},
		"a method that the provider does not have": {user("operator"), func(app *logoApplication) error {
			app.TokenEndpointAuthMethod = oauthkit.AuthMethodPrivateKeyJWT
			return nil
		}, problemsOf("token_endpoint_auth_method")},
		"given up":     {user("operator"), func(*logoApplication) error { return errGivenUp }, is(errGivenUp)},
		"another user": {user("mallory"), func(app *logoApplication) error { app.UserID = "mallory"; return nil }, is(oauthkit.ErrNotFound)},
		"no user":      {nil, func(app *logoApplication) error { app.Verified = true; return nil }, func(err error) bool { return err != nil }},
	} {
		m, clientID := operated(t)
		before, err := m.store.Application(t.Context(), clientID)
		if err != nil {
			t.Fatal(err)
		}
		app, err := m.applications.Change(t.Context(), test.by, clientID, func(app oauthkit.Application) error {
			app.(*logoApplication).Logo = "https://changed.test/"
			return test.change(app.(*logoApplication))
		})
		if !test.want(err) || app != nil {
			t.Errorf("%s: got %v and %v", name, app, err)
		}
		if after, err := m.store.Application(t.Context(), clientID); err != nil || !reflect.DeepEqual(after, before) || len(m.events) > 0 {
			t.Errorf("%s: got %+v, %v and the events %v, want the unchanged application and no events", name, after, err, m.events)
		}
	}
}

// TestChangeKeepsClientID shows that a change cannot replace another application.
func TestChangeKeepsClientID(t *testing.T) {
	m, clientID := operated(t)
	if _, err := m.applications.Register(t.Context(), user("operator"), machine("other")); err != nil {
		t.Fatal(err)
	}
	before, err := m.store.Application(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.applications.Change(t.Context(), user("operator"), clientID, func(app oauthkit.Application) error {
		own := app.(*logoApplication)
		own.ClientID, own.UpdatedAt = "other", oauthkit.Abstract(before).UpdatedAt
		return nil
	}); err == nil {
		t.Error("got no error, want one")
	}
	if after, err := m.store.Application(t.Context(), "other"); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("got %+v, %v, want the other one as it was", after, err)
	}
}

// TestChangeKeepsWhatWas shows that existing unknown scopes and grant types do not
// prevent a change, and that an application can be disabled even if it is not valid.
func TestChangeKeepsWhatWas(t *testing.T) {
	m, _ := operated(t)
	old := machine("old")
	old.UserID, old.Scopes, old.GrantTypes = "alice", oauthkit.Scopes{"gone"}, append(old.GrantTypes, "gone")
	old.TokenEndpointAuthMethod = "gone"
	if err := m.store.CreateApplication(t.Context(), old, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.applications.Change(t.Context(), user("operator"), "old", func(app oauthkit.Application) error {
		own := app.(*logoApplication)
		own.Verified, own.Scopes = true, append(own.Scopes, "admin")
		return nil
	}); err != nil {
		t.Error(err)
	}
	app, err := m.applications.Change(t.Context(), user("operator"), "old", func(app oauthkit.Application) error {
		app.(*logoApplication).Disabled, app.(*logoApplication).Agree = true, false
		return nil
	})
	if err != nil || oauthkit.IsUsable(app) {
		t.Errorf("got %v, want it switched off though it agrees to nothing", err)
	}
}

// TestChangeAgain shows that a change is repeated after a concurrent change, and does
// not undo it.
func TestChangeAgain(t *testing.T) {
	m, clientID := operated(t)
	calls := 0
	changed, err := m.applications.Change(t.Context(), user("operator"), clientID, func(app oauthkit.Application) error {
		if calls++; calls == 1 {
			form := oauthkit.FormOf(app)
			form.Name = "Meanwhile"
			if _, err := m.applications.Update(t.Context(), user("alice"), clientID, form); err != nil {
				return err
			}
		}
		app.(*logoApplication).Verified = true
		return nil
	})
	if err != nil || calls != 2 || oauthkit.DisplayName(changed) != "Meanwhile" || !oauthkit.IsVerified(changed) {
		t.Errorf("got %+v and %v after %d calls, want both changes after 2", changed, err, calls)
	}
}

// TestChangeToPublic shows that an application which becomes public loses its secrets.
func TestChangeToPublic(t *testing.T) {
	m, clientID := operated(t)
	app, err := m.applications.Change(t.Context(), user("operator"), clientID, func(app oauthkit.Application) error {
		app.(*logoApplication).ClientType = oauthkit.Public
		return nil
	})
	if err != nil || app.(*logoApplication).ClientSecret != "" {
		t.Errorf("got %+v, %v, want no secret", app, err)
	}
}

// TestUnknownScopes_Failure shows that failing to read the scopes is a failure of the
// store, and that they are read only if needed.
func TestUnknownScopes_Failure(t *testing.T) {
	s := newCheckScene(t)
	s.config.Scopes = brokenScopes{}
	applications := newApplications(t, s.provider(), s.store, oauthkit.ApplicationsConfig{})
	app := &oauthkit.AbstractApplication{ClientID: "new", UserID: "alice", ClientType: oauthkit.Confidential}
	if _, err := applications.Register(t.Context(), user("operator"), app); err != nil {
		t.Fatal(err)
	}
	add := func(app oauthkit.Application) error {
		oauthkit.Abstract(app).Scopes = oauthkit.Scopes{"read"}
		return nil
	}
	if _, err := applications.Change(t.Context(), user("alice"), "new", add); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("Change: got %v, want a failure", err)
	}
	app = &oauthkit.AbstractApplication{ClientType: oauthkit.Confidential, Scopes: oauthkit.Scopes{"read"}}
	if _, err := applications.Register(t.Context(), user("operator"), app); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("Register: got %v, want a failure", err)
	}
}
