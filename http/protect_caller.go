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
	subject string                // empty: an application that acts for itself
}

func withCaller(ctx context.Context, found *caller) context.Context {
	return context.WithValue(ctx, callerKey{}, found)
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

// SubjectFromContext returns the user for whom a request was let through, by a token or because he is signed in, and whether
// there is one: an application that acts for itself has none.
func SubjectFromContext(ctx context.Context) (string, bool) {
	subject := callerFrom(ctx).subject
	return subject, subject != ""
}
