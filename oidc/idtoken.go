package oidc

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-oauth2/oauth2/v4"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/jose"
)

// idTokenType is the typ header of ID tokens. Everything else signed with the same keys
// must have another type (RFC 8725 §3.11).
const idTokenType = "JWT"

// addIDToken adds an ID token to a response for a user with the scope openid (§3.1.3.3,
// §12.2).
func (e *Extension) addIDToken(ctx context.Context, issued *oauthkit.Issued) error {
	if issued.Authorization.Subject == "" || !issued.Scopes.Contains(scopeOpenID) {
		return nil
	}
	key, err := e.signer(ctx, oauthkit.IDTokenAlgorithm(issued.Application), issued.Now)
	if err != nil {
		return err
	}
	claims, err := e.claimsAboutUser(ctx, issued)
	if err != nil {
		return err
	}
	added, err := e.hostClaims(ctx, issued)
	if err != nil {
		return err
	}
	maps.Copy(claims, added)
	maps.Copy(claims, e.protocolClaims(issued, key.Algorithm()))
	token, err := key.Sign(idTokenType, claims)
	if errors.Is(err, jose.ErrSigner) {
		return oauthkit.Unavailable(err)
	}
	if err != nil {
		return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	issued.Response.Set("id_token", token)
	return nil
}

// claimsAboutUser returns the claims of Config.Claims that the scopes cover if the
// application wants them in ID tokens, and otherwise those that it requested for the ID
// token: user info returns the others (§5.4, §5.5). After a refresh they are those of now
// (§12.2).
func (e *Extension) claimsAboutUser(ctx context.Context, issued *oauthkit.Issued) (map[string]any, error) {
	approved, err := e.approved(issued.Authorization)
	if err != nil {
		return nil, err
	}
	wants := oauthkit.WantsIDTokenClaims(issued.Application, e.config.IDTokenUserClaims)
	if !wants && len(approved.Requested.IDToken) == 0 {
		return map[string]any{}, nil
	}
	claims, err := e.userClaims(ctx, &ClaimsRequest{
		Subject:       issued.Authorization.Subject,
		Scopes:        issued.Scopes,
		IDToken:       true,
		Application:   issued.Application,
		Authorization: issued.Authorization,
		Requested:     approved.Requested.IDToken,
		shown:         approved.Shown,
		onlyRequested: !wants,
	})
	if errors.Is(err, oauthkit.ErrNotFound) {
		return nil, oauthkit.Errorf(oauthkit.InvalidGrant, "the user is not known any more").WithCause(err)
	}
	return claims, err
}

// protocolClaims returns the claims of §2 and §3.1.3.6, and the sid of OpenID Connect
// Back-Channel Logout 1.0 §2.1. Claims about the user are not
// among them. After a refresh the claims describe the same sign-in, without the nonce
// (§12.2).
func (e *Extension) protocolClaims(issued *oauthkit.Issued, algorithm jose.Algorithm) map[string]any {
	authorization := issued.Authorization
	claims := map[string]any{
		"iss":     e.provider.Issuer(),
		"sub":     authorization.Subject,
		"aud":     authorization.ClientID,
		"iat":     issued.Now.Unix(),
		"exp":     issued.Now.Add(e.config.IDTokenLifetime).Unix(),
		"at_hash": jose.AccessTokenHash(algorithm, issued.Response.AccessToken),
	}
	if !authorization.AuthTime.IsZero() {
		claims["auth_time"] = authorization.AuthTime.Unix()
	}
	if nonce := authorization.Params[paramNonce]; nonce != "" && issued.GrantType == oauth2.AuthorizationCode {
		claims["nonce"] = nonce
	}
	if authorization.SessionID != "" { // until the session ends
		claims["sid"] = authorization.SessionID
	}
	if authorization.ACR != "" {
		claims["acr"] = authorization.ACR
	}
	if len(authorization.AMR) > 0 {
		claims["amr"] = authorization.AMR
	}
	return claims
}

// hostClaims calls Config.IDTokenClaims. It drops claims of the protocol, even those
// that this token does not have, and claims that the granted scopes do not cover.
func (e *Extension) hostClaims(ctx context.Context, issued *oauthkit.Issued) (map[string]any, error) {
	if e.config.IDTokenClaims == nil {
		return nil, nil
	}
	returned, err := e.config.IDTokenClaims(ctx, issued)
	if err != nil {
		return nil, oauthkit.Unavailable(fmt.Errorf("oidc: Config.IDTokenClaims: %w", err))
	}
	claims := maps.Clone(returned)
	for name := range returned {
		if isReserved(name) {
			e.provider.Logger().WarnContext(ctx, "oidc: ignored a protocol claim that Config.IDTokenClaims returned", "claim", name)
		}
		if !isAllowed(name, issued.Scopes) {
			delete(claims, name)
		}
	}
	e.dropMistyped(ctx, "Config.IDTokenClaims", claims)
	return claims, nil
}

// isReserved reports whether the protocol defines claim. Reserved claims describe the
// token itself, its audience and its use: RFC 7519 §4.1, §2 and §3.3.2.11, RFC 7800 §3,
// RFC 8693 §4, OpenID Connect Back-Channel Logout 1.0 §2.4.
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

// IDTokenClaimsFor adapts a function that takes the host's application type to
// Config.IDTokenClaims.
func IDTokenClaimsFor[A oauthkit.Application](
	claims func(ctx context.Context, app A, issued *oauthkit.Issued) (map[string]any, error),
) func(context.Context, *oauthkit.Issued) (map[string]any, error) {
	return func(ctx context.Context, issued *oauthkit.Issued) (map[string]any, error) {
		app, err := applicationAs[A](issued.Application)
		if err != nil {
			return nil, err
		}
		return claims(ctx, app, issued)
	}
}

// applicationAs returns app as the host's application type.
func applicationAs[A oauthkit.Application](app oauthkit.Application) (A, error) {
	typed, ok := app.(A)
	if !ok {
		return typed, fmt.Errorf("oidc: the store returned a %T, want a %T", app, typed)
	}
	return typed, nil
}
