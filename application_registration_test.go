package oauthkit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// machine is an application that is ready to be registered.
func machine(clientID string) *logoApplication {
	app := &logoApplication{Agree: true}
	app.ClientID, app.ClientType = clientID, oauthkit.Confidential
	app.GrantTypes = oauthkit.GrantTypes{oauth2.ClientCredentials}
	return app
}

// TestRegister shows that who operates the provider decides everything but the secret.
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
	want := []oauthkit.Event{oauthkit.ApplicationCreated{ApplicationID: "machine", By: "operator"}}
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

// TestRegisterRefuses shows that everything that is wrong is told at once, and nothing is stored or told of.
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
	_, err = m.applications.Register(t.Context(), user(""), wrong)
	var problems oauthkit.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	var fields []string
	for _, problem := range problems {
		fields = append(fields, problem.Field)
	}
	for _, want := range []string{"client_id", "grant_types", "redirect_uris", "scopes", "agree"} {
		if !slices.Contains(fields, want) {
			t.Errorf("got problems of %v, want one of %s", fields, want)
		}
	}
	after, err := m.store.Application(t.Context(), "taken")
	if err != nil || !reflect.DeepEqual(after, before) || len(m.events) > 0 {
		t.Errorf("got %+v, %v and the events %v, want what was there and none", after, err, m.events)
	}
}

// TestRegisterForNobody shows that a command which does not say who acts stores nothing.
func TestRegisterForNobody(t *testing.T) {
	m := newManaged(t, oauthkit.ApplicationsConfig{})
	if secret, err := m.applications.Register(t.Context(), nil, machine("machine")); err == nil || secret != "" {
		t.Errorf("got secret %q and %v, want no secret and an error", secret, err)
	}
	if _, err := m.store.Application(t.Context(), "machine"); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("got %v, want nothing stored", err)
	}
}

// TestRegisterFailure shows that a store which cannot tell whether a client_id is taken is no answer.
func TestRegisterFailure(t *testing.T) {
	s := newCheckScene(t)
	s.store.fails = "Application"
	applications := newApplications(t, s.provider(), s.store, oauthkit.ApplicationsConfig{})
	app := &oauthkit.AbstractApplication{ClientID: "new", ClientType: oauthkit.Confidential}
	if _, err := applications.Register(t.Context(), user(""), app); oauthkit.CodeOf(err) != oauthkit.TemporarilyUnavailable {
		t.Errorf("got %v, want a failure", err)
	}
}

// A command of the host's registers an application that its users are not asked about.
func ExampleApplications_Register() {
	store, ctx := memstore.New(), context.Background()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		fmt.Println(err)
		return
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	app := &oauthkit.AbstractApplication{
		Name: "Reports", ClientID: "reports", ClientType: oauthkit.Confidential, SkipAuthorization: true,
		GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://reports.example.com/callback"},
	}
	secret, err := applications.Register(ctx, &oauthkit.User{Subject: "operator"}, app)
	fmt.Println(app.ClientID, secret != "", err)
	_, err = applications.Register(ctx, &oauthkit.User{Subject: "operator"}, app)
	fmt.Println(err)
	// Output:
	// reports true <nil>
	// client_id: reports is taken
}
