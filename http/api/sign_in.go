package oauthapi

import (
	"slices"
	"time"

	"github.com/oauthkit/oauthkit"
)

// checkSignIn returns an error unless a sign-in meets ACRValues and MaxAge (RFC 9470 §3).
// An unknown acr or time meets neither.
func (a API) checkSignIn(acr string, at time.Time) error {
	switch {
	case len(a.ACRValues) > 0 && (acr == "" || !slices.Contains(a.ACRValues, acr)):
		return oauthkit.Errorf(oauthkit.InsufficientUserAuthentication, "another authentication context class is needed")
	case a.MaxAge != 0 && (at.IsZero() || a.now().Sub(at) > a.MaxAge):
		return oauthkit.Errorf(oauthkit.InsufficientUserAuthentication, "a more recent sign-in is needed")
	default:
		return nil
	}
}

// now returns the time of the source of tokens, if it has a method Now, or of the system.
func (a API) now() time.Time {
	now := time.Now
	if source, ok := a.Tokens.(interface{ Now() time.Time }); ok {
		now = source.Now
	}
	return now()
}
