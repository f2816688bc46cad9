package oauthkit_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// An application that names no scope gets the default.
func ExampleStaticScopes_WithDefault() {
	ctx := context.Background()
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "job", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"read", "write"},
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"read": "read the figures", "write": "change the figures"}.WithDefault("read"),
	})
	if err != nil {
		panic(err)
	}
	for _, scope := range []string{"", "read write"} {
		response, err := provider.Exchange(ctx, app, url.Values{"grant_type": {"client_credentials"}, "scope": {scope}})
		if err != nil {
			panic(err)
		}
		fmt.Printf("asked for %q, got %q\n", scope, response.Scope)
	}
	// Output:
	// asked for "", got "read"
	// asked for "read write", got "read write"
}

// approvedPrints returns a provider with an application of alice's, which she has approved as well.
func approvedPrints(config oauthkit.Config) (*memstore.Store, *oauthkit.Provider, *oauthkit.User) {
	ctx, store, alice := context.Background(), memstore.New(), &oauthkit.User{Subject: "alice"}
	config.Grants, config.Scopes = grants.Standard(store), oauthkit.StaticScopes{"photos": "see your photos"}
	provider, err := oauthkit.New("https://example.com/o", store, config)
	if err != nil {
		panic(err)
	}
	err = store.AddApplication(ctx, &oauthkit.AbstractApplication{
		ClientID: "prints", UserID: "alice", Name: "Prints", ClientType: oauthkit.Confidential,
		RedirectURIs: oauthkit.URIs{"https://prints.example/callback"}, Scopes: oauthkit.Scopes{"photos"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.ClientCredentials},
	})
	if err != nil {
		panic(err)
	}
	if _, err := provider.Approve(ctx, printsRequest(provider, ""), alice, oauthkit.Decision{Given: true}); err != nil {
		panic(err)
	}
	return store, provider, alice
}

// A page of the host's own lists what a user has approved, and lets him take it back.
func ExampleAuthorizations() {
	ctx := context.Background()
	store, provider, alice := approvedPrints(oauthkit.Config{})
	authorizations := oauthkit.NewAuthorizations(provider, store)
	for range 2 {
		connections, err := authorizations.Connections(ctx, alice.Subject)
		if err != nil {
			panic(err)
		}
		fmt.Println(len(connections), "connected")
		for _, connection := range connections {
			fmt.Println(oauthkit.DisplayName(connection.Application), connection.Scopes())
			if err := authorizations.Disconnect(ctx, alice.Subject, connection.ApplicationID); err != nil {
				panic(err)
			}
		}
	}
	// Output:
	// 1 connected
	// Prints photos
	// 0 connected
}

// Both secrets are good while the application is given the new one.
func ExampleApplications_RotateSecret() {
	ctx := context.Background()
	store, provider, alice := approvedPrints(oauthkit.Config{})
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{SecretOverlap: 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	first, err := applications.RotateSecret(ctx, alice, "prints", 0)
	if err != nil {
		panic(err)
	}
	second, err := applications.RotateSecret(ctx, alice, "prints", time.Hour)
	if err != nil {
		panic(err)
	}
	app, err := applications.Find(ctx, alice, "prints")
	if err != nil {
		panic(err)
	}
	now := provider.Now()
	fmt.Println("now:", oauthkit.VerifyPassword(app, first, now), oauthkit.VerifyPassword(app, second, now))
	later := now.Add(2 * time.Hour)
	fmt.Println("later:", oauthkit.VerifyPassword(app, first, later), oauthkit.VerifyPassword(app, second, later))
	// Output:
	// now: true true
	// later: false true
}

// Tokens that nobody's consent stands behind are short.
func ExampleConfig_chooseAccessTokenLifetime() {
	_, provider, _ := approvedPrints(oauthkit.Config{
		ChooseAccessTokenLifetime: func(_ context.Context, request oauthkit.LifetimeRequest) (time.Duration, error) {
			if request.Subject == "" {
				return time.Minute, nil
			}
			return 10 * time.Minute, nil
		},
	})
	app, err := provider.Application(context.Background(), "prints")
	if err != nil {
		panic(err)
	}
	response, err := provider.Exchange(context.Background(), app, url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}})
	if err != nil {
		panic(err)
	}
	fmt.Println("expires_in", response.ExpiresIn)
	// Output:
	// expires_in 60
}

// Who is deactivated approves nothing more, even if he is still signed in to the host.
func ExampleConfig_userIsActive() {
	active := true
	_, provider, alice := approvedPrints(oauthkit.Config{
		UserIsActive: func(context.Context, string) (bool, error) { return active, nil },
	})
	active = false
	_, err := provider.Approve(context.Background(), printsRequest(provider, ""), alice, oauthkit.Decision{Given: true})
	fmt.Println(oauthkit.CodeOf(err))
	// Output:
	// access_denied
}

// An owner who has as many applications as allowed is told to delete one.
func ExampleApplicationsConfig() {
	ctx, alice := context.Background(), &oauthkit.User{Subject: "alice"}
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{MaxPerOwner: 1, MaxApplicationBytes: 4 << 10})
	if err != nil {
		panic(err)
	}
	form := oauthkit.ApplicationForm{Name: "Prints", ClientType: oauthkit.Confidential}
	for range 2 {
		_, _, err := applications.Create(ctx, alice, form)
		fmt.Println(err == nil, oauthkit.ReasonOf(err) == oauthkit.ReasonTooManyApplications)
	}
	// Output:
	// true false
	// false true
}
