package grants_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/grants"
	"github.com/oauthkit/oauthkit/store/memstore"
)

// ticketGrant is a grant of the host: an application exchanges a printed ticket for
// an access token, once.
type ticketGrant struct {
	store   oauthkit.TokenStore
	tickets map[string]bool // a real host stores them so that two requests cannot use the same one
}

func (g *ticketGrant) GrantType() oauth2.GrantType { return "urn:example:ticket" }

func (g *ticketGrant) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	ticket := request.Form.Get("ticket")
	if !g.tickets[ticket] {
		return nil, oauthkit.Errorf(oauthkit.InvalidGrant, "the ticket is not valid")
	}
	authorization := request.NewAuthorization(nil)
	return request.Issue(ctx, &oauthkit.Issuance{
		Authorization: authorization,
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			delete(g.tickets, ticket)
			return g.store.SaveTokens(ctx, authorization, tokens)
		},
	})
}

// A custom grant is a type with two methods, passed along with the others.
func Example_ownGrant() {
	store := memstore.New()
	own := &ticketGrant{store: store, tickets: map[string]bool{"A-17": true}}
	provider, err := oauthkit.New("https://example.com", store, oauthkit.Config{
		Grants: slices.Concat(grants.Standard(store), []oauthkit.Grant{own}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	gate := &oauthkit.AbstractApplication{
		ClientID: "gate", ClientType: oauthkit.Confidential, GrantTypes: oauthkit.GrantTypes{own.GrantType()},
	}
	for range 2 {
		response, err := provider.Exchange(context.Background(), oauthkit.TokenRequest{
			Application: gate, Form: url.Values{"grant_type": {"urn:example:ticket"}, "ticket": {"A-17"}},
		})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(response.TokenType, "token for", response.ExpiresIn, "seconds")
	}
	// Output:
	// Bearer token for 600 seconds
	// invalid_grant: the ticket is not valid
}

// A grant is configured by its constructor.
func ExampleRefreshToken() {
	store := memstore.New()
	all := []oauthkit.Grant{
		grants.AuthorizationCode(store, grants.AuthorizationCodeConfig{}),
		grants.RefreshToken(store, grants.RefreshTokenConfig{}), // the strictest: no retries
	}
	for _, grant := range all {
		fmt.Println(string(grant.GrantType()))
	}
	// Output:
	// authorization_code
	// refresh_token
}
