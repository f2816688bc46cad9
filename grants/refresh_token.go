package grants

import (
	"context"
	"errors"
	"time"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// RefreshTokenConfig configures the refresh token grant. The zero value is the
// strictest.
type RefreshTokenConfig struct {
	// RetryWindow is how long after its use a refresh token may be presented again,
	// because the response may not have arrived. The window starts when the store
	// consumes the token, by the clock of the store. Five repeats of a token succeed; the
	// next one is invalid_grant. A repeat with the same scope and resource gets the first
	// response. A repeat with another scope, resource or key gets a new access token and
	// the same refresh token. After the window, or once the successor was used, a repeat
	// is a replay, which revokes the Authorization. If zero, every repeat is a replay.
	RetryWindow time.Duration
	// RevokeShared revokes the Authorization once three of its refresh tokens in a
	// row were repeated. That happens if two parties share the tokens, but also if a
	// client often refreshes twice at the same time. [oauthkit.CredentialShared] is
	// recorded in any case.
	RevokeShared bool
}

// refreshToken is the grant of RFC 6749 §6 with rotation (RFC 9700 §4.14.2).
type refreshToken struct {
	store        oauthkit.RefreshTokenStore
	window       time.Duration
	revokeShared bool
}

// RefreshToken returns the refresh token grant (RFC 6749 §6). Every use replaces the
// token. A token that is used twice revokes the whole Authorization.
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
		return nil, invalidCredential("refresh token")
	}
	if !token.Authorization.Valid(request.Now) {
		return nil, invalidCredential("refresh token")
	}
	if err := request.CheckConfirmation(token.Confirmation); err != nil {
		return nil, err
	}
	if !token.ConsumedAt.IsZero() {
		return g.repeat(ctx, request, value, token)
	}
	if !request.Now.Before(token.ExpiresAt) {
		return nil, invalidCredential("refresh token")
	}
	scopes, err := requestedScopes(request, token.Authorization)
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
		return nil, invalidCredential("refresh token")
	}
	token, err := g.store.RefreshToken(ctx, secret.Hash(value))
	return token, findError(err, "refresh token")
}

// requestedScopes returns the scopes of the new access token: the requested ones, or
// all that the Authorization has and the application may still have. Fewer scopes in
// one request do not limit the next one (RFC 6749 §6).
func requestedScopes(request *oauthkit.TokenRequest, authorization *oauthkit.Authorization) (oauthkit.Scopes, error) {
	allowed := allowedScopes(request.Application, authorization)
	requested, err := oauthkit.ParseScopes(request.Form.Get("scope"))
	switch {
	case err != nil:
		return nil, err
	case len(requested) == 0:
		return allowed, nil
	case !allowed.ContainsAll(requested):
		return nil, oauthkit.Errorf(oauthkit.InvalidScope, "scope holds more than was allowed")
	default:
		return requested, nil
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
		return g.repeatAfterRace(ctx, request, value, token.Hash)
	case errors.Is(err, oauthkit.ErrRevoked), errors.Is(err, oauthkit.ErrNotFound):
		return nil, invalidCredential("refresh token")
	default:
		return response, err
	}
}

// repeatAfterRace reads the token again after another request has just used it, and
// answers a repeat.
func (g *refreshToken) repeatAfterRace(ctx context.Context, request *oauthkit.TokenRequest, value, hash string) (*oauthkit.TokenResponse, error) {
	token, err := g.store.RefreshToken(ctx, hash)
	if err != nil {
		return nil, findError(err, "refresh token")
	}
	if !token.Authorization.Valid(request.Now) {
		return nil, invalidCredential("refresh token")
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
		Confirmation:  token.Confirmation,
		IssuedAt:      token.IssuedAt,
		ExpiresAt:     token.ExpiresAt,
		Kind:          oauthkit.KindRefreshToken,
		Consumed:      !token.ConsumedAt.IsZero(),
	}, nil
}
