package grants

import (
	"context"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
)

// clientCredentials is the grant of RFC 6749 §4.4, for an application without a user.
type clientCredentials struct {
	store oauthkit.TokenStore
}

// ClientCredentials returns the client credentials grant (RFC 6749 §4.4). Its tokens
// have no subject, so that they cannot be mistaken for tokens of a user
// (RFC 9700 §4.15). It issues no refresh token (RFC 6749 §4.4.3).
func ClientCredentials(store oauthkit.TokenStore) oauthkit.Grant {
	return &clientCredentials{store: store}
}

// GrantType implements [oauthkit.Grant].
func (g *clientCredentials) GrantType() oauth2.GrantType { return oauth2.ClientCredentials }

// Exchange implements [oauthkit.Grant].
func (g *clientCredentials) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	if request.Application.IsPublic() { // RFC 6749 §4.4: MUST only be used by confidential clients
		return nil, oauthkit.Errorf(oauthkit.UnauthorizedClient, "a public application may not use client_credentials")
	}
	scopes, err := request.GrantedScopes(ctx)
	if err != nil {
		return nil, err
	}
	authorization := request.NewAuthorization(scopes)
	return request.Issue(ctx, &oauthkit.Issuance{
		Authorization: authorization,
		Scopes:        scopes,
		Save: func(ctx context.Context, tokens oauthkit.Tokens, _ *oauthkit.TokenResponse) error {
			return g.store.SaveTokens(ctx, authorization, tokens)
		},
	})
}
