// Package grants has the grant types (RFC 6749 §1.3), one file each.
//
// Every grant keeps to one order: find what was presented, check the whole proof, and only then consume it and save the
// tokens in one act of the store. A leaked code alone can therefore neither be used up nor raise an alarm.
package grants

import (
	"errors"
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// Store is what [Standard] needs.
type Store interface {
	oauthkit.TokenStore
	oauthkit.CodeStore
	oauthkit.RefreshTokenStore
}

// Standard returns the grants that RFC 9700 leaves: authorization code with PKCE, refresh token with rotation and a retry
// within 30 seconds, and client credentials.
func Standard(store Store) []oauthkit.Grant {
	return []oauthkit.Grant{
		AuthorizationCode(store, AuthorizationCodeConfig{}),
		RefreshToken(store, RefreshTokenConfig{RetryWindow: 30 * time.Second}),
		ClientCredentials(store),
	}
}

// notValid is what a client is told of a credential that is unknown, expired, revoked or another's: always the same, so that the answer
// does not help to guess (RFC 6749 §5.2).
func notValid(what string) error {
	return oauthkit.Errorf(oauthkit.InvalidGrant, "the %s is not valid, or no longer", what)
}

// found keeps "no such thing" apart from "the store failed".
func found(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, oauthkit.ErrNotFound):
		return notValid(what)
	default:
		return oauthkit.Unavailable(err)
	}
}

// orUnavailable returns the error of a request as it is, and that of a store as one.
func orUnavailable(err error) error {
	var known *oauthkit.Error
	if errors.As(err, &known) {
		return err
	}
	return oauthkit.Unavailable(err)
}

// stillAllowed returns the scopes of the Authorization without those that the application has lost since.
func stillAllowed(app oauthkit.Application, authorization *oauthkit.Authorization) oauthkit.Scopes {
	return slices.DeleteFunc(slices.Clone(authorization.Scopes), func(scope string) bool { return !app.AllowsScope(scope) })
}
