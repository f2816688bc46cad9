package grants

import (
	"context"
	"errors"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// RefreshTokenConfig says how the refresh token grant behaves. The zero value is the strictest.
type RefreshTokenConfig struct {
	// RetryWindow is how long after its use a refresh token may be presented again, because the
	// answer may have been lost on the way. The window starts when the store consumes the token, by
	// the store's clock. Five repeats of one token are answered; further ones are invalid_grant. The
	// answer to the same scope and resource is the first one. To others it is an access token of
	// its own beside the same refresh token. After the window, and once the successor was used, a
	// repeat is a replay, which revokes the Authorization. If zero, every repeat is a replay.
	RetryWindow time.Duration
	// RevokeShared revokes the Authorization once three of its refresh tokens in a row were
	// repeated: two parties that share them look like that, and so does a client that often
	// refreshes twice at once. Whether it is set or not, an [oauthkit.CredentialShared] is sent.
	RevokeShared bool
}

// refreshToken is the grant of RFC 6749 §6 with rotation (RFC 9700 §4.14.2).
type refreshToken struct {
	store        oauthkit.RefreshTokenStore
	window       time.Duration
	revokeShared bool
}

// RefreshToken returns the refresh token grant (RFC 6749 §6). Every use replaces the token; a token that is used twice ends
// the whole Authorization.
func RefreshToken(store oauthkit.RefreshTokenStore, config RefreshTokenConfig) oauthkit.Grant {
	return &refreshToken{store: store, window: config.RetryWindow, revokeShared: config.RevokeShared}
}

// GrantType implements [oauthkit.Grant].
func (g *refreshToken) GrantType() oauth2.GrantType { return oauth2.Refreshing }

// Exchange implements [oauthkit.Grant].
func (g *refreshToken) Exchange(ctx context.Context, request *oauthkit.TokenRequest) (*oauthkit.TokenResponse, error) {
	value := request.Form.Get("refresh_token")
	token, err := g.find(ctx, value)
	if err != nil {
		return nil, err
	}
	if token.Authorization.ClientID != request.Application.GetID() {
		request.RecordMisuse(ctx, token.Authorization, token.Hash)
		return nil, notValid("refresh token")
	}
	if !token.Authorization.Valid(request.Now) {
		return nil, notValid("refresh token")
	}
	if !token.ConsumedAt.IsZero() {
		return g.repeat(ctx, request, value, token)
	}
	if !request.Now.Before(token.ExpiresAt) {
		return nil, notValid("refresh token")
	}
	scopes, err := narrowed(request, token.Authorization)
	if err != nil {
		return nil, err
	}
	return g.rotate(ctx, request, value, token, scopes)
}

func (g *refreshToken) find(ctx context.Context, value string) (*oauthkit.RefreshToken, error) {
	if value == "" {
		return nil, oauthkit.Errorf(oauthkit.InvalidRequest, "refresh_token is missing")
	}
	if !secret.RefreshToken.Is(value) {
		return nil, notValid("refresh token")
	}
	token, err := g.store.RefreshToken(ctx, secret.Hash(value))
	return token, found(err, "refresh token")
}

// narrowed returns the scopes of the new access token: those asked for, or all of the Authorization's. Fewer now does not
// mean fewer next time (RFC 6749 §6). A scope that the application may not ask for any more is left out or refused.
func narrowed(request *oauthkit.TokenRequest, authorization *oauthkit.Authorization) (oauthkit.Scopes, error) {
	allowed := stillAllowed(request.Application, authorization)
	asked, err := oauthkit.ParseScopes(request.Form.Get("scope"))
	switch {
	case err != nil:
		return nil, err
	case len(asked) == 0:
		return allowed, nil
	case !allowed.ContainsAll(asked):
		return nil, oauthkit.Errorf(oauthkit.InvalidScope, "scope holds more than was allowed")
	default:
		return asked, nil
	}
}

func (g *refreshToken) rotate(ctx context.Context, request *oauthkit.TokenRequest, value string, token *oauthkit.RefreshToken, scopes oauthkit.Scopes) (*oauthkit.TokenResponse, error) {
	response, err := request.Issue(ctx, &oauthkit.Issuance{
		Authorization: token.Authorization,
		Scopes:        scopes,
		Save: func(ctx context.Context, successors oauthkit.Tokens, response *oauthkit.TokenResponse) error {
			sealed, err := g.seal(request, value, token.Hash, response)
			if err != nil {
				return err
			}
			return g.store.RotateRefreshToken(ctx, oauthkit.Rotation{
				Hash: token.Hash, Successors: successors, Sealed: sealed, Window: g.window, Now: request.Clock(),
			})
		},
	})
	switch {
	case errors.Is(err, oauthkit.ErrReplayed):
		return g.lostRace(ctx, request, value, token.Hash)
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):
		return nil, notValid("refresh token")
	default:
		return response, err
	}
}

// lostRace reads the token again, since another request used it a moment ago.
func (g *refreshToken) lostRace(ctx context.Context, request *oauthkit.TokenRequest, value, hash string) (*oauthkit.TokenResponse, error) {
	token, err := g.store.RefreshToken(ctx, hash)
	if err != nil {
		return nil, found(err, "refresh token")
	}
	if !token.Authorization.Valid(request.Now) {
		return nil, notValid("refresh token")
	}
	return g.repeat(ctx, request, value, token)
}

// FindCredential implements [oauthkit.CredentialFinder].
func (g *refreshToken) FindCredential(ctx context.Context, value string) (*oauthkit.Credential, error) {
	if !secret.RefreshToken.Is(value) {
		return nil, oauthkit.ErrNotFound
	}
	token, err := g.store.RefreshToken(ctx, secret.Hash(value))
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, oauthkit.ErrNotFound
	case err != nil:
		return nil, oauthkit.Unavailable(err)
	}
	return &oauthkit.Credential{
		Authorization: token.Authorization,
		Scopes:        token.Authorization.Scopes,
		Resources:     token.Authorization.Resources,
		IssuedAt:      token.IssuedAt,
		ExpiresAt:     token.ExpiresAt,
		Kind:          oauthkit.KindRefreshToken,
		Consumed:      !token.ConsumedAt.IsZero(),
	}, nil
}
