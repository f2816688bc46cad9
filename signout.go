package oauthkit

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// SignOutRequest is the request of an application to sign its user out (OpenID Connect
// RP-Initiated Logout 1.0 §2). Only [Provider.NewSignOutRequest] makes one, so that the
// library can redirect to no other URI.
type SignOutRequest struct {
	// Form holds the parameters of the specification, each at most once. Others are
	// dropped.
	Form url.Values
	// Application is the application that asks. It is nil if the request names none. If
	// client_id does not name it, an extension sets it.
	Application Application
	// Subject and SessionID are the user and the session for which the application has
	// proved that it may end them, for example with an ID token. The user is not asked if
	// both are those of the browser. Extensions set them; if empty, nothing is proved.
	Subject, SessionID string
	// Now is the time of the request.
	Now time.Time

	redirectURI string
}

// The limits of a request to sign out, in bytes.
const (
	maxSignOutParameter = 512
	maxIDTokenHint      = 8 << 10
)

// signOutParameters returns the parameters with their limits in bytes (OpenID Connect
// RP-Initiated Logout 1.0 §2).
func signOutParameters() map[string]int {
	return map[string]int{
		"id_token_hint": maxIDTokenHint, "state": maxState, "post_logout_redirect_uri": maxState,
		"client_id": maxSignOutParameter, "logout_hint": maxSignOutParameter, "ui_locales": maxSignOutParameter,
	}
}

// AcceptsSignOutRequests reports whether an extension checks the requests of applications
// to sign users out. Otherwise users can only sign out by themselves.
func (p *Provider) AcceptsSignOutRequests() bool { return len(p.signOutChecks) > 0 }

// NewSignOutRequest checks the parameters of a request to sign a user out. It takes
// ownership of form and drops parameters from it.
//
// Its error may only be shown to the user, who stays signed in: there is no safe address
// to send it to.
func (p *Provider) NewSignOutRequest(ctx context.Context, form url.Values) (*SignOutRequest, error) {
	request := &SignOutRequest{Form: form, Now: p.Now()}
	if err := checkSignOutParameters(form); err != nil {
		return nil, err
	}
	if form.Has("client_id") {
		app, err := p.authorizingApplication(ctx, form)
		if err != nil {
			return nil, err
		}
		request.Application = app
	}
	for _, check := range p.signOutChecks {
		if err := check(ctx, request); err != nil {
			return nil, err
		}
	}
	return request, request.readRedirectURI()
}

func checkSignOutParameters(form url.Values) error {
	limits := signOutParameters()
	maps.DeleteFunc(form, func(name string, _ []string) bool { return limits[name] == 0 })
	for name, values := range form {
		switch {
		case len(values) > 1:
			return Errorf(InvalidRequest, "%s is repeated", name).WithReason(ReasonMalformedRequest)
		case len(values[0]) > limits[name] || !isText(values[0]):
			return Errorf(InvalidRequest, "%s is longer than %d bytes, or not text", name, limits[name]).WithReason(ReasonMalformedRequest)
		}
	}
	return nil
}

// readRedirectURI reads post_logout_redirect_uri, which must be registered exactly (§3).
// If no application is known, it is ignored, since nothing says whose address it is.
func (r *SignOutRequest) readRedirectURI() error {
	uri := r.Form.Get("post_logout_redirect_uri")
	if uri == "" || r.Application == nil {
		return nil
	}
	if redirect.Check(uri) != nil || !AllowsPostLogoutRedirectURI(r.Application, uri) {
		return Errorf(InvalidRequest, "the post_logout_redirect_uri is not one of the application's").WithReason(ReasonRedirectURIMismatch)
	}
	r.redirectURI = uri
	return nil
}

// RedirectURI returns the registered post_logout_redirect_uri, with the state of the
// request (§2). It is empty if the request has none, or names no application.
func (r *SignOutRequest) RedirectURI() string {
	state := r.Form.Get("state")
	if r.redirectURI == "" || state == "" {
		return r.redirectURI
	}
	separator := "?"
	if strings.Contains(r.redirectURI, "?") {
		separator = "&"
	}
	return r.redirectURI + separator + url.Values{"state": {state}}.Encode()
}

// Proves reports whether the request proves that it is about the session of user, so that
// the user need not be asked (§2).
func (p *Provider) Proves(request *SignOutRequest, user *User) bool {
	id := p.SessionID(user)
	return id != "" && request.SessionID == id && request.Subject == user.Subject
}
