package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/store/memstore"
	"github.com/oauthkit/oauthkit/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Subject {
		store := memstore.New()
		return storetest.Subject{
			Store: store,
			AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication) error {
				return store.AddApplication(ctx, app)
			},
		}
	})
}

// hostApplication is an application with a column of the host's own.
type hostApplication struct {
	oauthkit.AbstractApplication
	Logo string
}

func newHostApplication() *hostApplication {
	return &hostApplication{
		AbstractApplication: oauthkit.AbstractApplication{
			Name:         "Notes",
			ClientType:   oauthkit.Confidential,
			GrantTypes:   oauthkit.GrantTypes{oauth2.AuthorizationCode},
			RedirectURIs: oauthkit.URIs{"https://notes.example/callback"},
		},
		Logo: "notes.svg",
	}
}

func TestAddApplication(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if app.ClientID == "" {
		t.Error("ClientID: got none, want a generated one")
	}
	if found := find(t, store, app.ClientID); found.Logo != "notes.svg" {
		t.Errorf("Logo: got %q, want %q", found.Logo, "notes.svg")
	}
	if err := store.AddApplication(t.Context(), app); err == nil {
		t.Error("AddApplication, of a client_id that is taken: got no error")
	}
	var problems oauthkit.Problems
	err := store.AddApplication(t.Context(), &hostApplication{})
	if !errors.As(err, &problems) || len(problems.Of("client_type")) == 0 {
		t.Errorf("AddApplication, of an application without client type: got %v, want a problem of client_type", err)
	}
}

func TestApplicationIsCopied(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	app.RedirectURIs[0], app.Logo = "https://evil.example/callback", "changed"
	find(t, store, app.ClientID).GrantTypes[0] = oauth2.ClientCredentials
	found := find(t, store, app.ClientID)
	if !found.AllowsRedirectURI("https://notes.example/callback") || found.Logo != "notes.svg" || !found.AllowsGrant(oauth2.AuthorizationCode) {
		t.Errorf("after changes of what was added and what was returned: got %q, %q and %q, want those that were added",
			found.RedirectURIs, found.Logo, found.GrantTypes)
	}
}

func TestUpdateApplication(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	app.ClientID = "notes"
	if err := store.UpdateApplication(t.Context(), app); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("UpdateApplication, unknown: got %v, want ErrNotFound", err)
	}
	if err := store.AddApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	app.Disabled = true
	if err := store.UpdateApplication(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if !find(t, store, "notes").Disabled {
		t.Error("Disabled: got false, want true")
	}
	app.ClientType = "unheard of"
	if err := store.UpdateApplication(t.Context(), app); err == nil {
		t.Error("UpdateApplication, of what is not valid: got no error")
	}
}

func TestRemoveApplication(t *testing.T) {
	store, app, other := memstore.New(), newHostApplication(), newHostApplication()
	for _, added := range []*hostApplication{app, other} {
		if err := errors.Join(store.AddApplication(t.Context(), added), saveToken(t.Context(), store, added.ClientID)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time there is nothing to remove, which is no error
		if err := store.RemoveApplication(t.Context(), app.ClientID); err != nil {
			t.Fatal(err)
		}
	}
	_, appErr := store.Application(t.Context(), app.ClientID)
	_, tokenErr := store.AccessToken(t.Context(), "token of "+app.ClientID)
	if !errors.Is(appErr, oauthkit.ErrNotFound) || !errors.Is(tokenErr, oauthkit.ErrNotFound) {
		t.Errorf("after RemoveApplication: got %v and for its token %v, want ErrNotFound", appErr, tokenErr)
	}
	find(t, store, other.ClientID)
	if _, err := store.AccessToken(t.Context(), "token of "+other.ClientID); err != nil {
		t.Errorf("the other application's token: got %v", err)
	}
}

func saveToken(ctx context.Context, store *memstore.Store, clientID string) error {
	authorization := &oauthkit.Authorization{ID: "authorization of " + clientID, ApplicationID: clientID}
	access := &oauthkit.AccessToken{Hash: "token of " + clientID, Authorization: authorization}
	return store.SaveTokens(ctx, authorization, oauthkit.Tokens{Access: access})
}

func find(t *testing.T, store *memstore.Store, clientID string) *hostApplication {
	t.Helper()
	app, err := store.Application(t.Context(), clientID)
	if err != nil {
		t.Fatal(err)
	}
	return app.(*hostApplication)
}

func ExampleNew() {
	ctx, store := context.Background(), memstore.New()
	app := &oauthkit.AbstractApplication{ClientID: "notes", Name: "Notes", ClientType: oauthkit.Public}
	if err := store.AddApplication(ctx, app); err != nil {
		fmt.Println(err)
		return
	}
	found, err := store.Application(ctx, "notes")
	fmt.Println(oauthkit.DisplayName(found), err)
	_, err = store.Application(ctx, "unknown")
	fmt.Println(errors.Is(err, oauthkit.ErrNotFound))
	// Output:
	// Notes <nil>
	// true
}
