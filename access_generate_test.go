package oauthkit_test

import (
	"net/url"
	"testing"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/go-oauth2/oauth2/v4/generates"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// TestAccessTokensOfGoOAuth2 plugs in go-oauth2's own generator. Its tokens have no prefix, and work all the same.
func TestAccessTokensOfGoOAuth2(t *testing.T) {
	store := memstore.New()
	app := &oauthkit.AbstractApplication{
		ClientID: "job", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{oauth2.ClientCredentials},
	}
	provider, err := oauthkit.New("https://as.test", store, oauthkit.Config{
		Grants: grants.Standard(store), AccessTokens: generates.NewAccessGenerate(),
	})
	if err != nil {
		t.Fatal(err)
	}
	issue := func() string {
		response, err := provider.Exchange(t.Context(), app, url.Values{"grant_type": {"client_credentials"}})
		if err != nil {
			t.Fatal(err)
		}
		return response.AccessToken
	}
	first := issue()
	if first == issue() {
		t.Fatal("got the same token twice")
	}
	token, err := provider.Authenticate(t.Context(), first)
	if err != nil || token.Authorization.ApplicationID != "job" {
		t.Errorf("got %+v, %v; want the token that was issued", token, err)
	}
	if _, err := provider.Authenticate(t.Context(), first+"x"); oauthkit.CodeOf(err) != oauthkit.InvalidToken {
		t.Errorf("another token: got %v, want invalid_token", err)
	}
}
