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

// A request that names no scope gets the default.
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
		response, err := provider.Exchange(ctx, oauthkit.TokenRequest{Application: app, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}})
		if err != nil {
			panic(err)
		}
		fmt.Printf("requested %q, got %q\n", scope, response.Scope)
	}
	// Output:
	// requested "", got "read"
	// requested "read write", got "read write"
}

// A machine that requests no scope gets all scopes that it is registered for.
func ExampleStaticScopes_WithClientCredentialsDefault() {
	store := memstore.New()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"read": "", "write": "", "delete": ""}.WithClientCredentialsDefault(),
	})
	if err != nil {
		panic(err)
	}
	app := &oauthkit.AbstractApplication{
		ClientID: "job", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"read", "write"},
	}
	response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{
		Application: app, Form: url.Values{"grant_type": {"client_credentials"}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(response.Scope)
	// Output: read write
}

// approvedPrints returns a provider with an application that its owner, alice, has
// approved.
func approvedPrints(config oauthkit.Config) (*memstore.Store, *oauthkit.Provider, *oauthkit.User) {
	ctx, store, alice := context.Background(), memstore.New(), &oauthkit.User{Subject: "alice"}
	config.Grants, config.Scopes = grants.Standard(store), oauthkit.StaticScopes{"photos": "see your photos"}
	provider, err := oauthkit.New("https://example.com/o", store, config)
	if err != nil {
		panic(err)
	}
	err = store.CreateApplication(ctx, &oauthkit.AbstractApplication{
		ClientID: "prints", UserID: "alice", Name: "Prints", ClientType: oauthkit.Confidential,
		RedirectURIs: oauthkit.URIs{"https://prints.example/callback"}, Scopes: oauthkit.Scopes{"photos"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode, oauth2.ClientCredentials},
	}, time.Now())
	if err != nil {
		panic(err)
	}
	if _, err := provider.Respond(ctx, printsRequest(provider, ""), alice, oauthkit.Decision{Given: true}); err != nil {
		panic(err)
	}
	return store, provider, alice
}

// A page of the host lists the applications that a user has approved and revokes
// their access.
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
			if err := authorizations.Disconnect(ctx, alice.Subject, connection.ClientID); err != nil {
				panic(err)
			}
		}
	}
	// Output:
	// 1 connected
	// Prints photos
	// 0 connected
}

// Tokens without a user are valid for a shorter time.
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
	response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{Application: app, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"photos"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println("expires_in", response.ExpiresIn)
	// Output:
	// expires_in 60
}

// A deactivated user cannot approve a request, even while they are signed in to the
// host.
func ExampleConfig_userIsActive() {
	active := true
	_, provider, alice := approvedPrints(oauthkit.Config{
		UserIsActive: func(context.Context, string) (bool, error) { return active, nil },
	})
	active = false
	_, err := provider.Respond(context.Background(), printsRequest(provider, ""), alice, oauthkit.Decision{Given: true})
	fmt.Println(oauthkit.CodeOf(err))
	// Output:
	// access_denied
}

// printsRequest returns an authorization request of the application prints.
func printsRequest(provider *oauthkit.Provider, approvalPrompt string) *oauthkit.AuthorizeRequest {
	request, err := provider.NewAuthorizeRequest(context.Background(), url.Values{
		"client_id": {"prints"}, "redirect_uri": {"https://prints.example/callback"}, "response_type": {"code"}, "scope": {"photos"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		"approval_prompt": {approvalPrompt},
	})
	if err != nil {
		panic(err)
	}
	return request
}

// newPrintsProvider returns a provider with a public application prints.
func newPrintsProvider(config oauthkit.Config) *oauthkit.Provider {
	store := memstore.New()
	config.Grants, config.Scopes = grants.Standard(store), oauthkit.StaticScopes{"photos": "see your photos"}
	provider, err := oauthkit.New("https://example.com/o", store, config)
	if err != nil {
		panic(err)
	}
	err = store.CreateApplication(context.Background(), &oauthkit.AbstractApplication{
		ClientID: "prints", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://prints.example/callback"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"photos"},
	}, time.Now())
	if err != nil {
		panic(err)
	}
	return provider
}

// Users are asked each time, unless the request says that once is enough.
func ExampleConfig_approvalPrompt() {
	ctx := context.Background()
	alice := &oauthkit.User{Subject: "alice"}
	provider := newPrintsProvider(oauthkit.Config{ApprovalPrompt: oauthkit.ApprovalForce})
	if _, err := provider.Respond(ctx, printsRequest(provider, ""), alice, oauthkit.Decision{Given: true}); err != nil {
		panic(err)
	}
	for _, prompt := range []string{"", "auto", "force"} {
		_, enough, err := provider.RememberedConsent(ctx, &printsRequest(provider, prompt).ConsentRequest, alice)
		if err != nil {
			panic(err)
		}
		fmt.Printf("approval_prompt=%s: asked again: %t\n", prompt, !enough)
	}
	// Output:
	// approval_prompt=: asked again: true
	// approval_prompt=auto: asked again: false
	// approval_prompt=force: asked again: true
}

// The host trusts its own application for employees only.
func ExampleConfig_skipConsent() {
	provider := newPrintsProvider(oauthkit.Config{
		SkipConsent: func(_ context.Context, request *oauthkit.ConsentRequest, user *oauthkit.User) (bool, error) {
			return request.Application.GetID() == "prints" && user.Subject == "employee", nil
		},
	})
	for _, subject := range []string{"employee", "visitor"} {
		_, enough, err := provider.RememberedConsent(context.Background(), &printsRequest(provider, "force").ConsentRequest, &oauthkit.User{Subject: subject})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s is asked: %t\n", subject, !enough)
	}
	// Output:
	// employee is asked: false
	// visitor is asked: true
}

// An observer reads the host's own fields of the application.
func ExampleApplicationFrom() {
	ctx := context.Background()
	store := memstore.New()
	store.NewModel = func() oauthkit.Application { return &galleryApplication{} }
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Observe: func(ctx context.Context, event oauthkit.Event) {
			if app, ok := oauthkit.ApplicationFrom(ctx); ok {
				fmt.Println(oauthkit.EventName(event), app.(*galleryApplication).Logo)
			}
		},
	})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		panic(err)
	}
	_, err = applications.Register(ctx, &oauthkit.User{Subject: "operator"}, &galleryApplication{
		AbstractApplication: oauthkit.AbstractApplication{
			Name: "Prints", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
		},
		Logo: "https://prints.example/logo.svg", Agree: true,
	})
	if err != nil {
		panic(err)
	}
	// Output: application.created https://prints.example/logo.svg
}
