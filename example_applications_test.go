package oauthkit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// An operator's command verifies an application that a user has registered, and skips
// consent for its users.
func ExampleApplications_Change() {
	store, ctx := memstore.New(), context.Background()
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	ownsAll := func(context.Context, *oauthkit.User) (oauthkit.Owned, error) {
		return oauthkit.Owned{Everyone: true}, nil
	}
	applications, err := oauthkit.NewApplications(provider, store, oauthkit.ApplicationsConfig{Owned: ownsAll})
	if err != nil {
		panic(err)
	}
	alices, _, err := applications.Create(ctx, &oauthkit.User{Subject: "alice"}, oauthkit.ApplicationForm{
		Name: "Prints", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode},
		RedirectURIs: oauthkit.URIs{"https://prints.example.com/callback"},
	})
	if err != nil {
		panic(err)
	}
	app, err := applications.Change(ctx, &oauthkit.User{Subject: "operator"}, alices.GetID(), func(app oauthkit.Application) error {
		oauthkit.Abstract(app).Verified, oauthkit.Abstract(app).SkipAuthorization = true, true
		return nil
	})
	fmt.Println(oauthkit.DisplayName(app), app.GetUserID(), oauthkit.IsVerified(app), oauthkit.SkipsConsent(app), err)
	// Output: Prints alice true true <nil>
}

// An operator's command registers an application whose users are not asked for
// consent.
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

// The owner fills in the host's own fields beside the library's. All problems are
// reported at once.
func ExampleFormFieldHolder() {
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

// Both secrets are valid while the application changes over to the new one.
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

// An owner with the maximum number of applications cannot register another one.
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

// tenantApplication accepts only redirect URIs below the address of its tenant.
type tenantApplication struct {
	oauthkit.AbstractApplication
	Tenant string
}

func (a *tenantApplication) ValidateRedirectURI(uri string) error {
	if !strings.HasPrefix(uri, "https://"+a.Tenant+".example.com/") {
		return fmt.Errorf("must be below https://%s.example.com/", a.Tenant)
	}
	return oauthkit.CheckRedirectURI(uri)
}

func (*tenantApplication) ValidateOrigin(origin string) error { return oauthkit.CheckOrigin(origin) }

// An application has a rule of its own for the redirect URIs it is stored with.
// Requests are still matched byte by byte.
func ExampleAddressValidator() {
	app := &tenantApplication{Tenant: "acme", AbstractApplication: oauthkit.AbstractApplication{
		ClientID: "web", ClientType: oauthkit.Public, RedirectURIs: oauthkit.URIs{"https://acme.example.com/cb", "https://evil.example.com/cb"},
	}}
	var problems oauthkit.Problems
	fmt.Println(errors.As(oauthkit.ValidateApplication(app), &problems), problems)
	// Output:
	// true redirect_uris: "https://evil.example.com/cb": must be below https://acme.example.com/
}

// A host with its own application type uses the library's rule for names.
func ExampleCheckName() {
	for _, title := range []string{"Photos", "Photos\u202egp.exe", "\u3164"} {
		fmt.Printf("%+q: %v\n", title, oauthkit.CheckName(title) == nil)
	}
	// Output:
	// "Photos": true
	// "Photos\u202egp.exe": false
	// "\u3164": false
}

// A page shows how long the previous secret is valid.
func ExamplePreviousSecretUntil() {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	app := &oauthkit.AbstractApplication{ClientID: "web", ClientType: oauthkit.Confidential}
	app.GenerateSecret()
	app.RotateSecret(now, time.Hour)
	fmt.Println(oauthkit.PreviousSecretUntil(app, now).Format(time.TimeOnly))
	fmt.Println(oauthkit.PreviousSecretUntil(app, now.Add(time.Hour)).IsZero())
	// Output:
	// 13:00:00
	// true
}

// An imported secret contains a plus sign, and its client does not form-encode it.
func ExampleClientSecretBasicUnencoded() {
	method := oauthkit.ClientSecretBasicUnencoded(func(app oauthkit.Application) bool { return app.GetID() == "imported" })
	for _, id := range []string{"imported", "other"} {
		app := &oauthkit.AbstractApplication{ClientID: id, ClientType: oauthkit.Confidential}
		app.ImportSecret("c2Vj+cmV0")
		request := httptest.NewRequest(http.MethodPost, "https://example.com/o/token", nil)
		request.SetBasicAuth(id, "c2Vj+cmV0") // without url.QueryEscape
		claim, _, err := method.Claim(request, nil)
		if err != nil {
			panic(err)
		}
		fmt.Println(id, method.Verify(context.Background(), app, claim, time.Now()) == nil)
	}
	// Output:
	// imported true
	// other false
}

// A user denies, and mod_auth_openidc gets an error response without iss.
func ExampleAbstractApplication_OmitsIssInErrors() {
	store, omit := memstore.New(), true
	for _, app := range []*oauthkit.AbstractApplication{
		{ClientID: "apache", Name: "Apache", RedirectURIs: oauthkit.URIs{"https://apache.example/cb"}, OmitIssInErrors: &omit},
		{ClientID: "web", Name: "Web", RedirectURIs: oauthkit.URIs{"https://web.example/cb"}},
	} {
		app.ClientType, app.GrantTypes = oauthkit.Confidential, oauthkit.GrantTypes{oauth2.AuthorizationCode}
		app.GenerateSecret()
		if err := store.CreateApplication(context.Background(), app, time.Now()); err != nil {
			panic(err)
		}
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{Grants: grants.Standard(store)})
	if err != nil {
		panic(err)
	}
	for _, id := range []string{"apache", "web"} {
		request, err := provider.NewAuthorizeRequest(context.Background(), url.Values{
			"response_type": {"code"}, "client_id": {id}, "redirect_uri": {"https://" + id + ".example/cb"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		})
		if err != nil {
			panic(err)
		}
		denied := oauthkit.Errorf(oauthkit.AccessDenied, "the user denied")
		fmt.Println(request.Response(oauthkit.Refusal(denied)).Encode())
	}
	// Output:
	// error=access_denied&error_description=the+user+denied
	// error=access_denied&error_description=the+user+denied&iss=https%3A%2F%2Fexample.com%2Fo
}

// A request that names no API gets a token for the default of the application.
func ExampleAbstractApplication_ResourcesByDefault() {
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "nightly", Name: "Nightly reports", ClientType: oauthkit.Confidential,
		GrantTypes:       oauthkit.GrantTypes{oauth2.ClientCredentials},
		Resources:        oauthkit.URIs{"https://reports.example", "https://orders.example"},
		DefaultResources: oauthkit.URIs{"https://reports.example"},
	}
	app.GenerateSecret()
	if err := store.CreateApplication(context.Background(), app, time.Now()); err != nil {
		panic(err)
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:    grants.Standard(store),
		Resources: []string{"https://reports.example", "https://orders.example", "https://salaries.example"},
	})
	if err != nil {
		panic(err)
	}
	for _, resource := range []string{"", "https://orders.example", "https://salaries.example"} {
		form := url.Values{"grant_type": {"client_credentials"}, "resource": {resource}}
		response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{Application: app, Form: form})
		if err != nil {
			fmt.Println(err)
			continue
		}
		token, err := provider.Authenticate(context.Background(), oauthkit.BearerToken(response.AccessToken))
		if err != nil {
			panic(err)
		}
		fmt.Println(token.Resources)
	}
	// Output:
	// https://reports.example
	// https://orders.example
	// invalid_target: a resource is not among the resources of the application
}
