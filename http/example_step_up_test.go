package oauthhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	oauthhttp "github.com/oauthkit/oauthkit/http"
	oauthapi "github.com/oauthkit/oauthkit/http/api"
	"github.com/oauthkit/oauthkit/oidc"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// host is a program with a login page, whose only user is alice.
type host struct {
	provider *oauthkit.Provider
	handler  http.Handler
	client   oauthkit.Application
	user     *oauthkit.User
	cookies  []*http.Cookie
}

// token sends the browser through an authorization request of the client, and redeems
// the code.
func (h *host) token(parameters url.Values) string {
	const redirectURI, verifier = "https://bank.example/cb", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	form := url.Values{
		"client_id": {h.client.GetID()}, "response_type": {"code"}, "redirect_uri": {redirectURI}, "scope": {"pay"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	for name, values := range parameters {
		form[name] = values
	}
	location := "/o/authorize?" + form.Encode()
	for !strings.HasPrefix(location, redirectURI) {
		if next, isLogin := strings.CutPrefix(location, "/login?"); isLogin {
			query, _ := url.ParseQuery(next)
			fmt.Println("login page: prompt", query.Get("prompt"), "acr_values", parameters["acr_values"])
			h.user = &oauthkit.User{Subject: "alice", AuthTime: time.Now(), ACR: "mfa"} // a password and a code
			location = query.Get("next")
			continue
		}
		request := httptest.NewRequest(http.MethodGet, "https://example.com"+location, nil)
		for _, cookie := range h.cookies {
			request.AddCookie(cookie)
		}
		recorder := httptest.NewRecorder()
		h.handler.ServeHTTP(recorder, request)
		h.cookies = append(h.cookies, recorder.Result().Cookies()...)
		location = recorder.Header().Get("Location")
	}
	response, _ := url.Parse(location)
	tokens, err := h.provider.Exchange(context.Background(), oauthkit.TokenRequest{Application: h.client, Form: url.Values{
		"grant_type": {"authorization_code"}, "code": {response.Query().Get("code")}, "redirect_uri": {redirectURI}, "code_verifier": {verifier},
	}})
	if err != nil {
		panic(err)
	}
	return tokens.AccessToken
}

// An API demands a second factor for payments (RFC 9470). The client repeats its
// authorization request with what the challenge names.
func ExampleConfig_stepUp() {
	store := memstore.New()
	bank := &oauthkit.AbstractApplication{
		ClientID: "bank", Name: "Bank", ClientType: oauthkit.Confidential, RedirectURIs: oauthkit.URIs{"https://bank.example/cb"},
		GrantTypes: oauthkit.GrantTypes{oauth2.AuthorizationCode}, Scopes: oauthkit.Scopes{"pay"}, SkipAuthorization: true,
	}
	bank.GenerateSecret()
	if err := store.CreateApplication(context.Background(), bank, time.Now()); err != nil {
		panic(err)
	}
	provider, err := oauthkit.New("https://example.com/o", store, oauthkit.Config{
		Grants:     grants.Standard(store),
		Scopes:     oauthkit.StaticScopes{"pay": "pay bills"},
		Extensions: []oauthkit.Extension{oidc.New(oidc.Config{Keys: store, ACRValues: []string{"mfa", "pwd"}})},
	})
	if err != nil {
		panic(err)
	}
	h := &host{provider: provider, client: bank, user: &oauthkit.User{Subject: "alice", AuthTime: time.Now(), ACR: "pwd"}}
	h.handler, err = oauthhttp.NewHandler(provider, oauthhttp.Config{
		CurrentUser: func(*http.Request) (*oauthkit.User, error) { return h.user, nil },
		LoginURL:    "/login",
	})
	if err != nil {
		panic(err)
	}
	api := oauthapi.API{Tokens: provider, ACRValues: []string{"mfa"}, MaxAge: 5 * time.Minute}
	payments := api.RequireScopes("pay")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "paid") }))
	pay := func(token string) {
		request := httptest.NewRequest(http.MethodPost, "https://example.com/payments", nil)
		request.Header.Set("Authorization", "Bearer "+token)
		recorder := httptest.NewRecorder()
		payments.ServeHTTP(recorder, request)
		if challenge := recorder.Header().Get("WWW-Authenticate"); challenge != "" {
			fmt.Println(recorder.Code, challenge)
			return
		}
		fmt.Println(recorder.Code, recorder.Body)
	}
	pay(h.token(nil))
	pay(h.token(url.Values{"acr_values": {"mfa"}, "max_age": {"300"}}))
	// Output:
	// 401 Bearer error="insufficient_user_authentication", error_description="another authentication context class is needed", acr_values="mfa", max_age="300", scope="pay"
	// login page: prompt login acr_values [mfa]
	// 200 paid
}
