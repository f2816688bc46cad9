package grants

import (
	"context"
	"errors"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/internal/secret"
)

// RedeemCode answers a token request of a grant of your own, whose credential was saved
// by [oauthkit.Approval.AddCode] and is redeemed once. It does all that the authorization
// code grant does, except for PKCE and the redirect URI: it checks the application, the
// key and the expiry, revokes the Authorization if the credential is redeemed again, and
// leaves out scopes that the application may not use any more.
//
// A code of the authorization code grant is refused. So that no other grant accepts the
// credential, check before the call that it begins with the prefix of your grant. The
// error is [oauthkit.InvalidGrant], and also wraps [oauthkit.ErrNotFound] if no such
// credential was saved, for example because the user has not decided yet.
func RedeemCode(ctx context.Context, store oauthkit.CodeStore, request *oauthkit.TokenRequest, credential string) (*oauthkit.TokenResponse, error) {
	code, err := store.Code(ctx, secret.Hash(credential))
	if errors.Is(err, oauthkit.ErrNotFound) {
		return nil, oauthkit.Errorf(oauthkit.InvalidGrant, "the credential is not valid, or no longer").WithCause(err)
	}
	if err != nil {
		return nil, oauthkit.Unavailable(err)
	}
	return redeem(ctx, store, request, code, checkApproved)
}

// checkApproved refuses codes of the authorization code grant.
func checkApproved(code *oauthkit.AuthorizationCode, _ *oauthkit.TokenRequest) error {
	if code.RedirectURI != "" { // it requires more proof
		return invalidCredential("credential")
	}
	return nil
}
