package oauthapi

import (
	"net/http"

	"github.com/oauthkit/oauthkit"
	"github.com/oauthkit/oauthkit/http/internal/request"
	"github.com/oauthkit/oauthkit/http/internal/wire"
)

// SignedInOr lets a request through if its user is signed in to the host, or if
// [API.RequireScopes] does.
//
// If the request has an access token, only the token counts. Otherwise
// [UserFromContext] returns the signed-in user. CurrentUser is the function of the
// same name in oauthhttp.Config. Because browsers send cookies with requests from
// other sites too, such requests are refused unless the method is safe. The sign-in of
// the user must meet ACRValues and MaxAge too.
func (a API) SignedInOr(currentUser func(*http.Request) (*oauthkit.User, error), scopes ...string) func(http.Handler) http.Handler {
	byToken, crossOrigin := a.RequireScopes(scopes...), http.NewCrossOriginProtection()
	return func(next http.Handler) http.Handler {
		withToken := byToken(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := wire.ReadToken(w, r, nil, a.keyBindings()); !wire.IsNoToken(err) {
				withToken.ServeHTTP(w, r)
				return
			}
			user, err := a.signedIn(currentUser, r)
			if err == nil && user != nil && request.CheckSameOrigin(crossOrigin, r, a.isHTTPS()) != nil {
				err = oauthkit.Errorf(oauthkit.AccessDenied, "the request comes from another site").
					WithReason(oauthkit.ReasonCrossSite)
			}
			if err == nil && user != nil {
				err = a.checkSignIn(user.ACR, user.AuthTime)
			}
			switch {
			case err != nil:
				a.refuse(w, r, err, nil)
			case user == nil:
				withToken.ServeHTTP(w, r) // it answers with the challenge
			default:
				next.ServeHTTP(w, r.WithContext(&callerContext{r.Context(), caller{user: user, subject: user.Subject}}))
			}
		})
	}
}

// signedIn returns the signed-in user, or nil. It runs in the context of an
// authentication.
func (a API) signedIn(currentUser func(*http.Request) (*oauthkit.User, error), r *http.Request) (user *oauthkit.User, err error) {
	defer request.RecoverTo(&err)
	if a.Tokens == nil {
		return nil, errNoTokens
	}
	ctx, cancel := a.authenticationContext(r, &request.Detached{})
	defer cancel()
	return request.CurrentUser(currentUser, r.WithContext(ctx))
}
