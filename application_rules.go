package oauthkit

import (
	"errors"

	"github.com/oauthkit/oauthkit/internal/redirect"
)

// ApplicationRules say which URIs applications may be stored with. They do not say how a request is matched: that stays
// exact, and a URI that [CheckRedirectURI] refuses is refused in a request too. The zero value is the library's own rules. An
// application that is a [RedirectURIValidator] or an [OriginValidator] decides for itself.
type ApplicationRules struct {
	// RedirectURI returns what checks the redirect URIs of an application, which may be new. The error is for people. Nil, and nil
	// for an application: CheckRedirectURI. It can call that and then be stricter.
	RedirectURI func(app Application) func(uri string) error
	// Origin does the same for the allowed origins, with CheckOrigin.
	Origin func(app Application) func(origin string) error
}

// RedirectURIValidator is an [Application] with rules of its own for its redirect URIs, in the place of ApplicationRules.
type RedirectURIValidator interface {
	ValidateRedirectURI(uri string) error
}

// OriginValidator is an [Application] with rules of its own for its allowed origins, in the place of ApplicationRules.
type OriginValidator interface {
	ValidateOrigin(origin string) error
}

// CheckRedirectURI is the library's rule for redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7): an https URI, an http URI of a
// loopback address, or a private-use scheme with a dot; no fragment, no user, nothing that two programs could read differently.
func CheckRedirectURI(uri string) error { return redirect.Check(uri) }

// CheckOrigin is the library's rule for origins (RFC 6454 §6.2): https, or http on a loopback address, and nothing but host and
// port.
func CheckOrigin(origin string) error { return redirect.CheckOrigin(origin) }

// CheckName is the library's rule for the name of an application: at most 100 characters, which people see as they are. None at all
// is a name too. The error is for people.
func CheckName(name string) error {
	if !isName(name) {
		return errors.New("must have at most 100 characters, none of which is invisible, a control character or a direction mark")
	}
	return nil
}

func (r ApplicationRules) redirectURI(app Application) func(uri string) error {
	if own, ok := app.(RedirectURIValidator); ok {
		return own.ValidateRedirectURI
	}
	if r.RedirectURI != nil {
		if check := r.RedirectURI(app); check != nil {
			return check
		}
	}
	return CheckRedirectURI
}

func (r ApplicationRules) origin(app Application) func(origin string) error {
	if own, ok := app.(OriginValidator); ok {
		return own.ValidateOrigin
	}
	if r.Origin != nil {
		if check := r.Origin(app); check != nil {
			return check
		}
	}
	return CheckOrigin
}
