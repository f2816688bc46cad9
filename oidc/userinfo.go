package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/oauthkit/oauthkit"
)

// ClaimsRequest is a request for the claims about one user, for user info or for an ID
// token.
type ClaimsRequest struct {
	// Subject is the user.
	Subject string
	// Scopes are the scopes of the access token. They contain openid.
	Scopes oauthkit.Scopes
	// IDToken reports whether the claims are for an ID token.
	IDToken bool
	// Application receives the claims. Authorization is the user's consent behind the
	// access token.
	Application   oauthkit.Application
	Authorization *oauthkit.Authorization
	// Requested are the claims that the client requested one by one, with their
	// conditions, if Config.ClaimsParameter is true. A claim without conditions is nil.
	Requested map[string]*RequestedClaim

	shown         []string // those of Requested that the user approved beside the scopes
	onlyRequested bool     // only claims of Requested may be disclosed
}

// Allows reports whether the user approved claim, by a scope or by itself, so that a host
// need not look up a claim that would be dropped. It is true for the host's own claims,
// which no scope covers.
func (r *ClaimsRequest) Allows(claim string) bool {
	_, requested := r.Requested[claim]
	if requested && !isReserved(claim) && slices.Contains(r.shown, claim) {
		return true
	}
	return (requested || !r.onlyRequested) && isAllowed(claim, r.Scopes)
}

// ClaimsFor adapts a function that takes the host's application type to Config.Claims.
func ClaimsFor[A oauthkit.Application](
	claims func(ctx context.Context, app A, request *ClaimsRequest) (Claims, error),
) func(context.Context, *ClaimsRequest) (Claims, error) {
	return func(ctx context.Context, request *ClaimsRequest) (Claims, error) {
		app, err := applicationAs[A](request.Application)
		if err != nil {
			return Claims{}, err
		}
		return claims(ctx, app, request)
	}
}

// serveUserInfo is the user info endpoint (§5.3). The caller has checked that the token
// is valid and has the scope openid. A token that is restricted to other resources is
// not for user info (RFC 8707 §2): an API could otherwise read the profile of a user
// with the token that it received.
func (e *Extension) serveUserInfo(w http.ResponseWriter, r *http.Request, token *oauthkit.AccessToken) error {
	if token.Authorization.Subject == "" {
		return oauthkit.Errorf(oauthkit.InsufficientScope, "the access token is not for a user")
	}
	if self := e.provider.Issuer() + "/" + userInfoPath; len(token.Resources) > 0 && !slices.Contains(token.Resources, self) {
		return oauthkit.Errorf(oauthkit.InvalidToken, "the access token is restricted to resources other than %s", self)
	}
	app, err := e.provider.Application(r.Context(), token.Authorization.ClientID)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return oauthkit.Errorf(oauthkit.InvalidToken, "the application of the access token is not known any more")
	}
	if err != nil {
		return err
	}
	approved, err := e.approved(token.Authorization)
	if err != nil {
		return err
	}
	members, err := e.userClaims(r.Context(), &ClaimsRequest{
		Subject:       token.Authorization.Subject,
		Scopes:        token.Scopes,
		Application:   app,
		Authorization: token.Authorization,
		Requested:     approved.Requested.UserInfo,
		shown:         approved.Shown,
	})
	if errors.Is(err, oauthkit.ErrNotFound) {
		return oauthkit.Errorf(oauthkit.InvalidToken, "the user of the access token is not known any more").WithCause(err)
	}
	if err != nil {
		return err
	}
	members["sub"] = token.Authorization.Subject // required, and the same as in the ID token (§5.3.2)
	document, err := json.Marshal(members)
	if err != nil {
		return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(document)
	return nil
}

// userClaims calls Config.Claims and drops the claims that the request does not allow.
// The error wraps oauthkit.ErrNotFound if the user does not exist.
func (e *Extension) userClaims(ctx context.Context, request *ClaimsRequest) (map[string]any, error) {
	if e.config.Claims == nil {
		return map[string]any{}, nil
	}
	claims, err := e.config.Claims(ctx, request)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, oauthkit.Unavailable(fmt.Errorf("oidc: Config.Claims: %w", err))
	}
	members, err := claims.members()
	if err != nil {
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	maps.DeleteFunc(members, func(name string, _ any) bool { return !request.Allows(name) })
	e.dropMistyped(ctx, "Config.Claims", members)
	return members, nil
}
