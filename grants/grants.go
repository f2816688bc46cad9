// Package grants implements grant types (RFC 6749 §1.3), one in each file. Pass
// [Standard] as Config.Grants to oauthkit.New, or list the grants with settings of
// your own.
//
// Every grant works in the same order: it finds the presented credential, checks the
// whole proof, and only then consumes the credential and saves the tokens in one act
// of the store. A leaked code alone can therefore neither be used up nor raise an
// alarm.
package grants

import (
	"errors"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Store is the store that [Standard] requires.
type Store interface {
	oauthkit.TokenStore
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
}

// Standard returns the grants that RFC 9700 recommends: authorization code with PKCE,
// refresh token with rotation and a retry window of 30 seconds, and client
// credentials.
func Standard(store Store) []oauthkit.Grant {
	return []oauthkit.Grant{
		AuthorizationCode(store, AuthorizationCodeConfig{}),
		RefreshToken(store, RefreshTokenConfig{RetryWindow: 30 * time.Second}),
		ClientCredentials(store),
	}
}

// invalidCredential returns the error for a credential that is unknown, expired,
// revoked or issued to another application. It is always the same, so that the
// response does not help to guess credentials (RFC 6749 §5.2).
func invalidCredential(kind string) error {
	return oauthkit.Errorf(oauthkit.InvalidGrant, "the %s is not valid, or no longer", kind)
}

// findError turns the error of a lookup in the store into the error of a request.
func findError(err error, kind string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, oauthkit.ErrNotFound):
		return invalidCredential(kind)
	default:
		return oauthkit.Unavailable(err)
	}
}

// requestError returns an error of a request unchanged, and any other error as the
// failure of a store.
func requestError(err error) error {
	var refusal *oauthkit.Error
	if errors.As(err, &refusal) {
		return err
	}
	return oauthkit.Unavailable(err)
}

// allowedScopes returns the scopes of the Authorization that the application may
// still have.
func allowedScopes(app oauthkit.Application, authorization *oauthkit.Authorization) oauthkit.Scopes {
	return slices.DeleteFunc(slices.Clone(authorization.Scopes), func(scope string) bool { return !app.AllowsScope(scope) })
}
