package oauthkit_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// galleryApplication has two fields that its owner fills in.
type galleryApplication struct {
	oauthkit.AbstractApplication
	Logo  string
	Agree bool
}

func (a *galleryApplication) FormFields() []oauthkit.FormField {
	agree := ""
	if a.Agree {
		agree = "true"
	}
	return []oauthkit.FormField{
		{Name: "logo", Label: "Logo", Kind: oauthkit.FormURL, Value: a.Logo},
		{Name: "agree", Label: "We accept the terms", Kind: oauthkit.FormCheckbox, Value: agree},
	}
}

func (a *galleryApplication) SetFormField(name, value string) error {
	switch name {
	case "logo":
		a.Logo = value
	case "agree":
		a.Agree = value == "true"
	}
	return nil
}

func (a *galleryApplication) Validate(problems *oauthkit.Problems) {
	if !a.Agree {
		problems.Add("agree", "the terms must be accepted")
	}
}

// The owner of an application fills in the host's own fields beside the library's, and is told everything that is wrong at once.
func ExampleFormFielder() {
	ctx := context.Background()
	store := memstore.New()
	store.NewModel = func() oauthkit.Application { return &galleryApplication{} }
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{})
	if err != nil {
		panic(err)
	}
	form := oauthkit.ApplicationForm{
		Name: "Prints", ClientType: oauthkit.Public, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		Fields: map[string]string{"logo": "https://prints.example/logo.svg"},
	}
	user := &oauthkit.User{Subject: "alice"}
	_, _, err = applications.Create(ctx, user, form)
	var problems oauthkit.Problems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			fmt.Println(problem.Field+":", problem.Message)
		}
	}
	form.RedirectURIs, form.Fields["agree"] = oauthkit.URIs{"https://prints.example/callback"}, "true"
	app, _, err := applications.Create(ctx, user, form)
	if err != nil {
		panic(err)
	}
	fmt.Println(oauthkit.DisplayName(app), app.(*galleryApplication).Logo, app.(*galleryApplication).Agree)
	// Output:
	// redirect_uris: cannot be empty with grant type authorization_code
	// agree: the terms must be accepted
	// Prints https://prints.example/logo.svg true
}

// printsRequest is an authorization request of an application that is known to the provider as prints.
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

// newPrintsProvider returns a provider with that application.
func newPrintsProvider(config oauthkit.Config) *oauthkit.Provider {
	store := memstore.New()
	config.Grants, config.Scopes = grants.Standard(store), oauthkit.StaticScopes{"photos": "see your photos"}
	provider, err := oauthkit.New("https://example.com/o", store, config)
	if err != nil {
		panic(err)
	}
	err = store.AddApplication(context.Background(), &oauthkit.AbstractApplication{
		ClientID: "prints", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://prints.example/callback"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"photos"},
	})
	if err != nil {
		panic(err)
	}
	return provider
}

// The user is asked each time, unless the application says that once is enough.
func ExampleConfig_approvalPrompt() {
	ctx := context.Background()
	alice := &oauthkit.User{Subject: "alice"}
	provider := newPrintsProvider(oauthkit.Config{ApprovalPrompt: oauthkit.ApprovalForce})
	if _, err := provider.Approve(ctx, printsRequest(provider, ""), alice, oauthkit.Decision{Given: true}); err != nil {
		panic(err)
	}
	for _, prompt := range []string{"", "auto", "force"} {
		_, enough, err := provider.RememberedConsent(ctx, printsRequest(provider, prompt), alice)
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

// The host trusts an application of its own with its employees, and nobody else.
func ExampleConfig_skipConsent() {
	provider := newPrintsProvider(oauthkit.Config{
		SkipConsent: func(_ context.Context, request *oauthkit.AuthorizeRequest, user *oauthkit.User) (bool, error) {
			return request.Application.GetID() == "prints" && user.Subject == "employee", nil
		},
	})
	for _, subject := range []string{"employee", "visitor"} {
		_, enough, err := provider.RememberedConsent(context.Background(), printsRequest(provider, "force"), &oauthkit.User{Subject: subject})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s is asked: %t\n", subject, !enough)
	}
	// Output:
	// employee is asked: false
	// visitor is asked: true
}

// The host's mailing list learns what the host itself keeps of an application.
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
