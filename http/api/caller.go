package oauthapi

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

// callerKey is the key of the caller in a request's context.
type callerKey struct{}

// caller is the authenticated caller of an API.
type caller struct {
	token   *oauthkit.AccessToken // nil if a user is signed in to the host
	user    *oauthkit.User        // nil if the request has a token
	subject string                // empty if the token was issued to the application itself
}

// callerContext is a request's context with its caller, in one allocation.
type callerContext struct {
	context.Context
	caller caller
}

// Value implements [context.Context].
func (c *callerContext) Value(key any) any {
	if _, ok := key.(callerKey); ok {
		return &c.caller
	}
	return c.Context.Value(key)
}

func callerFrom(ctx context.Context) *caller {
	if found, ok := ctx.Value(callerKey{}).(*caller); ok {
		return found
	}
	return &caller{}
}

// TokenFromContext returns the access token of a request that the middleware of an
// [API] let through, and whether it has one. The token's Authorization names the user
// and the application. Its Subject is empty if the token was issued to the
// application itself.
func TokenFromContext(ctx context.Context) (*oauthkit.AccessToken, bool) {
	token := callerFrom(ctx).token
	return token, token != nil
}

// UserFromContext returns the signed-in user that the function given to
// [API.SignedInOr] returned, and whether there is one.
//
// A request with an access token has no such user, even if its browser is signed in.
// For it, [SubjectFromContext] returns the token's user. If the provider is in the
// same program, the token's Authorization tells how that user signed in.
func UserFromContext(ctx context.Context) (*oauthkit.User, bool) {
	user := callerFrom(ctx).user
	return user, user != nil
}

// SubjectFromContext returns the user of a request, by its token or by the host's
// session, and whether there is one. A token that was issued to the application
// itself has no user.
func SubjectFromContext(ctx context.Context) (string, bool) {
	subject := callerFrom(ctx).subject
	return subject, subject != ""
}
