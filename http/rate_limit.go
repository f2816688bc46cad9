package oauthhttp

import "net/http"

// RateLimitKey returns what any limiter may count a request by: the user for whom it was let through, whatever application he
// uses, or the application if that acts for itself. Put the limiter inside the middleware of an [API]; elsewhere the key is
// empty, and so the same for everybody.
func RateLimitKey(r *http.Request) string {
	if subject, ok := SubjectFromContext(r.Context()); ok {
		return "user:" + subject
	}
	return ApplicationRateLimitKey(r)
}

// ApplicationRateLimitKey is [RateLimitKey] by the application alone, whoever uses it. It is empty for a user who is signed in
// to the host.
func ApplicationRateLimitKey(r *http.Request) string {
	if token, ok := TokenFromContext(r.Context()); ok {
		return "application:" + token.Authorization.ClientID
	}
	return ""
}
