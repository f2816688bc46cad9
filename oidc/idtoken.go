package oidc

import (
	"context"
	"fmt"
	"maps"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// idTokenType is the typ header of ID tokens. Everything else that is signed with the same keys must have another
// (RFC 8725 §3.11).
const idTokenType = "JWT"

// addIDToken adds an ID token to the response if it is for a user and has the scope openid (§3.1.3.3, §12.2).
func (e *Extension) addIDToken(ctx context.Context, response *oauthkit.TokenResponse) error {
	if response.Authorization.Subject == "" || !response.Scopes.Contains(scopeOpenID) {
		return nil
	}
	key, err := e.signer(ctx, response)
	if err != nil {
		return err
	}
	claims, err := e.hostClaims(ctx, response)
	if err != nil {
		return err
	}
	maps.Copy(claims, e.protocolClaims(response, key.Algorithm()))
	token, err := key.Sign(idTokenType, claims)
	if err != nil {
		return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	response.Set("id_token", token)
	return nil
}

// signer returns the key of the algorithm that the application has chosen.
func (e *Extension) signer(ctx context.Context, response *oauthkit.TokenResponse) (*jose.Key, error) {
	algorithm := jose.RS256
	if chosen := oauthkit.IDTokenAlgorithm(response.Application); chosen != "" {
		parsed, err := jose.ParseAlgorithm(chosen)
		if err != nil {
			return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
		}
		algorithm = parsed
	}
	return e.keys.current(ctx).signer(algorithm, response.Now)
}

// protocolClaims returns the claims of §2 and §3.1.3.6. The user's own claims are not among them: they are told at the
// user info endpoint (§5.4). After a refresh they are those of the same sign-in, without the nonce (§12.2).
func (e *Extension) protocolClaims(response *oauthkit.TokenResponse, algorithm jose.Algorithm) map[string]any {
	authorization := response.Authorization
	claims := map[string]any{
		"iss":     e.provider.Issuer(),
		"sub":     authorization.Subject,
		"aud":     authorization.ClientID,
		"iat":     response.Now.Unix(),
		"exp":     response.Now.Add(e.config.IDTokenLifetime).Unix(),
		"at_hash": jose.AccessTokenHash(algorithm, response.AccessToken),
	}
	if !authorization.AuthTime.IsZero() {
		claims["auth_time"] = authorization.AuthTime.Unix()
	}
	if nonce := authorization.Params[paramNonce]; nonce != "" && response.GrantType == oauth2.AuthorizationCode {
		claims["nonce"] = nonce
	}
	if authorization.ACR != "" {
		claims["acr"] = authorization.ACR
	}
	if len(authorization.AMR) > 0 {
		claims["amr"] = authorization.AMR
	}
	return claims
}

// hostClaims asks Config.IDTokenClaims. Claims of the protocol are left out, those included that this token does not have, and
// so is what the user did not allow to be told.
func (e *Extension) hostClaims(ctx context.Context, response *oauthkit.TokenResponse) (map[string]any, error) {
	if e.config.IDTokenClaims == nil {
		return map[string]any{}, nil
	}
	asked, err := e.config.IDTokenClaims(ctx, response)
	if err != nil {
		return nil, oauthkit.Unavailable(fmt.Errorf("asking for the claims of the ID token: %w", err))
	}
	claims := map[string]any{}
	for name, value := range asked {
		if isReserved(name) {
			e.provider.Logger().WarnContext(ctx, "Config.IDTokenClaims returned a claim of the protocol; it is left out", "claim", name)
		}
		if allowed(name, response.Scopes) {
			claims[name] = value
		}
	}
	return claims, nil
}

// isReserved reports whether a claim is one of the protocol's. They say what a token is, who it is for and what can be done
// with it: RFC 7519 §4.1, §2 and §3.3.2.11, RFC 7800 §3, RFC 8693 §4, OpenID Connect Back-Channel Logout 1.0 §2.4.
func isReserved(claim string) bool {
	switch claim {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti",
		"auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sub_jwk",
		"scope", "client_id", "cnf", "act", "may_act", "sid", "events":
		return true
	default:
		return false
	}
}

// IDTokenClaimsFor makes a Config.IDTokenClaims of a function that takes the host's own application type.
func IDTokenClaimsFor[A oauthkit.Application](
	claims func(ctx context.Context, app A, response *oauthkit.TokenResponse) (map[string]any, error),
) func(context.Context, *oauthkit.TokenResponse) (map[string]any, error) {
	return func(ctx context.Context, response *oauthkit.TokenResponse) (map[string]any, error) {
		app, err := own[A](response.Application)
		if err != nil {
			return nil, err
		}
		return claims(ctx, app, response)
	}
}

// own returns app as the host's own type.
func own[A oauthkit.Application](app oauthkit.Application) (A, error) {
	typed, ok := app.(A)
	if !ok {
		return typed, fmt.Errorf("oidc: the store returned an application of type %T, not %T", app, typed)
	}
	return typed, nil
}
