package oidc

import (
	"context"
	"errors"

	"github.com/oauthkit/oauthkit"
)

// validateSignOut reads id_token_hint (OpenID Connect RP-Initiated Logout 1.0 §2): an ID
// token that this provider issued to the application, expired or not. It proves that the
// application belongs to the session that the token names. A token whose key is no longer
// published proves nothing.
func (e *Extension) validateSignOut(ctx context.Context, request *oauthkit.SignOutRequest) error {
	token := request.Form.Get("id_token_hint")
	if token == "" {
		return nil
	}
	refusal := oauthkit.Errorf(oauthkit.InvalidRequest, "id_token_hint is not an ID token of this provider for the application").WithReason(oauthkit.ReasonHintInvalid)
	audience := ""
	if request.Application != nil {
		audience = request.Application.GetID()
	}
	claims, err := e.verifyHint(ctx, token, audience, request.Now)
	if err != nil {
		return refusal.WithCause(err)
	}
	if request.Application == nil {
		request.Application, err = e.provider.Application(ctx, claims.audience)
		switch {
		case errors.Is(err, oauthkit.ErrNotFound):
			return refusal.WithCause(err)
		case err != nil:
			return err
		}
	}
	request.Subject, request.SessionID = claims.subject, claims.sessionID
	return nil
}
