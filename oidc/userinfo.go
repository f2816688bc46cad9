package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/oauthkit/oauthkit"
)

// ClaimsRequest is a request for the claims about one user.
type ClaimsRequest struct {
	// Subject is the user.
	Subject string
	// Scopes are the scopes of the access token. They contain openid.
	Scopes oauthkit.Scopes
	// Application receives the claims. Authorization is the user's consent behind the
	// access token.
	Application   oauthkit.Application
	Authorization *oauthkit.Authorization
}

// Allows reports whether the granted scopes cover claim, so that a host need not look
// up a claim that would be dropped. It is true for the host's own claims, which no
// scope covers.
func (r *ClaimsRequest) Allows(claim string) bool { return isAllowed(claim, r.Scopes) }

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
// is valid and has the scope openid.
func (e *Extension) serveUserInfo(w http.ResponseWriter, r *http.Request, token *oauthkit.AccessToken) error {
	if token.Authorization.Subject == "" {
		return oauthkit.Errorf(oauthkit.InsufficientScope, "the access token is not for a user")
	}
	app, err := e.provider.Application(r.Context(), token.Authorization.ClientID)
	if errors.Is(err, oauthkit.ErrNotFound) {
		return oauthkit.Errorf(oauthkit.InvalidToken, "the application of the access token is not known any more")
	}
	if err != nil {
		return err
	}
	members, err := e.userClaims(r.Context(), &ClaimsRequest{
		Subject:       token.Authorization.Subject,
		Scopes:        token.Scopes,
		Application:   app,
		Authorization: token.Authorization,
	})
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
func (e *Extension) userClaims(ctx context.Context, request *ClaimsRequest) (map[string]any, error) {
	if e.config.Claims == nil {
		return map[string]any{}, nil
	}
	claims, err := e.config.Claims(ctx, request)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the user of the access token is not known any more").WithCause(err)
	case err != nil:
		return nil, oauthkit.Unavailable(fmt.Errorf("oidc: Config.Claims: %w", err))
	}
	members, err := claims.members()
	if err != nil {
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	maps.DeleteFunc(members, func(name string, _ any) bool { return !request.Allows(name) })
	return members, nil
}
