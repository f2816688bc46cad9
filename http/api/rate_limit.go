package oauthapi

import "net/http"

// RateLimitKey returns the key by which any rate limiter can count a request: its
// user, in all of the user's applications, or the application if the token has no
// user. Put the limiter inside the middleware of an [API]. Elsewhere the key is empty
// and thus the same for every caller.
func RateLimitKey(r *http.Request) string {
	if subject, ok := SubjectFromContext(r.Context()); ok {
		return "user:" + subject
	}
	return ApplicationRateLimitKey(r)
}

// ApplicationRateLimitKey returns a key for the application of a request, across all
// of its users. It is empty for a user who is signed in to the host.
func ApplicationRateLimitKey(r *http.Request) string {
	if token, ok := TokenFromContext(r.Context()); ok {
		return "application:" + token.Authorization.ClientID
	}
	return ""
}
