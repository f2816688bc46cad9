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

// ClaimsRequest asks the host for the claims of one user.
type ClaimsRequest struct {
	// Subject is the user.
	Subject string
	// Scopes are those of the access token, openid among them.
	Scopes oauthkit.Scopes
	// Application is who will be told, and Authorization what the user allowed it.
	Application   oauthkit.Application
	Authorization *oauthkit.Authorization
}

// Allows reports whether a claim may be told, so that a host need not look up what is left out anyway. It is true of the
// host's own claims, which belong to no scope.
func (r *ClaimsRequest) Allows(claim string) bool { return allowed(claim, r.Scopes) }

// ClaimsFor makes a Config.Claims of a function that takes the host's own application type.
func ClaimsFor[A oauthkit.Application](
	claims func(ctx context.Context, app A, request *ClaimsRequest) (Claims, error),
) func(context.Context, *ClaimsRequest) (Claims, error) {
	return func(ctx context.Context, request *ClaimsRequest) (Claims, error) {
		app, err := own[A](request.Application)
		if err != nil {
			return Claims{}, err
		}
		return claims(ctx, app, request)
	}
}

// serveUserInfo is the user info endpoint (§5.3). The token is valid and has the scope openid.
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
	members["sub"] = token.Authorization.Subject // §5.3.2: always, and the one of the ID token
	document, err := json.Marshal(members)
	if err != nil {
		return oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(document)
	return nil
}

// userClaims asks Config.Claims and leaves out what the request does not allow.
func (e *Extension) userClaims(ctx context.Context, request *ClaimsRequest) (map[string]any, error) {
	if e.config.Claims == nil {
		return map[string]any{}, nil
	}
	claims, err := e.config.Claims(ctx, request)
	switch {
	case errors.Is(err, oauthkit.ErrNotFound):
		return nil, oauthkit.Errorf(oauthkit.InvalidToken, "the user of the access token is not known any more").WithCause(err)
	case err != nil:
		return nil, oauthkit.Unavailable(fmt.Errorf("asking for the claims of the user: %w", err))
	}
	members, err := claims.members()
	if err != nil {
		return nil, oauthkit.Errorf(oauthkit.ServerError, "").WithCause(err)
	}
	maps.DeleteFunc(members, func(name string, _ any) bool { return !request.Allows(name) })
	return members, nil
}
