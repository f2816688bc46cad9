package oauthhttp

import (
	"context"

	"github.com/oauthkit/oauthkit"
)

// callerKey is the key of the caller in a request's context.
type callerKey struct{}

// caller is who a protected part of the host's API was told the request is from.
type caller struct {
	token   *oauthkit.AccessToken // nil: a user who is signed in to the host
	user    *oauthkit.User        // nil: a token
	subject string                // empty: an application that acts for itself
}

// callerContext is the context of a request whose caller is known, in one piece.
type callerContext struct {
	context.Context
	caller caller
}

// Value implements [context.Context].
func (c *callerContext) Value(key any) any {
	if _, asked := key.(callerKey); asked {
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

// TokenFromContext returns the access token with which a request was let through, and whether there is one. Its Authorization
// says which user and which application it is for; a token that an application has for itself has no Subject.
func TokenFromContext(ctx context.Context) (*oauthkit.AccessToken, bool) {
	token := callerFrom(ctx).token
	return token, token != nil
}

// UserFromContext returns the user who is signed in to the host, as the function that was given to [API.SignedInOr] returned him, and
// whether there is one. A request with an access token has none, even if its browser is signed in: the user whom the token is for is
// known by [SubjectFromContext], and how he signed in then by the token's Authorization where the provider is in this program.
func UserFromContext(ctx context.Context) (*oauthkit.User, bool) {
	user := callerFrom(ctx).user
	return user, user != nil
}

// SubjectFromContext returns the user for whom a request was let through, by a token or because he is signed in, and whether
// there is one: an application that acts for itself has none.
func SubjectFromContext(ctx context.Context) (string, bool) {
	subject := callerFrom(ctx).subject
	return subject, subject != ""
}
