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
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// A program requests a token for itself with the client credentials grant and calls
// an API with it.
func Example() {
	ctx := context.Background()
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "nightly-report", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}, Scopes: oauthkit.Scopes{"read"},
	}
	secret := app.GenerateSecret()
	if err := store.CreateApplication(ctx, app, time.Now()); err != nil {
		fmt.Println(err)
		return
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Scopes: oauthkit.StaticScopes{"read": "read the figures"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := provider.Exchange(ctx, oauthkit.TokenRequest{
		Application: app, Form: url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := oauthapi.RequireScopes(provider, "read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := oauthapi.TokenFromContext(r.Context())
		_, _ = fmt.Fprintln(w, "hello", token.Authorization.ClientID)
	}))
	request := httptest.NewRequest(http.MethodGet, "/figures", nil)
	request.Header.Set("Authorization", "Bearer "+response.AccessToken)
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, request)
	fmt.Println(recorder.Code, strings.TrimSpace(recorder.Body.String()))
	fmt.Println("the secret verifies:", app.VerifyPassword(secret))
	// Output:
	// 200 hello nightly-report
	// the secret verifies: true
}

// teamApplication has a rule of its own and allows the client credentials grant to
// every application.
type teamApplication struct {
	oauthkit.AbstractApplication
	Team string
}

func (a *teamApplication) AllowsGrant(grant oauth2.GrantType) bool {
	return grant == oauth2.ClientCredentials || a.AbstractApplication.AllowsGrant(grant)
}

func (a *teamApplication) Validate(problems *oauthkit.Problems) {
	if a.Team == "" {
		problems.Add("team", "say which team looks after the application")
	}
}

// Validation reports all problems at once, those of the library and those of the
// host, each with its field.
func ExampleValidateApplication() {
	app := &teamApplication{AbstractApplication: oauthkit.AbstractApplication{
		ClientID: "shop", ClientType: oauthkit.Confidential,
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, RedirectURIs: oauthkit.URIs{"http://shop.example/callback"},
	}}
	var problems oauthkit.Problems
	if errors.As(oauthkit.ValidateApplication(app), &problems) {
		for _, problem := range problems {
			fmt.Println(problem.Field+":", problem.Message)
		}
	}
	fmt.Println("client_credentials:", app.AllowsGrant(oauth2.ClientCredentials))
	// Output:
	// redirect_uris: "http://shop.example/callback": must use https: http is only for 127.0.0.1, [::1] and localhost
	// team: say which team looks after the application
	// client_credentials: true
}

// Config.Observe writes an audit log.
func ExampleConfig_observe() {
	store := memstore.New()
	app := &oauthkit.AbstractApplication{ClientID: "job", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials}}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants: grants.Standard(store),
		Observe: func(_ context.Context, event oauthkit.Event) {
			switch event := event.(type) {
			case oauthkit.TokenIssued:
				fmt.Println("issued to", event.ClientID, "by", event.GrantType)
			case oauthkit.AuthorizationRevoked:
				fmt.Println("revoked:", event.Reason)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	response, err := provider.Exchange(ctx, oauthkit.TokenRequest{
		Application: app, Form: url.Values{"grant_type": {"client_credentials"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := provider.Revoke(ctx, app, response.AccessToken); err != nil {
		fmt.Println(err)
	}
	_, err = provider.Authenticate(ctx, oauthkit.BearerToken(response.AccessToken))
	fmt.Println(oauthkit.CodeOf(err))
	// Output:
	// issued to job by client_credentials
	// revoked: application
	// invalid_token
}
