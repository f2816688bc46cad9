package attacktest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/attacktest/fixture"
)

// TestIDORInGo makes the checks of TestIDOR for hosts that call the services
// directly. It fails for a new method until the method is listed here.
func TestIDORInGo(t *testing.T) {
	fixture.Run(t, []fixture.Case{
		{Name: "M-01 every method of Applications", Test: foreignApplications},
		{Name: "M-01 every method of Authorizations", Test: foreignAuthorizations},
	})
}

// checkMethods expects every method of a service in the list.
func checkMethods(t *testing.T, service any, listed ...string) {
	t.Helper()
	kind := reflect.TypeOf(service)
	for i := range kind.NumMethod() {
		if name := kind.Method(i).Name; !slices.Contains(listed, name) {
			t.Errorf("%v: got the new method %s, want it in this test", kind, name)
		}
	}
}

func foreignApplications(t *testing.T, s *fixture.Server) {
	r := rowsOf(t, s, s.Browser("alice"))
	service, err := oauthkit.NewApplications(s.Provider, s.Store, oauthkit.ApplicationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	checkMethods(t, service, "Find", "Update", "Change", "RotateSecret", "Delete", "List", // below
		// These name no row, and Register never replaces one.
		"Create", "Register", "New", "MayRegister", "GrantTypes", "ResponseTypes", "Scopes", "SecretOverlap")
	calls := map[string]func(ctx context.Context, user *oauthkit.User, id string) error{
		"Find": func(ctx context.Context, user *oauthkit.User, id string) error {
			_, err := service.Find(ctx, user, id)
			return err
		},
		"Update": func(ctx context.Context, user *oauthkit.User, id string) error {
			_, err := service.Update(ctx, user, id, oauthkit.ApplicationForm{Name: "Changed", ClientType: oauthkit.Public})
			return err
		},
		"Change": func(ctx context.Context, user *oauthkit.User, id string) error {
			_, err := service.Change(ctx, user, id, func(app oauthkit.Application) error {
				oauthkit.Abstract(app).Verified = true
				return nil
			})
			return err
		},
		"RotateSecret": func(ctx context.Context, user *oauthkit.User, id string) error {
			_, err := service.RotateSecret(ctx, user, id, 0)
			return err
		},
		"Delete": service.Delete,
	}
	unchanged := watch(t, s)
	for _, subject := range []string{"bob", "mallory", "ALICE", "alice ", ""} {
		user := &oauthkit.User{Subject: subject}
		for name, call := range calls {
			got, want := call(t.Context(), user, r.client.ID), call(t.Context(), user, oauthkit.NewClientID())
			if !errors.Is(got, oauthkit.ErrNotFound) || got.Error() != want.Error() {
				t.Errorf("%s as %q: got %v, want the error for an unknown id: %v", name, subject, got, want)
			}
			// An application without an owner.
			if err := call(t.Context(), user, s.Web.ID); !errors.Is(err, oauthkit.ErrNotFound) {
				t.Errorf("%s as %q of an application without an owner: got %v, want ErrNotFound", name, subject, err)
			}
		}
		apps, err := service.List(t.Context(), user, "")
		for _, app := range apps {
			if app.GetUserID() != "mallory" || subject != "mallory" {
				t.Errorf("List as %q: got %s of %q, want none", subject, app.GetID(), app.GetUserID())
			}
		}
		if err != nil {
			t.Errorf("List as %q: got error %v, want none", subject, err)
		}
	}
	unchanged()
}

func foreignAuthorizations(t *testing.T, s *fixture.Server) {
	r := rowsOf(t, s, s.Browser("alice"))
	s.Browser("bob").Tokens(s.Web)
	service := oauthkit.NewAuthorizations(s.Provider, s.Store)
	checkMethods(t, service, "Connections", "Find", "Revoke", "Disconnect", "RevokeUser", // below
		"RevokeApplication", "EndSession") // for operators and for the program of the host
	for _, subject := range []string{"bob", "mallory", "ALICE", "alice ", ""} {
		connections, err := service.Connections(t.Context(), subject)
		for _, connection := range connections {
			if connection.ClientID != s.Web.ID || subject != "bob" {
				t.Errorf("Connections of %q: got %s, want none", subject, connection.ClientID)
			}
		}
		if err != nil {
			t.Errorf("Connections of %q: got error %v, want none", subject, err)
		}
		find := func(ctx context.Context, subject, id string) error {
			_, err := service.Find(ctx, subject, id)
			return err
		}
		for name, call := range map[string]func(ctx context.Context, subject, id string) error{"Find": find, "Revoke": service.Revoke, "Disconnect": service.Disconnect} {
			hers := map[string]string{"Find": r.signIn, "Revoke": r.signIn, "Disconnect": r.client.ID}[name]
			got, want := call(t.Context(), subject, hers), call(t.Context(), subject, oauthkit.NewClientID())
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s as %q: got %v, want the error for an unknown id: %v", name, subject, got, want)
			}
		}
	}
	if revoked, err := service.RevokeUser(t.Context(), "bob"); revoked != 1 || err != nil {
		t.Errorf("RevokeUser: got %d, %v, want bob's one sign-in revoked", revoked, err)
	}
	s.Bearer("/api/read", r.tokens.Access).OK()
	r.client.Refresh(r.tokens.Refresh).Tokens()
	s.Browser("alice").Open(r.client.AuthorizeRequest("prompt=none")).Code() // her consent is remembered
}
