package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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
			AddApplication: func(ctx context.Context, app *oauthkit.AbstractApplication, now time.Time) error {
				return store.CreateApplication(ctx, app, time.Now())
			},
		}
	})
}

// hostApplication is an application with a field of the host.
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

func TestCreateApplication(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	if app.ClientID == "" {
		t.Error("ClientID: got none, want a generated one")
	}
	if found := find(t, store, app.ClientID); found.Logo != "notes.svg" {
		t.Errorf("Logo: got %q, want %q", found.Logo, "notes.svg")
	}
	if err := store.CreateApplication(t.Context(), app, time.Now()); err == nil {
		t.Error("CreateApplication, existing client_id: got no error")
	}
	var problems oauthkit.Problems
	err := store.CreateApplication(t.Context(), &hostApplication{}, time.Now())
	if !errors.As(err, &problems) || len(problems.Of("client_type")) == 0 {
		t.Errorf("CreateApplication, without client type: got %v, want a problem of client_type", err)
	}
}

func TestApplicationIsCopied(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	yes := true
	app.ResponseTypes, app.IDTokenClaims, app.OmitIssInErrors = oauthkit.ResponseTypes{"code id_token"}, &yes, &yes
	age := 60
	app.DefaultMaxAge, app.Resources = &age, oauthkit.URIs{"https://api.example"}
	app.DefaultResources = oauthkit.URIs{"https://api.example"}
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	app.RedirectURIs[0], app.Logo, app.ResponseTypes[0] = "https://evil.example/callback", "changed", oauthkit.ResponseTypeToken
	yes = false
	*find(t, store, app.ClientID).IDTokenClaims, *find(t, store, app.ClientID).OmitIssInErrors = false, false
	*find(t, store, app.ClientID).DefaultMaxAge = 0
	find(t, store, app.ClientID).Resources[0] = "https://evil.example"
	find(t, store, app.ClientID).DefaultResources[0] = "https://evil.example"
	find(t, store, app.ClientID).GrantTypes[0] = oauth2.ClientCredentials
	find(t, store, app.ClientID).ResponseTypes[0] = oauthkit.ResponseTypeToken
	found := find(t, store, app.ClientID)
	if !*found.IDTokenClaims || !*found.OmitIssInErrors {
		t.Error("after changes of the stored and the returned application: got IDTokenClaims or OmitIssInErrors false, want true")
	}
	if *found.DefaultMaxAge != 60 || found.Resources[0] != "https://api.example" || found.DefaultResources[0] != "https://api.example" {
		t.Errorf("after changes of the returned application: got %d, %q and %q, want the stored values",
			*found.DefaultMaxAge, found.Resources, found.DefaultResources)
	}
	if found.AllowsResponseType(oauthkit.ResponseTypeToken) || !found.AllowsRedirectURI("https://notes.example/callback") || found.Logo != "notes.svg" || !found.AllowsGrant(oauth2.AuthorizationCode) {
		t.Errorf("after changes of the stored and the returned application: got %q, %q, %q and %q, want the stored values",
			found.RedirectURIs, found.Logo, found.GrantTypes, found.ResponseTypes)
	}
}

func TestUpdateApplication(t *testing.T) {
	store, app := memstore.New(), newHostApplication()
	app.ClientID = "notes"
	if err := store.UpdateApplication(t.Context(), app, time.Now()); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("UpdateApplication, unknown: got %v, want ErrNotFound", err)
	}
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	app.Disabled = true
	if err := store.UpdateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	if !find(t, store, "notes").Disabled {
		t.Error("Disabled: got false, want true")
	}
	app.ClientType, app.Disabled = "unheard of", false
	if err := store.UpdateApplication(t.Context(), app, time.Now()); err == nil {
		t.Error("UpdateApplication, invalid: got no error")
	}
}

// TestHostType tests NewModel and Rules.
func TestHostType(t *testing.T) {
	store := memstore.New()
	if _, ok := store.NewApplication().(*oauthkit.AbstractApplication); !ok {
		t.Errorf("NewApplication, without NewModel: got %T, want an AbstractApplication", store.NewApplication())
	}
	store.NewModel = func() oauthkit.Application { return &hostApplication{} }
	if _, ok := store.NewApplication().(*hostApplication); !ok {
		t.Errorf("NewApplication: got %T, want the host's type", store.NewApplication())
	}
	app := newHostApplication()
	if err := store.CreateApplication(t.Context(), app, time.Now()); err != nil {
		t.Fatal(err)
	}
	store.Rules.RedirectURI = func(oauthkit.Application) func(string) error {
		return func(string) error { return errors.New("must be a customer's") }
	}
	for name, err := range map[string]error{
		"ValidateApplication": store.ValidateApplication(app),
		"CreateApplication":   store.CreateApplication(t.Context(), newHostApplication(), time.Now()),
		"UpdateApplication":   store.UpdateApplication(t.Context(), app, time.Now()),
	} {
		var problems oauthkit.Problems
		if !errors.As(err, &problems) || len(problems.Of("redirect_uris")) == 0 {
			t.Errorf("%s: got %v, want a problem of redirect_uris", name, err)
		}
	}
}

func TestDeleteApplication(t *testing.T) {
	store, app, other := memstore.New(), newHostApplication(), newHostApplication()
	for _, added := range []*hostApplication{app, other} {
		if err := errors.Join(store.CreateApplication(t.Context(), added, time.Now()), saveToken(t.Context(), store, added.ClientID)); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.DeleteApplication(t.Context(), app.ClientID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteApplication(t.Context(), app.ClientID, time.Now()); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("DeleteApplication, again: got %v, want ErrNotFound", err)
	}
	if _, err := store.Application(t.Context(), app.ClientID); !errors.Is(err, oauthkit.ErrNotFound) {
		t.Errorf("Application: got %v, want ErrNotFound", err)
	}
	find(t, store, other.ClientID)
	for _, each := range []*hostApplication{app, other} {
		token, err := store.AccessToken(t.Context(), "token of "+each.ClientID)
		if err != nil {
			t.Fatal(err)
		}
		if revoked, want := !token.Authorization.RevokedAt.IsZero(), each == app; revoked != want {
			t.Errorf("the token of %s: got revoked %t, want %t", each.Name, revoked, want)
		}
	}
}

func saveToken(ctx context.Context, store *memstore.Store, clientID string) error {
	authorization := &oauthkit.Authorization{ID: "authorization of " + clientID, ClientID: clientID}
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
	if err := store.CreateApplication(ctx, app, time.Now()); err != nil {
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
